"""How good models are that learn from few labels, against how many they learn from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib import rc_context

from ...errors import InputError
from .canvas import PAGE, STYLE, KitFigure, plain_axes, point_style

__all__ = ["AtShare", "scores_by_label_share"]


class AtShare(NamedTuple):
    """A score of models that learn from a share of the labels.

    Args:
        percent: Of the labels.
        value: Mean over the repetitions.
        spread: Standard deviation over the repetitions; NaN for one.
        published: What was published; NaN for nothing.
    """

    percent: float
    value: float
    spread: float = math.nan
    published: float = math.nan


@rc_context(STYLE)
def scores_by_label_share(panels: Mapping[str, Mapping[str, Sequence[AtShare]]], *, metric: str) -> KitFigure:
    """A panel for each kind of input, in it a line for each way to train: score by share of the labels.

    Bars are standard deviations over the repetitions, open marks what was published.

    Args:
        panels: Title to name of the line to its points.
        metric: What the vertical axis shows.

    Raises:
        InputError: If there is no point.
    """
    if not any(points for lines in panels.values() for points in lines.values()):
        raise InputError("scores_by_label_share: expected at least one score, found none.")
    figure = KitFigure(figsize=(PAGE, 2.5), task="classifiers")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, lines) in zip(row, panels.items(), strict=True):
        for number, (name, points) in enumerate(lines.items()):
            style = point_style(number)
            x, y = [one.percent for one in points], [one.value for one in points]
            bars = [0.0 if math.isnan(one.spread) else one.spread for one in points]
            axes.errorbar(x, y, yerr=bars, ms=3.5, elinewidth=1, label=name, **style)
            told = [one.published for one in points]
            if any(map(math.isfinite, told)):
                axes.plot(x, told, linestyle="", ms=5, mfc="none", label=f"{name}, published", **style)
        ticks = sorted({one.percent for points in lines.values() for one in points})
        axes.set(xscale="log", title=title, xlabel="labels [%]")
        axes.set_xticks(ticks, [f"{one:g}" for one in ticks])
        axes.minorticks_off()
        plain_axes(axes)
    row[0].set_ylabel(metric)
    named = {name: one for axes in row for one, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside lower left", ncols=4, handlelength=1.6)
    return figure
