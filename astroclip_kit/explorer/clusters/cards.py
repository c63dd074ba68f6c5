"""The list of clusters: of each its colour, name, size, a typical object and what sets it apart."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import partial

import numpy as np
from bokeh.models import Button, Column, Div, InlineStyleSheet, Row, TextInput

from ...downstream.separation import Separation
from ..columns import Column as Values
from ..map.colours import SIGNS, Colouring
from ..objects.gallery import with_pictures
from ..objects.thumbnails import thumbnail_url
from ..session import Session
from ..stylesheet import line
from .clusters import Clustered

__all__ = ["ClusterCards"]

MOST = 30  # clusters that are listed
TOLD = 3  # properties of each
LONGEST = 80  # letters of a name
SIDE = 72  # pixels of the picture
CARD = ":host { gap: 8px; padding: 6px 0; border-top: 1px solid #ddd; align-items: flex-start; }"
TEXT = "p { margin: 0; overflow-wrap: anywhere; } .sign { font-size: 18px; }"


class ClusterCards:
    """A card of each cluster.

    Args:
        session: The page.
        rename: Takes the number of a cluster and its new name.
    """

    def __init__(self, session: Session, rename: Callable[[int, str], None]) -> None:
        self._session, self._rename, self._cards = session, rename, list[_Card]()
        self._rest = Div(name="clusters-not-listed")
        self.layout = Column(self._rest, name="cluster-cards", sizing_mode="stretch_width")

    def show(self, found: Clustered, modality: str) -> None:
        """Shows other clusters.

        Args:
            found: The clusters.
            modality: What the pictures show, where there are pictures of it.
        """
        space, known, count = self._session.space, with_pictures(self._session), len(found.names)
        shown = modality if modality in known else next(iter(known), "")
        colouring = Colouring(Values.of_classes("", found.codes, found.names))
        signs = list(zip(colouring.palette[:-1], colouring.shapes[:-1], strict=True))
        while len(self._cards) < min(count, MOST):
            self._cards.append(_Card(self._session, self._rename, len(self._cards)))
        for number, card in enumerate(self._cards[:count]):
            colour, shape = signs[min(number, len(signs) - 1)]
            card.mark.text = f'<span class="sign" style="color:{colour}">{SIGNS[shape]}</span>'
            url = thumbnail_url(space, found.typical[number], shown, SIDE) if shown else ""
            about = f'width="{SIDE}" height="{SIDE}" alt="a typical {html.escape(shown)}"'
            card.picture.update(text=f'<img src="{url}" {about}>', visible=bool(url))
            card.show(found)
        self._rest.text = f"<p>{count - MOST} smaller clusters are not listed.</p>" if count > MOST else ""
        self.layout.children = [*(card.layout for card in self._cards[:count]), self._rest]


class _Card:
    """What is shown of one cluster; it stays when clusters get other names, and keeps the focus of the keyboard."""

    def __init__(self, session: Session, rename: Callable[[int, str], None], number: int) -> None:
        self._session, self._number, self._codes = session, number, np.empty(0, np.int32)
        self.mark, self.picture, self._told = (Div(stylesheets=[InlineStyleSheet(css=TEXT)]) for _ in range(3))
        self._name = TextInput(name=f"cluster-name-{number}", width=140, max_length=LONGEST)
        self._name.on_change("value", lambda attribute, old, new: session.guarded(partial(rename, number, new)))
        self._select = Button(name=f"cluster-select-{number}")
        self._select.on_click(lambda: session.guarded(self._take))
        head = line(self.mark, self._name, self._select)
        text = Column(head, self._told, sizing_mode="stretch_width")
        self.layout = Row(self.picture, text, stylesheets=[InlineStyleSheet(css=CARD)])

    def _take(self) -> None:
        self._session.select(self._codes == self._number)

    def show(self, found: Clustered) -> None:
        """Shows the name, the size, and what sets the cluster apart."""
        units, self._codes = self._session.space.store.units, found.codes
        told = [_phrase(one, units.get(one.property, "")) for one in found.telling[self._number][:TOLD]]
        self._told.text = f"<p>{'<br>'.join(map(html.escape, told)) or 'No known property sets it apart.'}</p>"
        self._name.value = found.names[self._number]
        self._select.label = f"Select {found.sizes[self._number]:,}"


def _phrase(one: Separation, unit: str) -> str:
    if one.level:
        return f"{one.property} is {one.level}: {one.inside:.0%} (others {one.outside:.0%})"
    return f"{one.property}: {one.inside:.3g} (others {one.outside:.3g}) {unit}".rstrip()
