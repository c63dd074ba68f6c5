"""What is said of a new file besides its neighbours: whose it is, where it lies, what it holds, and its properties."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape

import numpy as np
import numpy.typing as npt
from bokeh import models

from ...embeddings.mean import MEAN
from ...embeddings.queries import Asked
from ..map.planes import Planes
from ..objects.card_buttons import CardButtons
from ..objects.properties import Found, read_file
from ..objects.property_table import STYLE, line, lines_of, read_off, stands_on
from ..session import Session
from ..space import Space
from .cards import LOOK, card, pictured
from .new_file import NewFile
from .new_view import new_view

__all__ = ["NewCard"]

MOST = 5  # observations of the same object that are offered


class NewCard:
    """A new file as the card of an object shows it.

    Args:
        session: The page.
        look_at: Looks at a row of the store.
    """

    def __init__(self, session: Session, look_at: Callable[[int], None]) -> None:
        self._session, self._key = session, ""
        self._file: NewFile | None = None
        self._rows = np.zeros(0, np.int64)
        guarded = session.guarded
        self._known = CardButtons("new-known", lambda at: guarded(lambda: look_at(int(self._rows[at]))), LOOK)
        self._map = models.Button(name="new-map", button_type="primary", align="start", visible=False)
        self._map.on_click(lambda: guarded(lambda: session.change(plane=self._key)))
        self._view = models.Column(name="new-view", sizing_mode="stretch_width")
        self._table = models.Div(name="new-properties", sizing_mode="stretch_width", stylesheets=[STYLE])
        self._table.disable_math = True
        parts = [self._known.layout, self._map, self._view, self._table]
        self.layout = models.Column(*parts, name="new-card", sizing_mode="stretch_width", visible=False)

    @property
    def is_drawn(self) -> bool:
        """Whether what the file holds is to be seen."""
        return bool(self._view.children)

    def show(self, file: NewFile | None) -> None:
        """Shows another file; None for none."""
        self._file, self.layout.visible = file, file is not None
        self.placed(True)
        if file is None:
            self._view.children = []
            return
        space, asked = self._session.space, file.asked
        view = new_view(space, asked)
        self._view.children = [view] if view else []
        self._rows = asked.rows[0][:MOST]
        names = space.ids_of(self._rows) if len(self._rows) else []
        cards = [
            card(pictured(space, int(row), asked.name), ["The same object in the space", f"<b>{escape(name)}</b>"])
            for row, name in zip(self._rows, names, strict=True)
        ]
        self._known.show(cards)
        self._known.layout.visible = bool(cards)
        self._read(file)

    def placed(self, is_there: bool) -> None:
        """Offers a map on which the file has a place, where it has none on the present one."""
        planes, file = self._session.space.planes, self._file
        self._key = "" if is_there or file is None else _map_of(planes, file.asked.name)
        title = planes.titles.get(self._key, "")
        self._map.update(label=f"Show it on the map: {title}", visible=bool(title))

    def _read(self, file: NewFile) -> None:
        """Reads its properties off its neighbours, beside the page."""
        space, self._table.text = self._session.space, "<p>Reading its properties off its neighbours …</p>"
        who, own = known_of(space, file.asked)

        def job() -> Found:
            return read_off(partial(read_file, space, file.asked, own))

        def then(found: Found) -> None:
            if file is not self._file:
                return
            readings, problem = found
            lines = [
                line(name, own[name][0] if name in own else "", space.store.units.get(name, ""), one)
                for name, one in readings.items()
            ]
            table = lines_of(who, lines, True) if lines else ""
            self._table.text = f"{table}<p>{escape(stands_on(len(space), readings))} {escape(problem)}</p>"

        self._session.work(job, then, lane="new properties")


def _map_of(planes: Planes, name: str) -> str:
    """A map on which a modality has a place, one of it rather than one of the mean; "" where there is none."""
    keys = [key for wanted in (name, MEAN) for key in planes.titles if key.split(":")[1] == wanted]
    return next(iter(keys), "")


def known_of(space: Space, asked: Asked) -> tuple[str, dict[str, npt.NDArray[np.generic]]]:
    """What is known of a new observation, by the names of properties [1], and who says so.

    The catalogue does where the space holds the object; else the header of the file, where its words are the same.
    """
    rows = asked.rows[0][:1]
    if len(rows):
        return "catalogue", dict(space.store.catalog.at(rows))
    told = asked.newcomers.samples[0].labels if asked.newcomers else {}
    kinds = {name: column.is_class for name, column in space.columns.items()}
    own = {name: value for name, value in told.items() if kinds.get(name) is isinstance(value, str)}
    return "file", {name: np.array([value]) for name, value in own.items()}
