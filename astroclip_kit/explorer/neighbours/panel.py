"""The neighbours of the object that is looked at, or of a new file, by every modality side by side."""

from __future__ import annotations

from functools import partial
from html import escape

import numpy as np
import numpy.typing as npt
from bokeh import models

from ...embeddings.queries import Asked, objects
from ..objects.thumbnails import picture, picture_url
from ..session import Session
from .cards import CardColumn, card, cards_of, html_of, pictured
from .controls import Asking, Steps
from .lists import NeighbourList, neighbour_list, targets
from .new_card import NewCard
from .new_file import NewFile
from .new_query import about_file, new_query
from .way import Asker, Way

__all__ = ["neighbour_panel"]

LARGE = 180  # pixels of the picture of a new file
PIN = "new file"  # what the map calls it
QUICK = 200_000  # objects that are searched at once
HINT = (
    "<p>Click a point on the map: the objects most similar to it appear here, found by each modality.</p>"
    "<p>Or ask with a new observation, a FITS cutout or spectrum, which may also be dropped on this page:</p>"
)


def neighbour_panel(session: Session) -> models.UIElement:
    """The panel of neighbours.

    Args:
        session: The page; the neighbours of what it looks at are shown, and drawn on its map as "neighbours".
    """
    return _Neighbours(session).layout


