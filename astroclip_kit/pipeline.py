"""One function per verb: each reads folders, writes one folder and returns the object that stands for it.

The same functions are the command line and the notebook. An argument that names a folder also takes the
object that stands for it; a part (reader, encoder, head, augmentation) is an object, or in a configuration its
``class_path`` and ``init_args``. No science in here: only the order in which the rooms are used.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, get_type_hints

from .errors import UsageError
from .settings import Alignment, Hardware, Matching, Reading, Split, Training

if TYPE_CHECKING:
    from astropy.table import Table

    from .alignment import ContrastiveModel
    from .data import Dataset
    from .embeddings import EmbeddingStore
    from .features import FeatureSet

__all__ = [
    "align",
    "embed",
    "evaluate",
    "extract",
    "info",
    "ingest",
    "predict",
    "quickstart",
    "run",
    "search",
    "simulate",
]

VERBS = (
    "quickstart",
    "simulate",
    "ingest",
    "info",
    "extract",
    "align",
    "embed",
    "search",
    "predict",
    "evaluate",
    "run",
)
Folder = str | os.PathLike[str]


def quickstart(out: Folder = "demo", *, count: int = 3000, seed: int = 0) -> Table:
    """Simulates a small survey, aligns it, searches it and reports: five minutes, no data needed.

    Args:
        out: Folder for everything.
        count: Number of galaxies.
        seed: Another seed gives another survey and another training.

    Returns:
        The most telling results, with intervals.
    """
    from importlib.resources import as_file, files

    with as_file(files("astroclip_kit") / "quickstart.yaml") as path:
        changes = [f"data={Path(out) / 'survey'}", f"seed={seed}", f"simulate.count={count}"]
        return run(path, out, overrides=changes)


def simulate(
    kind: str = "galaxies",
    out: Folder = "survey",
    *,
    count: int = 3000,
    seed: int = 0,
    spectra: str = "sdss",
    workers: int = 2,
) -> Path:
    """Writes a mock survey with known truth in real file formats.

    Args:
        kind: What is simulated: "galaxies" (cutouts, spectra and a catalogue).
        out: Folder to write: ``cutouts/``, ``spectra/``, ``catalogue.fits``.
        count: Number of objects.
        seed: The same seed gives the same bytes.
        spectra: Grid of the spectra: "sdss" or "desi".
        workers: Processes.

    Returns:
        The folder.
    """
    from .mock import simulate_galaxies

    if kind != "galaxies":
        raise UsageError(f"cannot simulate {kind!r}; there is: galaxies.")
    return simulate_galaxies(Path(out), count, seed, spectra=spectra, workers=workers)


def ingest(
    out: Folder = "data",
    *,
    images: Any = "",
    spectra: Any = "",
    catalogue: Any = "",
    labels: str | list[str] = "",
    matching: Matching = Matching(),
    reading: Reading = Reading(),
    sources: dict[str, Any] | None = None,
    **more: Any,
) -> Dataset:
    """Reads survey files, matches the observations of the same object and writes a dataset.

    Args:
        out: Dataset folder to write; resumed where it was interrupted.
        images: Folder of Legacy Survey cutouts, or a reader.
        spectra: Folder of SDSS spectra, or a reader.
        catalogue: Table file with an id column or coordinates, or a reader.
        labels: Columns of the catalogue to keep, "z,logmstar"; all by default.
        matching: How observations become rows, see `Matching`.
        reading: How files are read, see `Reading`.
        sources: Further modalities and catalogues by name, each a reader.
        more: The same, as keyword arguments in Python: ``radio=reader``.

    Returns:
        The dataset; it says what it holds and what was left out.
    """
    from . import data, surveys

    shorthand = {"image": (images, surveys.LegacySurveyCutouts), "spectrum": (spectra, surveys.SDSSSpectra)}
    readers = {name: _part(value, reader) for name, (value, reader) in shorthand.items() if value}
    readers |= {name: _part(value) for name, value in {**(sources or {}), **more}.items()}
    if catalogue:
        readers["catalogue"] = _part(catalogue, lambda path: surveys.TableReader(path, labels=_words(labels)))
    if not readers:
        raise UsageError("nothing to ingest. Give --images, --spectra, --catalogue or sources.")
    return data.ingest(readers, Path(out), matching=matching, workers=reading.workers, strict=reading.strict)


def info(folder: Folder) -> str:
    """Says what a folder of the kit holds: counts, bands, ranges, what was left out and why.

    Args:
        folder: A survey, dataset, features, model, embeddings or results folder.

    Returns:
        A text.
    """
    from .describe import describe_folder

    return describe_folder(Path(folder))


def extract(
    data: Folder,
    encoders: dict[str, Any],
    out: Folder = "features",
    *,
    augmentations: dict[str, Any] | None = None,
    views: int = 1,
    batch_size: int = 256,
    hardware: Hardware = Hardware(),
    seed: int = 0,
) -> FeatureSet:
    """Runs frozen encoders once over a dataset and keeps what they give.

    Args:
        data: Dataset folder.
        encoders: Modality to encoder.
        out: Features folder to write; what is unchanged is not computed again.
        augmentations: Modality to augmentation, for the further views.
        views: Views per object: the first as it is, the others augmented.
        batch_size: Objects per forward pass.
        hardware: Where and how, see `Hardware`.
        seed: Of the augmented views.

    Returns:
        The features.
    """
    from . import features
    from .data import Dataset

    dataset = Dataset(Path(data))
    built = {name: _encoder(value, dataset.modalities, name) for name, value in encoders.items()}
    changes = {name: _part(value) for name, value in (augmentations or {}).items()}
    return features.extract(
        dataset,
        built,
        Path(out),
        augmentations=changes,
        views=views,
        batch_size=batch_size,
        hardware=hardware,
        seed=seed,
    )


def align(
    data: Folder,
    out: Folder = "model",
    *,
    encoders: dict[str, Any] | None = None,
    heads: dict[str, Any] | None = None,
    alignment: Alignment = Alignment(),
    training: Training = Training(),
    split: Split = Split(),
) -> ContrastiveModel:
    """Trains a shared space of several modalities.

    Args:
        data: Features folder (heads alone are trained), or dataset folder (with encoders).
        out: Model folder to write; resumed where it was interrupted.
        encoders: Modality to encoder, for a dataset folder.
        heads: Modality to projection head, where the default does not fit.
        alignment: What is aligned and how, see `Alignment`.
        training: Epochs, optimizer, hardware, see `Training`.
        split: Who trains and who is held out, see `Split`.

    Returns:
        The model.
    """
    from . import alignment as room

    source = _open(data)
    built = {name: _encoder(value, source.modalities, name) for name, value in (encoders or {}).items()}
    return room.align(
        source,
        Path(out),
        heads={name: _part(value) for name, value in (heads or {}).items()},
        encoders=built,
        alignment=alignment,
        training=training,
        split=split,
    )


def embed(
    model: Any, data: Folder, out: Folder = "embeddings", *, pool: str = "", hardware: Hardware = Hardware()
) -> EmbeddingStore:
    """Places every object of a dataset in the shared space of a model.

    Args:
        model: Model folder.
        data: Features or dataset folder, of the kind that the model was trained on.
        out: Embeddings folder to write.
        pool: "group" for one row per astrophysical object, the mean of its observations; "" for one per observation.
        hardware: Where and how, see `Hardware`.

    Returns:
        The shared space.
    """
    from . import embeddings

    return embeddings.embed(model, _open(data), Path(out), pool=pool, hardware=hardware)


def search(
    embeddings: Folder,
    object_id: str = "",
    *,
    coordinates: str = "",
    query: str = "",
    target: str = "",
    k: int = 10,
    dataset: str = "",
    figure: str = "",
) -> Table:
    """Finds the objects most like one object, in any modality.

    Args:
        embeddings: Embeddings folder.
        object_id: The object that asks.
        coordinates: Or where it is: "150.1 2.2" (degrees) or "10h00m24s +02d12m00s".
        query: Modality that asks; the first by default.
        target: Modality that answers; the same by default.
        k: Number of answers.
        dataset: Dataset folder, for the figure.
        figure: File for a picture of the answers, e.g. like-this.pdf.

    Returns:
        One row per answer, most similar first.
    """
    from .embeddings import EmbeddingStore

    store = EmbeddingStore(Path(embeddings))
    table = store.search(object_id, **_position(coordinates), query=query, target=target, k=k)
    if figure:
        from .data import Dataset
        from .report import figures

        if not dataset:
            raise UsageError("--figure shows cutouts and spectra: give their --dataset too.")
        figures.search_panel(table, Dataset(Path(dataset))).savefig(figure)
    return table


def predict(
    embeddings: Folder,
    properties: str | list[str],
    object_id: str = "",
    *,
    coordinates: str = "",
    query: str = "",
    memory: str = "",
    k: int = 16,
    weights: str = "distance",
) -> Table:
    """Reads properties off the nearest neighbours: value, spread and who they are.

    Args:
        embeddings: Embeddings folder.
        properties: Labels to predict, "z,logmstar".
        object_id: The object; every object of the space by default.
        coordinates: Or where it is: "150.1 2.2" (degrees) or "10h00m24s +02d12m00s".
        query: Modality of the object; the first by default.
        memory: Modality of the neighbours; the same by default.
        k: Number of neighbours; the object itself and others of its group are never among them.
        weights: "distance" or "uniform".

    Returns:
        One row per object and property.
    """
    from . import downstream
    from .embeddings import EmbeddingStore, find

    store = EmbeddingStore(Path(embeddings))
    rows = None
    if object_id or coordinates:
        rows = [find(store, object_id, **_position(coordinates))]
    return downstream.predict_table(
        store, _words(properties), rows=rows, query=query, memory=memory, k=k, weights=weights
    )


def evaluate(
    embeddings: Folder,
    properties: str | list[str] = "",
    out: Folder = "results",
    *,
    features: str = "",
    dataset: str = "",
    model: str = "",
    k: int = 16,
    seed: int = 0,
) -> Table:
    """Measures a space on its held-out objects and writes the report.

    Args:
        embeddings: Embeddings folder.
        properties: Labels to predict, "z,logmstar".
        out: Results folder to write: ``results.jsonl``, ``figures/``, ``report.html``.
        features: Features folder: the same for unaligned features and a supervised reference.
        dataset: Dataset folder: cutouts and spectra in the report.
        model: Model folder: loss curves in the report.
        k: Number of neighbours.
        seed: Of the bootstrap and of the reference.

    Returns:
        The results, with intervals.
    """
    raise NotImplementedError


def run(config: Folder, out: Folder = "", *, overrides: list[str] | None = None) -> Table:
    """Runs a configuration: from survey files to a report, skipping what is done.

    Args:
        config: A YAML file, such as those in ``configs/``.
        out: Folder of the run; ``runs/<name of the configuration>`` by default.
        overrides: Changes to the file, ``section.argument=value`` (``--set`` on the command line).

    Returns:
        The results, combined over the folds.
    """
    from .configuration import load_configuration
    from .experiment import run_configuration

    configuration = load_configuration(os.fspath(config), overrides or [])
    return run_configuration(configuration, Path(out or Path("runs") / configuration.name))


def _words(value: str | list[str]) -> list[str]:
    """The names in "a,b" or ["a", "b"]."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else list(value)


