"""Classes from few examples: accuracy by their number, for every modality and what they say together."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib import rc_context

from ...errors import InputError
from ...types import Result
from ..wording import task_title, title
from .canvas import STYLE, KitFigure, column_or_page, plain_axes, point_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["few_shot_curves"]

NAMES = {"mean": "mean of all", "vote": "majority vote"}
TASK = "few_shot_"
TITLE = 30  # characters above a panel
ALL = "all"


@rc_context(STYLE)
def few_shot_curves(results: Sequence[Result], *, name: str = "") -> KitFigure:
    """Accuracy against the number of examples of each class: a column per method, accuracy above, balanced below.

    Shades are a standard deviation between draws of the examples, bars the 95 % interval of the mean over other draws
    and other objects; dashed: whoever always says the most frequent class.

    Args:
        results: What `downstream.few_shot` gave, of one label and one or several methods.
        name: What was predicted.

    Raises:
        InputError: If there is no such result.
    """
    own = [one for one in results if one.task.startswith(TASK) and "@" in one.metric]
    if not own:
        raise InputError("few_shot_curves: expected results of few_shot, found none.")
    tasks = list(dict.fromkeys(one.task for one in own))
    metrics = list(dict.fromkeys(one.metric.split("@")[0] for one in own))
    shots = list(dict.fromkeys(one.metric.split("@")[1] for one in own))
    shots.sort(key=lambda word: math.inf if word == ALL else int(word))
    width = column_or_page(1.0 + 2.2 * len(tasks))
    figure = KitFigure(figsize=(width, 1.0 + 1.75 * len(metrics)), task=tasks[0])
    grid = figure.subplots(len(metrics), len(tasks), squeeze=False, sharex=True, sharey="row")
    for line, metric in zip(grid, metrics, strict=True):
        for axes, task in zip(line, tasks, strict=True):
            _panel(axes, [one for one in own if (one.task, one.metric.split("@")[0]) == (task, metric)], shots)
        line[0].set_ylabel(title(metric))
    for axes, task in zip(grid[0], tasks, strict=True):
        axes.set_title(textwrap.fill(task_title(task, "").lower(), TITLE))
    for axes in grid[-1]:
        axes.set_xlabel("examples of each class")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=round(width / 1.7), columnspacing=1)
    if name:
        figure.suptitle(f"{name}, n = {max(one.n for one in own):,} held-out objects")
    return figure


def _panel(axes: Axes, results: Sequence[Result], shots: Sequence[str]) -> None:
    for number, query in enumerate(dict.fromkeys(one.query for one in results)):
        line = sorted((one for one in results if one.query == query), key=lambda one: _place(one, shots))
        x, y = [_place(one, shots) for one in line], [one.value for one in line]
        spread = [one.std if math.isfinite(one.std) else 0.0 for one in line]
        style = point_style(number) | {"ms": 3.5, "lw": 1.1, "capsize": 1.5, "elinewidth": 0.8}
        bars = [[one.value - one.low for one in line], [one.high - one.value for one in line]]
        moved = [place + 0.05 * (number - 2) for place in x]
        axes.errorbar(moved, y, bars, label=NAMES.get(query, query), **style)
        edges = zip(y, spread, strict=True)
        low, high = zip(*((value - half, value + half) for value, half in edges), strict=True)
        axes.fill_between(moved, low, high, color=style["color"], alpha=0.12, linewidth=0)
    usual = max(results, key=lambda one: one.n).chance
    axes.axhline(usual, color="0.45", linewidth=0.9, linestyle="--", label="most frequent class")
    axes.set_xticks(range(len(shots)), shots)
    plain_axes(axes).grid(axis="y", color="0.9", linewidth=0.5)
    axes.set_axisbelow(True)


def _place(one: Result, shots: Sequence[str]) -> int:
    return shots.index(one.metric.split("@")[1])
