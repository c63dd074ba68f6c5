"""Objects are filtered by range, classes, any condition, or what is selected."""

import numpy as np
import pytest
from bokeh.events import ButtonClick, ValueSubmit
from small_sky import IMG, SCRIPT, N, named, small_session

from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.finding import filtering
from astroclip_kit.explorer.finding.chips import filter_chips
from astroclip_kit.explorer.finding.filtering import filter_panel, only_selected
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


@pytest.fixture
def session(tmp_path):
    return small_session(tmp_path / "space")


@pytest.fixture
def panel(session):
    return filter_panel(session)


def choose(panel, column):
    named(panel, "filter-column").value = column


def slide(panel, low, high):
    slider = named(panel, "filter-slider")
    slider.trigger("value_throttled", slider.value, (low, high))


def press(button):
    button._trigger_event(ButtonClick(button))


def add(panel, condition):
    field = named(panel, "filter-expression")
    field.value = condition
    field._trigger_event(ValueSubmit(field, condition))


def test_columns_that_hold_something_are_offered(panel):
    names = [name for name, _ in named(panel, "filter-column").options]
    expected = ["", "ra", "dec", "z", "2mass j", "class", "name", "tic", IMG, SCRIPT, "has_image", "has_spectrum"]
    assert names == expected


def test_a_range_is_slid_or_typed(session, panel):
    choose(panel, "z")
    slider, low, high = (named(panel, name) for name in ("filter-slider", "filter-low", "filter-high"))
    note = named(panel, "filter-note").text
    assert note.startswith("59 values from 0 to 0.59.") and "Without a value: 1 object," in note
    slide(panel, 0.3, slider.end)
    assert session.state.where == ("z >= 0.3",) and (low.value, high.value) == ("0.3", "")
    high.value = "5"
    assert session.state.where == ("0.3 <= z <= 5",) and slider.value == (0.3, slider.end)
    slide(panel, 0.4, slider.value[1])  # what was typed beyond the slider stays
    assert session.state.where == ("0.4 <= z <= 5",)
    assert named(panel, "filter-count").text == "20 of 60 objects shown"
    low.value, high.value = "", ""
    assert session.state.where == () and session.shown is None


@pytest.mark.parametrize("text", ["abc", "0,2", "nan", "1e", "--1"])
def test_what_is_no_number_leaves_the_limit_as_it_was_and_says_so(session, panel, text):
    choose(panel, "z")
    high = named(panel, "filter-high")
    high.value = "2e-1"
    assert session.state.where == ("z <= 0.2",)
    high.value = text
    assert session.state.where == ("z <= 0.2",) and high.value == "0.2"
    assert session.said == (f"{text!r} is no number such as 0.3 or 1e-3, so the limit stays as it was.", "error")
    high.value = "123456789.123456789"
    assert session.state.where == ("z <= 123456789.12345679",) and session.said == ("", "note")


def test_a_slider_gives_no_more_digits_than_one_sees(session, panel):
    choose(panel, "z")
    slide(panel, 0.1 + 0.2, 0.59)
    assert session.state.where == ("z >= 0.3",)


def test_a_range_of_the_address_is_shown(session, panel):
    session.change(where=("class == 'QSO'", "0.1 <= `2mass j` <= 12"))
    choose(panel, "2mass j")
    assert (named(panel, "filter-low").value, named(panel, "filter-high").value) == ("0.1", "12")
    named(panel, "filter-low").value = "11"
    assert session.state.where == ("class == 'QSO'", "11 <= `2mass j` <= 12")


def test_the_histogram_shows_who_is_left(session, panel):
    choose(panel, "z")
    quads = [one.data_source.data["top"].sum() for one in named(panel, "filter-histogram").renderers]
    assert quads == [59, 59]
    session.change(where=("z < 0.2",))
    assert [one.data_source.data["top"].sum() for one in named(panel, "filter-histogram").renderers] == [59, 19]


def test_classes_are_ticked(session, panel):
    choose(panel, "class")
    boxes = named(panel, "filter-boxes")
    assert boxes.labels == ['Barnard\'s "star" (20)', "QSO (20)", "(no value) (20)"]
    boxes.active = [0, 2]
    assert session.shown.sum() == 40 and not session.shown[0]
    boxes.active = [0]
    assert session.shown.tolist() == [row % 3 == 1 for row in range(N)]
    session.change(where=())
    assert boxes.active == []


def test_many_classes_are_a_list_whose_labels_are_text(session, panel):
    choose(panel, SCRIPT)
    assert not named(panel, "filter-boxes").visible
    choice = named(panel, "filter-classes")
    assert len(choice.options) == 20
    assert all("<" not in text for option in choice.options for text in option)
    choice.value = ["0", "3"]
    assert session.shown.sum() == 6


@pytest.mark.parametrize(("taken", "where", "count"), [([0], "not has_spectrum", 40), ([1], "has_spectrum", 20)])
def test_a_modality_is_yes_or_no(session, panel, taken, where, count):
    choose(panel, "has_spectrum")
    boxes = named(panel, "filter-boxes")
    assert boxes.labels == ["no (40)", "yes (20)"]
    boxes.active = taken
    assert session.state.where == (where,) and session.shown.sum() == count
    assert boxes.active == taken
    boxes.active = [0, 1]
    assert session.state.where == ()


