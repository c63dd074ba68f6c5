"""Histograms of properties in the selection against the rest, those first that differ most."""

from __future__ import annotations

import html

import numpy as np
import numpy.typing as npt
from bokeh.models import (
    BasicTicker,
    Column,
    ColumnDataSource,
    CustomJSTickFormatter,
    Div,
    FixedTicker,
    InlineStyleSheet,
    Range1d,
    Row,
    Select,
)
from bokeh.plotting import figure

from ...downstream.separation import Separation
from ...report.figures.canvas import COLOURS
from ..pauses import ANSWERED, Pause
from ..session import Session
from ..texts import cut, plain
from .comparing import Compared, Sides, compare, most_different

__all__ = ["Histograms"]

SELECTED, REST = COLOURS[0], "#8a8a8a"  # as on the map
FIRST = 4  # histograms that are shown at once
SURE = 0.05  # false discovery rate
WIDTH, HEIGHT = 204, 150  # pixels
LONGEST = 12  # letters of a class on an axis
SHORT = """
const known = Number(tick.toPrecision(6))
return known && Math.abs(known) < 1e-3 ? known.toExponential() : String(known)
"""
NOBODY = "(choose a property)"
WALL = ":host { flex-flow: row wrap; gap: 10px 8px; margin: 4px 5px; }"
CAPTION = ":host { font-size: 12px; line-height: 1.3; } b { overflow-wrap: anywhere; }"
KEY = f"""
<p style="margin: 0; font-size: 12px"><span style="color: {SELECTED}">&#9646;</span> selected
<span style="color: {REST}">&#9646;</span> rest, each as per cent of its known values. Properties are ordered by how
differently both are distributed: Cliff's d from &minus;1 to 1 for numbers (0.5: larger than the rest in three of four
pairs), Cram&eacute;r's V from 0 to 1 for classes.</p>
"""


