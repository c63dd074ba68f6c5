from urllib.parse import parse_qs

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.address import address_line, query_of, restore
from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.session import Session, State
from astroclip_kit.explorer.space import Space

HOSTILE = "'\"><script>alert(1)</script>&#$$x$$ ü"


@pytest.fixture
def session(tmp_path):
    ids = ["a&b=c", "o 1", HOSTILE, "o3"]
    store = EmbeddingStore.write(
        tmp_path / "four", {"image": np.eye(4)}, ids, labels={"z": [0.1, 0.2, 0.3, np.nan], "kind": list("aabb")}
    )
    return Session(Space(store))


def arguments(query):
    """As the server has them of a request."""
    return {name: [value.encode() for value in values] for name, values in parse_qs(query).items()}


def test_what_is_shown_survives_an_address(session):
    line = address_line(session)
    state = State(plane="z|z", colour="kind", where=("z < 0.35", "kind == 'b'"), focus=HOSTILE, view=(0, 0.25, -1, 1))
    session.change(**vars(state))
    assert line.text == query_of(state) and not set(line.text) & set("<>\"' $")
    again = Session(session.space)
    restore(again, {**arguments(line.text), "token": [b"x"], "else": [b"y"]})
    assert again.state == state and again.shown.tolist() == [False, False, True, False]
    assert again.said == ("", "note")


def test_what_is_not_set_is_not_in_the_address(session):
    line = address_line(session)
    session.change(plane="z|z")
    session.change(plane="", colour="z")
    assert line.text == "" == query_of(State()), "z colours a page that asks for nothing"


def test_a_page_that_names_no_colour_has_a_telling_one_and_keeps_it_out_of_its_address(session):
    line = address_line(session)
    restore(session, {})
    assert session.state.colour == "z" and line.text == ""
    session.change(colour="")
    assert line.text == "plane=pca%3Aimage&colour=", "the map that shows itself, too: another may, once it was made"
    again = Session(session.space)
    restore(again, {"colour": [b""]})
    assert again.state == State() and again.said == ("", "note")
    restore(again, arguments("colour=kind"))
    assert again.state.colour == "kind"


def test_what_only_this_page_has_is_in_no_address(session):
    line = address_line(session)
    restore(session, {})
    names = np.array(["one", "two"])[np.arange(len(session.space)) % 2]
    numbers = np.arange(float(len(names)))
    session.add_columns(Column("clusters", "", lambda: names, True), Column("mine", "", lambda: numbers, False))
    session.change(colour="clusters", where=("clusters == 'one'", "z < 0.25"))
    assert line.text == "plane=pca%3Aimage&where=z+%3C+0.25" and session.shown.sum() < len(names)
    session.change(plane="z|mine")
    assert line.text == "plane=pca%3Aimage&where=z+%3C+0.25"


def test_what_does_not_fit_is_said_and_the_rest_is_shown(session):
    rubbish = "colour=flux&where=z+%3C+0.25&where=z+%3C%3C%3C&where=kind+%3D%3D+%27a%27&focus=nobody"
    restore(session, arguments(rubbish))
    assert session.state == State(colour="z", where=("z < 0.25", "kind == 'a'"))
    text, kind = session.said
    assert kind == "error" and text.startswith("The address could not be followed in all: ")
    assert "no column 'flux'" in text and "z <<<" in text and "nobody" in text


def test_bytes_that_are_no_text_are_said(session):
    restore(session, {"focus": [b"\xff\xfe"]})
    assert session.state == State(colour="z") and session.said[1] == "error"


def test_the_part_in_view_is_that_of_one_map(session):
    line = address_line(session)
    session.change(view=(0.1, 0.123456789, -2.0, 3e-7))
    assert line.text == "plane=pca%3Aimage&view=0.1%2C0.123457%2C-2%2C3e-07"
    session.change(plane="z|z")
    assert session.state.view == () and line.text == "plane=z%7Cz"
    session.add_columns(Column("mine", "", lambda: np.arange(4.0), False))
    session.change(plane="z|mine", view=(0.0, 1.0, 0.0, 1.0))
    assert line.text == "" or "view" not in line.text


@pytest.mark.parametrize("text", ["1,2,3", "1,0,0,1", "nan,1,0,1", "0,inf,0,1", "a,b,c,d", ""])
def test_a_view_that_is_none_is_said(session, text):
    restore(session, {"view": [text.encode()], "colour": [b"kind"]})
    assert session.state == State(colour="kind") and "the least and greatest x" in session.said[0]
