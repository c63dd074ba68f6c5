"""Classes: which are taken for which, and what every threshold costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ... import metrics
from ...errors import InputError
from ...metrics import Sweep, sweeps
from .canvas import COLUMN, LETTER, STYLE, KitFigure, column_or_page, line_style, plain_axes
from .checks import classes, equal_lengths, probabilities

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["confusion_matrix", "precision_recall_curves", "roc_curves"]

AROUND = 1.05  # inches for labels and the bar beside the cells of a matrix
SMALLEST, LARGEST = 0.2, 0.42  # inches of a cell
MOST_NUMBERED = 14  # classes whose cells are large enough for a number


@rc_context(STYLE)
def confusion_matrix(true: npt.ArrayLike, predicted: npt.ArrayLike, *, title: str = "") -> KitFigure:
    """Counts of true by predicted class; the colour is the share of the true class.

    Args:
        true: Classes [N].
        predicted: Predicted classes [N].
        title: What was predicted from what.

    Raises:
        InputError: If the lengths differ, there is no object, or a class is missing.
    """
    y, p = classes(true, "true"), classes(predicted, "predicted")
    equal_lengths(true=y, predicted=p)
    names, codes = np.unique(np.concatenate([y, p]), return_inverse=True)
    size = len(names)
    counts = np.bincount(codes[: len(y)] * size + codes[len(y) :], minlength=size * size).reshape(size, size)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    around = AROUND + LETTER * max(map(len, names))
    wide = column_or_page(around + size * max(SMALLEST, LETTER * (0.5 + len(str(counts.max())))))
    cell = min(LARGEST, (wide - around) / size)
    figure = KitFigure(figsize=(wide, 0.8 + LETTER * max(map(len, names)) + cell * size), task="classification")
    axes = figure.subplots()
    shown = axes.imshow(share, cmap="cividis", vmin=0, vmax=1)
    figure.colorbar(shown, ax=axes, shrink=0.7, aspect=25).set_label("share of the true class")
    for row, column in np.ndindex(*counts.shape) if size <= MOST_NUMBERED else ():
        colour = "black" if share[row, column] > 0.5 else "white"
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=7)
    turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if size > 3 else {}
    axes.set_xticks(range(size), names, fontsize=7, **turned)
    axes.set_yticks(range(size), names, fontsize=7)
    axes.set(xlabel="predicted class", ylabel="true class")
    accuracy, balanced = metrics.accuracy(y, p), metrics.balanced_accuracy(y, p)
    text = f"accuracy {accuracy:.3f}, balanced {balanced:.3f}, n = {len(y):,}"
    axes.set_title("\n".join([title, text]).strip())
    return figure


@rc_context(STYLE)
def roc_curves(
    true: npt.ArrayLike,
    scores: npt.ArrayLike,
    names: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    n_boot: int = 200,
    seed: int = 0,
    title: str = "",
) -> KitFigure:
    """ROC curve of every class against the rest, with the area under it and its 95 % interval.

    Args:
        true: Classes [N].
        scores: Probability of every class [N, C].
        names: The classes of the columns [C].
        groups: Astrophysical object of each row [N]; whole groups are drawn for the intervals.
        n_boot: Resamples of the intervals.
        seed: Of the resampling.
        title: What was predicted from what.

    Raises:
        InputError: If shapes do not fit, a value is no probability, or there are not two classes.
    """
    axes, found, resampling = _prepared(true, scores, names, groups, n_boot, seed)
    for number, (name, sweep) in enumerate(found.items()):
        right, wrong = sweep.counts()
        label = _label(name, "AUC", float(sweep.area()), sweep.interval("area", **resampling), sweep)
        x, y = np.insert(wrong / wrong[-1], 0, 0), np.insert(right / right[-1], 0, 0)
        axes.plot(x, y, label=label, **line_style(number))
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.7, label="guessing: 0.500")
    return _finished(axes, title, "false positive rate (others that pass)", "true positive rate (members that pass)")


@rc_context(STYLE)
def precision_recall_curves(
    true: npt.ArrayLike,
    scores: npt.ArrayLike,
    names: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    n_boot: int = 200,
    seed: int = 0,
    title: str = "",
) -> KitFigure:
    """Precision by recall of every class against the rest, with the average precision (AP) and its 95 % interval.

    Short marks at the right show what guessing reaches: the share of the class.

    Args:
        true: Classes [N].
        scores: Probability of every class [N, C].
        names: The classes of the columns [C].
        groups: Astrophysical object of each row [N]; whole groups are drawn for the intervals.
        n_boot: Resamples of the intervals.
        seed: Of the resampling.
        title: What was predicted from what.

    Raises:
        InputError: If shapes do not fit, a value is no probability, or there are not two classes.
    """
    axes, found, resampling = _prepared(true, scores, names, groups, n_boot, seed)
    for number, (name, sweep) in enumerate(found.items()):
        right, wrong = sweep.counts()
        value = float(sweep.average_precision())
        label = _label(name, "AP", value, sweep.interval("average_precision", **resampling), sweep)
        precision = right / np.maximum(right + wrong, 1)
        axes.plot(
            np.insert(right / right[-1], 0, 0), np.insert(precision, 0, precision[0]), label=label, **line_style(number)
        )
        axes.plot([1.01, 1.05], [sweep.own.mean()] * 2, clip_on=False, color=line_style(number)["color"])
    return _finished(axes, title, "recall (members that pass)", "precision (members among what passes)")


def _prepared(
    true: npt.ArrayLike, scores: npt.ArrayLike, names: npt.ArrayLike, groups: Any, n_boot: int, seed: int
) -> tuple[Axes, dict[str, Sweep], dict[str, Any]]:
    """Axes to draw on, the classes that can be drawn, and how to resample."""
    y, p, columns = probabilities(true, scores, names)
    found = dict(sweeps(y, p, columns))
    if not found:
        raise InputError(f"a curve needs two classes among the objects, found only {str(y[0])!r}.")
    codes = None
    if groups is not None:
        equal_lengths(true=y, groups=np.asarray(groups))
        codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    figure = KitFigure(figsize=(COLUMN, 3.0 + 0.155 * len(found)), task="classification")
    return plain_axes(figure.subplots()), found, {"groups": codes, "n_boot": n_boot, "seed": seed}


def _label(name: str, metric: str, value: float, interval: tuple[float, float], sweep: Sweep) -> str:
    low, high = interval
    return f"{name}: {metric} {value:.3f} ({low:.3f} to {high:.3f}), n = {int(sweep.own.sum()):,}"


def _finished(axes: Axes, title: str, x: str, y: str) -> KitFigure:
    figure = axes.get_figure()
    assert isinstance(figure, KitFigure)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y, title=title)
    figure.legend(loc="outside lower left", handlelength=2.2, borderaxespad=0.2)
    return figure
