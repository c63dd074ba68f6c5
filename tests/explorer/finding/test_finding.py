"""Objects are found by id, name and position."""

import numpy as np
import pytest
from bokeh.events import ButtonClick, ValueSubmit
from small_sky import DEC, IMG, RA, named, small_session

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.finding.finding import find, find_bar
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


@pytest.fixture
def session(tmp_path):
    return small_session(tmp_path / "space")


@pytest.mark.parametrize(
    ("text", "row", "sentence"),
    [
        ("obj-5", 5, "Found"),
        ("  obj-5 ", 5, "Found"),
        (IMG, 59, "Found"),
        ("NGC 12", 12, "the only one of objects whose name is 'NGC 12'"),
        ("ngc  12", 12, "the only one of objects whose name is 'ngc 12'"),
        ("tic 1017", 17, "the only one of objects whose tic is 1017"),
        ("TIC=1017", 17, "the only one of objects whose tic is 1017"),
        ("tic= 1.017e3", 17, "the only one of objects whose tic is 1.017e3"),
        ("z= 17e-2", 17, "the only one of objects whose z is 17e-2"),
        ('"><img', 59, "the only one of ids that begin with"),
        (f"{RA[3]} {DEC[3]}", 3, "Found less than 0.01 arcsec away, the only one within 10 arcsec"),
        (f"{RA[3]:.6f},{DEC[3] + 0.001:.6f}", 3, "Found 3.6 arcsec away"),
    ],
)
def test_what_is_typed_is_found(session, text, row, sentence):
    found = find(session, text, 10)
    assert found.rows.tolist() == [row] and found.certain
    assert sentence in found.sentence


@pytest.mark.parametrize(
    "text",
    [
        "12 34 56.7 +12 34 56",
        "12:34:56.7 +12:34:56",
        "12h34m56.7s +12d34m56s",
        "188.73625, 12.582222",
        "188.73625\t12.582222",
    ],
)
def test_positions_are_read_as_they_are_written(session, text):
    with pytest.raises(InputError, match=r"within 1 arcsec of .*; the nearest, 'obj-\d+', is \d.* degrees away"):
        find(session, text, 1)
    found = find(session, text, 20 * 3600)
    assert len(found.rows) > 1 and "more within 72000 arcsec" in found.sentence
    assert len(found.notes) == len(found.rows)


@pytest.mark.parametrize(
    ("text", "count", "sentence"),
    [
        ("obj-1", 1, "Found"),
        ("obj-", 20, "59 ids that begin with 'obj-'; the first 20 are listed."),
        ("OBJ-3", 11, None),
        ("star-3", 2, "2 observations of 'star-3'."),
        ("qso", 20, "20 objects whose class is 'qso'."),
    ],
)
def test_several_are_to_be_chosen_from(session, text, count, sentence):
    found = find(session, text, 10)
    if text == "OBJ-3":  # small and capital letters are the same where nothing else is called so
        assert {f"obj-{n}" for n in (3, *range(30, 40))} == set(session.space.ids_of(found.rows))
    assert len(found.rows) == count
    assert sentence is None or sentence in found.sentence
    assert found.certain == (count == 1)


@pytest.mark.parametrize(
    ("text", "radius", "error", "message"),
    [
        ("", 1, UsageError, "Type an id, a name, or a position such as"),
        ("\ud83d", 1, InputError, "No object is called '?'"),
        ("nobody", 1, InputError, "No object is called 'nobody', no id begins so, and it is no position. Ids look"),
        ("57000-11", 1, InputError, "No object is called '57000-11', no id begins so, and it is no position"),
        ("400 12", 1, UsageError, "expected a right ascension of 0 to 360 degrees"),
        ("12:34:56 +95:00:00", 1, UsageError, "coordinates '12:34:56 .95:00:00': expected"),
        ("10 20", 0, UsageError, "The radius is 0 arcsec, expected a positive angle of up to 180 degrees"),
        ("tic 3", 1, InputError, "No object is called 'tic 3'"),
    ],
)
def test_what_is_not_found_is_said(session, text, radius, error, message):
    with pytest.raises(error, match=message):
        find(session, text, radius)


def test_a_space_without_coordinates_says_so(tmp_path):
    session = small_session(tmp_path / "space", placed=False)
    with pytest.raises(InputError, match="This store has no coordinates: find an object by its id or name"):
        find(session, "10 20", 1)
    assert find(session, "NGC 3", 1).rows.tolist() == [3]


def test_coordinates_that_are_no_place_are_none(tmp_path):
    catalog = {"ra": np.full(4, -999.0), "dec": np.full(4, -999.0)}
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(4)}, ["a", "b", "c", "d"], catalog=catalog)
    with pytest.raises(InputError, match="This store has no coordinates: find an object by its id or name"):
        find(Session(Space(store)), "10.0 20.0", 10)


def test_ids_of_many_digits_are_found_to_the_last_one(tmp_path):
    labels = {"source_id": 2**62 + np.arange(100), "tic": np.arange(100) + 0.0, "count": np.arange(100)}
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(100)}, [f"o{n}" for n in range(100)], labels=labels)
    session = Session(Space(store))
    for text in (f"source_id {2**62 + 3}", str(2**62 + 3), "tic 3", "3", "count 3", "count 3.0"):
        assert find(session, text, 1).rows.tolist() == [3]
    for text in (f"source_id {2**62 + 100}", str(2**70), "source_id -3"):
        with pytest.raises(InputError, match="No object is called"):
            find(session, text, 1)


def test_names_of_an_overlay_are_names(session):
    names = np.array(["", "Vega", *[""] * 58])
    session.add_columns(Column("mine_name", "", lambda: names, True))
    assert find(session, "vega", 1).rows.tolist() == [1]


def test_what_fails_to_show_what_is_found_stays_on_the_page(session):
    def fails():
        raise InputError("it cannot be shown")

    bar = find_bar(session)
    text = named(bar, "search")
    session.on("focus", call=fails)
    text.value = "obj-5"
    text._trigger_event(ValueSubmit(text, "obj-5"))
    assert session.state.focus == "obj-5" and session.said == ("it cannot be shown", "error")


def test_enter_and_the_button_look_at_what_is_found(session):
    bar = find_bar(session)
    text, button, choice = named(bar, "search"), named(bar, "find-button"), named(bar, "find-choice")
    text.value = "obj-5"
    text._trigger_event(ValueSubmit(text, "obj-5"))
    assert session.state.focus == "obj-5" and session.said == ("Found: obj-5.", "note")
    session.change(where=("z > 0.5",))
    text.value = "tic 1003"
    button._trigger_event(ButtonClick(button))
    assert session.state.focus == "obj-3" and session.said[0].endswith("The filter hides it on the map.")
    text.value = "star-3"
    button._trigger_event(ButtonClick(button))
    assert session.state.focus == "obj-3" and session.said[0] == "2 observations of 'star-3'. Choose one."
    assert choice.visible and [label for _, label in choice.options] == ["choose one of 2 ...", "obj-6  ", "obj-7  "]
    choice.value = "7"
    assert session.state.focus == "obj-7"


def test_what_is_not_found_leaves_the_page_as_it_is(session):
    bar = find_bar(session)
    text, choice = named(bar, "search"), named(bar, "find-choice")
    for value in ("star-3", "obj-5", "nobody", "10 "):
        text.value = value
        text._trigger_event(ValueSubmit(text, value))
    assert session.state.focus == "obj-5" and not choice.visible
    assert session.said[1] == "error" and "'10'" in session.said[0]
