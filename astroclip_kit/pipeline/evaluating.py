"""The verb that judges a space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..settings import Evaluation
from .outcome import write_results
from .parts import Folder, changed, open_store, provenance, words

if TYPE_CHECKING:
    from astropy.table import Table

    from ..embeddings import EmbeddingStore
    from ..types import Result

__all__ = ["evaluate"]

MOST = 0.5  # share of the objects that may lack a property without a remark


def evaluate(
    embeddings: Folder,
    properties: str | list[str] = "",
    out: Folder = "results",
    *,
    features: Folder = "",
    dataset: Folder = "",
    model: Any = "",
    settings: Evaluation = Evaluation(),
    **more: Any,
) -> Table:
    """Measures a space on its held-out objects and writes the report.

    Args:
        embeddings: Embeddings folder.
        properties: Labels to predict, "z,logmstar"; also "log10(z)", and for angles "circular(position_angle, 180)".
        out: Results folder to write: ``results.jsonl``, ``figures/``, ``report.html``.
        features: Features folder: the same for unaligned features and a supervised reference.
        dataset: Dataset folder: the report then shows predictions, and matches with their cutouts and spectra.
        model: Model folder: the report then shows how it was trained.
        settings: How, see `Evaluation`.
        more: Its fields, as keyword arguments in Python: ``k=64, probes=True``.

    Returns:
        The results, with intervals.
    """
    from ..data import Dataset
    from ..downstream import evaluate as measure
    from ..downstream.coverage import shortfalls
    from ..features import FeatureSet
    from ..report import evaluation_figures
    from ..storage import check_output, open_folder

    settings = changed(settings, more, "an evaluation")
    check_output(Path(out), "results")
    store, names = open_store(embeddings), words(properties)
    unaligned = FeatureSet(Path(features)) if features else None
    folder = model if isinstance(model, (str, Path)) else model.root
    history = open_folder(folder, "model")["history"] if model else []
    opened = Dataset(Path(dataset)) if dataset else None
    results = measure(store, names, features=unaligned, settings=settings)
    shown = names if dataset else []
    figures = evaluation_figures(store, shown, dataset=opened, history=history, settings=settings)
    how = asdict(settings)
    told = {"embeddings": str(store.root), "properties": names, "evaluation": how, **store.manifest}
    then = f"astroclip-kit explore {store.root}"
    table = write_results(Path(out), results, figures, told, then)
    table.meta["notes"] = [
        provenance(store),
        *_notes(store, names, settings.where),
        *shortfalls(results),
        *_calibration(results),
        *table.meta["notes"],
    ]
    return table


def _calibration(results: Sequence[Result]) -> Iterator[str]:
    """Who calibrates the intervals whose coverage was measured."""
    for one in results:
        if one.metric.startswith("new_calibrating@"):
            text = f"{round(one.value * one.n)} of the {one.n} objects that calibrate intervals were not trained on"
            narrow = "; as too few are, intervals of new objects are probably too narrow" if one.value < 1 else ""
            yield f"{one.property} by {one.query}: {text}{narrow}"


def _notes(store: EmbeddingStore, names: Sequence[str], where: str) -> Iterator[str]:
    """Who is judged, of whom little is known, and what is the same for all."""
    import numpy as np

    from ..downstream.properties import Property, known
    from ..filters import rows_where

    sides = {"held-out": store.split == "test", "other": store.split != "test"}
    among = rows_where(store.catalog, where)
    if where:
        counts = [f"{int((side & among).sum())} of {int(side.sum())} {name}" for name, side in sides.items()]
        yield f"only objects with {where}: {', '.join(counts)}"
    for name in names:
        y = Property.parse(name).values(store.labels)
        told = known(y) & among
        if told.sum() < MOST * among.sum():
            counts = [f"{int((side & told).sum())} of {int((side & among).sum())} {one}" for one, side in sides.items()]
            yield f"{name}: known for {' and '.join(counts)} objects"
        if len(np.unique(y[told])) == 1:
            yield f"{name}: {y[told][0]} for all objects, so there is nothing to predict"
