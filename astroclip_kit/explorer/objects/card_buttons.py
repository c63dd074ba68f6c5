"""Cards that are buttons, all in the HTML of one model: a model for each takes a browser seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bokeh.models import CustomJS, Div, InlineStyleSheet

__all__ = ["CLICKS", "CardButtons"]

LOOK = """
:host { margin: 0; width: auto; min-width: 0; max-width: 100%; scroll-margin-top: 80px; }
.bk-clearfix { display: block; width: 100%; }
button.card { box-sizing: border-box; max-width: 100%; font: inherit; color: inherit; background: #fff;
  border: 1px solid #ccc; border-radius: 4px; cursor: pointer; }
button.card:hover { background: #eef4f9; }
button.card:focus-visible { outline: 3px solid #0072b2; }
"""
CLICKS = """
window.addEventListener("click", (event) => {
  const card = event.composedPath().find((one) => one.dataset?.card)
  if (card) {
    window.clicked_card = card.dataset
    const tags = [Number(card.dataset.card), Date.now(), Number(card.dataset.turn)]
    Bokeh.documents[0].get_model_by_id(card.dataset.of).tags = tags
  }
})
"""  # which a page runs once, when it is ready
KEEP_FOCUS = """
setTimeout(() => {
  const clicked = window.clicked_card
  const cards = clicked?.of == cb_obj.id && Bokeh.index.find_one(cb_obj)?.el.shadowRoot
  const card = cards && cards.querySelector(`[data-card="${clicked.card}"]`)
  if (card && document.activeElement == document.body) card.focus({preventScroll: true})
}, 100)
"""  # which a button loses when it is made anew


class CardButtons:
    """A list or a wall of cards.

    Args:
        name: Of the model.
        pick: Takes the place of a card that is clicked.
        look: Style of the cards.
    """

    def __init__(self, name: str, pick: Callable[[int], None], look: str) -> None:
        self.layout = Div(name=name, sizing_mode="stretch_width", stylesheets=[InlineStyleSheet(css=LOOK + look)])
        self.layout.js_on_change("text", CustomJS(code=KEEP_FOCUS))
        self._turn, self._count = 0, 0

        def clicked(attribute: str, old: list[Any], new: list[Any]) -> None:
            place, _, turn = new
            if turn == self._turn and 0 <= place < self._count:  # else the card is no longer there
                pick(int(place))

        self.layout.on_change("tags", clicked)

    def show(self, cards: Sequence[str], otherwise: str = "") -> None:
        """Shows cards in place of those before.

        Args:
            cards: HTML of each.
            otherwise: HTML that is shown where there are none.
        """
        self._turn, self._count = self._turn + 1, len(cards)
        start = f'<button type="button" class="card" data-of="{self.layout.id}" data-turn="{self._turn}" data-card='
        buttons = (f'{start}"{place}">{text}</button>' for place, text in enumerate(cards))
        self.layout.text = "".join(buttons) or otherwise
