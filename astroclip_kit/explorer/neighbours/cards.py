"""A column of neighbours: each a button with a small picture, its rank, similarity and id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import numpy.typing as npt
from bokeh import models

from ..columns import Column
from ..map.colours import Colouring
from ..objects.card_buttons import CardButtons
from ..objects.thumbnails import thumbnail_url
from ..space import Space
from ..texts import cut
from .lists import NeighbourList

__all__ = ["CardColumn", "card", "cards_of", "html_of", "pictured"]

View = npt.NDArray[np.float32]
SIZE = 64  # pixels of a thumbnail
LONGEST = 60  # letters of an id
FEWEST, MOST = 3, 6  # digits of a similarity
MEANS = "In bold the cosine similarity."
LOOK = """
:host { margin: 0; width: auto; scroll-margin-top: 80px; }
.card { display: flex; align-items: center; gap: 6px; line-height: 1.35; }
.card > img { width: 64px; height: 64px; border-radius: 3px; flex: none; }
.card > div { min-width: 0; }
.card.large { flex-flow: row wrap; } .card.large > img { width: 180px; height: 180px; border: 1px solid #ccc; }
.card.large > div { flex: 1 1 180px; }
button.card { width: 100%; margin: 4px 0; padding: 3px; text-align: left; }
.id, .more { overflow-wrap: anywhere; }
.more { color: #444; }
.rank { color: #444; margin-right: 5px; }
h3 { margin: 6px 0 0; font-size: 15px; overflow-wrap: anywhere; }
p { margin: 0; overflow-wrap: anywhere; }
.notes { color: #444; font-size: 13px; min-height: 2.8em; }
pre { max-height: 200px; max-width: 100%; overflow: auto; font-size: 11px; }
"""
SEE = "Bokeh.index.find_one(head)?.el.scrollIntoView({block: 'nearest'})"
NARROWEST = 200  # pixels of a column, in which a card has room for its picture and an id


def html_of(name: str, text: str = "") -> models.Div:
    """An element of HTML with the look of cards, in which no text is taken for a formula."""
    return models.Div(
        text=text,
        name=name,
        sizing_mode="stretch_width",
        stylesheets=[models.InlineStyleSheet(css=LOOK)],
    )


def pictured(space: Space, row: int, target: str, beneath: View | None = None, *, measure: bool = False) -> str:
    """The address of a small picture of what answers, "" where there is none.

    A mean and a table have no picture of their own: the first view of the object that there is stands for them.

    Args:
        space: What is explored.
        row: Who answers.
        target: By which modality.
        beneath: View of who asks, which is drawn faintly beneath a spectrum.
        measure: Whether to look for the period of a light curve, see `thumbnail`.
    """
    known = space.dataset.modalities if space.dataset else {}
    has_own = target in space.store.names and not (target in known and known[target].kind == "table")
    names = [target] if has_own else space.store.names
    return next((url for name in names if (url := thumbnail_url(space, row, name, SIZE, beneath, measure=measure))), "")


def card(picture: str, lines: Sequence[str]) -> str:
    """HTML of a picture with lines of HTML beside it, to be put into an element of the class "card"."""
    image = f'<img alt="" src="{picture}">' if picture else ""
    return f"{image}<div>{''.join(f'<div>{line}</div>' for line in lines if line)}</div>"


def cards_of(space: Space, found: NeighbourList, colour: Column | None, beneath: View | None = None) -> list[str]:
    """HTML of each neighbour: its picture, rank, similarity, id and the value that colours the map."""
    cards, values, digits = [], Colouring(colour).told(found.rows), _digits(found.similarity)
    own = space.store.catalog.at(found.rows, ["object_id", "group"])
    names = zip(own["object_id"].tolist(), own["group"].tolist(), strict=True)
    each = zip(found.rows, names, found.similarity, values, found.same, strict=True)
    for rank, (row, (name, group), similarity, value, same) in enumerate(each, start=1):
        lines = [
            f'<span class="rank">{rank}</span><b>{similarity:.{digits}f}</b>',
            f'<div class="id" title="{escape(name)}">{escape(cut(name, LONGEST, end=LONGEST // 2))}</div>',
            f'<span class="more">{escape(cut(group, LONGEST, end=LONGEST // 2))}</span>' if group != name else "",
            *(f'<span class="more">{escape(one)}</span>' for one in ([f"{colour.name} {value}"] if colour else [])),
            "<b>same object</b>" if same else "",
        ]
        cards.append(card(pictured(space, row, found.target, beneath, measure=True), lines))
    return cards


def _digits(similarity: npt.NDArray[np.float32]) -> int:
    """How many digits tell most of some similarities from each other: three or more, up to those that they have."""
    told = {digits: len({f"{one:.{digits}f}" for one in similarity}) for digits in range(FEWEST, MOST)}
    return next((digits for digits, count in told.items() if 2 * count > len(similarity)), MOST)


class CardColumn:
    """One list of neighbours, below its title.

    Args:
        number: Which column of the panel, from 0.
        head: What says who asks; a click on a neighbour scrolls to it.
        pick: Takes the list that is shown, and the place in it of a neighbour that is clicked.
        select: Takes the list when all of them are wanted.
    """

    def __init__(
        self,
        number: int,
        head: models.UIElement,
        pick: Callable[[NeighbourList, int], None],
        select: Callable[[NeighbourList], None],
    ) -> None:
        self._shown: NeighbourList | None = None
        self.title = html_of(f"neighbours-title-{number}")
        self._cards = CardButtons(
            f"neighbours-cards-{number}", lambda place: pick(self._shown, place) if self._shown else None, LOOK
        )
        self._cards.layout.js_on_change("tags", models.CustomJS(args={"head": head}, code=SEE))
        self.select = models.Button(name=f"neighbours-select-{number}", align="start", margin=(4, 0, 4, 0))
        self.select.on_click(lambda: select(self._shown) if self._shown else None)
        parts = [self.title, self.select, self._cards.layout]
        style = {"flex": f"1 1 {NARROWEST}px", "min-width": "0", "max-width": "100%"}
        self.layout = models.Column(*parts, name=f"neighbours-{number}", styles=style)

    def show(self, found: NeighbourList, cards: Sequence[str]) -> None:
        """Shows a list, in place of the one before."""
        self._shown = found
        notes = " ".join([*([MEANS] if len(cards) else []), *found.notes])
        self.title.text = f'<h3>{escape(found.title)}</h3><p class="notes">{escape(notes)}</p>'
        self.select.update(label=f"Select these {len(cards)}", visible=len(cards) > 0)
        self._cards.show(cards)
