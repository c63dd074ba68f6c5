"""What a reader saves a selection with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bokeh.models import Button, Checkbox, Column, Div, Select, TextInput

from ..session import Session
from ..stylesheet import line
from .saving import COMBINED, FORMATS, combine, offer_file, remove_saved, rename_saved, save_in_store

if TYPE_CHECKING:
    from ...embeddings.saved_columns import SavedColumn

__all__ = ["SavingControls"]

BUTTONS = {"": "Select these", "and": "And these", "or": "Or these", "without": "Without these"}


class SavingControls:
    """Saves to a file or beside the store, and takes up what was saved.

    Args:
        session: The page.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._style = Select(title="File format", value="VOTable", options=list(FORMATS), name="save-format", width=110)
        self._vectors = Checkbox(label="with vectors", name="save-vectors")
        save = Button(label="Save file", button_type="primary", name="save-file")
        save.on_click(partial(session.guarded, self._to_file))
        self._name = TextInput(title="Name", placeholder="for example mergers", name="save-name", width=180)
        keep = Button(label="Save in the store", name="save-store")
        keep.on_click(partial(session.guarded, self._to_store))
        self._saved = Select(title="Saved selections and clusters", name="saved-selections", width=220)
        self._file_part = Column(
            Div(text="<b>To a file</b>: the selected rows with all columns, units and UCDs."),
            line(self._style, self._vectors, save),
            Div(text="<b>Beside the store</b>, as a column of flags that one can filter, colour and search by."),
            line(self._name, keep),
        )
        self._empty = Div(text="No selection was saved yet. Those that are can be taken up again here.")
        self._remove = Button(name="saved-remove")
        self._remove.on_click(partial(session.guarded, self._take_away))
        self._new = TextInput(title="Another name for it", name="saved-new-name", width=180)
        rename = Button(label="Rename", name="saved-rename")
        rename.on_click(partial(session.guarded, self._rename))
        self._saved.on_change("value", lambda attribute, old, new: self._chosen())
        self._combining = line(*(self._button(how) for how in BUTTONS))
        self._saved_part = Column(line(self._saved, self._remove), self._combining, line(self._new, rename))
        self.layout = Column(self._file_part, self._empty, self._saved_part, sizing_mode="stretch_width")
        session.on("columns", call=self._list)
        self._list()

    def _button(self, how: str) -> Button:
        button = Button(label=BUTTONS[how], name=f"saved-{how or 'load'}")
        session = self._session
        button.on_click(lambda: session.guarded(lambda: combine(session, self._saved.value, how)))
        return button

    def _ask(self, asked: bool) -> None:
        """Says what a click on the last button does, which the second one does."""
        label = "Remove it for good? Click again" if asked else "Remove"
        self._remove.update(label=label, button_type="danger" if asked else "default")

    def _take_away(self) -> None:
        asked = self._remove.button_type == "danger"
        self._ask(not asked)
        if asked:
            remove_saved(self._session, self._saved.value)

    def _rename(self) -> None:
        rename_saved(self._session, self._saved.value, self._new.value)
        self._new.value = ""

    def _chosen(self) -> None:
        self._ask(False)
        saved = self._session.space.store.saved_columns.get(self._saved.value)
        self._combining.visible = saved is not None and saved.kind == "flag"

    def _list(self) -> None:
        saved = self._session.space.store.saved_columns
        by_kind = sorted(saved.items(), key=lambda item: item[1].kind != "flag")
        self._saved.options = found = [(name, f"{name} ({_told(one)})") for name, one in by_kind]
        if self._saved.value not in saved:
            self._saved.value = found[0][0] if found else ""
        self._chosen()
        self._empty.visible, self._saved_part.visible = not found, bool(found)

    def _to_file(self) -> None:
        offer_file(self._session, self._style.value, vectors=self._vectors.active)

    def _to_store(self) -> None:
        save_in_store(self._session, self._name.value)

    def update(self) -> None:
        """Shows what can be done with, or without, a selection."""
        selected = self._session.selection is not None
        self._file_part.visible = selected
        for how in COMBINED:
            self._saved_part.select_one({"name": f"saved-{how}"}).disabled = not selected


def _told(saved: SavedColumn) -> str:
    kind = {"flag": "", "text": "classes of ", "number": "numbers of "}[saved.kind]
    return f"{kind}{saved.count:,} objects"
