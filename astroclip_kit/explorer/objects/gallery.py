"""A wall of small pictures, each a button that looks at its object."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape

import numpy as np
import numpy.typing as npt

from ..session import Session
from ..texts import cut
from .card_buttons import CardButtons
from .thumbnails import thumbnail_url

__all__ = ["Gallery", "with_pictures"]

SIDE = 74  # pixels
LONGEST = 30  # letters of an id
WALL = f"""
:host {{ margin: 2px 5px; }}
button.card {{ width: {SIDE + 4}px; margin: 0 5px 5px 0; padding: 1px 1px 3px; vertical-align: top; font-size: 12px;
  line-height: 1.25; overflow-wrap: anywhere; }}
.card > img {{ display: block; width: {SIDE}px; height: {SIDE}px; border-radius: 3px; }}
"""


def with_pictures(session: Session) -> list[str]:
    """Modalities that there are pictures of."""
    known = session.space.dataset.modalities if session.space.dataset is not None else {}
    return [name for name, modality in known.items() if modality.kind != "table"]


class Gallery:
    """Pictures of a few objects with their ids and a line of text.

    Args:
        session: The page.
        name: Of the wall.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._rows = session, np.empty(0, np.int64)
        self._cards = CardButtons(name, lambda place: session.guarded(partial(self._look, place)), WALL)
        self.layout = self._cards.layout

    def _look(self, place: int) -> None:
        self._session.look_at(int(self._rows[place]))

    def show(self, rows: npt.NDArray[np.int64], modality: str, lines: Sequence[str] = (), empty: str = "") -> None:
        """Shows other objects, as soon as their pictures are drawn.

        Args:
            rows: Of the store.
            modality: What the pictures show; "" for none.
            lines: What stands below the id of each.
            empty: What is said where there are no rows; no markup.
        """
        self._rows, ids = rows, self._session.space.ids_of(rows)
        self._cards.show([], "drawing …" if len(rows) else empty)

        def draw() -> list[str]:
            told = lines or [""] * len(rows)
            return [self._card(int(row), modality, *about) for row, *about in zip(rows, ids, told, strict=True)]

        def then(cards: list[str]) -> None:
            if self._rows is rows:
                self._cards.show(cards, empty)

        self._session.work(draw, then, lane=self.layout.name)

    def _card(self, row: int, modality: str, object_id: str, line: str) -> str:
        url = thumbnail_url(self._session.space, row, modality, SIDE, measure=True) if modality else ""
        image = f'<img alt="" src="{url}">' if url else ""
        told = [cut(object_id, LONGEST, end=LONGEST // 2), line, "" if url or not modality else f"no {modality}"]
        return image + "".join(f"<div>{escape(one)}</div>" for one in told if one)
