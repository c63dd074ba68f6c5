"""The panel of neighbours, without a browser."""

import re

import numpy as np
import pytest
from bokeh.events import ButtonClick

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.queries import Asked
from astroclip_kit.explorer.neighbours import panel as neighbours
from astroclip_kit.explorer.neighbours.new_file import NewFile
from astroclip_kit.explorer.neighbours.panel import neighbour_panel
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

N = 60
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(N, 8))
    present = {"image": np.ones(N, bool), "spectrum": np.arange(N) % 10 != 5}
    labels = {"z": np.where(np.arange(N) == 4, np.nan, np.linspace(0, 1, N)), "class": [HOSTILE] * N}
    vectors = {"image": image, "spectrum": image + rng.normal(size=(N, 8))}
    ids = [f"o{i}" for i in range(N - 1)] + [HOSTILE]
    return EmbeddingStore.write(tmp_path / "space", vectors, ids, present=present, labels=labels)


@pytest.fixture
def session(store):
    return Session(Space(store))


@pytest.fixture
def panel(session):
    return neighbour_panel(session)


def named(panel, name):
    return panel.select_one({"name": name})


def press(panel, name):
    button = named(panel, name)
    assert not button.disabled
    button._trigger_event(ButtonClick(button))


def cards(panel, column=0):
    """HTML of the buttons of a column."""
    return named(panel, f"neighbours-cards-{column}").text.split("<button")[1:]


def pick(panel, column, place):
    """Clicks a card, as the browser tells of it."""
    _, turn, at, *_ = re.findall(r'data-\w+="(\w+)"', cards(panel, column)[place])
    assert int(at) == place
    named(panel, f"neighbours-cards-{column}").tags = [place, 0, int(turn)]


def nearest(store, row, query="image", target="image"):
    """Other rows, the most similar first, by the definition."""
    similarity = store.vectors(target) @ store.vectors(query)[row]
    rows = np.argsort(-np.where(store.present(target), similarity, -np.inf))
    return [int(one) for one in rows if one != row and store.present(target)[one]]


def test_at_first_it_says_what_to_do(panel, session):
    assert "Click a point on the map" in named(panel, "neighbours-head").text
    assert not named(panel, "neighbours-lists").visible
    assert "neighbours" not in session.marks


def test_neighbours_of_each_modality_stand_side_by_side_and_on_the_map(panel, session, store):
    session.change(colour="z")
    session.look_at(7)
    assert "<h3>image → image</h3>" in named(panel, "neighbours-title-0").text
    assert "In bold the cosine similarity." in named(panel, "neighbours-title-1").text
    assert "<h3>image → spectrum</h3>" in named(panel, "neighbours-title-1").text
    own, other = nearest(store, 7)[:10], nearest(store, 7, "image", "spectrum")[:10]
    for column, rows in enumerate((own, other)):
        texts = cards(panel, column)
        assert [f">o{row}<" in text for row, text in zip(rows, texts, strict=True)] == [True] * 10
        similarity = store.vectors(store.names[column])[rows[0]] @ store.vectors("image")[7]
        assert f'<span class="rank">1</span><b>{similarity:.3f}</b>' in texts[0]
        assert [f"z {store.catalog['z'][row]:.4g}" in text for row, text in zip(rows, texts, strict=True)]
    assert session.marks["neighbours"].tolist() == sorted({*own, *other})
    told = f"{len({*own, *other})} objects of 2 lists are marked on the map."
    assert told in named(panel, "neighbours-head").text


def test_a_click_steps_to_a_neighbour_and_back_and_on(panel, session, store):
    session.look_at(7)
    rows = nearest(store, 7, "image", "spectrum")
    pick(panel, 1, 2)
    assert session.focus == rows[2]
    assert named(panel, "neighbours-way").text == "3 of 10 nearest to o7 (image → spectrum)"
    press(panel, "neighbours-next")
    assert session.focus == rows[3]
    press(panel, "neighbours-previous")
    press(panel, "neighbours-previous")
    assert session.focus == rows[1]
    for row in (rows[2], rows[3], rows[2], 7):
        press(panel, "neighbours-back")
        assert session.focus == row
    assert named(panel, "neighbours-back").disabled and named(panel, "neighbours-previous").disabled
    press(panel, "neighbours-next")
    assert session.focus == nearest(store, 7)[0]