class _Neighbours:
    """Who asks, and what was found."""

    def __init__(self, session: Session) -> None:
        self.session, self.way = session, Way()
        self.lists: list[NeighbourList] = []
        self.unplaced = ""  # why a new file is not on the map
        self.columns: list[CardColumn] = []
        self.head = html_of("neighbours-head")
        guarded = session.guarded
        self.steps = Steps(lambda: guarded(self._back), lambda by: guarded(partial(self._step, by)))
        self.asking = Asking(lambda: guarded(self._search))
        self.row = models.Row(name="neighbours-lists", styles={"gap": "8px", "width": "100%", "flex-wrap": "wrap"})
        self.used = [self.steps.layout, self.asking.layout, self.row]
        new = new_query(session, self._ask_file)
        self.card = NewCard(session, session.look_at)
        parts = [self.head, self.card.layout, self.steps.layout, self.asking.layout, new, self.row]
        self.layout = models.Column(*parts, name="neighbours", sizing_mode="stretch_width")
        session.on("focus", call=self._focused)
        session.on("where", call=self._filtered)
        session.on("colour", call=self._show)
        session.on("plane", call=self._pin)
        self._arrive(None)

    def _focused(self) -> None:
        row = self.session.focus
        self._arrive(Asker(self.session.state.focus, row) if row >= 0 else None)

    def _filtered(self) -> None:
        if self.asking.only.active:
            self._search()

    def _ask_file(self, file: NewFile) -> None:
        self._go(Asker(file.name, file=file))
        self.session.tell("asked")

    def _go(self, asker: Asker) -> None:
        """Looks at who shall ask, which then does."""
        self.session.look_at(asker.row)
        if asker.file:
            self._arrive(asker)

    def _back(self) -> None:
        if asker := self.way.back():
            self._go(asker)

    def _step(self, by: int) -> None:
        self._look_at(self.way.step(by))

    def _pick(self, found: NeighbourList, place: int) -> None:
        if any(found is one for one in self.lists):  # else others are about to be shown
            self._look_at(self.way.pick(found, place))

    def _look_at(self, row: int | None) -> None:
        if row is not None:
            self.session.look_at(row)

    def _column(self, number: int) -> CardColumn:
        guarded, pick, select = self.session.guarded, self._pick, self._select
        return CardColumn(
            number, self.head, lambda *one: guarded(partial(pick, *one)), lambda one: guarded(partial(select, one))
        )

    def _select(self, found: NeighbourList) -> None:
        rows = np.zeros(len(self.session.space), dtype=bool)
        rows[found.rows] = True
        self.session.select(rows)

    def _arrive(self, asker: Asker | None) -> None:
        """Somebody asks, or nobody."""
        self.way.arrive(asker)
        self.session.later(partial(self._answer, asker))

    def _answer(self, asker: Asker | None) -> None:
        """Shows what is known of who asks, and the neighbours, unless another asks by then."""
        if asker != self.way.asker:
            return
        self.card.show(asker.file if asker else None)
        self._search()
        self._pin()

    def _pin(self) -> None:
        """Shows where a new file lies on the map, if it is one on which it has a place."""
        session, asker = self.session, self.way.asker
        if session.pins:
            session.pin(PIN, None)
        if asker is None or asker.file is None:
            return
        asked, planes = asker.file.asked, session.space.planes
        key = session.state.plane or planes.default

        def placed(places: npt.NDArray[np.float32] | None) -> None:
            if asker != self.way.asker or key != (session.state.plane or planes.default):
                return
            told = f"It is not on this map, which is of {planes.titles.get(key, key)}."
            self.unplaced = told if places is None else ""
            self.card.placed(places is not None)
            self.head.text = self._who()
            if places is not None:
                session.pin(PIN, places[0])

        session.work(lambda: planes.place(key, asked.name, asked.vectors), placed, lane=PIN)

    def _search(self) -> None:
        """Finds the neighbours of who asks."""
        space, asker = self.session.space, self.way.asker
        query = self.asking.query_of(self._choices(asker))
        if asker is None or not query:
            self._found(asker, [])
            return
        k, among = self.asking.k, self.session.shown if self.asking.only.active else None

        def job() -> list[NeighbourList]:
            if asker != self.way.asker:
                return []  # another asks by now
            asked = asker.file.asked if asker.file else objects(space.store, np.array([asker.row]), query)
            return [neighbour_list(space.store, asked, one, k, among) for one in targets(space.store, query)]

        if len(space) > QUICK:
            self.session.work(job, partial(self._found, asker), "Searching", lane="neighbours")
        else:
            self._found(asker, job())

    def _choices(self, asker: Asker | None) -> list[str]:
        """Modalities with which one can ask."""
        if asker is None or asker.file:
            return [asker.file.asked.name] if asker and asker.file else []
        store = self.session.space.store
        return [name for name in store.choices if store.present(name)[asker.row]]

    def _found(self, asker: Asker | None, lists: list[NeighbourList]) -> None:
        if asker != self.way.asker:
            return
        self.lists = lists
        if lists:
            self.way.offer(lists[0])
        self._show()
        rows = self._listed
        parts = {one.target: one.rows for one in self.lists}
        self.session.mark("neighbours", rows if len(rows) else None, parts)

    @property
    def _listed(self) -> npt.NDArray[np.int64]:
        """Rows of all lists, each once."""
        return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(one.rows for one in self.lists)]))

    def _show(self) -> None:
        """Shows who asks, and the lists."""
        self.head.text = self._who()
        self.steps.show(self.way)
        for part in self.used:
            part.visible = self.way.asker is not None
        for number in range(len(self.columns), len(self.lists)):
            self.columns.append(self._column(number))
        asker, lists, colour = self.way.asker, self.lists, self.session.columns.get(self.session.state.colour)

        def job() -> list[list[str]]:
            if lists is not self.lists:
                return []  # others are drawn by now
            return [cards_of(self.session.space, one, colour, self._view_of(asker, one.target)) for one in lists]

        def then(cards: list[list[str]]) -> None:
            if lists is not self.lists or len(cards) < len(lists):
                return
            for column, found, drawn in zip(self.columns, lists, cards, strict=False):
                column.show(found, drawn)
            whose = [asker.name] if asker else []
            self.row.update(children=[column.layout for column in self.columns[: len(lists)]], tags=whose)

        self.session.work(job, then, lane="cards of neighbours")

    def _view_of(self, asker: Asker | None, name: str) -> npt.NDArray[np.float32] | None:
        """The spectrum of who asks, beneath which those of others are drawn, where it has one."""
        space = self.session.space
        known = space.dataset.modalities.get(name) if space.dataset else None
        if asker is None or known is None or known.kind != "spectrum":
            return None
        if asker.file is None:
            return space.view(asker.row, name)
        new = asker.file.asked.newcomers
        return new.samples[0].views[name] if new is not None and new.modality == known else None

    def _who(self) -> str:
        """HTML of who asks, with its picture."""
        asker = self.way.asker
        if asker is None:
            return HINT
        title = f"Neighbours of <b>{escape(asker.name)}</b>"
        if asker.file is None:
            query = self.lists[0].query if self.lists else self.session.space.store.names[0]
            text = card(pictured(self.session.space, asker.row, query), [title, self._marked()])
            return f'<div class="card">{text}</div>'
        lines = [title, *about_file(asker.file), escape(self.unplaced), self._marked()]
        picture = "" if self.card.is_drawn else _picture_of(asker.file.asked)
        return f'<div class="card large">{card(picture, lines)}</div>'

    def _marked(self) -> str:
        """How many are marked on the map, which are fewer than are listed where lists share some."""
        lists = self.lists
        return f"{len(self._listed)} objects of {len(lists)} lists are marked on the map." if len(lists) > 1 else ""


def _picture_of(asked: Asked) -> str:
    """The address of a picture of a new file."""
    new = asked.newcomers
    return "" if new is None else picture_url(picture(new.samples[0].views[new.modality.name], new.modality, LARGE))
