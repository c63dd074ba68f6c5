"""Models over repetitions of an experiment: mean curves, and measured beside published numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context

from ...errors import InputError
from ...metrics import Sweep
from .canvas import PAGE, STYLE, KitFigure, line_style, plain_axes, point_style, rows_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Beside", "mean_curves", "measured_beside_published"]

GRID = np.linspace(0, 1, 201)
LINE = 0.2  # inches
Floats = npt.NDArray[np.float64]
Said = tuple[npt.ArrayLike, npt.ArrayLike]  # scores [N], and whether each object is of the class [N]


@rc_context(STYLE)
def mean_curves(
    models: Mapping[str, Sequence[Said]], *, kind: Literal["roc", "precision-recall"] = "roc", title: str = ""
) -> KitFigure:
    """ROC or precision-recall curves of several models, each the mean over the repetitions of an experiment.

    Shades are a standard deviation over the repetitions; numbers in the legend are the mean area (or average
    precision) and its standard deviation.

    Args:
        models: What a model is called to scores [N] and membership [N] in each repetition.
        kind: Which curves.
        title: What is told from what.

    Raises:
        InputError: If there is no model, or a repetition lacks members or others.
    """
    if not models or not all(models.values()):
        raise InputError("mean_curves: expected at least one repetition of every model, found none.")
    figure = KitFigure(figsize=(PAGE, 3.3), task="classifiers")
    axes, close = figure.subplots(1, 2)
    for number, (name, repetitions) in enumerate(models.items()):
        curves, areas = zip(*(_curve(score, own, kind) for score, own in repetitions), strict=True)
        middle, spread = np.mean(curves, axis=0), np.std(curves, axis=0, ddof=1) if len(curves) > 1 else 0
        style = line_style(number)
        scatter = f" ± {np.std(areas, ddof=1):.3f}" if len(areas) > 1 else ""
        for one in (axes, close):
            label = f"{name}: {np.mean(areas):.3f}{scatter}" if one is axes else None
            one.plot(GRID, middle, label=label, **style)
            one.fill_between(GRID, middle - spread, middle + spread, color=style["color"], alpha=0.15, linewidth=0)
    _finish_curves(figure, axes, close, kind, title)
    return figure


def _curve(score: npt.ArrayLike, own: npt.ArrayLike, kind: str) -> tuple[Floats, float]:
    """One curve on the grid, and the number that belongs to it."""
    sweep = Sweep.of(score, own)
    right, wrong = sweep.counts()
    if not right[-1] or not wrong[-1]:
        raise InputError("mean_curves: expected members and others in every repetition, found only one of the two.")
    if kind == "roc":
        line = np.interp(GRID, np.insert(wrong / wrong[-1], 0, 0), np.insert(right / right[-1], 0, 0))
        return np.asarray(line), float(sweep.area())
    precision, recall = right / np.maximum(right + wrong, 1), right / right[-1]
    best = np.maximum.accumulate(precision[::-1])[::-1]  # the best precision of at least this recall
    line = best[np.searchsorted(recall, GRID).clip(max=len(recall) - 1)]
    return np.asarray(line), float(sweep.average_precision())


def _finish_curves(figure: KitFigure, axes: Axes, close: Axes, kind: str, title: str) -> None:
    """Axes, the corner that is shown larger, as low as the curves there are, and the legend."""
    if kind == "roc":
        axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.7, label="guessing: 0.500")
        x, y, sides = "false positive rate", "true positive rate", (0.0, 0.25)
    else:
        x, y, sides = "recall", "precision", (0.75, 1.005)
    plain_axes(axes).set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y, title=title)
    plain_axes(close).set(xlim=sides, ylim=_frame(close, kind), xlabel=x, title="the same, closer")
    figure.legend(loc="outside lower left", ncols=2, handlelength=2.2, borderaxespad=0.2)


def _frame(close: Axes, kind: str) -> tuple[float, float]:
    """From where to where the curves are shown larger: the uppermost quarter where they all lie there, else more."""
    inside = (GRID >= 0.05) & (GRID <= 0.25) if kind == "roc" else (GRID >= 0.75) & (GRID <= 0.95)
    values = np.array([np.asarray(line.get_ydata(), dtype=np.float64)[inside] for line in close.lines])
    high = min(1.005, float(values.max()) + 0.05)
    return max(-0.005, min(float(values.min()) - 0.02, high - 0.255)), high


class Beside(NamedTuple):
    """A measured number beside a published one.

    Args:
        label: What was measured.
        value: Mean over the repetitions.
        spread: Standard deviation over the repetitions; NaN for one.
        published: What was published; NaN for nothing.
        published_spread: Its standard deviation; NaN where none was.
    """

    label: str
    value: float
    spread: float = math.nan
    published: float = math.nan
    published_spread: float = math.nan


@rc_context(STYLE)
def measured_beside_published(numbers: Sequence[Beside], *, metric: str) -> KitFigure:
    """A line for each model: what was measured, and below it what was published, with standard deviations.

    Args:
        numbers: From top to bottom.
        metric: What the axis shows.

    Raises:
        InputError: If there is no number.
    """
    if not numbers:
        raise InputError("measured_beside_published: expected at least one number, found none.")
    figure = KitFigure(figsize=(PAGE, 0.9 + 1.15 * LINE * len(numbers)), task="classifiers")
    axes = figure.subplots()
    for number, (label, points) in enumerate(_lines(numbers)):
        place = [row + 0.3 * number - 0.15 for row, *_ in points]
        values, spreads = [value for _, value, _ in points], [spread for *_, spread in points]
        drawn = [0.0 if math.isnan(spread) else spread for spread in spreads]
        style = point_style(number)
        axes.errorbar(values, place, xerr=drawn, linestyle="", ms=3.5, elinewidth=1, label=label, **style)
    rows_axes(axes, [one.label for one in numbers], metric)
    figure.legend(loc="outside lower left", ncols=2, handlelength=1.6, borderaxespad=0.2)
    return figure


def _lines(numbers: Sequence[Beside]) -> Iterator[tuple[str, list[tuple[int, float, float]]]]:
    yield "measured", [(row, one.value, one.spread) for row, one in enumerate(numbers) if math.isfinite(one.value)]
    told = [(row, one.published, one.published_spread) for row, one in enumerate(numbers)]
    if any(math.isfinite(value) for _, value, _ in told):
        yield "published", [line for line in told if math.isfinite(line[1])]
