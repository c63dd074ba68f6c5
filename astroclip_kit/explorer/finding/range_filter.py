"""Filtering by a column of numbers: a slider over its histogram, and exact limits."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.models import Column as Layout
from bokeh.models import ColumnDataSource, Div, Range1d, RangeSlider, Row, TextInput
from bokeh.plotting import figure

from ...errors import UsageError
from ...report.figures.canvas import COLOURS
from ...surveys.recognition import counted
from ..columns import Column
from ..session import Session
from ..texts import plain
from .conditions import between, digits, limits, swapped, typed
from .spread import Spread

__all__ = ["RangeFilter"]


class RangeFilter:
    """Widgets that filter by a column of numbers.

    Args:
        session: The page.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._setting = session, False
        self._column: Column | None = None
        self._spread, self._placed = Spread.of(np.empty(0)), (0.0, 1.0)
        self._all, self._shown = (ColumnDataSource({"left": [], "right": [], "top": []}) for _ in range(2))
        self._plot = self._drawn()
        self._slider = RangeSlider(
            start=0,
            end=1,
            value=(0, 1),
            show_value=False,
            html_attributes={"aria-label": "Range of values"},
            name="filter-slider",
            sizing_mode="stretch_width",
            margin=(0, 16, 0, 16),
        )
        self._low, self._high = (
            TextInput(title=title, width=140, name=name)
            for title, name in (("From", "filter-low"), ("To", "filter-high"))
        )
        self._note = Div(name="filter-note", sizing_mode="stretch_width")
        inputs = Row(self._low, self._high)
        self.layout = Layout(self._plot, self._slider, inputs, self._note, sizing_mode="stretch_width", visible=False)
        self._slider.on_change("value_throttled", lambda attribute, old, new: self._slid(*new))
        for box in (self._low, self._high):
            box.on_change("value", lambda attribute, old, new: self._typed())
        session.on("where", call=self.update)

    def _drawn(self) -> figure:
        plot = figure(height=120, sizing_mode="stretch_width", tools="", toolbar_location=None, name="filter-histogram")
        plot.x_range, plot.y_range = Range1d(0, 1), Range1d(0, 1)
        plot.quad(
            source=self._all, left="left", right="right", top="top", bottom=0, color="#d0d0d0", legend_label="all"
        )
        plot.quad(
            source=self._shown, left="left", right="right", top="top", bottom=0, color=COLOURS[0], legend_label="shown"
        )
        plot.legend.update(
            orientation="horizontal", padding=2, spacing=6, label_text_font_size="11px", location="top_right"
        )
        plot.grid.visible, plot.yaxis.visible, plot.outline_line_color = False, False, None
        plot.xaxis.axis_label_text_font_style = "normal"
        return plot

    def show(self, column: Column | None) -> None:
        """Filters by a column from now on; None for none."""
        self._column, self.layout.visible = column, column is not None
        if column is None:
            return
        self._spread = spread = Spread.of(column.values)
        self._plot.xaxis.axis_label = plain(column.title)
        self._plot.x_range.update(start=spread.start, end=spread.end)
        self._setting = True
        self._slider.update(start=spread.start, end=spread.end, step=spread.step, value=(spread.start, spread.end))
        self._setting = False
        self._fill(self._all, column.values)
        self._plot.y_range.end = 1.25 * max(*self._all.data["top"], 1e-9)
        known = len(column.values) - spread.missing
        ends = f"from {spread.low:.6g} to {spread.high:.6g}. The ends of the slider are no limits."
        lack = f" Without a value: {counted(spread.missing, 'object')}, which any range leaves out."
        told = f"{counted(known, 'value')} {ends}{lack * bool(spread.missing)}"
        self._note.text = told if known else "No object has a value."
        self.update()

    def update(self) -> None:
        """Shows the limits that are in force."""
        if self._column is None:
            return
        shown = self._session.shown
        self._fill(self._shown, self._column.values if shown is None else self._column.values[shown])
        low, high = self._limits()
        start, end = self._spread.start, self._spread.end
        ends = (start if low is None else low, end if high is None else high)
        self._placed = (min(max(ends[0], start), end), min(max(ends[1], start), end))
        self._setting = True
        self._slider.value = self._placed
        self._low.value, self._high.value = digits(low), digits(high)
        self._setting = False

    def _fill(self, source: ColumnDataSource, values: npt.NDArray[Any]) -> None:
        edges, counts = self._spread.bins(values)
        source.data = {"left": edges[:-1], "right": edges[1:], "top": counts}

    def _own(self) -> str:
        """The condition that these widgets wrote."""
        name = self._column.name if self._column else ""
        return next((one for one in self._session.state.where if limits(name, one)), "")

    def _limits(self) -> tuple[float | None, float | None]:
        return (limits(self._column.name, self._own()) if self._column else None) or (None, None)

    def _slid(self, low: float, high: float) -> None:
        spread, (old_low, old_high) = self._spread, self._placed  # a typed limit beyond the slider stays
        typed_low, typed_high = self._limits()
        new_low = typed_low if low == old_low else None if low <= spread.start else _short(low)
        new_high = typed_high if high == old_high else None if high >= spread.end else _short(high)
        self._limit(new_low, new_high)

    def _typed(self) -> None:
        if self._setting:
            return
        try:
            self._limit(typed(self._low.value), typed(self._high.value))
        except UsageError as error:
            self.update()
            self._session.say(str(error), "error")

    def _limit(self, low: float | None, high: float | None) -> None:
        if self._setting or self._column is None:
            return
        new = between(self._column.name, low, high)
        where = swapped(self._session.state.where, self._own(), new)
        self._session.guarded(partial(self._session.change, where=where))


def _short(place: float) -> float:
    """Where a slider stands, without the digits that its steps add up to."""
    return place if place == int(place) else float(f"{place:.12g}")
