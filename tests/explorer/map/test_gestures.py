"""What lassos, boxes and clicks on the map take."""

import numpy as np
import pytest
from bokeh.events import ButtonClick, Tap
from lattice import N, box, lasso, named, selected


def test_a_lasso_selects_what_is_shown_within_it(session, panel):
    lasso(panel, {"x": [-0.5, 2.5, 2.5, -0.5], "y": [-0.5, -0.5, 0.5, 0.5]})
    assert selected(session) == [0, 1, 2]
    session.change(where=("x > 0",))
    lasso(panel, box(-0.5, 2.5, -0.5, 0.5), "rect")
    assert selected(session) == [1, 2]
    opacity = named(panel, "points").data["colour"][:, 3]
    assert opacity.max() > 200 and (opacity < 60).sum() == 88


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, [2, 3]),
        ({"shift": True}, [0, 1, 2, 3]),
        ({"ctrl": True}, [2]),
        ({"shift": True, "ctrl": True}, [0, 1]),
    ],
)
def test_keys_add_to_the_selection_or_take_away(session, panel, keys, expected):
    lasso(panel, box(-0.5, 2.5, -0.5, 0.5), "rect")
    lasso(panel, box(1.5, 3.5, -0.5, 0.5), "rect", **keys)
    assert selected(session) == expected


@pytest.mark.parametrize("mode", ["append", "intersect", "subtract"])
def test_without_a_selection_only_adding_selects(session, panel, mode):
    named(panel, "rect").mode = mode
    lasso(panel, box(-0.5, 1.5, -0.5, 0.5), "rect")
    assert selected(session) == ([0, 1] if mode == "append" else [])


def test_a_lasso_around_nothing_and_one_under_way(session, panel):
    lasso(panel, box(-0.5, 1.5, -0.5, 0.5), "rect")
    lasso(panel, box(5.5, 7.5, -0.5, 0.5), "rect", final=False)
    assert selected(session) == [0, 1]
    lasso(panel, box(0.2, 0.4, 0.2, 0.4), "rect")
    assert selected(session) == [] and session.said == ("No object is selected.", "note")


def test_a_gesture_adds_to_what_one_still_under_way_takes(session, panel, waiting):
    lasso(panel, box(-0.5, 1.5, -0.5, 0.5), "rect")
    lasso(panel, box(4.5, 6.5, -0.5, 0.5), "rect", shift=True)
    waiting()
    waiting()
    assert selected(session) == [0, 1, 5, 6]


def test_what_is_cleared_stays_so_while_a_gesture_is_under_way(session, panel, waiting):
    session.select(np.arange(N) < 2)
    waiting()  # draws it
    lasso(panel, box(4.5, 6.5, -0.5, 0.5), "rect", shift=True)
    session.select(None)
    waiting()
    assert selected(session) == []
    waiting()
    lasso(panel, box(5.2, 5.4, -0.5, 0.5), "rect")  # takes nothing, and what is drawn next is no less taken for it
    lasso(panel, box(4.5, 6.5, -0.5, 0.5), "rect")
    waiting()
    waiting()
    assert selected(session) == [5, 6]


def test_objects_on_the_edge_of_a_box_are_within_it(session, panel):
    for corners in (box(2, 5, 0, 1), box(5, 2, 1, 0)):
        lasso(panel, corners, "rect")
        assert selected(session) == [2, 3, 4, 5, 12, 13, 14, 15]


def test_the_selection_is_cleared_by_its_button(session, panel):
    clear = named(panel, "clear")
    assert not clear.visible
    lasso(panel, box(-0.5, 1.5, -0.5, 0.5), "rect")
    assert clear.visible
    clear._trigger_event(ButtonClick(clear))
    assert session.selection is None and not clear.visible


def test_a_click_looks_at_the_nearest_shown_object(session, panel):
    plot = named(panel, "map")
    plot._trigger_event(Tap(plot, x=3.02, y=1.01))
    assert session.state.focus == "o13"
    assert named(panel, "focus").data["x"].tolist() == [3.0]
    plot._trigger_event(Tap(plot, x=3.5, y=1.5))
    assert session.state.focus == "o13"  # nothing is there
    session.change(where=("x != 4",))
    plot._trigger_event(Tap(plot, x=4, y=1))
    assert session.state.focus == "o13"


def test_a_click_beside_all_objects_and_the_first_steps_are_told(session, panel):
    hint = named(panel, "map_hint")
    assert hint.visible and "Click an object" in hint.text
    plot = named(panel, "map")
    plot._trigger_event(Tap(plot, x=4.5, y=4.5))
    assert "There is no object where you clicked" in session.said[0] and hint.visible
    plot._trigger_event(Tap(plot, x=4, y=4))
    assert session.state.focus == "o44" and not hint.visible


def test_the_next_gesture_does_what_was_chosen(session, panel):
    lasso(panel, box(-0.5, 2.5, -0.5, 0.5), "rect")
    session.gesture = "subtract"
    lasso(panel, box(-0.5, 0.5, -0.5, 0.5), "rect")
    assert selected(session) == [1, 2]