def test_more_classes_than_can_be_listed_are_counted(session, panel, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.finding.class_filter.MOST_CHOICES", 50)
    choose(panel, "name")
    assert named(panel, "filter-classes-note").text.startswith("10 more classes are rarer")


def test_any_condition_is_added_to_the_others(session, panel):
    insert, field = named(panel, "filter-insert"), named(panel, "filter-expression")
    field.value = "z < 0.3 and"
    insert.value = "2mass j"
    assert field.value == "z < 0.3 and `2mass j`" and insert.value == ""
    field.value += " > 11"
    press(named(panel, "filter-add"))
    add(panel, "has_spectrum")
    assert session.state.where == ("z < 0.3 and `2mass j` > 11", "has_spectrum") and field.value == ""
    assert np.flatnonzero(session.shown).tolist() == list(range(11, 20))


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ("z > 99", ""),
        ("z < 9 and `class` == 'qso'", " No class is 'qso': is 'QSO' meant?"),
        (
            "`class` in ['Barnards star'] or z > 99 and class == ''",
            " No class is 'Barnards star': is 'Barnard\\'s \"star\"' meant?",
        ),
        ("name == 'xyz'", " No name is 'xyz'."),
    ],
)
def test_a_condition_after_which_nothing_is_left_says_what_may_be_meant(session, panel, condition, hint):
    add(panel, "z > 0.58")
    assert session.said == ("", "note")
    add(panel, condition)
    told = "No object fulfils all conditions; each is removed by its button above the map."
    assert not session.shown.any() and session.said == (told + hint, "note")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("", "Type a condition, such as z < 0.3"),
        ("zz > 1", "name 'zz' is not defined. There are the columns ra, dec, z, 2mass j"),
        ("z >", "it is no condition that can be read"),
        ("z", "expected a condition such as 'z > 0', found a value"),
        (f"`{SCRIPT}x` == 1", "is not defined"),
    ],
)
def test_what_cannot_be_read_is_said_and_changes_nothing(session, panel, condition, message):
    session.change(where=("z < 0.3",))
    add(panel, condition)
    assert session.said[1] == "error" and message in session.said[0]
    assert session.state.where == ("z < 0.3",)
    add(panel, "z > 0.1")
    assert session.said == ("", "note")


def test_a_small_selection_is_named_in_the_address(session, panel):
    button = named(panel, "filter-selection")
    assert button.disabled
    session.select(np.arange(N) >= 58)
    assert button.label == "Only the selection (2 objects)" and not button.disabled
    press(button)
    assert session.state.where == (f"object_id in {['obj-58', IMG]}",)
    assert session.shown.sum() == 2 and not named(panel, "filter-selection-note").visible


def test_a_large_selection_becomes_a_column_of_the_page(session, panel, monkeypatch):
    monkeypatch.setattr(filtering, "LONGEST", 100)
    session.select(np.arange(N) < 30)
    press(named(panel, "filter-selection"))
    assert session.state.where == ("selection_1",) and session.shown.sum() == 30
    assert "30 objects are too many for the address" in named(panel, "filter-selection-note").text
    session.select(np.arange(N) < 25)
    assert "25 objects" in only_selected(session)
    assert session.state.where == ("selection_1", "selection_2") and session.shown.sum() == 25
    assert "selection_1" in [name for name, _ in named(panel, "filter-column").options]


def test_without_a_selection_there_is_nothing_to_keep(session):
    with pytest.raises(ValueError, match="Nothing is selected: draw a lasso or a box on the map first"):
        only_selected(session)


def test_chips_say_and_remove_each_condition(session):
    row = filter_chips(session)
    assert not row.visible
    session.change(where=("z < 0.3", f"`{SCRIPT}` != 'x'"))
    count, first, second, clear = row.children
    assert count.text == "29 of 60 objects shown"
    assert (first.label, clear.label) == ("✕ z < 0.3", "✕ Clear all")
    assert second.label.startswith("✕ `<script>") and second.label.endswith("…")
    press(first)
    assert session.state.where == (f"`{SCRIPT}` != 'x'",) and len(row.children) == 2
    session.change(where=("z < 0.3", "z > 0.1"))
    press(row.children[-1])
    assert session.state.where == () and not row.visible


def test_columns_of_the_page_go_with_what_needs_them(session, panel):
    session.add_columns(Column("mine", "", lambda: np.arange(N) * 1.0, False))
    choose(panel, "mine")
    named(panel, "filter-low").value = "50"
    session.change(colour="mine", plane="mine|z", where=(*session.state.where, "z > 0.1"))
    assert session.shown.sum() == 10
    session.remove_columns("mine")
    assert session.state.where == ("z > 0.1",) and session.state.colour == session.state.plane == ""
    assert named(panel, "filter-column").value == "" and "mine" not in session.columns
    session.remove_columns("mine", "z")
    assert "z" in session.columns


def test_a_condition_reads_only_the_columns_that_it_names(session, monkeypatch):
    class Unread(Column):
        @property
        def comparable(self):
            raise AssertionError(f"{self.name} is read")

    unread = {name: Unread(name, "", one.read, one.is_class) for name, one in session.space.columns.items()}
    unread["z"] = session.space.columns["z"]
    monkeypatch.setattr(session.space, "columns", unread)
    session.change(where=("z > 0.3 and '2mass j' != 'ra'",))
    assert session.shown.sum() == 29


def test_a_space_of_ids_alone_can_be_filtered(tmp_path):
    from astroclip_kit.embeddings import EmbeddingStore

    session = Session(Space(EmbeddingStore.write(tmp_path / "bare", {"image": np.eye(3)}, ["a", "b", "c"])))
    panel = filter_panel(session)
    assert [name for name, _ in named(panel, "filter-column").options] == ["", "has_image"]
    add(panel, "object_id != 'b'")
    assert session.shown.tolist() == [True, False, True]
