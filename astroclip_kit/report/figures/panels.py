"""A query beside its best matches, as they look on the sky."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from .canvas import COLOURS, KitFigure
from .views import draw_view

if TYPE_CHECKING:
    from astropy.table import Table

    from ...data import Dataset

__all__ = ["search_panel"]

WIDEST = 6  # matches that fit beside the query


def search_panel(answers: Table, dataset: Dataset, *, matches: int = WIDEST, names: tuple[str, ...] = ()) -> KitFigure:
    """The object that asked and its best matches, each in every modality; what was compared is framed.

    Args:
        answers: What `EmbeddingStore.search` gave: most similar first, with the query in its meta.
        dataset: Where the views are.
        matches: Number of matches to show.
        names: Modalities to show, from top to bottom; all of the dataset by default.

    Raises:
        InputError: If the dataset holds none of the objects, or the answers came from elsewhere.
    """
    if "object_id" not in answers.meta:
        raise InputError("search_panel: the answers do not say who asked. Give the table that `search` returned.")
    about = answers.meta
    ids = [str(about["object_id"]), *(str(one) for one in answers["object_id"][:matches])]
    if _row(dataset, ids[0], "") is None:
        raise InputError(f"{dataset.root} holds no object {ids[0]!r}. Give the dataset that was embedded.")
    shown = [name for name in names or dataset.modalities if any(_row(dataset, one, name) is not None for one in ids)]
    figure = KitFigure(figsize=(1.75 * len(ids), 1.75 * len(shown) + 0.5))
    axes = figure.subplots(len(shown), len(ids), squeeze=False)
    for column, one in enumerate(ids):
        for row, name in enumerate(shown):
            panel = axes[row, column]
            _draw(panel, dataset, one, name)
            panel.set_ylabel(panel.get_ylabel() if column == 0 else "")
            if name == about["query" if column == 0 else "target"]:
                _frame(panel, COLOURS[1] if column == 0 else COLOURS[2])
        similarity = f"cosine {answers['similarity'][column - 1]:.3f}" if column else f"query: {about['query']}"
        own = " (itself)" if column and one == ids[0] else ""
        axes[0, column].set_title(f"{_short(one)}{own}\n{similarity}", fontsize=7)
    return figure


def _short(object_id: str) -> str:
    return object_id if len(object_id) <= 20 else object_id[:9] + "…" + object_id[-10:]


def _row(dataset: Dataset, object_id: str, name: str) -> int | None:
    """The first row of an object, or of a group, that has a modality ("" for any)."""
    rows = np.flatnonzero((dataset.object_ids == object_id) | (dataset.groups == object_id))
    rows = rows[dataset.present(name)[rows]] if name else rows
    return int(rows[0]) if len(rows) else None


def _draw(axes: Any, dataset: Dataset, object_id: str, name: str) -> None:
    row = _row(dataset, object_id, name)
    if row is None:
        axes.text(0.5, 0.5, f"no {name}", ha="center", va="center", fontsize=7, color="0.5", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
    else:
        draw_view(axes, dataset.views(name, [row])[0], dataset.modalities[name])


def _frame(axes: Any, colour: str) -> None:
    axes.set_axis_on()
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=2)
