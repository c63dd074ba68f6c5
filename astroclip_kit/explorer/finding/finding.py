"""Finding one object: by its id, by a name that the catalogue has for it, or by its position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from bokeh.events import ValueSubmit
from bokeh.models import Button, NumericInput, Row, Select, TextInput

from ...errors import InputError, UsageError
from ...surveys.catalogues import may_be_id
from ..texts import cut
from .nearby import angle, has_positions, near

if TYPE_CHECKING:
    from ..columns import Column
    from ..session import Session

__all__ = ["MOST_CHOICES", "Found", "find", "find_bar"]

MOST_CHOICES = 20
RADIUS = 10.0  # arcsec
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
WHOLE = re.compile(r"[+-]?\d+")
EXAMPLES = '"12:34:56.7 +12:34:56" or "188.736 12.582"'


@dataclass(frozen=True)
class Found:
    """What an answer consists of.

    Args:
        rows: Rows of the store, the best first, at most `MOST_CHOICES`.
        sentence: What is said about them, without the id of the first.
        certain: Whether the first is meant; if not, one of them is to be chosen.
        notes: What tells the rows from each other, as their distances.
    """

    rows: npt.NDArray[np.int64]
    sentence: str
    certain: bool
    notes: tuple[str, ...] = ()


def find(session: Session, text: str, radius_arcsec: float) -> Found:
    """The object that a text means.

    It is read as an id, then as a value in a column of text, as "column value", as the beginning of an id, and as a
    position; the first that there is counts. Small and capital letters are the same where that is needed.

    Args:
        session: The page; its own columns have names, too.
        text: What was typed.
        radius_arcsec: How far from a position an object may be.

    Raises:
        InputError: If there is no such object.
        UsageError: If nothing was typed, or the position or the radius makes no sense.
    """
    text = " ".join(text.encode(errors="replace").decode().split())  # half a letter is in no id
    if not text:
        raise UsageError(f"Type an id, a name, or a position such as {EXAMPLES}.")
    return next((found for found in _named(session, text) if len(found.rows)), None) or _at(
        session, text, radius_arcsec
    )


def _named(session: Session, text: str) -> Iterator[Found]:
    ids = session.space.ids
    yield Found(session.space.store.catalog.find([text]), "Found", True)
    yield _choices(np.flatnonzero(ids["group"].comparable == text), f"observations of {text!r}")
    for name, column in session.columns.items():
        if _is_text(column):
            yield _choices(_equal(column, text), f"objects whose {name} is {text!r}")
        elif not column.is_class and may_be_id(name) and NUMBER.fullmatch(text):
            yield _choices(_of_number(column, text), f"objects whose {name} is {text}")
    yield from _by_column(session, text)
    yield _choices(_beginning(ids["object_id"], text), f"ids that begin with {text!r}")


def _beginning(column: Column, text: str) -> npt.NDArray[np.int64]:
    rows = np.flatnonzero(column.comparable.str.startswith(text))
    return rows if len(rows) else np.flatnonzero(column.comparable.str.lower().str.startswith(text.lower()))


def _is_text(column: Column) -> bool:
    return column.is_class and column.kind == "text"


def _equal(column: Column, text: str) -> npt.NDArray[np.int64]:
    rows = np.flatnonzero(column.comparable == text)
    return rows if len(rows) else np.flatnonzero(column.comparable.str.lower() == text.lower())


def _of_number(column: Column, text: str) -> npt.NDArray[np.int64]:
    """Rows of a number; ids of more digits than a float has are compared as whole numbers."""
    known = column.comparable
    return np.flatnonzero(known == (int(text) if known.dtype.kind in "iu" and WHOLE.fullmatch(text) else float(text)))


def _by_column(session: Session, text: str) -> Iterator[Found]:
    """What "tic 261136679" or "tic=261136679" says of a column, also of one of numbers."""
    for name, column in session.columns.items():
        value = text[len(name) :].strip(" =:")
        if not text.lower().startswith(name.lower()) or not value or text[len(name)].isalnum():
            continue
        if _is_text(column):
            yield _choices(_equal(column, value), f"objects whose {name} is {value!r}")
        elif NUMBER.fullmatch(value):
            yield _choices(_of_number(column, value), f"objects whose {name} is {value}")


def _choices(rows: npt.NDArray[np.int64], what: str) -> Found:
    """Several rows of which one is to be chosen, or the only one."""
    if len(rows) <= 1:
        return Found(rows, f"Found, the only one of {what}", True)
    more = f"; the first {MOST_CHOICES} are listed" if len(rows) > MOST_CHOICES else ""
    return Found(rows[:MOST_CHOICES], f"{len(rows):,} {what}{more}.", False)


def _at(session: Session, text: str, radius_arcsec: float) -> Found:
    """The object nearest to a position."""
    from ...embeddings.places import place_of

    space = session.space
    try:
        place = place_of(text)
    except UsageError:
        if re.search(r"\d[\s:].*\d", text) and not re.search(r"[^\W\dhmsdJ]", text):  # meant as a position
            raise
        raise InputError(
            f"No object is called {text!r}, no id begins so, and it is no position. "
            f"Ids look like {space.ids_of([0])[0]!r}."
        ) from None
    if not has_positions(space):
        raise InputError("This store has no coordinates: find an object by its id or name.")
    if not 0 < radius_arcsec <= 180 * 3600:
        raise UsageError(f"The radius is {radius_arcsec} arcsec, expected a positive angle of up to 180 degrees.")
    rows, apart = near(space.store.ra, space.store.dec, *place, radius_arcsec / 3600)
    if apart[0] * 3600 > radius_arcsec:
        raise InputError(
            f"No object lies within {radius_arcsec:g} arcsec of {text}; the nearest, {space.ids_of(rows[:1])[0]!r}, is "
            f"{angle(apart[0])} away."
        )
    others = f"{len(rows) - 1:,} more within" if len(rows) > 1 else "the only one within"
    notes = tuple(angle(one) for one in apart[:MOST_CHOICES])
    return Found(rows[:MOST_CHOICES], f"Found {notes[0]} away, {others} {radius_arcsec:g} arcsec", True, notes)


def find_bar(session: Session) -> Row:
    """A field in which one types what one looks for; what is found is looked at."""
    example = cut(session.space.ids_of([0])[0], 40)
    flex = {"flex": "1 1 150px"}
    text = TextInput(title="Find: id, name or position", placeholder=example, name="search", styles=flex)
    radius = NumericInput(title="Radius [arcsec]", value=RADIUS, low=0, mode="float", width=96, name="find-radius")
    button = Button(label="Find", name="find-button", align="end")
    choice = Select(title="Which one?", visible=False, name="find-choice")

    def search() -> None:
        choice.visible, asked = False, (text.value, radius.value or 0)
        session.work(lambda: find(session, *asked), show, "searching", lane="find")

    def show(found: Found) -> None:
        choice.visible = len(found.rows) > 1
        if choice.visible:
            ids = session.space.ids_of(found.rows)
            labels = [f"{one}  {note}" for one, note in zip_longest(ids, found.notes, fillvalue="")]
            listed = zip(map(str, found.rows), labels, strict=True)
            choice.update(value="", options=[("", f"choose one of {len(ids)} ..."), *listed])
        if not found.certain:
            session.say(f"{found.sentence} Choose one.")
            return
        row = int(found.rows[0])
        before = session.said
        session.look_at(row)
        if session.said[1] == "error" and session.said != before:  # of who shows it, which stays
            return
        hidden = "" if session.shown is None or session.shown[row] else " The filter hides it on the map."
        session.say(f"{found.sentence}: {session.state.focus}.{hidden}")

    def chosen(attribute: str, old: str, new: str) -> None:
        if new:
            session.guarded(lambda: session.look_at(int(new)))

    text.on_event(ValueSubmit, lambda: session.guarded(search))
    button.on_click(lambda: session.guarded(search))
    choice.on_change("value", chosen)
    return Row(text, radius, button, choice, styles={"flex-wrap": "wrap"}, name="find-bar")
