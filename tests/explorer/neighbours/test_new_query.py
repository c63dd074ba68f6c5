"""Where one gives a new file, and what is said of it, without a browser."""

from types import SimpleNamespace

import numpy as np
import pytest
from bokeh.models import ColumnDataSource

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.queries import Asked
from astroclip_kit.errors import InputError
from astroclip_kit.explorer.neighbours import new_query
from astroclip_kit.explorer.neighbours.new_file import NewFile
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


@pytest.fixture
def session(tmp_path):
    return Session(Space(EmbeddingStore.write(tmp_path / "space", {"image": np.eye(5)}, list("abcde"))))


def a_file(familiar=None, count=1, rows=()):
    newcomers = None if familiar is None else SimpleNamespace(familiar=np.array([familiar]))
    asked = Asked("image", np.eye(5)[:1], ["<first>"], [np.array(rows, dtype=int)], newcomers)
    return NewFile("new.fits", "A & B", asked, ("SIMPLE = T", "EVIL = '<script>alert(1)</script>'"), count)


def told(**given):
    return " ".join(new_query.about_file(a_file(**given)))


def test_what_it_is_stands_in_words_and_its_header_as_text():
    text = told()
    assert "Recognised as A &amp; B, asks as image." in text
    assert "EVIL = &#x27;&lt;script&gt;alert(1)&lt;/script&gt;&#x27;</pre>" in text and "<script>" not in text
    assert "look at least as strange" not in text and "observations" not in text


def test_who_looks_unlike_the_training_is_said_to():
    assert "<b>It looks unlike what the model was trained on</b>: 0.4 % of the objects" in told(familiar=0.4)
    assert "<p>" not in told(familiar=42.0) and "42 % of the objects of the space look at least as strange" in told(
        familiar=42.0
    )
    assert "unlike" not in told(familiar=42.0)


def test_a_file_of_several_observations_says_which_asks():
    assert "It holds 1,200 observations; the first asks: &lt;first&gt;." in told(count=1200)
    assert "The space holds observations of the same object." in told(rows=[2])


def given(session, layout, name, content):
    """Hands over a file as the browser does."""
    button = layout.select_one({"name": "new-file"})
    sources = [one.args["source"] for one in button.js_event_callbacks["button_click"]]
    assert isinstance(sources[0], ColumnDataSource)
    sources[0].data = {name: np.frombuffer(content, np.uint8)}


def test_a_file_is_read_as_it_was_asked_and_handed_on(session, monkeypatch):
    taken, asked = [], []
    monkeypatch.setattr(new_query, "model_is_known", lambda store: False)
    monkeypatch.setattr(new_query, "read_new_file", lambda *found, **how: asked.append((*found, how)) or "read")
    layout = new_query.new_query(session, taken.append)
    folder = layout.select_one({"name": "new-model"})
    assert folder.visible and layout.select_one({"name": "new-holds"}).options == [new_query.ANY, "image"]
    given(session, layout, "a.fits", b"abc")
    folder.value, layout.select_one({"name": "new-holds"}).value = " my/model ", "image"
    given(session, layout, "a.fits", b"def")
    store = session.space.store
    assert taken == ["read", "read"]
    assert asked[0] == (store, "a.fits", b"abc", {"holds": "", "model": ""})
    assert asked[1] == (store, "a.fits", b"def", {"holds": "image", "model": "my/model"})


def test_a_file_that_could_not_ask_does_so_when_it_is_said_what_it_holds(session, monkeypatch):
    def read(store, name, content, *, holds, model):
        if not holds:
            raise InputError("say what it holds")
        return name, content, holds

    taken = []
    monkeypatch.setattr(new_query, "read_new_file", read)
    layout = new_query.new_query(session, taken.append)
    holds = layout.select_one({"name": "new-holds"})
    given(session, layout, "a.fits", b"abc")
    assert session.said == ("say what it holds", "error") and not taken
    holds.value = "image"
    assert taken == [("a.fits", b"abc", "image")]
    holds.value = new_query.ANY
    holds.value = "image"
    assert len(taken) == 1  # it was answered


def test_a_bad_file_is_said_and_nobody_asks(session):
    taken = []
    layout = new_query.new_query(session, taken.append)
    assert layout.select_one({"name": "new-model"}).visible
    given(session, layout, "a.fits", b"abc")
    assert session.said[1] == "error" and "not known which model made this space" in session.said[0]
    layout.select_one({"name": "new-model"}).value = "anywhere"
    given(session, layout, "a.fits", b"abc")
    assert session.said[1] == "error" and session.said[0].startswith("a.fits: not a FITS file: it begins with 'abc'.")
    assert "A query is one FITS file, of " in session.said[0]
    assert taken == []
