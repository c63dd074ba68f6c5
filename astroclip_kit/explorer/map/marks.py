"""What is drawn over the map: the object that is looked at, and rows that panels mark, such as neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from bokeh.models import CheckboxGroup, ColumnDataSource
from bokeh.plotting import figure

from ..session import Session
from .plane import Plane

__all__ = ["Marks"]

STYLES = {"neighbours": "diamond"}
LISTS = ("diamond", "circle", "inverted_triangle", "square")  # of lists that are marked under one name
OTHERS = ("square", "triangle", "hex", "inverted_triangle")  # which take turns
PIN = "star"  # white, where classes are of a colour
SIGNS = {"diamond": "◇", "circle": "○", "square": "□", "triangle": "△", "hex": "⬡", "inverted_triangle": "▽", PIN: "☆"}
LARGEST, SMALLEST = 12.0, 7.0  # pixels, of a mark among few and among many; a point is seen within it
FEW = 300  # marks that are black with a white edge; more are thin and pale, so that the map is seen below them
STRONG, THIN = {"halo": 1.0, "width": 1.5, "opacity": 1.0}, {"halo": 0.0, "width": 0.8, "opacity": 0.5}
EMPTY: dict[str, Any] = {key: [] for key in ("x", "y", "marker", "size", *STRONG)}
LOOK = ".bk-input-group { display: flex; flex-wrap: wrap; gap: 0 14px; } label { overflow-wrap: anywhere; }"
Rows = npt.NDArray[np.int64]


class Marks:
    """Marks over a map: hollow, black on white, as no class is; each can be hidden in a line of boxes.

    Args:
        plot: The figure that they are drawn in.
        session: The page's state.
    """

    def __init__(self, plot: figure, session: Session) -> None:
        self.session, self.hidden, self.names = session, set[str](), list[str]()
        self.plane: Plane | None = None
        self.source = ColumnDataSource(EMPTY, name="marks")
        self.focus = ColumnDataSource({"x": [], "y": []}, name="focus")
        hollow = {"marker": "marker", "size": "size", "fill_color": None, "source": self.source}
        plot.scatter("x", "y", line_color="white", line_width=3, line_alpha="halo", **hollow)
        plot.scatter("x", "y", line_color="black", line_width="width", line_alpha="opacity", **hollow)
        self.pins = ColumnDataSource({"x": [], "y": []}, name="pins")
        plot.scatter("x", "y", marker=PIN, size=24, fill_color="white", line_color="black", source=self.pins)
        for colour, width in (("white", 6), ("black", 2.5)):
            plot.scatter("x", "y", size=20, fill_color=None, line_color=colour, line_width=width, source=self.focus)
        self.boxes = CheckboxGroup(name="marks_shown", inline=True, visible=False, margin=0, stylesheets=[LOOK])
        self.boxes.on_change("active", lambda attribute, old, new: session.guarded(self._choose))

    def _choose(self) -> None:
        """Hides what is no longer ticked; it stays so when other rows get its name."""
        ticked = {self.names[place] for place in self.boxes.active}
        self.hidden = (self.hidden | set(self.names)) - ticked
        if self.plane is not None:
            self.show(self.plane)

    def show(self, plane: Plane) -> None:
        """Draws the marks on a plane, but not those of objects that a filter leaves out."""
        self.plane, labels, parts = plane, list[str](), [EMPTY]
        free = [name for name in self.session.marks if name not in STYLES]
        styles = STYLES | {name: OTHERS[number % len(OTHERS)] for number, name in enumerate(free)}
        for name, rows in self._rows().items():
            drawn = _some(rows, self.session.space.points)
            told = f"{len(rows):,}" if len(drawn) == len(rows) else f"{len(drawn):,} of {len(rows):,}"
            lists = self._lists(name, drawn)
            signs = ", ".join(f"{SIGNS[sign]} {one}" for sign, one in zip(LISTS, lists, strict=False))
            labels.append(f"{name} {told}: {signs}" if lists else f"{SIGNS[styles[name]]} {name} {told}")
            if name in self.hidden:
                continue
            for sign, some in zip(LISTS, lists.values(), strict=False) if lists else [(styles[name], drawn)]:
                parts.append(_glyphs(plane, some, sign))
        self.source.data = {key: [one for part in parts for one in part[key]] for key in EMPTY}
        places = [place for name, place in self.session.pins.items() if name not in self.hidden]
        x, y = np.reshape(places, (-1, 2)).T
        self.pins.data = {"x": x, "y": y}
        self._list([*labels, *(f"{SIGNS[PIN]} {name}" for name in self.session.pins)])

    def _lists(self, name: str, drawn: Rows) -> dict[str, Rows]:
        """The lists of a mark, each with those of its rows that are drawn; none where there is but one."""
        lists = self.session.lists.get(name, {})
        return {one: rows[np.isin(rows, drawn)] for one, rows in lists.items()} if 1 < len(lists) <= len(LISTS) else {}

    def _rows(self) -> dict[str, Rows]:
        shown = self.session.shown
        return {name: rows if shown is None else rows[shown[rows]] for name, rows in self.session.marks.items()}

    def _list(self, labels: list[str]) -> None:
        self.names = [*self.session.marks, *self.session.pins]
        ticked = [place for place, name in enumerate(self.names) if name not in self.hidden]
        self.boxes.update(labels=labels, active=ticked, visible=bool(labels))

    def look(self, plane: Plane, row: int) -> tuple[float, float] | None:
        """Rings the object of a row, and says where it is; None where it has no place, or there is no object."""
        x, y = plane.at(np.array([row] if row >= 0 else [], dtype=np.int64))
        placed = np.isfinite(x) & np.isfinite(y)
        self.focus.data = {"x": x[placed], "y": y[placed]}
        return (float(x[0]), float(y[0])) if placed.any() else None


def _glyphs(plane: Plane, rows: Rows, marker: str) -> dict[str, list[Any]]:
    """What is drawn of a mark: smaller and paler where there are many."""
    x, y = plane.at(rows)
    placed = np.isfinite(x) & np.isfinite(y)
    count = int(placed.sum())
    size = float(np.clip(16 - 3 * np.log10(max(count, 1)), SMALLEST, LARGEST))
    alike = {"marker": marker, "size": size, **(STRONG if count <= FEW else THIN)}
    return {"x": x[placed].tolist(), "y": y[placed].tolist(), **{key: [one] * count for key, one in alike.items()}}


def _some(rows: Rows, most: int) -> Rows:
    """Not more rows than a browser draws."""
    return rows[:: -(-len(rows) // most)] if len(rows) > most else rows