def _position(coordinates: str) -> dict[str, float]:
    if not coordinates:
        return {}
    import astropy.units as u
    from astropy.coordinates import SkyCoord

    try:
        unit = (
            (u.deg, u.deg) if coordinates.replace(",", " ").split()[0].lstrip("+-").replace(".", "").isdigit() else None
        )
        place = SkyCoord(coordinates.replace(",", " "), unit=unit or (u.hourangle, u.deg))
    except ValueError as error:
        raise UsageError(
            f'--coordinates {coordinates!r}: expected "150.1 2.2" (degrees) or "10h00m24s +02d12m00s".'
        ) from error
    return {"ra": float(place.icrs.ra.deg), "dec": float(place.icrs.dec.deg)}


def _part(value: Any, from_path: Any = None) -> Any:
    """The object itself, or what a configuration's class_path and init_args describe, or what a path stands for."""
    from .models import build

    if isinstance(value, (str, os.PathLike)) and from_path is not None:
        return from_path(Path(value))
    return build(value, trusted=True) if isinstance(value, dict) else value


def _encoder(value: Any, modalities: dict[str, Any], name: str) -> Any:
    """An encoder; what its configuration leaves open is sized by the modality."""
    if not isinstance(value, dict):
        return value
    from .models import build_for

    if name not in modalities:
        raise UsageError(f"encoders: no modality {name!r} in the data; it has {', '.join(modalities)}.")
    return build_for(value, modalities[name])


def _open(folder: Folder) -> Any:
    """The dataset or the features in a folder."""
    from .data import Dataset
    from .features import FeatureSet
    from .storage import open_folder

    path = Path(folder)
    return FeatureSet(path) if open_folder(path, "")["kind"] == "features" else Dataset(path)


def signature_of(verb: str) -> Any:
    """The function of a verb without its return annotation, which only a type checker can resolve cheaply.

    Args:
        verb: One of `VERBS`.

    Returns:
        A callable whose parameters are annotated with built-in types and settings alone.
    """
    function = globals()[verb]
    bare = FunctionType(function.__code__, globals(), verb, function.__defaults__)
    bare.__kwdefaults__, bare.__doc__ = function.__kwdefaults__, function.__doc__
    bare.__annotations__ = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
    bare.__annotations__ = get_type_hints(bare)
    return bare
