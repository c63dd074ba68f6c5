"""Groups inside one class: where they are, whether there is a valley between, and what separates them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from ...downstream.valleys import SURE
from ...errors import InputError
from .canvas import COLOURS, NONE, PAGE, STYLE, KitFigure, plain_axes, point_style, rows_axes

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.axes import Axes

__all__ = ["subclass_figure"]

MOST_VALLEYS, MOST_COLUMNS = 3, 12
FEW = 2000  # points that stay strokes


@rc_context(STYLE)
def subclass_figure(table: Table, summary: Mapping[str, Any], *, title: str = "") -> KitFigure:
    """The groups on the map, what lies between them in the space, and the properties that separate them.

    Left: the class in colours, other objects that are on the map in grey. Middle: objects that did not make the groups,
    along the line through two pieces, before those that are not apart were joined; the windows in which they were
    counted are shaded, that between darkest. Right: sizes of effects (Cliff's d, Cramér's V) with 95 % intervals; a
    grey mark where chance comes in 5 % of the permutations, for any property; all grey for a division of one group.

    Args:
        table: One row per object with cluster, probability, x and y, as `find_subclasses` gives it.
        summary: The summary of the same, as `Clusters.summary` holds it.
        title: What it is about; by default the class.

    Raises:
        InputError: If the table has no map, or the summary is that of other clusters.
    """
    if missing := {"cluster", "probability", "x", "y"} - set(table.colnames):
        raise InputError(f"subclass_figure: the table has no column {min(missing)!r}. Give that of find_subclasses.")
    if "valleys" not in summary or "columns" not in summary:
        raise InputError("subclass_figure: these are no groups inside a class. Give the summary of find_subclasses.")
    between, columns = _clearest(summary["valleys"]), summary["columns"][:MOST_COLUMNS]
    figure = KitFigure(figsize=(PAGE, 2.6 if len(columns) < 10 else 3.0), task="clustering")
    panels: Any = figure.subfigures(1, 3, width_ratios=(1.15, 1.0, 1.25))
    _map(panels[0], table)
    if between:
        for axes, valley in zip(panels[1].subplots(len(between), 1, squeeze=False)[:, 0], between, strict=True):
            _valley(plain_axes(axes), valley)
        panels[1].supxlabel("along the line between", fontsize=8)
    if columns:
        _ranking(panels[2].subplots(), columns)
    count = summary["subclasses"]
    told = f"{count} subclasses" if count > 1 else "one group" if between else "one group, in which none is found"
    figure.suptitle(f"{title or summary['within']} by {summary['modality']}: {told}")
    return figure


def _clearest(valleys: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(valleys, key=lambda one: float(one["p"]))[:MOST_VALLEYS]


def _map(figure: Any, table: Table) -> None:
    axes = plain_axes(figure.subplots())
    x, y, cluster = (np.asarray(table[name]) for name in ("x", "y", "cluster"))
    own = np.isfinite(np.asarray(table["probability"], dtype=np.float64))
    size = float(np.clip(6000 / max(1, len(x)), 0.5, 9))
    style: dict[str, Any] = {"s": size, "linewidths": 0, "rasterized": len(x) > FEW}
    axes.scatter(x[~own], y[~own], color="0.88", **style)
    none = own & (cluster < 0)
    if none.any():
        axes.scatter(x[none], y[none], color=NONE, label=f"in no group ({int(none.sum()):,})", **style)
    for number in range(int(cluster.max(initial=-1)) + 1):
        rows = cluster == number
        label = f"{number} ({int(rows.sum()):,})"
        axes.scatter(x[rows], y[rows], label=label, **point_style(number), **style)
    axes.set(xlabel="map 1 [arbitrary]", ylabel="map 2 [arbitrary]")
    if own.any():
        legend = figure.legend(loc="outside lower center", ncols=2, handletextpad=0.1)
        for handle in legend.legend_handles:
            handle.set(sizes=[14])


def _valley(axes: Axes, valley: Mapping[str, Any]) -> None:
    axes.stairs(valley["counts"], valley["edges"], fill=True, color="0.75")
    for (start, end), alpha in zip(valley["windows"], (0.15, 0.35, 0.15), strict=True):
        axes.axvspan(start, end, color=COLOURS[0], alpha=alpha, linewidth=0)
    names = " + ".join(map(str, valley["groups"])), " + ".join(map(str, valley["others"]))
    apart = "apart" if valley["q"] < SURE else "not apart"
    axes.set_title(f"pieces {names[0]} and {names[1]}: q {valley['q']:.1g}, {apart}", loc="left", fontsize=7)
    axes.set_xticks([0, 1], list(names))
    axes.set_ylabel(f"n of {valley['n']:,}", fontsize=7)


def _ranking(axes: Axes, columns: Sequence[Mapping[str, Any]]) -> None:
    for place, one in enumerate(columns):
        clear = one["p_any"] is not None and one["p_any"] < SURE
        ends = sorted((abs(one["low"]), abs(one["high"]))) if one["low"] * one["high"] > 0 else (0, _larger(one))
        axes.plot(ends, [place, place], color=COLOURS[0] if clear else NONE, linewidth=1.3, solid_capstyle="butt")
        axes.plot(abs(one["value"]), place, "o", color=COLOURS[0] if clear else NONE, ms=4)
        if one["chance"] is not None:
            axes.plot(one["chance"], place, "|", color="0.45", ms=9, mew=1.4)
    rows_axes(axes, [one["property"] for one in columns], "size of the effect")
    axes.set_xlim(0, 1.02)


def _larger(one: Mapping[str, Any]) -> float:
    return float(max(abs(one["low"]), abs(one["high"])))
