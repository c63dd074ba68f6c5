"""Which objects are shown: by a range, by classes, by any condition, or only what is selected."""

from __future__ import annotations

import numpy as np
from bokeh.events import ValueSubmit
from bokeh.models import Button, Div, Row, Select, TextInput
from bokeh.models import Column as Layout

from ...errors import InputError, UsageError
from ...filters import quoted
from ..columns import Column
from ..session import Session
from .chips import shown_line
from .class_filter import ClassFilter
from .conditions import among, swapped
from .misspelled import nothing_left
from .range_filter import RangeFilter

__all__ = ["filter_panel", "only_selected"]

CHOOSE = "choose a column ..."
LONGEST = 1500  # letters of a condition that an address still holds
WIDE = "stretch_width"


def only_selected(session: Session) -> str:
    """Shows the selected objects alone.

    A few are named by their ids, so that an address can hold them; for more, the page gets a column of its own.

    Returns:
        What the address does not hold, "" where it holds all.

    Raises:
        InputError: If nothing is selected.
    """
    if session.selection is None:
        raise InputError("Nothing is selected: draw a lasso or a box on the map first.")
    rows, where = np.flatnonzero(session.selection), session.state.where
    condition = ""
    if len(rows) <= LONGEST // 4:
        condition = among("object_id", session.space.ids_of(rows))
    if condition and len(condition) <= LONGEST:
        session.change(where=swapped(where, "", condition))
        return ""
    number = next(n for n in range(1, len(session.columns) + 2) if f"selection_{n}" not in session.columns)
    session.add_columns(Column(f"selection_{number}", "", session.selection.copy, True))
    session.change(where=swapped(where, "", f"selection_{number}"))
    return f"{len(rows):,} objects are too many for the address: who opens it sees all. Save the selection to share it."


def filter_panel(session: Session) -> Layout:
    """Widgets that add conditions, all of which hold for what is shown; `chips.filter_chips` removes them."""
    count = Div(text=shown_line(session), name="filter-count")
    column = Select(title="Filter by", name="filter-column", sizing_mode=WIDE)
    by_range, by_class = RangeFilter(session), ClassFilter(session)

    def listed() -> None:
        column.options = [("", CHOOSE), *((name, one.title) for name, one in session.columns.items())]
        column.value = column.value if column.value in session.columns else ""

    def chosen(attribute: str, old: str, new: str) -> None:
        found = session.columns.get(new)

        def read() -> object:
            return found and (found.codes if found.is_class else found.values)

        def show(done: object) -> None:
            if column.value == new:
                by_range.show(None if found is None or found.is_class else found)
                by_class.show(found if found is not None and found.is_class else None)

        session.work(read, show, f"reading {new}" if new else "", lane="filter")

    def counted() -> None:
        count.text = shown_line(session)

    column.on_change("value", chosen)
    session.on("columns", call=listed)
    session.on("where", call=counted)
    listed()
    parts = [count, column, by_range.layout, by_class.layout, *_expression(session), *_selected(session)]
    return Layout(*parts, sizing_mode=WIDE, name="filter-panel")


def _expression(session: Session) -> list[Layout | Row | Select]:
    """A field for any condition, and a list of the columns that it may name."""
    text = TextInput(
        title="Any condition, which is to hold with the others",
        placeholder='z < 0.3 and class in ["QSO", "GALAXY"]',
        name="filter-expression",
        sizing_mode=WIDE,
    )
    add = Button(label="Add", name="filter-add", align="end")
    insert = Select(title="Put a column into the condition", name="filter-insert", sizing_mode=WIDE)

    def added() -> None:
        condition = text.value.strip()
        if not condition:
            raise UsageError("Type a condition, such as z < 0.3; the list below puts names of columns into it.")
        session.change(where=swapped(session.state.where, "", condition))
        text.value = ""
        if session.shown is not None and not session.shown.any():
            session.say(nothing_left(condition, session.columns))

    def inserted(attribute: str, old: str, new: str) -> None:
        if new:
            text.value = f"{text.value} {quoted(new)}".strip()
            insert.value = ""

    def listed() -> None:
        insert.options = [("", CHOOSE), *((name, name) for name in [*session.columns, *session.space.ids])]

    add.on_click(lambda: session.guarded(added))
    text.on_event(ValueSubmit, lambda: session.guarded(added))
    insert.on_change("value", inserted)
    session.on("columns", call=listed)
    listed()
    return [Row(text, add, sizing_mode=WIDE), insert]


def _selected(session: Session) -> list[Button | Div]:
    button = Button(label="Only the selection", name="filter-selection", disabled=True)
    note = Div(name="filter-selection-note", visible=False)

    def update() -> None:
        count = 0 if session.selection is None else int(np.count_nonzero(session.selection))
        button.update(
            disabled=not count, label=f"Only the selection ({count:,} objects)" if count else "Only the selection"
        )

    def clicked() -> None:
        note.text = only_selected(session)
        note.visible = bool(note.text)

    button.on_click(lambda: session.guarded(clicked))
    session.on("selection", call=update)
    return [button, note]
