"""The table of an object's properties: what the catalogue says, and beside it what its neighbours say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import KitError
from ..session import Session
from ..texts import printable
from .bookkeeping import bookkeeping
from .properties import COVERAGE, MEMORY, Found, Reading, read_properties

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["STYLE", "PropertyTable", "line", "lines_of", "read_off", "stands_on"]

OFFERED = 5_000_000  # rows of a store from which on reading off neighbours waits for a button
LARGEST = 2.0**53  # whole number that is written out: larger ones are not told from their neighbours
DIGITS = 5  # of a number that is not whole; a cursor that stays on it sees all
UNSEEN = ("object_id", "group", "ra", "dec")  # columns that stand in the head
STYLE = """
table { border-collapse: collapse; width: 100%; font-size: 13px; table-layout: fixed; }
th:nth-child(1) { width: 26%; } th:nth-child(2) { width: 24%; } th:nth-child(4) { width: 64px; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid #999; vertical-align: bottom; }
td, th { padding: 2px 8px 2px 0; overflow-wrap: break-word; }
td:nth-child(4), th:nth-child(4) { white-space: nowrap; padding-right: 0; }
td { border-bottom: 1px solid #eee; vertical-align: top; }
.off { color: #a33f00; font-weight: 600; white-space: nowrap; } .small { color: #555; font-size: 12px; }
summary { cursor: pointer; font-size: 13px; padding: 2px 0; }
p { margin: 4px 0; color: #444; font-size: 12px; overflow-wrap: anywhere; }
"""


class PropertyTable:
    """All columns of the catalogue for one object, with what can be read off its neighbours.

    Args:
        session: The page's state.
    """

    def __init__(self, session: Session) -> None:
        from bokeh.layouts import column
        from bokeh.models import Button, Div, Select

        self._session, self._row = session, -1
        self._by = Select(title="Properties read off neighbours by", name="read-by", width=220)
        self._button = Button(label="Read properties off its neighbours", name="read", visible=False, width=260)
        self._table = Div(name="properties", sizing_mode="stretch_width", stylesheets=[STYLE], disable_math=True)
        self._by.on_change("value", lambda attribute, old, new: self._start())
        self._button.on_click(self._read)
        session.on("columns", call=self._start)
        self.layout: UIElement = column(self._by, self._button, self._table, sizing_mode="stretch_width")

    @cached_property
    def _filed(self) -> set[str]:
        return bookkeeping(self._session.space.store) | {"split"}

    def show(self, row: int) -> None:
        """Shows the catalogue's values at once, and what the neighbours say when it is known."""
        store = self._session.space.store
        here = [name for name in store.names if store.present(name)[row]]
        options = [*here, *(["+".join(here)] if len(here) > 1 else [])]
        self._row = -1  # the choice may change; that asks for nothing
        self._by.update(options=options, visible=len(options) > 1)
        if self._by.value not in options:
            self._by.value = options[0] if options else ""
        self._row = row
        self._start()

    def _start(self) -> None:
        if self._row < 0:
            return
        large = len(self._session.space) > OFFERED
        self._button.visible = large and bool(self._by.value)
        if large or not self._by.value:
            self._draw({}, "" if large else "It is in no modality of the space, so it has no neighbours.")
        else:
            self._read()

    def _read(self) -> None:
        """Reads beside the page, unless another object is looked at by then."""
        asked = self._row, self._by.value
        self._draw({}, f"Reading its properties off its neighbours by {asked[1]} …")

        def job() -> Found | None:
            if asked != (self._row, self._by.value):
                return None
            return read_off(partial(read_properties, self._session.space, *asked))

        def then(found: Found | None) -> None:
            if found is not None and asked == (self._row, self._by.value):
                self._button.visible = False
                split = str(self._session.space.store.catalog.at([asked[0]], ["split"])["split"][0])
                self._draw(found[0], " ".join([stands_on(len(self._session.space), found[0], split), found[1]]))

        self._session.work(job, then, lane="properties")

    def _draw(self, readings: dict[str, Reading], note: str) -> None:
        space = self._session.space
        own = space.store.catalog.at([self._row])
        names = [name for name in own if name not in UNSEEN and not (name == "split" and not own[name][0])]
        lines = {name: line(name, own[name][0], space.store.units.get(name, ""), readings.get(name)) for name in names}
        filed = "".join(lines.pop(name) for name in names if name in self._filed)
        more = f"<details><summary>More columns of the catalogue</summary><table>{filed}</table></details>"
        table = lines_of("catalogue", lines.values(), bool(readings))
        self._table.text = f"{table}<p>{escape(note)}</p>{more if filed else ''}"


def read_off(read: Callable[[], Found]) -> Found:
    """Readings, or why there are none: a page does not wait in vain for what nobody foresaw."""
    try:
        return read()
    except KitError as error:
        return {}, str(error)
    except Exception as error:
        logging.getLogger(__name__).error("unexpected error in reading properties", exc_info=error)
        return {}, f"That failed unexpectedly ({type(error).__name__}: {error})."


def stands_on(count: int, readings: dict[str, Reading], split: str = "") -> str:
    """What readings mean, in sentences.

    Args:
        count: Objects of the space.
        readings: Of one that asks.
        split: Whether the model was trained on it.
    """
    if not readings:
        return "Nothing is read off its neighbours."
    drawn = f", of which {MEMORY:,} were drawn to ask" if count > MEMORY else ""
    seen = {"train": "The model was trained on this object, so they may agree too well."}.get(split, "")
    brackets = (
        f"In brackets the interval, or the classes, that hold the truth for {100 * COVERAGE:.0f} % of objects; then"
        if any(reading.interval for reading in readings.values())
        else "Too few objects are labelled to say how far these are off. In the last column:"
    )
    return f"{brackets} how many labelled objects that stands on{drawn}. {seen}"


def lines_of(who: str, lines: Iterable[str], is_read: bool) -> str:
    """HTML of a table.

    Args:
        who: Says what is known: "catalogue".
        lines: HTML of each row, as `line` makes it.
        is_read: Whether there are readings.
    """
    more = f"<th>neighbours ({100 * COVERAGE:.0f} %)<th>labelled" if is_read else ""
    return f"<table><tr><th>property<th>{who}{more}{''.join(lines)}</table>"


def line(name: str, value: Any, unit: str, reading: Reading | None) -> str:
    """A row of the table."""
    name, unit, full, value = (escape(printable(text)) for text in (name, unit, _whole(value), _told(value)))
    value = value if full == value else f'<span title="{full}">{value}</span>'
    cells = [f"{name}{f' <span class=small>[{unit}]</span>' if unit else ''}", value]
    if reading:
        share = f" {100 * reading.share:.0f} %" if reading.share < 1 else ""
        interval = f" <span class=small>({escape(printable(reading.interval))})</span>" if reading.interval else ""
        mark = "" if reading.holds else ' <span class=off title="the catalogue says otherwise">▲ outside</span>'
        alone = "" if reading.supported else ' <span class=off title="few objects are like it">? no support</span>'
        cells += [
            f"{escape(printable(reading.value))}{share}{interval}{mark}{alone}",
            f"<span class=small>{reading.known:,}</span>",
        ]
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells)


def _told(value: Any) -> str:
    """A value as one reads it: whole numbers in full, others in five digits, or to a hundredth."""
    if not isinstance(value, (float, np.floating)):
        return str(value) or "-"
    number = float(value)
    if not np.isfinite(number):
        return "-"
    if abs(number) < LARGEST and (number.is_integer() or abs(number) >= 10**DIGITS):
        return f"{number:.{0 if number.is_integer() else 2}f}"
    return f"{number:.{DIGITS}g}"


def _whole(value: Any) -> str:
    """A value in all digits that it has, for who wants them; as `_told` where that is all."""
    told = _told(value)
    is_cut = isinstance(value, (float, np.floating)) and not np.isnan(value) and (told == "-" or float(told) != value)
    return str(value) if is_cut else told
