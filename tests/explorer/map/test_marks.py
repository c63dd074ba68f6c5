"""Rows that other parts of the page mark on the map."""

import numpy as np
from lattice import N, named


def test_marks_and_pins_are_drawn_and_named(session, panel):
    session.mark("neighbours", np.array([5, 6]))
    session.mark("<b>bold", np.array([7]))
    session.pin("new", np.array([2.5, 2.5], np.float32))
    marks, boxes = named(panel, "marks").data, named(panel, "marks_shown")
    assert marks["x"] == [5.0, 6.0, 7.0] and len(set(marks["marker"])) == 2
    assert named(panel, "pins").data["x"].tolist() == [2.5]
    assert boxes.labels == ["◇ neighbours 2", "□ <b>bold 1", "☆ new"] and boxes.active == [0, 1, 2]
    session.mark("neighbours", None)
    assert named(panel, "marks").data["x"] == [7.0]


def test_marks_are_hollow_as_no_class_is(session, panel):
    session.mark("neighbours", np.arange(3))
    glyphs = {one.data_source.name: one.glyph for one in named(panel, "map").renderers}
    assert glyphs["marks"].fill_color is None and glyphs["focus"].fill_color is None
    assert glyphs["points"].line_color is None and glyphs["pins"].fill_color == "white"


def test_many_marks_are_small_and_leave_the_map_to_be_seen(session, panel):
    session.mark("few", np.arange(10))
    few = dict(named(panel, "marks").data)
    session.mark("few", np.tile(np.arange(N), 30))
    many = named(panel, "marks").data
    assert set(few["size"]) == {12.0} and set(few["halo"]) == {1.0}
    assert max(many["size"]) < 8 and set(many["halo"]) == {0.0} and len(many["x"]) == 30 * N
    assert max(many["opacity"]) < min(few["opacity"]) and max(many["width"]) < min(few["width"])


def test_marks_that_a_filter_leaves_out_are_neither_drawn_nor_counted(session, panel):
    session.mark("mine", np.arange(20))
    session.change(where=("y == 1",))
    assert named(panel, "marks").data["y"] == [1.0] * 10 and named(panel, "marks_shown").labels == ["□ mine 10"]
    session.change(where=())
    assert len(named(panel, "marks").data["x"]) == 20 and named(panel, "marks_shown").labels == ["□ mine 20"]


def test_marks_are_hidden_by_their_boxes_and_stay_so(session, panel):
    boxes = named(panel, "marks_shown")
    assert not boxes.visible
    session.mark("neighbours", np.array([5, 6]))
    session.mark("mine", np.array([7]))
    session.pin("new", np.array([2.5, 2.5], np.float32))
    boxes.active = [1]
    assert named(panel, "marks").data["x"] == [7.0] and len(named(panel, "pins").data["x"]) == 0
    session.mark("neighbours", np.array([8, 9]))  # of another object
    assert boxes.labels == ["□ mine 1", "◇ neighbours 2", "☆ new"] and boxes.active == [0]
    assert named(panel, "marks").data["x"] == [7.0]
    boxes.active = [0, 1]
    assert named(panel, "marks").data["x"] == [7.0, 8.0, 9.0]
    for name in ("neighbours", "mine"):
        session.mark(name, None)
    session.pin("new", None)
    assert not boxes.visible


def test_of_very_many_marked_rows_some_are_drawn(session, panel):
    session.space.points = 30
    session.mark("overlay", np.arange(N))
    assert len(named(panel, "marks").data["x"]) == 25
    assert named(panel, "marks_shown").labels == ["□ overlay 25 of 100"]


def test_marks_of_several_lists_have_a_sign_each(session, panel):
    session.mark("neighbours", np.array([3, 5, 6]), {"image": np.array([6, 5]), "spectrum": np.array([5, 3])})
    marks, boxes = named(panel, "marks").data, named(panel, "marks_shown")
    assert marks["x"] == [6.0, 5.0, 5.0, 3.0] and marks["marker"] == ["diamond"] * 2 + ["circle"] * 2
    assert boxes.labels == ["neighbours 3: ◇ image, ○ spectrum"]
    session.change(where=("x > 4",))
    assert named(panel, "marks").data["x"] == [6.0, 5.0, 5.0] and boxes.labels[0].startswith("neighbours 2:")
    boxes.active = []
    assert named(panel, "marks").data["x"] == []
