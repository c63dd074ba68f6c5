"""Numbers beside each other, with their intervals and with what guessing reaches."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib import rc_context
from matplotlib.ticker import MaxNLocator

from ...errors import InputError
from .canvas import COLOURS, COLUMN, LETTER, PAGE, STYLE, KitFigure, rows_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Interval", "interval_plot"]

LINE = 0.2  # inches
NARROW, MOST = 1.4, 4  # inches of a panel, and panels beside each other
NAMED = ("measured, 95 %", "guessing")
LONG = 24  # letters of a label that leave no room for numbers beside them in a column


class Interval(NamedTuple):
    """A number with its 95 % interval.

    Args:
        label: What was measured.
        value: The number.
        low: Lower end; NaN where there is none.
        high: Upper end.
        chance: What guessing reaches; NaN where it has no meaning.
    """

    label: str
    value: float
    low: float = math.nan
    high: float = math.nan
    chance: float = math.nan


@rc_context(STYLE)
def interval_plot(panels: Mapping[str, Sequence[Interval]], *, title: str = "", task: str = "") -> KitFigure:
    """A panel for each metric, a line for each number: point, 95 % interval, and a grey mark where guessing is.

    Where the numbers of all panels have the same labels, these stand once, at the left.

    Args:
        panels: What the axis shows, with its unit, to the numbers from top to bottom.
        title: What they are about.
        task: Section of a report that the figure belongs to.

    Raises:
        InputError: If there is no panel, one is empty, or a value is not finite.
    """
    if not panels or not all(panels.values()):
        raise InputError("interval_plot: expected at least one number in every panel, found none.")
    for name, numbers in panels.items():
        if bad := [one.label for one in numbers if not math.isfinite(one.value)]:
            raise InputError(f"interval_plot: {name} of {bad[0]!r} is not finite. Leave it out first.")
    longest = max(len(one.label) for numbers in panels.values() for one in numbers)
    alike = len({tuple(one.label for one in numbers) for numbers in panels.values()}) == 1
    room = PAGE - LETTER * longest - 0.2
    columns = max(1, int(room / NARROW)) if alike else 1 if longest > LONG else 2
    columns = min(columns, len(panels), MOST)
    rows = -(-len(panels) // columns)
    width = PAGE if longest > LONG or columns > 1 else COLUMN
    wrap = int((room if alike else room + width - PAGE) / columns / LETTER)
    names = [textwrap.fill(name, max(wrap, 12)) for name in panels]
    counts = [len(numbers) for numbers in panels.values()]
    heights = [0.12 + LINE * max(counts[columns * row : columns * (row + 1)]) for row in range(rows)]
    below = rows * (0.36 + 0.14 * max(1 + name.count("\n") for name in names))
    figure = KitFigure(figsize=(width, below + sum(heights) + (0.2 if title else 0.05) + 0.2), task=task)
    shared: Any = "row" if alike else False
    grid = figure.subplots(rows, columns, squeeze=False, height_ratios=heights, sharey=shared).ravel()
    for axes, name, numbers in zip(grid, names, panels.values(), strict=False):
        _panel(axes, name, numbers)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    if title:
        figure.suptitle(title)
    named = {name: one for axes in grid for one, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside lower left", ncols=2, borderaxespad=0.1)
    return figure


def _panel(axes: Axes, name: str, numbers: Sequence[Interval]) -> None:
    for place, one in enumerate(numbers):
        style: dict[str, Any] = {
            "color": COLOURS[0],
            "linewidth": 1.3,
            "solid_capstyle": "butt",
            "ms": 4,
            "markevery": [1],
        }
        axes.plot([one.low, one.value, one.high], [place] * 3, "o-", label=NAMED[0], **style)
        label = NAMED[1] if math.isfinite(one.chance) else None
        axes.plot(one.chance, place, "|", color="0.45", ms=9, mew=1.4, label=label)
    rows_axes(axes, [one.label for one in numbers], name)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.08)
