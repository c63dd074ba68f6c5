"""The tab of the selection, without a browser."""

import re
from html import unescape

import numpy as np
import pytest
from bokeh.events import ButtonClick
from odd_objects import COUNT, HOSTILE, odd_space

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.selection.panel import selection_panel
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

MARKUP = ("<script", "<img", "onerror=")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


@pytest.fixture
def session(tmp_path):
    """200 objects of two kinds, of which the second half are quasars; no dataset."""
    rng = np.random.default_rng(0)
    far = np.arange(200) >= 100
    labels = {
        "z": np.where(far, 2, 0) + 0.1 * rng.random(200),
        "class": np.where(far, HOSTILE, "STAR"),
        "noise": rng.normal(size=200),
        HOSTILE: np.where(far, np.nan, 1.0),
    }
    vectors = rng.normal(size=(200, 8)) + 3 * far[:, None]
    ids = [f"o{i}" for i in range(199)] + [HOSTILE]
    store = EmbeddingStore.write(tmp_path / "s", {"image": vectors}, ids, labels=labels, values={"units": {"z": "mag"}})
    return Session(Space(store))


def named(panel, name):
    return panel.select_one({"name": name})


def press(panel, name):
    named(panel, name)._trigger_event(ButtonClick(named(panel, name)))


def tabs(panel):
    return [tab.title for tab in named(panel, "selection-tabs").tabs]


def open_tab(panel, title):
    named(panel, "selection-tabs").active = tabs(panel).index(title)


def buttons(panel, name):
    """HTML of the buttons of a gallery."""
    return named(panel, name).text.split("<button")[1:]


def told(button):
    """The lines of a button: an id, and what else is told of it."""
    return [unescape(line) for line in re.findall("<div>(.*?)</div>", button)]


def pick(panel, name, place):
    """Clicks a picture, as the browser tells of it."""
    _, turn, at, *_ = re.findall(r'data-\w+="(\w+)"', buttons(panel, name)[place])
    assert int(at) == place
    named(panel, name).tags = [place, 0, int(turn)]


def far(session):
    return np.arange(len(session.space)) >= 100


def test_nothing_selected_says_how_and_can_be_mended_with_a_button(session):
    panel = selection_panel(session)
    assert "draw around objects" in named(panel, "selection-count").text
    assert tabs(panel) == ["Save", "Send"] and not named(panel, "select-nothing").visible
    session.change(where=("z > 1",))
    press(panel, "select-shown")
    np.testing.assert_array_equal(session.selection, far(session))
    assert "100 of 200 objects are selected</b>, 50 %. 100 have image" in named(panel, "selection-count").text
    assert tabs(panel) == ["Properties", "Sample", "Typical and odd", "Save", "Send"]
    press(panel, "select-nothing")
    assert session.selection is None and tabs(panel) == ["Save", "Send"]
    session.change(where=())
    press(panel, "select-shown")
    assert session.selection.all()
    assert "Nothing to compare" in named(panel, "histogram-note").text


def test_histograms_show_what_differs_most_with_units_and_numbers(session):
    panel = selection_panel(session)
    session.select(far(session))
    first, second = (named(panel, f"histogram-{number}") for number in (0, 1))
    assert {first.xaxis[0].axis_label.text, second.xaxis[0].axis_label.text} == {"z [mag]", "class"}
    plot = first if first.xaxis[0].axis_label.text == "z [mag]" else second
    rest, selected = (one.data_source.data for one in plot.renderers)
    assert selected["top"].sum() == pytest.approx(100, abs=2.1) and rest["top"].sum() == pytest.approx(100, abs=2.1)
    assert selected["left"][selected["top"] > 0].min() > rest["right"][rest["top"] > 0].max()
    text = named(panel, f"{plot.name}-caption").text
    assert "d = +1.00; median 2.0" in text and "mag" in text and "selected: 100 known" in text
    assert not named(panel, "histogram-note").visible


def test_any_property_can_be_chosen_and_hostile_names_stay_text(session):
    panel = selection_panel(session)
    session.select(far(session))
    named(panel, "histogram-choice").value = HOSTILE
    text = named(panel, "histogram-4-caption").text
    assert "0 known, 100 missing" in text and not any(one in text for one in MARKUP)
    captions = list(panel.select({"name": "histogram-0-caption"})) + list(panel.select({"name": "histogram-1-caption"}))
    assert captions and not any(one in caption.text for one in MARKUP for caption in captions)
    named(panel, "histogram-choice").value = "(choose a property)"
    assert named(panel, "histogram-4") is None


def test_what_differs_no_more_than_by_chance_is_called_so(session):
    panel = selection_panel(session)
    session.select(np.arange(200) % 2 == 0)
    assert "No property differs more than chance would have it" in named(panel, "histogram-note").text


