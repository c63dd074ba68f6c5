"""What is said of a new file besides its neighbours, without a browser."""

from types import SimpleNamespace

import numpy as np
import pytest
from bokeh.events import ButtonClick

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.queries import Asked
from astroclip_kit.explorer.neighbours import new_card
from astroclip_kit.explorer.neighbours.new_card import NewCard
from astroclip_kit.explorer.neighbours.new_file import NewFile
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

N = 300


@pytest.fixture
def session(tmp_path):
    angle = np.linspace(0.1, 3, N)
    circle = np.stack([np.cos(angle), np.sin(angle), np.zeros(N)], axis=1)
    labels = {"z": angle / 10, "class": np.where(angle > 1.5, "<QSO>", "STAR"), "plate": np.arange(N) + 5000}
    store = EmbeddingStore.write(
        tmp_path / "space",
        {"image": circle, "spectrum": circle},
        [f"<o{row}>" for row in range(N)],
        labels=labels,
        values={"units": {"z": "1"}},
    )
    return Session(Space(store))


def a_file(session, row=200, name="spectrum", rows=(), told=None):
    new = None if told is None else SimpleNamespace(samples=[SimpleNamespace(labels=told)], familiar=None)
    vector = session.space.store.vectors(name)[[row]]
    return NewFile("new.fits", "a survey", Asked(name, vector, ["new"], [np.array(rows, dtype=int)], new), ())


@pytest.fixture
def looked_at():
    return []


@pytest.fixture
def shown(session, looked_at, monkeypatch):
    """A function that shows a file, and gives a function to find parts by their names."""
    monkeypatch.setattr(new_card, "new_view", lambda space, asked: None)
    made = NewCard(session, looked_at.append)

    def show(file, is_placed=True):
        made.show(file)
        made.placed(is_placed)
        return lambda name: made.layout if name == "new-card" else made.layout.select_one({"name": name})

    return show


def test_its_properties_are_read_with_intervals(session, shown):
    text = shown(a_file(session))("new-properties").text
    assert "<td>z" in text and "<th>neighbours (90 %)<th>labelled" in text and " to " in text
    assert "&lt;QSO&gt;" in text and "<QSO>" not in text and "plate" not in text
    assert "hold the truth for 90 % of objects" in text


def test_what_its_header_tells_stands_beside(session, shown):
    text = shown(a_file(session, told={"z": 0.123456789, "class": 7.0, "exptime": 3.0}))("new-properties").text
    assert "<th>file" in text and '<span title="0.123456789">0.12346</span>' in text and "▲ outside" in text
    assert "exptime" not in text and ">7<" not in text


def test_the_object_that_it_shows_is_named_and_looked_at_by_a_click(session, shown, looked_at):
    find = shown(a_file(session, rows=[200, 7]))
    known, text = find("new-known"), find("new-properties").text
    assert known.visible and "The same object in the space" in known.text
    assert "<b>&lt;o200&gt;</b>" in known.text and "<b>&lt;o7&gt;</b>" in known.text
    known.tags = [1, 0, 1]
    assert looked_at == [7]
    assert "<th>catalogue" in text and f">{session.space.store.labels['z'][200]:.5g}<" in text
    assert not shown(a_file(session))("new-known").visible


def test_a_click_leads_to_a_map_on_which_it_lies(session, shown):
    assert not shown(a_file(session))("new-map").visible
    button = shown(a_file(session), is_placed=False)("new-map")
    assert button.visible and button.label == "Show it on the map: PCA of spectrum"
    button._trigger_event(ButtonClick(button))
    assert session.state.plane == "pca:spectrum"


def test_it_ends_with_the_file(session, shown):
    assert shown(a_file(session))("new-card").visible
    assert not shown(None)("new-card").visible


def test_what_comes_late_is_not_taken_for_another_file(session, shown, monkeypatch):
    waiting = []
    monkeypatch.setattr(session, "work", lambda job, then, **named: waiting.append((job, then)))
    shown(a_file(session, row=10))
    find = shown(a_file(session, row=200))
    for job, then in waiting[::-1]:
        then(job())
    assert "&lt;QSO&gt;" in find("new-properties").text and "STAR" not in find("new-properties").text


def test_why_nothing_is_read_is_said(session, shown, monkeypatch):
    def fails(*given):
        raise ArithmeticError("odd")

    monkeypatch.setattr(new_card, "read_file", fails)
    text = shown(a_file(session))("new-properties").text
    assert "Nothing is read off its neighbours. That failed unexpectedly (ArithmeticError: odd)." in text
    assert "<table>" not in text
