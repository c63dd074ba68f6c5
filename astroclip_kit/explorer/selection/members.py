"""How the members of a selection look: a random sample, the most typical and the most odd."""

from __future__ import annotations

from functools import partial

import numpy as np
from bokeh.models import Button, Column, Div, Select

from ..objects.gallery import Gallery, with_pictures
from ..session import Session
from ..stylesheet import line
from .extremes import Extremes, extremes
from .samples import drawn

__all__ = ["Odd", "Sample"]

SHOWN = 20  # objects of a sample
EXTREMES = 10
WITHOUT = "There are no pictures, because the dataset of this space is not open. Ids are buttons, too."


class Sample:
    """A contact sheet of random members.

    Args:
        session: The page.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._seed = session, 0
        self._modality = Select(title="Pictures", options=with_pictures(session), name="sample-modality", width=130)
        self._modality.value = next(iter(self._modality.options), "")
        self._modality.visible = len(self._modality.options) > 1
        self._modality.on_change("value", lambda attribute, old, new: session.guarded(self.update))
        self._another = Button(label="Another sample", name="sample-another")
        self._another.on_click(partial(session.guarded, self._again))
        self._gallery = Gallery(session, "sample")
        self._note = Div(name="sample-note")
        head = line(self._modality, self._another)
        self.layout = Column(head, self._note, self._gallery.layout, sizing_mode="stretch_width")

    def _again(self) -> None:
        self._seed += 1
        self.update()

    def update(self) -> None:
        """Draws the sample; the same selection gives the same one."""
        selection = self._session.selection
        if selection is None:
            return
        count, rows = int(np.count_nonzero(selection)), drawn(selection, SHOWN, self._seed)
        self._another.visible = count > SHOWN
        told = f"{len(rows)} of {count:,}, at random." if count > SHOWN else "All that are selected."
        self._note.text = told + (" Click one to look at it." if self._modality.options else f" {WITHOUT}")
        self._gallery.show(rows, self._modality.value)


class Odd:
    """The members that are most and least like the others.

    Args:
        session: The page.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        choices = session.space.store.choices
        self._by = Select(title="By the vectors of", options=choices, value=choices[0], name="odd-by", width=150)
        self._by.on_change("value", lambda attribute, old, new: session.guarded(self.update))
        self._typical, self._odd = Gallery(session, "typical"), Gallery(session, "odd")
        self._told = [Div(name="typical-told"), Div(name="odd-told")]
        parts = [self._by, self._told[0], self._typical.layout, self._told[1], self._odd.layout]
        self.layout = Column(*parts, sizing_mode="stretch_width")

    def update(self) -> None:
        """Finds them again."""
        session, selection, name = self._session, self._session.selection, self._by.value
        if selection is None:
            return

        def then(found: Extremes) -> None:
            if session.selection is selection and self._by.value == name:
                self._show(found)

        job = partial(extremes, session.space.store, selection, name, most=EXTREMES)
        session.work(job, then, "looking for typical and odd members", lane="members")

    def _show(self, found: Extremes) -> None:
        among = f"{found.compared:,} random members" if found.compared < found.count else f"{found.count:,} members"
        shown = with_pictures(self._session)
        picture = found.modality if found.modality in shown else next(iter(shown), "")
        typical = f"of {among}: nearest to the mean direction of all; the number is the cosine with it."
        odd = f"least like their {found.neighbours} nearest neighbours among them; the number is the mean cosine."
        self._told[0].text, self._told[1].text = f"<b>Most typical</b> {typical}", f"<b>Most odd</b>: {odd}"
        self._typical.show(found.typical, picture, [f"{one:.3f}" for one in found.closeness])
        nobody = "All are observations of one object: none is odd."
        self._odd.show(found.odd, picture, [f"{one:.3f}" for one in found.likeness], nobody)
