"""What one page shows at this moment, and who is told when it changes."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import KitError, UsageError
from ..filters import columns_in, rows_where
from .columns import Table
from .lanes import Lanes
from .map.plane import blocks
from .state import State

if TYPE_CHECKING:
    from bokeh.document import Document

    from .columns import Column
    from .space import Space

__all__ = ["Session", "State"]

T = TypeVar("T")
Mask = npt.NDArray[np.bool_]


class Session:
    """The state of one page; panels listen to it and change it.

    Topics: "plane", "colour", "where", "focus", "view" (fields of `State`), "selection" (what the lasso took),
    "columns" (one was added or removed), "marks" (overlays and other rows drawn over the map), "said" (a message),
    "offered" (a file to save), "arrived" (a catalogue file), "asked" (a new file asks for neighbours), "closed" (the
    page has ended).

    Args:
        space: What is explored.
        document: The page; without one, as in a test or a script, work is done at once.
        watches: Whether it is told of columns that others save.
    """

    def __init__(self, space: Space, document: Document | None = None, watches: bool = True) -> None:
        self.space, self.document = space, document
        self.state = State(colour=space.planes.colour)  # a telling one, until another is chosen
        self.shown: Mask | None = None
        self.selection: Mask | None = None
        self.gesture = "replace"  # what a lasso does with an earlier selection, or "append", "subtract", "intersect"
        self.own_columns: dict[str, Column] = {}
        self.marks: dict[str, npt.NDArray[np.int64]] = {}
        self.lists: dict[str, Mapping[str, npt.NDArray[np.int64]]] = {}  # of which marks are put together
        self.pins: dict[str, npt.NDArray[np.float32]] = {}
        self.said: tuple[str, str] = ("", "note")
        self.offered: tuple[str, bytes] = ("", b"")
        self._looked_at = ("", -1)
        self.arrived: tuple[str, bytes] = ("", b"")
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self._known = self.columns
        self._lanes, self._is_closed = Lanes(), False
        if watches:
            space.watch(self)

    def on(self, *topics: str, call: Callable[[], None]) -> None:
        """Has a function called after each change of one of some topics."""
        for topic in topics:
            self._listeners[topic].append(call)

    def tell(self, topic: str) -> None:
        """Calls who listens; an error is said on the page, and the others are called nonetheless."""
        for call in ([self._let_go] if topic == "columns" else []) + self._listeners[topic]:
            self.guarded(call)

    def guarded(self, call: Callable[[], None]) -> None:
        """Does what a widget asks for; an error is said on the page."""
        try:
            call()
        except Exception as error:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """Says on the page why something was not done; what the kit did not foresee is logged, too.

        Without a page, in a test or a script, that is raised.
        """
        if isinstance(error, KitError):
            self.say(str(error), "error")
            return
        if self.document is None:
            raise error
        logging.getLogger(__name__).error("unexpected error in a page", exc_info=error)
        text = f"That failed unexpectedly ({type(error).__name__}: {error}). The rest of the page goes on."
        self.say(text, "error")

    @property
    def columns(self) -> dict[str, Column]:
        """Columns that one may colour, filter and draw by: those of the space, then those of this page alone."""
        return {**self.space.columns, **self.own_columns}

    def add_columns(self, *columns: Column) -> None:
        """Adds columns to this page, in place of its own ones that are called so.

        Raises:
            UsageError: If the space has a column of a name, whose values a reader would take them for.
        """
        for column in columns:
            if column.name in {**self.space.columns, **self.space.ids}:
                raise UsageError(f"column {column.name!r}: the space has one of this name. Choose another name.")
        self.own_columns |= {column.name: column for column in columns}
        self.tell("columns")

    def remove_columns(self, *names: str) -> None:
        """Takes away columns of this page, and what needs them."""
        for name in names:
            self.own_columns.pop(name, None)
        self.tell("columns")

    def _let_go(self) -> None:
        """Lets go of what needs columns that are no more: conditions, the colour, the plane.

        What is shown is found again where a condition needs a column that has other values now.
        """
        before, self._known = self._known, self.columns
        other = {name for name, column in before.items() if self._known.get(name) is not column}
        left = self.state.without(other - set(self._known))
        stale = any(columns_in(one, other) for one in left.where) and left.where == self.state.where
        self.change(where=left.where, colour=left.colour, plane=left.plane, view=left.view)
        if stale:
            self.shown = self._rows(left.where)
            self.tell("where")

    def change(self, **fields: Any) -> None:
        """Changes fields of the state, and tells of those that are others now.

        Raises:
            UsageError: If a condition cannot be read, or an object or column is unknown; then nothing changes.
        """
        if fields.get("plane", self.state.plane) != self.state.plane:
            fields = {"view": (), **fields}  # of another map
        new = replace(self.state, **fields)
        changed = [name for name in fields if getattr(new, name) != getattr(self.state, name)]
        if "colour" in changed and new.colour and new.colour not in self.columns:
            raise UsageError(f"no column {new.colour!r}; there is: {', '.join(self.columns)}.")
        if "plane" in changed and new.plane:
            self.space.planes.check(new.plane, self.columns)
        shown = self._rows(new.where) if "where" in changed else self.shown
        if "focus" in changed and new.focus:
            self._row_of(new.focus)
        self.state, self.shown = new, shown
        if changed and self.said[1] == "error":
            self.say("")
        for name in changed:
            self.tell(name)

    def _rows(self, where: tuple[str, ...]) -> Mask | None:
        columns, rows = {**self.columns, **self.space.ids}, None
        for one in where:
            try:
                found = _rows_where(columns, len(self.space), one)
            except UsageError:  # as of text that is ordered
                found = _rows_where(columns, len(self.space), one, ordered=True)
            rows = found if rows is None else rows & found
        return rows

    def _row_of(self, object_id: str) -> int:
        """Row of an id; that of the last one is kept, as it is asked for often, and a search takes a second or more."""
        from ..embeddings.queries import rows_of

        known = self._looked_at
        if known[0] != object_id:
            known = self._looked_at = (object_id, int(rows_of(self.space.store, [object_id])[0]))
        return known[1]

    @property
    def focus(self) -> int:
        """Row of the object that is looked at, -1 for none."""
        return self._row_of(self.state.focus) if self.state.focus else -1

    def look_at(self, row: int) -> None:
        """Looks at the object of a row; -1 for none."""
        object_id = "" if row < 0 else self.space.ids_of([row])[0]
        self._looked_at = (object_id, row)
        self.change(focus=object_id)

    def select(self, rows: Mask | None) -> None:
        """Sets what is selected, flags [N]; None for nothing."""
        self.selection = rows if rows is not None and rows.any() else None
        self.tell("selection")

    def mark(self, name: str, rows: npt.NDArray[np.int64] | None, lists: Mapping[str, Any] | None = None) -> None:
        """Draws rows over the map under a name, in place of earlier ones; None takes them away.

        Where they come of several lists, each has its sign; a row of two lists has both.
        """
        self.marks.pop(name, None)
        self.lists[name] = lists or {}
        if rows is not None:
            self.marks[name] = rows
        self.tell("marks")

    def pin(self, name: str, place: npt.NDArray[np.float32] | None) -> None:
        """Draws a place [2] on the map that is of no row, such as a new file's, until the map is another one."""
        self.pins.pop(name, None)
        if place is not None:
            self.pins[name] = place
        self.tell("marks")

    def say(self, text: str, kind: str = "note") -> None:
        """Puts a line on the page; kind is "note" or "error"."""
        self.said = (text, kind)
        self.tell("said")

    def offer(self, name: str, content: bytes) -> None:
        """Has the browser save a file under a name."""
        self.offered = (name, content)
        self.tell("offered")
        self.offered = ("", b"")

    def arrive(self, name: str, content: bytes) -> None:
        """Hands over a catalogue file that another program sent; the overlay takes it."""
        self.arrived = (name, content)
        self.tell("arrived")
        self.arrived = ("", b"")

    def renew(self) -> None:
        """Tells in the page's own turn that the space has other columns now; any thread may call it."""
        if self.document is None and not self._is_closed:
            self.tell("columns")
        else:
            self._in_turn(partial(self.tell, "columns"))

    def later(self, call: Callable[[], None]) -> None:
        """Does something in a later turn of the page, so that it shows before what was changed until now.

        Any thread may call it. An error is said on the page. Without a page it is done at once.
        """
        guarded = partial(self.guarded, call)
        if self.document is None:
            guarded()
        else:
            self._in_turn(guarded)

    def _in_turn(self, call: Callable[[], None]) -> None:
        """Has something done in the page's own turn; nothing where the page has ended."""
        if self.document is not None and not self._is_closed:
            with suppress(AttributeError):  # Bokeh takes a page apart before it tells that it has ended
                self.document.add_next_tick_callback(call)

    def work(self, job: Callable[[], T], then: Callable[[T], None], title: str = "", *, lane: str) -> None:
        """Does something long beside the page, then shows it; an error is said on the page.

        Args:
            job: The work; it must not touch models of the page.
            then: Takes what it gave, in the page's own turn.
            title: What is said meanwhile.
            lane: Work of one lane is done in the order in which it was asked for, that of another beside it.
        """
        if self.document is None:
            then(job())
            return
        if title:
            self.say(f"{title} …")

        def finish(value: T) -> None:
            if title and self.said == (f"{title} …", "note"):
                self.say("")
            then(value)

        def run() -> None:
            if self._is_closed:
                return
            try:
                ending = partial(self.guarded, partial(finish, job()))
            except Exception as error:
                ending = partial(self.failed, error)
            self._in_turn(ending)

        self._lanes.put(lane, run)

    def close(self) -> None:
        """Ends the work of a page that was closed."""
        self._is_closed = True
        self._lanes.close()
        self.tell("closed")

    def join(self, until: float) -> None:
        """Waits for what a page that was closed had begun, or until a time of `time.monotonic`."""
        self._lanes.join(until)


def _rows_where(columns: Mapping[str, Column], count: int, condition: str, ordered: bool = False) -> Mask:
    """Which of all rows a condition holds for, some at a time: pandas makes several copies of what it compares."""
    parts = (rows_where(Table(columns, part, ordered), condition) for part in blocks(count))
    return np.concatenate(list(parts))