def test_a_button_that_is_pressed_twice_leads_nowhere_else(panel, session, store):
    session.look_at(7)
    rows = nearest(store, 7)
    press(panel, "neighbours-next")
    press(panel, "neighbours-next")
    previous, back = named(panel, "neighbours-previous"), named(panel, "neighbours-back")
    for _ in range(3):  # the browser sends what was pressed before it hears that it can no longer be
        previous._trigger_event(ButtonClick(previous))
    assert session.focus == rows[0] and "1 of 10" in named(panel, "neighbours-way").text
    for _ in range(5):
        back._trigger_event(ButtonClick(back))
    assert session.focus == 7 and ">o" in cards(panel)[0]


def test_a_card_that_is_no_longer_there_is_not_taken_for_the_one_in_its_place(panel, session):
    session.look_at(7)
    old = named(panel, "neighbours-cards-0")
    turn = int(re.search(r'data-turn="(\d+)"', old.text)[1])
    session.look_at(8)
    old.tags = [2, 0, turn]
    assert session.focus == 8
    pick(panel, 0, 2)
    assert session.focus != 8


def test_the_modality_that_asks_is_one_that_the_object_has(panel, session, store):
    session.look_at(7)
    query = named(panel, "neighbours-query")
    assert query.options == ["image", "spectrum", "mean"]
    query.value = "spectrum"
    assert "<h3>spectrum → spectrum</h3>" in named(panel, "neighbours-title-0").text
    assert f">o{nearest(store, 7, 'spectrum', 'image')[0]}<" in cards(panel, 1)[0]
    session.look_at(5)  # has no spectrum
    assert query.options == ["image", "mean"] and query.value == "image"
    assert f">o{nearest(store, 5)[0]}<" in cards(panel)[0]


def test_the_number_of_neighbours_is_kept_within_bounds(panel, session):
    session.look_at(7)
    count = named(panel, "neighbours-count")
    for asked, given in ((20, 20), (3, 5), (99, 50), (None, 10)):
        count.value = asked
        assert len(cards(panel)) == given
        assert named(panel, "neighbours-select-0").label == f"Select these {given}"


def test_only_what_is_shown_may_answer_if_one_wants(panel, session):
    session.look_at(7)
    session.change(where=("z < 0.5",))
    before = cards(panel)
    named(panel, "neighbours-only").active = True
    assert cards(panel) != before
    assert session.marks["neighbours"].max() < N / 2
    session.change(where=("z < 0.2",))
    assert session.marks["neighbours"].max() < N / 5
    session.change(where=("z < -1",))
    assert "No other object that may answer has image." in named(panel, "neighbours-title-0").text
    assert "neighbours" not in session.marks


def test_neighbours_can_be_selected(panel, session, store):
    session.look_at(7)
    press(panel, "neighbours-select-1")
    assert np.flatnonzero(session.selection).tolist() == sorted(nearest(store, 7, "image", "spectrum")[:10])


def test_text_of_the_data_is_text_on_the_page(panel, session, store):
    session.change(colour="class")
    session.look_at(N - 1)
    assert "<script>" not in named(panel, "neighbours-head").text and "<img" not in named(panel, "neighbours-head").text
    session.look_at(nearest(store, N - 1)[0])
    named(panel, "neighbours-count").value = 50
    assert any("onerror" in text for text in cards(panel))
    assert not any("<script>" in text or "<img" in text for text in cards(panel))


def test_a_value_that_is_missing_is_said(panel, session):
    session.change(colour="z")
    session.look_at(7)
    named(panel, "neighbours-count").value = 50
    [text] = [text for text in cards(panel) if ">o4<" in text]
    assert "z unknown" in text


def test_ten_objects_of_one_modality_have_nine_neighbours(tmp_path):
    store = EmbeddingStore.write(tmp_path / "ten", {"image": np.eye(10) + 1}, [f"o{i}" for i in range(10)])
    session = Session(Space(store))
    panel = neighbour_panel(session)
    session.look_at(3)
    assert named(panel, "neighbours-query").options == ["image"]
    assert len(cards(panel)) == 9 and len(named(panel, "neighbours-lists").children) == 1
    assert "There are only 9." in named(panel, "neighbours-title-0").text


