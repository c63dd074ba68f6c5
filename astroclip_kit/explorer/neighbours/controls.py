"""How one asks for neighbours, and goes from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from bokeh import models

from .way import Way

__all__ = ["Asking", "Steps"]

FEWEST, USUAL, MOST = 5, 10, 50  # neighbours
WRAP = {"flex-wrap": "wrap", "gap": "4px"}


class Asking:
    """With which modality, for how many, and among whom.

    Args:
        ask: Called when one of these changes.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        self._query = ""
        self.query = models.Select(title="Ask with", name="neighbours-query", width=120)
        self.count = models.Spinner(
            title="How many each", name="neighbours-count", low=FEWEST, high=MOST, step=5, value=USUAL, width=80
        )
        self.only = models.Checkbox(label="Only what is shown", name="neighbours-only", align="end")
        self.layout = models.Row(self.query, self.count, self.only, styles=WRAP)

        def changed(attribute: str, old: object, new: object) -> None:
            if new != self._query:
                ask()

        self.query.on_change("value", changed)
        self.count.on_change("value", changed)
        self.only.on_change("active", changed)

    @property
    def k(self) -> int:
        """How many neighbours."""
        return int(min(max(self.count.value or USUAL, FEWEST), MOST))

    def query_of(self, choices: Sequence[str]) -> str:
        """The modality that asks: the one that was chosen where it is there, else the first; "" where none is.

        Args:
            choices: What there is.
        """
        self._query = self.query.value if self.query.value in choices else next(iter(choices), "")
        self.query.update(options=list(choices), value=self._query)
        return self._query


class Steps:
    """Back to who asked before, and on to the previous or next neighbour.

    Args:
        back: Goes back.
        step: Goes on by so many places.
    """

    def __init__(self, back: Callable[[], None], step: Callable[[int], None]) -> None:
        self._back = models.Button(label="↩ Back", name="neighbours-back")
        self._previous = models.Button(label="◀ Previous", name="neighbours-previous")
        self._next = models.Button(label="Next neighbour ▶", name="neighbours-next")
        self._back.on_click(back)
        self._previous.on_click(lambda: step(-1))
        self._next.on_click(lambda: step(1))
        self._told = models.Div(name="neighbours-way")
        buttons = models.Row(self._back, self._previous, self._next, styles=WRAP)
        self.layout = models.Column(buttons, self._told)

    def show(self, way: Way) -> None:
        """Shows where one can go."""
        self._back.disabled = not way.past
        self._previous.disabled = not way.may_step(-1)
        self._next.disabled = not way.may_step(1)
        self._told.text = escape(way.told)
        self._told.visible = bool(way.told)