def test_a_sample_is_random_repeatable_and_leads_to_its_objects(session):
    panel = selection_panel(session)
    session.select(far(session))
    open_tab(panel, "Sample")
    first = [told(one) for one in buttons(panel, "sample")]
    assert len(first) == 20 and "20 of 100, at random" in named(panel, "sample-note").text
    pick(panel, "sample", 3)
    assert session.state.focus == first[3][0] and session.selection[session.focus]
    press(panel, "sample-another")
    assert [told(one) for one in buttons(panel, "sample")] != first
    session.select(np.arange(200) > 196)
    assert [told(one)[0] for one in buttons(panel, "sample")] == ["o197", "o198", HOSTILE]
    assert "All that are selected" in named(panel, "sample-note").text and not named(panel, "sample-another").visible
    assert "the dataset of this space is not open" in named(panel, "sample-note").text


def test_pictures_are_of_the_modality_that_was_chosen(odd):
    session = Session(odd)
    panel = selection_panel(session)
    session.select(np.ones(COUNT, bool))
    open_tab(panel, "Sample")
    assert named(panel, "sample-modality").options == ["image", "spectrum", "lightcurve"]
    image = buttons(panel, "sample")
    assert all("data:image/png;base64," in one for one in image)
    named(panel, "sample-modality").value = "spectrum"
    shown = buttons(panel, "sample")
    assert shown[0] != image[0] and told(shown[-1]) == [f"o{COUNT - 1}", "no spectrum"]


def test_typical_and_odd_members_have_numbers_and_can_be_looked_at(session):
    panel = selection_panel(session)
    chosen = far(session)
    chosen[3] = True  # one of the others
    session.select(chosen)
    open_tab(panel, "Typical and odd")
    assert "nearest to the mean direction" in named(panel, "typical-told").text
    typical, odd = buttons(panel, "typical"), buttons(panel, "odd")
    assert len(typical) == len(odd) == 10 and told(odd[0])[0] == "o3"
    numbers = [float(told(one)[1]) for one in odd]
    assert numbers == sorted(numbers)
    pick(panel, "odd", 0)
    assert session.focus == 3


def test_too_few_members_for_typical_ones_are_said(session):
    panel = selection_panel(session)
    session.select(np.arange(200) == 3)
    open_tab(panel, "Typical and odd")
    assert "expected at least 2 selected objects with image, found 1" in session.said[0]


def test_parts_are_worked_out_when_they_are_opened(session):
    panel = selection_panel(session)
    session.select(far(session))
    assert not buttons(panel, "sample") and not buttons(panel, "odd")
    open_tab(panel, "Sample")
    session.select(np.arange(200) < 3)
    assert len(buttons(panel, "sample")) == 3 and not buttons(panel, "odd")


def test_saving_and_taking_up_from_the_page(session):
    panel, files = selection_panel(session), []
    session.on("offered", call=lambda: files.append(session.offered))
    session.select(far(session))
    open_tab(panel, "Save")
    named(panel, "save-format").value = "CSV"
    press(panel, "save-file")
    assert files[0][0] == "s-selection.csv" and len(files[0][1].splitlines()) == 101
    named(panel, "save-name").value = "a/b"
    press(panel, "save-store")
    assert session.said[1] == "error" and "expected a name of letters" in session.said[0]
    named(panel, "save-name").value = "quasars"
    press(panel, "save-store")
    assert named(panel, "saved-selections").options == [("quasars", "quasars (100 objects)")]
    session.select(np.arange(200) >= 150)
    press(panel, "saved-without")
    assert session.selection is None and named(panel, "saved-and").disabled
    press(panel, "saved-load")
    open_tab(panel, "Save")
    assert session.selection.sum() == 100 and not named(panel, "saved-and").disabled


def test_a_saved_selection_of_an_earlier_day_is_there_at_once(session):
    session.space.store.save_column("mine", far(session))
    panel = selection_panel(Session(Space(EmbeddingStore(session.space.store.root))))
    assert named(panel, "saved-selections").value == "mine"


def test_without_a_hub_the_page_says_what_to_open(session, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp').as_uri()}")
    panel = selection_panel(session)
    press(panel, "samp-connect")
    assert session.said[1] == "error" and "Open TOPCAT or Aladin" in session.said[0]
    assert named(panel, "samp-connect").visible and not named(panel, "samp-disconnect").visible


def test_a_poor_store_has_the_panel_too(tmp_path):
    store = EmbeddingStore.write(tmp_path / "poor", {"image": np.eye(10)}, [f"o{i}" for i in range(10)])
    session = Session(Space(store))
    panel = selection_panel(session)
    session.select(np.arange(10) < 4)
    assert "Nothing to compare" in named(panel, "histogram-note").text
    for title in ("Sample", "Typical and odd", "Save", "Send"):
        open_tab(panel, title)
    assert len(buttons(panel, "typical")) == 4 and session.said[1] == "note"


def test_a_selection_is_undone_and_the_next_gesture_is_chosen(session):
    panel = selection_panel(session)
    assert not named(panel, "select-undo").visible
    first, second = far(session), np.arange(200) < 3
    for rows in (first, second):
        session.select(rows)
    press(panel, "select-undo")
    assert session.selection is first
    press(panel, "select-undo")
    assert session.selection is second, "undoing that, too"
    press(panel, "select-nothing")
    press(panel, "select-undo")
    assert session.selection is second
    assert named(panel, "select-gesture").value == "replace"
    named(panel, "select-gesture").value = "subtract"
    assert session.gesture == "subtract"
    assert "takes away" in dict(named(panel, "select-gesture").options)["subtract"]
