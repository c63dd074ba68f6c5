"""The map: where the objects lie, what is selected of them, and which one is looked at."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from bokeh.events import DocumentReady, PanStart, RangesUpdate, SelectionGeometry, Tap
from bokeh.models import BasicTickFormatter, Column, ColumnDataSource, Div, InlineStyleSheet, Row

from ..pauses import ANSWERED, Pause
from ..session import Session
from ..texts import plain
from .colours import Colouring
from .controls import map_controls
from .drawing import Drawn, draw
from .figure import HINT, OVER, around, keys, map_figure
from .legend import ColourLegend
from .marks import Marks
from .plane import Box, Plane
from .points import Points
from .regions import nearest, rows_within, within_box

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["map_panel"]

LANE, ASKED = "map", "region"  # what is drawn, and what a click or a lasso takes, which does not wait for that
SIZE = (720, 520)  # pixels, until the browser says how many there are
DELAY = 120  # ms without a movement after which the map is drawn anew
BELOW = """
:host { display: flex; flex-flow: row wrap; gap: 0 16px; align-items: center; flex: none; min-height: 30px; }
"""  # as high with marks as without them
REACH = 8  # pixels around a click in which an object is meant
NOTHING = "There is no object where you clicked. Click nearer to one, or zoom in."
Mask = npt.NDArray[np.bool_]


def map_panel(session: Session) -> UIElement:
    """The map of a page, with its controls above and a line below that tells what is seen."""
    return _Map(session).layout


class _Map:
    """The map of one page."""

    def __init__(self, session: Session) -> None:
        self.session, self.space = session, session.space
        self.plane: Plane | None = None
        self.wanted = self.seen = ""
        self.size, self.colouring = SIZE, Colouring()
        self.drawing = self.again = self.selecting = False
        self.cleared = 0
        self.modifiers: dict[str, bool] = {}
        self.rest = Pause(session)
        self.plot = map_figure()
        self.picture = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []}, name="picture")
        self.plot.image_rgba("image", "x", "y", "dw", "dh", source=self.picture)
        self.points, self.marks = Points(self.plot, self.space), Marks(self.plot, session)
        self.legend = ColourLegend(self.plot)
        self.hint = Div(text=HINT, name="map_hint", stylesheets=[InlineStyleSheet(css=OVER)])
        self.told = Div(name="map_status", html_attributes={"role": "status"})
        below = Row(self.told, self.marks.boxes, stylesheets=[InlineStyleSheet(css=BELOW)])
        parts = [map_controls(session), self.legend.line, self.hint, self.plot, below]
        self.layout = Column(*parts, sizing_mode="stretch_both", name="map_panel")
        self._listen()
        if session.document is None:
            session.guarded(self.open)
        else:
            session.document.js_on_event(DocumentReady, keys(self.plot))
            session.document.add_next_tick_callback(self.open)  # when the address has been read

    def _listen(self) -> None:
        plot, session = self.plot, self.session
        plot.on_event(RangesUpdate, lambda event: self.soon())
        plot.on_event(PanStart, lambda event: setattr(self, "modifiers", event.modifiers or {}))
        plot.on_event(SelectionGeometry, lambda event: session.guarded(lambda: self.select(event)))
        plot.on_event(Tap, lambda event: session.guarded(lambda: self.tap(event.x, event.y)))
        for side in ("inner_width", "inner_height"):
            plot.on_change(side, self.resize)
        session.on("plane", call=self.open)
        session.on("colour", "columns", call=self.recolour)
        session.on("where", call=self.redraw)
        session.on("selection", call=self.selected)
        session.on("marks", "where", call=self.mark)
        session.on("focus", call=self.look)

    def resize(self, side: str, old: int, new: int) -> None:
        """Takes the size that the map has in the browser."""
        width, height = self.size
        self.size = (new, height) if side == "inner_width" else (width, new)
        self.soon()

    def open(self) -> None:
        """Opens the plane that is asked for; the work of some planes takes a while."""
        planes, columns = self.space.planes, self.session.columns
        key = self.session.state.plane or planes.default
        if self.plane is not None and self.plane.key == key == self.wanted:
            return
        self.wanted = key

        def job() -> tuple[Plane, Box]:
            plane = planes.open(key, columns)
            return plane, plane.frame

        self.session.work(job, lambda found: self.show_plane(*found), f"Places {len(self.space):,} objects", lane=LANE)

    def show_plane(self, plane: Plane, frame: Box) -> None:
        """Shows a plane as a whole."""
        if plane.key != self.wanted:
            return
        self.plane = plane
        for part in filter(None, (frame, self.session.state.view)):
            x0, x1, y0, y1 = part
            self.frame(x1 if plane.sky else x0, x0 if plane.sky else x1, y0, y1, as_start=part is frame)
        for axis, title in zip((self.plot.xaxis, self.plot.yaxis), plane.axes, strict=True):
            axis.axis_label = plain(title)
        self.plot.xaxis.formatter = around() if plane.sky else BasicTickFormatter()
        self.recolour()
        self.mark()
        self.look()

    def frame(self, left: float, right: float, bottom: float, top: float, as_start: bool = False) -> None:
        """Sets what part is in view."""
        for ends, low, high in ((self.plot.x_range, left, right), (self.plot.y_range, bottom, top)):
            ends.update(start=low, end=high)
            if as_start:
                ends.update(reset_start=low, reset_end=high)

    def recolour(self) -> None:
        """Takes the colours that are asked for."""
        column = self.session.columns.get(self.session.state.colour)
        if column is not self.colouring.column:
            self.colouring = Colouring(column)
        self.redraw()

    def soon(self) -> None:
        """Draws anew when the view has come to rest."""
        self.rest(DELAY, self.rested)

    def rested(self) -> None:
        """Keeps which part is in view, and draws it."""
        if self.plane is not None:
            x, y = self.plot.x_range, self.plot.y_range
            ends = sorted((x.reset_start, x.reset_end)) + sorted((y.reset_start, y.reset_end))
            self.session.change(view=() if np.allclose(self.box, ends, rtol=1e-9, atol=0) else self.box)
        self.redraw()

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Least and greatest x, least and greatest y in view."""
        x, y = self.plot.x_range, self.plot.y_range
        return (min(x.start, x.end), max(x.start, x.end), min(y.start, y.end), max(y.start, y.end))

    def redraw(self) -> None:
        """Draws what is in view; while that is under way, only the last wish is kept."""
        if self.plane is None or self.drawing:
            self.again = self.drawing
            return
        plane, box, size, colouring = self.plane, self.box, self.size, self.colouring
        shown, selected, most = self.session.shown, self.session.selection, self.space.points
        self.drawing = True

        def job() -> Drawn | Exception:
            try:
                return self.points.named(draw(plane, box, size, colouring, shown, selected, most))
            except Exception as error:  # after which the wishes of meanwhile hold
                return error

        self.session.work(job, self.drawn, lane=LANE)

    def drawn(self, drawn: Drawn | Exception) -> None:
        """Takes what was drawn, or why it was not; a wish of meanwhile is drawn next."""
        wanted, self.drawing, self.again = self.again, False, False
        if wanted:
            self.redraw()
        if isinstance(drawn, Exception):
            raise drawn
        self.show(drawn)

    def show(self, drawn: Drawn) -> None:
        """Shows what was drawn."""
        left, right, bottom, top = drawn.box
        picture = [] if drawn.picture is None else [drawn.picture]
        place = {"x": [left], "y": [bottom], "dw": [right - left], "dh": [top - bottom]}
        self.picture.data = {"image": picture, **{name: one * len(picture) for name, one in place.items()}}
        self.points.show(drawn, self.session.selection)
        self.legend.show(drawn.colouring, self.size[0])
        self.seen = drawn.told
        self.tell()

    def tell(self) -> None:
        """Says what is seen, and until one has begun what one can do."""
        begun = self.session.state.focus or self.session.selection is not None
        self.told.text, self.hint.visible = f"<p>{html.escape(self.seen)}</p>", not begun

    def mark(self) -> None:
        """Draws the marks of the panels."""
        if self.plane is not None:
            self.marks.show(self.plane)

    def look(self) -> None:
        """Rings the object that is looked at, and brings it into view."""
        if self.plane is None:
            return
        self.tell()
        row = self.session.focus
        place = self.marks.look(self.plane, row)
        if place is None and row >= 0:
            self.session.say(f"{self.session.state.focus} has no place on this map: no {self.plane.lacks}.")
        if place is not None:
            self.centre(*place)

    def centre(self, x: float, y: float) -> None:
        """Moves the view to a place that is not in it."""
        left, right, bottom, top = self.box
        if left <= x <= right and bottom <= y <= top:
            return
        across, up = self.plot.x_range, self.plot.y_range
        half_x, half_y = (across.end - across.start) / 2, (up.end - up.start) / 2
        self.frame(x - half_x, x + half_x, y - half_y, y + half_y)
        self.soon()

    def tap(self, x: float | None, y: float | None) -> None:
        """Looks at the shown object that is nearest to a click."""
        if self.plane is None or x is None or y is None:
            return
        plane, shown, (left, right, bottom, top) = self.plane, self.session.shown, self.box
        width, height = self.size
        reach = REACH * (right - left) / width, REACH * (top - bottom) / height

        def found(row: int) -> None:
            if row >= 0:
                self.session.look_at(row)
            elif not self.session.said[0]:
                self.session.say(NOTHING)

        self.session.work(lambda: nearest(plane, x, y, reach, shown), found, lane=ASKED)

    def selected(self) -> None:
        """Draws what is selected now; what is cleared stays so, whatever a gesture of before is about to find."""
        if self.session.selection is None and not self.selecting:
            self.cleared += 1
        self.rest(ANSWERED, self.redraw)

    def select(self, event: SelectionGeometry) -> None:
        """Selects the shown objects within a lasso or a box, or adds them, takes them away, keeps only them."""
        outline = _outline(event.geometry or {}) if event.final else None
        if self.plane is None or outline is None:
            return
        plane, shown, cleared, kind = self.plane, self.session.shown, self.cleared, event.geometry["type"]
        usual = {"replace": self.plot.select_one({"name": kind}).mode}  # where nothing else is chosen
        mode = _mode(self.modifiers, usual.get(self.session.gesture, self.session.gesture))

        def job() -> Mask:
            if kind == "poly":
                return rows_within(plane, outline, shown)
            (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
            return within_box(plane, (x0, x1, y0, y1), shown)

        def found(rows: Mask) -> None:
            if cleared != self.cleared:
                return
            self.selecting = True
            try:
                self.session.select(_combined(self.session.selection, rows, mode))
            finally:
                self.selecting = False
            if self.session.selection is None:
                self.session.say("No object is selected.")

        self.session.work(job, found, lane=ASKED)


def _combined(before: Mask | None, rows: Mask, mode: str) -> Mask:
    """What is selected after a gesture that took some rows."""
    if mode == "replace" or before is None:
        return rows if mode in ("replace", "append") else np.zeros_like(rows)
    return {"append": before | rows, "subtract": before & ~rows}.get(mode, before & rows)


def _outline(geometry: dict[str, Any]) -> npt.NDArray[np.float64] | None:
    """Corners [K, 2] of a lasso, or two that are opposite of a box."""
    if geometry.get("type") == "poly":
        return np.stack([np.asarray(geometry[axis], dtype=np.float64) for axis in "xy"], axis=1)
    if geometry.get("type") != "rect":
        return None
    return np.array([[geometry[name] for name in pair] for pair in (("x0", "y0"), ("x1", "y1"))], dtype=np.float64)


def _mode(modifiers: dict[str, bool], usual: str) -> str:
    """What becomes of an earlier selection, as Bokeh has it."""
    keys = bool(modifiers.get("shift")), bool(modifiers.get("ctrl"))
    return {(True, False): "append", (False, True): "intersect", (True, True): "subtract"}.get(keys, usual)
