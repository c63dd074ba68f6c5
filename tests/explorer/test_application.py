import logging

import numpy as np
import pytest
from bokeh.document import Document
from bokeh.models import Axis, ColorBar, Div, PlainText, Title

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError
from astroclip_kit.explorer import application
from astroclip_kit.explorer.application import compose, fill
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


@pytest.fixture
def space(tmp_path):
    ids = [f"o{i}" for i in range(12)]
    labels = {
        "z": np.linspace(0, 1, 12),
        "<b>kind": ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'] * 6,
    }
    present = {"spectrum": np.arange(12) < 5}
    vectors = {"image": np.eye(12), "spectrum": np.eye(12)}
    store = EmbeddingStore.write(
        tmp_path / "<i>sky", vectors, ids, labels=labels, present=present, values={"origin": "mock"}
    )
    return Space(store)


def named(page, name):
    return page.select_one({"name": name})


def test_the_head_says_what_it_is_and_whether_it_is_mock(space):
    title = named(compose(Session(space)), "title").text
    assert "&lt;i&gt;sky</h1>" in title and "<i>" not in title
    assert "12 objects: image 12, spectrum 5" in title and "mock data" in title
    real = EmbeddingStore.write(space.store.root.parent / "real", {"image": np.eye(2)}, ["a", "b"])
    assert "mock" not in named(compose(Session(Space(real))), "title").text.partition("</h1>")[2]


def test_every_panel_has_its_tab(space):
    tabs = named(compose(Session(space)), "tabs")
    titles = ["Object", "Neighbours", "Selection", "Filter", "Clusters", "Overlay"]
    assert [one.title for one in tabs.tabs] == titles
    assert named(compose(Session(space)), "map") is not None


def test_what_is_chosen_opens_its_tab(space):
    session = Session(space)
    tabs = named(compose(session), "tabs")
    open_tab = lambda: tabs.tabs[tabs.active].title  # noqa: E731
    session.select(np.arange(12) < 3)
    assert open_tab() == "Selection"
    session.look_at(4)
    assert open_tab() == "Object"
    tabs.active = 1
    session.look_at(5)
    assert open_tab() == "Neighbours"  # one steps from neighbour to neighbour there
    tabs.active = 0
    session.tell("asked")
    assert open_tab() == "Neighbours"  # as a file asks that was dropped on the page
    tabs.active = 3
    session.select(None)
    session.look_at(-1)
    assert open_tab() == "Filter"


def test_escape_clears_the_selection(space):
    session = Session(space)
    page = compose(session)
    session.select(np.arange(12) < 3)
    named(page, "cleared").tags = [1]
    assert session.selection is None


def test_what_is_said_is_shown_as_text_and_taken_away(space):
    session = Session(space)
    message = named(compose(session), "message")
    assert message.html_attributes == {"role": "status", "aria-live": "polite"}
    session.say("column <script> is odd", "error")
    assert message.text == '<p class="error"><b>Not done:</b> column &lt;script&gt; is odd</p>'
    session.say("well")
    assert message.text == '<p class="note">well</p>'
    session.say("")
    assert message.text == ""


def test_a_note_of_the_space_has_a_line_of_its_own_that_stays(space):
    assert not named(compose(Session(space)), "space-note").visible
    space.note = "no cutouts are shown: no <such> folder."
    session = Session(space)
    line = named(compose(session), "space-note")
    session.say("Places 12 objects …")
    session.say("")
    assert line.visible and line.text == '<p class="error">no cutouts are shown: no &lt;such&gt; folder.</p>'


def test_a_panel_that_fails_leaves_the_others(space, monkeypatch, caplog):
    def fails(session):
        raise ZeroDivisionError("<b>odd</b>")

    def refuses(session):
        raise InputError("no such <table>")

    monkeypatch.setattr(
        application, "PANELS", {"Bad": fails, "Refused": refuses, "Good": lambda session: Div(name="good")}
    )
    with caplog.at_level(logging.ERROR):
        page = fill(Document(), space).document.roots[0]
    texts = [one.child.text for one in named(page, "tabs").tabs[:2]]
    assert "&lt;b&gt;odd" in texts[0] and "no such &lt;table&gt;" in texts[1]
    assert named(page, "good") is not None and "no such &lt;table&gt;" in named(page, "message").text
    assert caplog.text.count("unexpected error in a page") == 1 and "ZeroDivisionError" in caplog.text


def test_an_unexpected_error_of_a_listener_is_said_and_others_are_called(space, caplog):
    session, called = Session(space, Document()), []
    session.on("marks", call=lambda: called.append(1 / 0))
    session.on("marks", call=lambda: called.append("other"))
    session.mark("a", np.array([1]))
    assert called == ["other"] and session.said[0].startswith("That failed unexpectedly (ZeroDivisionError: ")
    without_page = Session(space)
    without_page.on("marks", call=lambda: called.append(1 / 0))
    with pytest.raises(ZeroDivisionError):
        without_page.mark("a", None)


def test_names_that_look_like_formulas_are_text(tmp_path):
    rng, formula = np.random.default_rng(0), "$$x$$"
    labels = {formula: rng.normal(size=40), "mass": rng.normal(size=40), "kind": [formula, "\\(y\\)"] * 20}
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(40)}, range(40), labels=labels)
    session = fill(document := Document(), Space(store))
    session.document = None  # from now on work is done at once
    session.change(plane=f"{formula}|mass", colour=formula)
    session.select(np.arange(40) % 2 == 0)
    models = list(document.models)
    assert all(one.disable_math for one in models if isinstance(one, Div))
    titles = [text for one in models for text in _titles(one) if text]
    assert {formula, "\\(y\\)"} <= {text.text for text in titles if isinstance(text, PlainText)}
    assert not [text for text in titles if isinstance(text, str) and ("$" in text or "\\(" in text)]


def _titles(model):
    """What Bokeh may take for a formula."""
    kinds = {Title: ("text",), Axis: ("axis_label",), ColorBar: ("title",)}
    known = [getattr(model, name) for kind, names in kinds.items() if isinstance(model, kind) for name in names]
    return known + (list(model.major_label_overrides.values()) if isinstance(model, Axis) else [])


def test_the_title_of_the_window_is_that_of_the_store(space):
    document = fill(Document(), space).document
    assert document.title == "<i>sky - astroclip-kit" and len(document.roots) == 1
