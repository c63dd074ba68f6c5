"""The figures that belong to an evaluation: training, predictions, and matches that one can look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..downstream.held_out import HeldOut, by_neighbours
from ..downstream.space import REDSHIFTS, Space
from ..embeddings.search import nearest
from .figures.panels import search_panel
from .figures.predictions import confusion_matrix, predicted_against_true
from .figures.training import loss_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..data import Dataset
    from ..embeddings import EmbeddingStore

__all__ = ["evaluation_figures"]


def evaluation_figures(
    store: EmbeddingStore,
    properties: Sequence[str] = (),
    *,
    dataset: Dataset | None = None,
    history: Sequence[Sequence[Mapping[str, float]]] = (),
    k: int = 16,
    panels: int = 2,
    seed: int = 0,
) -> dict[str, Figure]:
    """Caption to figure of everything that can be drawn from what is given.

    Args:
        store: The space, with a split.
        properties: Labels that were predicted.
        dataset: For panels of held-out objects beside their best matches.
        history: Training history of each member of the model, as its manifest keeps it.
        k: Number of neighbours of the predictions.
        panels: Objects per ordered pair of modalities whose matches are shown.
        seed: Of the choice of those objects.
    """
    figures: dict[str, Figure] = {}
    if history and history[0]:
        figures["Training."] = loss_curves(history[0], history[1:])
    space = Space.aligned(store)
    for wanted in properties:
        for one in by_neighbours(space, wanted, k=k):
            figures[_caption(one)] = _draw(one)
    return {**figures, **(_panels(store, dataset, panels, seed) if dataset is not None else {})}


def _caption(one: HeldOut) -> str:
    how = f"{one.query} of held-out objects, {one.target} of training objects as memory"
    return f"{one.property} of {len(one.rows)} held-out objects by nearest neighbours: {how}."


def _draw(one: HeldOut) -> Figure:
    title = one.query if one.query == one.target else f"{one.query} → {one.target}"
    if one.true.dtype.kind == "U":
        return confusion_matrix(one.true, one.value, title=title)
    return predicted_against_true(one.true, one.value, one.property, redshift=one.property in REDSHIFTS, title=title)


def _panels(store: EmbeddingStore, dataset: Dataset, count: int, seed: int) -> dict[str, Any]:
    """Matches among held-out objects: they are what the numbers are about."""
    held_out = store.split == "test"
    figures = {}
    for query in store.names:
        for target in store.names:
            rows = np.flatnonzero(held_out & store.present(query) & store.present(target))
            if query == target or len(rows) < 2:
                continue
            for row in np.random.default_rng(seed).choice(rows, min(count, len(rows)), replace=False):
                object_id = str(store.object_ids[row])
                answers = nearest(store, int(row), query=query, target=target, k=min(6, len(rows)), among=held_out)
                caption = (
                    f"{query} of {object_id} (orange) and the held-out objects with the most similar {target} (green)."
                )
                figures[caption] = search_panel(answers, dataset)
    return figures