def test_nothing_is_shown_of_nobody(panel, session):
    session.look_at(7)
    session.look_at(-1)
    assert "Click a point" in named(panel, "neighbours-head").text and "neighbours" not in session.marks
    press(panel, "neighbours-back")
    assert session.focus == 7


def new_file(store, name="new.fits", vector=None, rows=()):
    vector = store.vectors("image")[3] if vector is None else vector
    asked = Asked("image", np.asarray(vector)[None], ["n"], [np.array(rows, dtype=int)])
    return NewFile(name, "a survey", asked, (f"EVIL    = {HOSTILE}",))


@pytest.fixture
def give(monkeypatch):
    """What the panel does with a new file."""
    taken = []
    monkeypatch.setattr(neighbours, "new_query", lambda session, take: (taken.append(take), neighbours.models.Div())[1])
    return lambda file: taken[-1](file)


def test_a_new_file_asks_like_an_object_and_has_a_place_on_the_map(give, session, store):
    panel = neighbour_panel(session)
    session.look_at(7)
    told = []
    session.on("asked", call=lambda: told.append("asked"))
    give(new_file(store, f"{HOSTILE}.fits"))
    assert session.state.focus == "" and told == ["asked"]
    text = named(panel, "neighbours-head").text
    assert "onerror" in text and "<script>" not in text and "<img" not in text
    assert ">o3<" in cards(panel)[0] and "<b>1.000</b>" in cards(panel)[0]  # its own object is not known to be it
    plane = session.space.planes.open("pca:image", session.columns)
    np.testing.assert_allclose(session.pins["new file"], np.ravel(plane.at([3])), atol=1e-5)
    session.change(plane="pca:spectrum")
    assert not session.pins and "not on this map, which is of PCA of spectrum" in named(panel, "neighbours-head").text
    session.change(plane="pca:mean")
    assert session.pins["new file"].shape == (2,) and "not on this map" not in named(panel, "neighbours-head").text
    pick(panel, 0, 0)
    assert session.focus == 3 and not session.pins
    assert named(panel, "neighbours-way").text.startswith("1 of 10 nearest to &quot;&gt;&lt;img")
    press(panel, "neighbours-back")
    assert session.state.focus == "" and session.pins and "a survey" in named(panel, "neighbours-head").text
    press(panel, "neighbours-back")
    assert session.focus == 7


def test_a_new_file_of_an_object_of_the_space_does_not_find_itself(give, session, store):
    panel = neighbour_panel(session)
    give(new_file(store, rows=[3]))
    assert ">o3<" not in "".join(cards(panel))
    assert "The space holds observations of the same object." in named(panel, "neighbours-head").text
    give(new_file(store))  # another one of the same name
    assert ">o3<" in cards(panel)[0] and named(panel, "neighbours-query").options == ["image"]


def test_what_is_found_too_late_is_not_shown(panel, session, monkeypatch):
    monkeypatch.setattr(neighbours, "QUICK", 10)
    waiting = []
    monkeypatch.setattr(session, "work", lambda job, then, *more, lane: waiting.append((lane, job, then)))
    session.look_at(7)
    session.look_at(8)
    first, last = (job for lane, job, _ in waiting if lane == "neighbours")
    assert first() == [] and len(last()) == 2  # nobody waits for the first any more
    while waiting:
        _, job, then = waiting.pop()
        then(job())
    assert "<b>o8</b>" in named(panel, "neighbours-head").text and len(cards(panel)) == 10


def test_a_card_of_who_asked_before_is_not_taken_while_others_are_drawn(panel, session, monkeypatch):
    session.look_at(7)
    before, waiting = cards(panel), []
    monkeypatch.setattr(session, "work", lambda job, then, *more, **named: waiting.append((job, then)))
    session.look_at(8)
    pick(panel, 0, 2)
    assert session.focus == 8 and cards(panel) == before
    for job, then in waiting:
        then(job())
    assert cards(panel) != before
    pick(panel, 0, 2)
    assert session.focus != 8
