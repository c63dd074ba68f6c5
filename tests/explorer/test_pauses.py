"""What a page does when nothing has been asked of it for a moment."""

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.map.panel import map_panel
from astroclip_kit.explorer.pauses import ANSWERED, Pause
from astroclip_kit.explorer.selection.panel import selection_panel
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


class Document:
    """A page whose time stands still until `rest`."""

    def __init__(self):
        self.waiting, self.turns, self.said = {}, [], []

    def add_timeout_callback(self, call, milliseconds):
        self.waiting[len(self.said)] = call, milliseconds
        self.said.append(milliseconds)
        return len(self.said) - 1

    def remove_timeout_callback(self, key):
        del self.waiting[key]

    def add_next_tick_callback(self, call):
        self.turns.append(call)

    def js_on_event(self, *events):
        pass

    def rest(self):
        for key in list(self.waiting):
            self.waiting.pop(key)[0]()


@pytest.fixture
def space(tmp_path):
    labels = {"z": np.linspace(0, 1, 50), "kind": np.array(["A", "B"])[np.arange(50) % 2]}
    vectors = {"image": np.random.default_rng(0).normal(size=(50, 4))}
    return Space(EmbeddingStore.write(tmp_path / "s", vectors, [f"o{i}" for i in range(50)], labels=labels))


def test_the_last_of_several_wishes_is_done_when_the_page_rests(space):
    document, done = Document(), []
    session = Session(space, document)
    rest = Pause(session)
    for number in range(3):
        rest(100, lambda number=number: done.append(number))
    assert done == [] and len(document.waiting) == 1
    document.rest()
    assert done == [2]
    rest(5, lambda: 1 / 0)
    document.rest()
    assert "division by zero" in session.said[0]
    session.close()


def test_a_selection_is_told_before_anything_is_worked_out_for_it(space, monkeypatch):
    document, lanes = Document(), []
    session = Session(space, document)
    panel = selection_panel(session)
    map_panel(session).select_one({"name": "map"})
    monkeypatch.setattr(session, "work", lambda job, then, title="", *, lane: lanes.append(lane))
    session.select(np.arange(50) < 7)
    assert "7 of 50 objects are selected" in panel.select_one({"name": "selection-count"}).text
    assert lanes == [] and {wait for _, wait in document.waiting.values()} == {ANSWERED}
    document.rest()
    assert lanes == ["histograms"], "the map has no plane yet"
    session.close()
