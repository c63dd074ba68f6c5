"""What was selected: how many, what sets them apart, how they look, and how they are taken home."""

from __future__ import annotations

import html
from functools import partial
from typing import Protocol

import numpy as np
from bokeh.models import Button, Column, Div, Select, TabPanel, Tabs, UIElement

from ..exchange.samp_controls import SampControls
from ..exchange.saving_controls import SavingControls
from ..session import Session
from ..stylesheet import WIDGET, line
from .histograms import Histograms
from .members import Odd, Sample

__all__ = ["selection_panel"]

HINT = """<p><b>Nothing is selected.</b> Choose the lasso or the box beside the map and draw around objects. The
neighbours of an object can be selected in their tab. Then properties, pictures and the most unusual members are shown
here, and can be saved or sent to other programs.</p>"""
BESIDE = ".bk-input-group { flex-direction: row; align-items: center; gap: 5px; } label { flex: none; }"
LOOK = [WIDGET, BESIDE]
GESTURES = [
    ("replace", "selects anew"),
    ("append", "adds (Shift)"),
    ("subtract", "takes away (Ctrl + Shift)"),
    ("intersect", "keeps what is in both (Ctrl)"),
]


def selection_panel(session: Session) -> UIElement:
    """The tab of the selection.

    Args:
        session: The page.
    """
    return _SelectionPanel(session).layout


class _Part(Protocol):
    """What is in a tab."""

    layout: UIElement

    def update(self) -> None:
        """Shows the selection of the moment."""


class _SelectionPanel:
    """The head, and the parts in tabs; a part is worked out when its tab is open."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._head = Div(name="selection-count")
        everything = Button(label="Select what is shown", name="select-shown")
        everything.on_click(partial(session.guarded, self._select_shown))
        self._clear = Button(label="Select nothing", name="select-nothing")
        self._clear.on_click(lambda: session.guarded(lambda: session.select(None)))
        self._undo = Button(label="Undo", name="select-undo", visible=False)
        self._undo.on_click(lambda: session.guarded(lambda: session.select(self._before)))
        self._last = self._before = session.selection
        self._gesture = Select(title="The next lasso", options=GESTURES, name="select-gesture", stylesheets=LOOK)
        self._gesture.value = session.gesture
        self._gesture.on_change("value", lambda attribute, old, new: setattr(session, "gesture", new))
        self._parts: dict[str, _Part] = {
            "Properties": Histograms(session),
            "Sample": Sample(session),
            "Typical and odd": Odd(session),
            "Save": SavingControls(session),
            "Send": SampControls(session),
        }
        self._panels = [TabPanel(title=title, child=part.layout) for title, part in self._parts.items()]
        self._tabs = Tabs(tabs=self._panels, name="selection-tabs", sizing_mode="stretch_width")
        self._tabs.on_change("active", lambda attribute, old, new: session.guarded(self._update_part))
        self._stale = set(self._parts)
        buttons = line(everything, self._clear, self._undo, self._gesture)
        self.layout = Column(self._head, buttons, self._tabs, name="selection-panel", sizing_mode="stretch_width")
        session.on("selection", call=self._update)
        self._update()

    def _select_shown(self) -> None:
        shown = self._session.shown
        self._session.select(np.ones(len(self._session.space), dtype=bool) if shown is None else shown.copy())

    def _update(self) -> None:
        selected = self._session.selection is not None
        if self._session.selection is not self._last:
            self._before, self._last = self._last, self._session.selection
            self._undo.visible = True
        self._head.text = _count(self._session) if selected else HINT
        self._clear.visible = selected
        self._stale = set(self._parts)
        panels = self._panels if selected else self._panels[3:]
        if self._tabs.tabs != panels:
            self._tabs.update(tabs=panels, active=0)
        self._update_part()

    def _update_part(self) -> None:
        title = self._tabs.tabs[self._tabs.active].title
        if title in self._stale:
            self._stale.discard(title)
            self._parts[title].update()


def _count(session: Session) -> str:
    """How many are selected, and what they have, as HTML."""
    selection, store = session.selection, session.space.store
    assert selection is not None
    count = int(np.count_nonzero(selection))
    having = [(name, int(np.count_nonzero(selection & store.present(name)))) for name in store.names]
    told = "; ".join(f"{known:,} have {html.escape(name)}" for name, known in having)
    return f"<p><b>{count:,} of {len(store):,} objects are selected</b>, {100 * count / len(store):.3g} %. {told}.</p>"
