"""What a classifier is worth with some of its modalities, and which classes need which of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context

from ...errors import InputError
from ...types import Result
from .canvas import PAGE, STYLE, KitFigure, point_style, rows_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["modality_subsets"]

LINE = 0.24  # inches
DRAWN = ("accuracy", "balanced_accuracy")


@rc_context(STYLE)
def modality_subsets(results: Sequence[Result], *, title: str = "") -> KitFigure:
    """Accuracy with its interval, and the recall of each class, by what the classifier was shown.

    Args:
        results: Of `classifiers.subset_table`.
        title: What they are about.

    Raises:
        InputError: If there is no accuracy, or no recall of a class, of some subset.
    """
    shown = {(one.query, one.property.partition(":")[2], one.metric): one for one in results if one.fold < 0}
    queries = list(dict.fromkeys(query for query, _, _ in shown))
    classes = list(dict.fromkeys(name for _, name, metric in shown if metric == "recall" and name))
    wanted = [*((query, "", name) for query in queries for name in DRAWN)]
    wanted += [(query, name, "recall") for query in queries for name in classes]
    if not classes or (missing := [one for one in wanted if one not in shown]):
        what = "any class" if not classes else f"{missing[0][1] or 'all classes'} ({missing[0][0]}, {missing[0][2]})"
        raise InputError(f"modality_subsets: there is no number of {what}. Give what subset_table gave.")
    figure = KitFigure(figsize=(PAGE, 0.9 + LINE * len(queries) + (0.2 if title else 0)), task="modalities")
    left, right = figure.subplots(1, 2, width_ratios=[1.0, 0.3 + 0.17 * len(classes)])
    for number, metric in enumerate(DRAWN):
        _points(left, [shown[query, "", metric] for query in queries], number)
    rows_axes(left, [query.replace("+", " + ") for query in queries], "share of held-out objects")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    recalls = np.array([[shown[query, name, "recall"].value for name in classes] for query in queries])
    names = [f"{name} ({shown[queries[0], name, 'recall'].n:,})" for name in classes]
    _recalls(right, recalls, names)
    if title:
        figure.suptitle(title)
    return figure


def _points(axes: Axes, results: Sequence[Result], number: int) -> None:
    """A point and its interval for each subset, and where guessing is."""
    style, label = point_style(number), results[0].metric.replace("_", " ")
    for place, one in enumerate(results):
        height = place + 0.14 * (2 * number - 1)
        axes.plot([one.low, one.high], [height, height], color=style["color"], linewidth=1.3, solid_capstyle="butt")
        axes.plot(one.value, height, linestyle="", ms=4, label=label if not place else None, **style)
        guessing = "guessing" if not place and number == len(DRAWN) - 1 else None
        axes.plot(one.chance, height, "|", color="0.45", ms=6, mew=1.4, label=guessing)


def _recalls(axes: Axes, recalls: np.ndarray[tuple[int, int], np.dtype[np.float64]], names: Sequence[str]) -> None:
    """A cell for each subset and class."""
    axes.imshow(recalls, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(*recalls.shape):
        colour = "black" if recalls[row, column] > 0.5 else "white"
        axes.text(column, row, f"{100 * recalls[row, column]:.0f}", ha="center", va="center", color=colour, fontsize=7)
    axes.set_xticks(range(len(names)), names, fontsize=7, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks([])
    axes.set_title("found of each class [%] (objects)")
