"""Verbs that ask a shared space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .outcome import write_results
from .parts import Folder, open_store, position, save_figure, words

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["evaluate", "predict", "search"]


def search(
    embeddings: Folder,
    object_id: str = "",
    *,
    coordinates: str = "",
    query: str = "",
    target: str = "",
    k: int = 10,
    dataset: Folder = "",
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
    store = open_store(embeddings)
    table = store.search(object_id, **position(coordinates), query=query, target=target, k=k)
    if figure:
        from ..data import Dataset
        from ..report import figures

        if not dataset:
            raise UsageError("the figure shows cutouts and spectra: say with --dataset where they are.")
        save_figure(figures.search_panel(table, Dataset(Path(dataset))), figure)
    asked = table.meta
    table.meta["notes"] = [f"asked with the {asked['query']} of {asked['object_id']}, answered by {asked['target']}"]
    return table


def predict(
    embeddings: Folder,
    properties: str | list[str] = "",
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
        One row per object: each property, its spread and the ids of the neighbours.
    """
    from .. import downstream
    from ..embeddings import find

    store, names = open_store(embeddings), words(properties)
    if not names:
        raise UsageError(f"say what to predict with --properties: any of {', '.join(store.labels)}.")
    rows = None
    if object_id or coordinates:
        rows = [find(store, object_id, **position(coordinates))]
    table = downstream.predict_table(store, names, rows=rows, query=query, memory=memory, k=k, weights=weights)
    asked = query or store.names[0]
    table.meta["notes"] = [f"{k} nearest neighbours by {memory or asked} of each object's {asked}"]
    return table


def evaluate(
    embeddings: Folder,
    properties: str | list[str] = "",
    out: Folder = "results",
    *,
    features: Folder = "",
    dataset: Folder = "",
    model: Any = "",
    k: int = 16,
    seed: int = 0,
) -> Table:
    """Measures a space on its held-out objects and writes the report.

    Args:
        embeddings: Embeddings folder.
        properties: Labels to predict, "z,logmstar".
        out: Results folder to write: ``results.jsonl``, ``figures/``, ``report.html``.
        features: Features folder: the same for unaligned features and a supervised reference.
        dataset: Dataset folder: the report then shows predictions, and matches with their cutouts and spectra.
        model: Model folder: the report then shows how it was trained.
        k: Number of neighbours.
        seed: Of the bootstrap and of the reference.

    Returns:
        The results, with intervals.
    """
    from ..data import Dataset
    from ..downstream import evaluate as measure
    from ..features import FeatureSet
    from ..report import evaluation_figures
    from ..storage import check_output, open_folder

    if seed < 0:
        raise UsageError(f"seed is {seed}, expected 0 or more.")
    check_output(Path(out), "results")
    store, names = open_store(embeddings), words(properties)
    unaligned = FeatureSet(Path(features)) if features else None
    folder = model if isinstance(model, (str, Path)) else model.root
    history = open_folder(folder, "model")["history"] if model else []
    opened = Dataset(Path(dataset)) if dataset else None
    results = measure(store, names, features=unaligned, k=k, seed=seed)
    shown = names if dataset else []
    figures = evaluation_figures(store, shown, dataset=opened, history=history, k=k, seed=seed)
    settings = {"embeddings": str(store.root), "properties": names, "k": k, "seed": seed, **store.manifest}
    then = f"astroclip-kit search {store.root} --object-id {store.object_ids[0]} --query {store.names[0]}"
    return write_results(Path(out), results, figures, settings, then)
