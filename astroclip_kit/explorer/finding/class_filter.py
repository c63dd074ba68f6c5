"""Filtering by a column of classes or flags: each with its count, to be ticked or chosen from a list."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import partial

import numpy as np
from bokeh.models import CheckboxGroup, Div, MultiChoice
from bokeh.models import Column as Layout

from ...filters import quoted
from ..columns import Column
from ..session import Session
from .conditions import among, chosen, swapped

__all__ = ["ClassFilter"]

MOST_BOXES = 12
MOST_CHOICES = 500
NO_VALUE = "(no value)"


class ClassFilter:
    """Widgets that filter by a column of classes or flags.

    Args:
        session: The page.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._setting = session, False
        self._column: Column | None = None
        self._options: list[str] = []
        self._boxes = CheckboxGroup(name="filter-boxes", sizing_mode="stretch_width")
        self._choice = MultiChoice(
            title="Classes", placeholder="choose classes", name="filter-classes", sizing_mode="stretch_width"
        )
        self._note = Div(name="filter-classes-note", sizing_mode="stretch_width")
        self.layout = Layout(self._boxes, self._choice, self._note, sizing_mode="stretch_width", visible=False)
        self._boxes.on_change("active", lambda attribute, old, new: self._limit([self._options[one] for one in new]))
        self._choice.on_change(
            "value", lambda attribute, old, new: self._limit([self._options[int(one)] for one in new])
        )
        session.on("where", call=self.update)

    def show(self, column: Column | None) -> None:
        """Filters by a column from now on; None for none."""
        self._column, self.layout.visible = column, column is not None
        if column is None:
            return
        classes, codes = column.classes, column.codes
        counts = np.bincount(codes + 1, minlength=len(classes) + 1)
        words = {"True": "yes", "False": "no"} if self._is_flag else {}
        self._options = [*classes[:MOST_CHOICES], *[""] * bool(counts[0])]
        sizes = [*counts[1 : MOST_CHOICES + 1], *counts[:1]]
        labels = [
            f"{words.get(one, one) or NO_VALUE} ({size:,})" for one, size in zip(self._options, sizes, strict=False)
        ]
        few = len(self._options) <= MOST_BOXES
        self._setting = True
        self._boxes.update(labels=labels if few else [], active=[], visible=few)
        listed = [(str(place), html.escape(one)) for place, one in enumerate(labels)]  # the list takes them as HTML
        self._choice.update(value=[], options=[] if few else listed, visible=not few)
        self._setting = False
        left = len(classes) - MOST_CHOICES
        self._note.text = f"{left:,} more classes are rarer: name them in a condition below." if left > 0 else ""
        self._note.visible = left > 0
        self.update()

    @property
    def _is_flag(self) -> bool:
        return self._column is not None and self._column.kind == "flag"

    def update(self) -> None:
        """Shows the classes that are chosen."""
        if self._column is None:
            return
        taken = self._taken(self._own())
        places = [place for place, one in enumerate(self._options) if one in taken]
        self._setting = True
        if self._boxes.visible:
            self._boxes.active = places
        else:
            self._choice.value = [str(place) for place in places]
        self._setting = False

    def _own(self) -> str:
        """The condition that these widgets wrote."""
        return next((one for one in self._session.state.where if self._taken(one)), "")

    def _taken(self, condition: str) -> Sequence[str]:
        """The options that a condition of these widgets chose."""
        assert self._column is not None
        name = self._column.name
        if self._is_flag:
            return {quoted(name): ["True"], f"not {quoted(name)}": ["False"]}.get(condition, [])
        return chosen(name, condition) or []

    def _limit(self, taken: Sequence[str]) -> None:
        if self._setting or self._column is None:
            return
        name = self._column.name
        if self._is_flag:
            new = "" if len(taken) != 1 else quoted(name) if taken[0] == "True" else f"not {quoted(name)}"
        else:
            new = among(name, taken)
        where = swapped(self._session.state.where, self._own(), new)
        self._session.guarded(partial(self._session.change, where=where))
