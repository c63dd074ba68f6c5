"""Verbs that ask a shared space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .outcome import write_results
from .parts import Folder, open_store, words

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["evaluate"]


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
