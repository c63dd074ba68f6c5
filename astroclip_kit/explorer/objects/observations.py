"""Which observation of an object is shown, where the space has one row for all of them; and who else is the object."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import numpy as np
from bokeh import models

from ..space import Space
from ..texts import printable
from .plots import NOTE

__all__ = ["Observations", "same_object"]

LARGEST = 1_000_000  # rows of a space whose groups are searched at a click
NAMED = 6  # other observations that are named


class Observations:
    """A number to step through the observations of an object.

    Args:
        space: What is explored.
        changed: Called when another one is asked for.
    """

    def __init__(self, space: Space, changed: Callable[[], None]) -> None:
        self._space, self._rows = space, np.zeros(0, np.int64)
        self._number = models.Spinner(title="Observation", name="observation", low=1, high=1, value=1, step=1, width=90)
        self._told = models.Div(name="observation-told", styles=NOTE, align="end")
        self.layout = models.Row(self._number, self._told, visible=False)

        def asked(attribute: str, old: object, new: object) -> None:
            self._tell()
            changed()

        self._asked = asked
        self._number.on_change("value", asked)

    def show(self, row: int) -> None:
        """Takes the observations of an object; the last is shown first, as the space has always shown it."""
        self._rows = self._space.observations(row)
        count = max(len(self._rows), 1)
        self._number.remove_on_change("value", self._asked)
        self._number.update(high=count, value=count)
        self._number.on_change("value", self._asked)
        self.layout.visible = count > 1
        self._tell()

    def _tell(self) -> None:
        if self._space.dataset is not None and len(self._rows):
            name = escape(printable(str(self._space.dataset.object_ids[self.at])))
            self._told.text = f"of {len(self._rows)}: {name}. The point on the map is the mean of all."

    @property
    def at(self) -> int:
        """Row in the dataset of the one that is shown, -1 for none."""
        place = int(min(max(self._number.value or 1, 1), len(self._rows))) - 1
        return int(self._rows[place]) if len(self._rows) else -1


def same_object(space: Space, row: int) -> str:
    """What the object of a row is called, and its other rows, as a sentence; "" where there is nothing to say."""
    own = space.store.catalog.at([row], ["object_id", "group"])
    group, own_id = str(own["group"][0]), str(own["object_id"][0])
    others = np.zeros(0, np.int64)
    if group and len(space) <= LARGEST:
        others = np.flatnonzero(space.ids["group"].comparable == group)
        others = others[others != row]
    named = ", ".join(space.ids_of(others[:NAMED])) if len(others) else ""
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    called = f"Object {group}." if group != own_id else ""
    return " ".join(filter(None, [called, f"Also observed as {named}{more}." if named else ""]))