class Histograms:
    """The properties of a selection.

    Args:
        session: The page.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._rest = session, Pause(session)
        self._slots = [_Slot(f"histogram-{number}") for number in range(FIRST + 1)]
        self._choice = Select(title="Another property", name="histogram-choice", value=NOBODY, options=[NOBODY])
        self._choice.on_change("value", lambda attribute, old, new: session.guarded(self._chosen))
        self._note = Div(name="histogram-note", visible=False)
        self._wall = Row(stylesheets=[InlineStyleSheet(css=WALL)])  # a browser builds only what is in it
        nobody = np.zeros(0, dtype=bool)
        self._sides = nobody, Sides.of(nobody)
        self._ranked = 0  # slots that hold what differs most
        self.layout = Column(Div(text=KEY), self._note, self._wall, self._choice, sizing_mode="stretch_width")

    def update(self) -> None:
        """Compares the selection with the rest once the page has told how many are selected."""
        self._choice.options = [NOBODY, *self._session.columns]
        self._rest(ANSWERED, self._compare)

    def _compare(self) -> None:
        session, selection, columns = self._session, self._session.selection, self._session.columns
        if selection is None:
            return

        def job() -> list[tuple[Separation, Compared]]:
            between = self._between(selection)
            found = most_different(columns, between)[:FIRST]
            return [(one, compare(columns[one.property], between)) for one in found]

        def then(found: list[tuple[Separation, Compared]]) -> None:
            if session.selection is selection:
                self._show(found)

        session.work(job, then, "comparing the selection with the rest", lane="histograms")
        self._chosen()

    def _show(self, found: list[tuple[Separation, Compared]]) -> None:
        for slot, pair in zip(self._slots, found, strict=False):
            slot.show(pair[1], pair[0])
        self._ranked = len(found)
        self._hang()
        if not found:
            self._note.text = "Nothing to compare: no property is known for three objects on both sides."
        elif not any(one.q < SURE for one, _ in found):
            self._note.text = "No property differs more than chance would have it."
        self._note.visible = not any(one.q < SURE for one, _ in found)

    def _hang(self) -> None:
        """Puts on the wall what there is to be seen."""
        chosen = self._slots[-1:] if self._choice.value != NOBODY else []
        self._wall.children = [slot.layout for slot in [*self._slots[: self._ranked], *chosen]]

    def _chosen(self) -> None:
        session, selection = self._session, self._session.selection
        column, slot = session.columns.get(self._choice.value), self._slots[-1]
        if column is None or selection is None:
            self._hang()
            return

        def then(found: Compared) -> None:
            if session.selection is selection:
                slot.show(found)
                self._hang()

        session.work(lambda: compare(column, self._between(selection)), then, lane="histograms")

    def _between(self, selection: npt.NDArray[np.bool_]) -> Sides:
        """The two sides of the selection of the moment, which are drawn once; called in the lane of the histograms."""
        if self._sides[0] is not selection:
            self._sides = selection, Sides.of(selection)
        return self._sides[1]


class _Slot:
    """One histogram; bars are replaced when it shows another property."""

    def __init__(self, name: str) -> None:
        self._bars = [ColumnDataSource({"left": [], "right": [], "top": []}) for _ in range(2)]
        self._plot = figure(
            name=name,
            width=WIDTH,
            height=HEIGHT,
            margin=0,
            min_border=4,
            tools="",
            toolbar_location=None,
            x_range=Range1d(0, 1),
            y_range=Range1d(0, 1),
            outline_line_color=None,
            y_axis_label="per cent",
        )
        style = ({"fill_color": SELECTED, "fill_alpha": 0.45, "line_color": SELECTED}, {"fill_color": "#d9d9d9"})
        for number in (1, 0):
            look = {"bottom": 0, "line_color": REST, **style[number]}
            self._plot.quad(source=self._bars[number], left="left", right="right", top="top", **look)
        self._plot.grid.visible = False
        self._plot.xaxis.formatter = CustomJSTickFormatter(code=SHORT)
        self._plot.axis.minor_tick_line_color = None
        self._plot.axis.axis_label_text_font_style = "normal"
        self._plot.axis.axis_label_text_font_size = self._plot.axis.major_label_text_font_size = "11px"
        self._plot.yaxis.ticker = BasicTicker(desired_num_ticks=3)
        self._caption = Div(name=f"{name}-caption", width=WIDTH, margin=0, stylesheets=[InlineStyleSheet(css=CAPTION)])
        self.layout = Column(self._plot, self._caption, width=WIDTH)

    def show(self, found: Compared, difference: Separation | None = None) -> None:
        """Draws a property, and says how much it differs."""
        left, right = found.edges[:-1], found.edges[1:]
        spans = [(left + 0.1, left + 0.5), (left + 0.5, left + 0.9)] if found.classes else [(left, right)] * 2
        for source, (start, end), top in zip(self._bars, spans, found.shares, strict=True):
            source.data = {"left": start, "right": end, "top": top}
        plot, axis = self._plot, self._plot.xaxis[0]
        plot.x_range.update(start=found.edges[0], end=found.edges[-1])
        plot.y_range.end = 1.08 * max(float(found.shares.max(initial=0)), 1e-9)
        names = [cut(one, LONGEST) for one in found.classes]
        plot.height = HEIGHT + 40 * any(len(one) > 4 for one in names)
        axis.ticker = FixedTicker(ticks=left + 0.5) if names else BasicTicker(desired_num_ticks=3)
        axis.major_label_overrides = {place + 0.5: plain(one) for place, one in enumerate(names)}
        axis.major_label_orientation = 0.9 if any(len(one) > 4 for one in names) else "horizontal"
        axis.axis_label = plain(found.column.title)
        self._caption.text = _caption(found, difference)


def _caption(found: Compared, difference: Separation | None) -> str:
    """What was counted, and how the sides differ, as HTML."""
    lines = [f"<b>{html.escape(found.column.name)}</b> {_differs(difference, found.column.unit)}"]
    for number, (side, colour) in enumerate((("selected", SELECTED), ("rest", REST))):
        known, missing, outside = found.known[number], found.missing[number], found.outside[number]
        told = [f"{known:,} known", f"{missing:,} missing" * bool(missing), f"{outside:,} off axis" * bool(outside)]
        lines.append(f'<span style="color: {colour}">&#9646;</span> {side}: {", ".join(filter(None, told))}')
    if found.sampled:
        lines.append("of random objects: there are too many to count")
    return "<br>".join(lines)


def _differs(difference: Separation | None, unit: str) -> str:
    if difference is None:
        return ""
    if difference.level:
        shares = f"{100 * difference.inside:.0f} % against {100 * difference.outside:.0f} %"
        return f"V = {difference.value:.2f}; {html.escape(difference.level)} {shares}"
    unit = f" {html.escape(unit)}" if unit else ""
    medians = f"median {difference.inside:.4g} against {difference.outside:.4g}{unit}"
    return f"d = {difference.value:+.2f}; {medians}".replace("-", "&minus;")
