"""The map without a browser: what is drawn, taken, looked at and said."""

import numpy as np
import pytest
from bokeh.events import ButtonClick, PanStart, RangesUpdate, SelectionGeometry, Tap

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.map import panel as module
from astroclip_kit.explorer.map.colours import Colouring
from astroclip_kit.explorer.map.drawing import draw
from astroclip_kit.explorer.map.figure import map_figure
from astroclip_kit.explorer.map.panel import map_panel
from astroclip_kit.explorer.map.points import Points
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

N = 100
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture
def store(tmp_path):
    labels = {
        "x": np.arange(N) % 10,
        "y": np.arange(N) // 10,
        "z": np.where(np.arange(N) < 7, np.nan, np.linspace(0, 1, N)),
        "kind": np.array(["A", "B", HOSTILE, ""])[np.arange(N) % 4],
    }
    vectors = {"image": np.random.default_rng(0).normal(size=(N, 4))}
    return EmbeddingStore.write(
        tmp_path / "space", vectors, [f"o{i}" for i in range(N)], labels=labels, values={"units": {"z": "Mpc"}}
    )


@pytest.fixture
def session(store):
    session = Session(Space(store))
    session.change(plane="x|y")
    return session


@pytest.fixture
def panel(session):
    return map_panel(session)


def named(panel, name):
    return panel.select_one({"name": name})


def lasso(panel, outline, kind="poly", final=True, **keys):
    plot = named(panel, "map")
    plot._trigger_event(PanStart(plot, modifiers={"shift": False, "ctrl": False, "alt": False, **keys}))
    plot._trigger_event(SelectionGeometry(plot, {"type": kind, **outline}, final))


def box(x0, x1, y0, y1):
    return {"x0": x0, "x1": x1, "y0": y0, "y1": y1}


def selected(session):
    return [] if session.selection is None else np.flatnonzero(session.selection).tolist()


def test_few_objects_are_points_with_ids_and_many_a_picture(session, panel):
    points = named(panel, "points").data
    assert list(points["id"]) == [f"o{i}" for i in range(N)] and list(points["x"][:3]) == [0, 1, 2]
    assert named(panel, "picture").data["image"] == []
    assert "100 of 100 objects in view" in named(panel, "map_status").text
    session.space.points = N - 1
    named(panel, "map")._trigger_event(RangesUpdate(named(panel, "map")))
    assert len(named(panel, "points").data["x"]) == 0
    picture = named(panel, "picture").data
    assert picture["image"][0].dtype == np.uint32 and picture["image"][0].any()
    assert picture["x"][0] == named(panel, "map").x_range.start
    assert "as a picture of their density" in named(panel, "map_status").text


def test_axes_have_the_names_and_ranges_of_the_plane(session, panel):
    plot = named(panel, "map")
    assert (plot.xaxis[0].axis_label.text, plot.yaxis[0].axis_label.text) == ("x", "y")
    session.change(plane="z|y")
    assert plot.xaxis[0].axis_label.text == "z [Mpc]" and 1 < plot.x_range.end < 1.1
    assert plot.x_range.reset_end == plot.x_range.end
    assert "7 objects have no z or y" in named(panel, "map_status").text


def test_zooming_in_draws_what_is_in_view(panel):
    plot = named(panel, "map")
    plot.x_range.update(start=-0.5, end=1.5)
    plot._trigger_event(RangesUpdate(plot))
    assert "20 of 100 objects in view" in named(panel, "map_status").text
    plot.x_range.update(start=50, end=60)
    plot._trigger_event(RangesUpdate(plot))
    assert "the round arrow beside the map shows all" in named(panel, "map_status").text


def test_where_the_filter_hides_all_no_other_view_is_promised(session, panel):
    session.change(where=("z > 1e9",))
    assert "0 of 100 objects in view: none fulfils the conditions" in named(panel, "map_status").text


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


@pytest.fixture
def waiting(session, panel, monkeypatch):
    """Work that is under way: what finishes the first of it when it is called."""
    jobs = []
    monkeypatch.setattr(session, "work", lambda job, then, title="", lane="": jobs.append((job, then)))

    def finish(number=0):
        job, then = jobs.pop(number)
        session.guarded(lambda: then(job()))

    finish.jobs = jobs
    return finish


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


def test_what_was_wanted_while_the_map_was_drawn_is_drawn_next_even_after_a_failure(
    session, panel, waiting, monkeypatch
):
    monkeypatch.setattr(module, "draw", lambda *parts: (_ for _ in ()).throw(InputError("column kind is damaged.")))
    session.change(where=("x < 5",))
    session.change(where=("x < 2",))
    session.change(where=("x < 3",))
    assert len(waiting.jobs) == 1
    waiting()
    assert session.said == ("column kind is damaged.", "error") and len(waiting.jobs) == 1
    monkeypatch.undo()
    waiting.jobs[0][1](waiting.jobs[0][0]())
    assert "30 of 100 objects in view" in named(panel, "map_status").text


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


def test_who_is_looked_at_from_elsewhere_comes_into_view(session, panel):
    plot = named(panel, "map")
    plot.x_range.update(start=-0.5, end=1.5)
    session.look_at(9)
    assert (plot.x_range.start, plot.x_range.end) == (8, 10)
    session.change(plane="z|y")
    assert "o9" not in session.said[0]
    session.look_at(3)
    assert session.said[0] == "o3 has no place on this map: no z or y."
    assert len(named(panel, "focus").data["x"]) == 0
    session.look_at(-1)
    assert len(named(panel, "focus").data["x"]) == 0


def test_colours_have_a_bar_or_a_legend(session, panel):
    bar, legend = named(panel, "colour_bar"), named(panel, "legend")
    session.change(colour="")
    assert not bar.visible and not legend.visible
    session.change(colour="z")
    assert bar.visible and bar.title.text == "z [Mpc]" and 0.07 < bar.color_mapper.low < 0.1
    assert "7 without z are grey" in named(panel, "map_status").text
    assert named(panel, "points").data["value"][:8] == ["unknown"] * 7 + ["0.07071 Mpc"]
    session.change(colour="kind")
    assert not bar.visible and legend.visible
    assert "&lt;script&gt;" in legend.text and "<script" not in legend.text and "unknown (25)" in legend.text
    assert len(set(named(panel, "points").data["marker"])) == 3
    with pytest.raises(UsageError, match="no column 'nothing'"):
        session.change(colour="nothing")


def test_what_a_filter_leaves_out_is_behind_the_points(session, panel):
    session.change(where=("x < 2",))
    assert len(named(panel, "points").data["x"]) == 20 and len(named(panel, "picture").data["image"]) == 1
    assert "20 of 100 objects in view" in named(panel, "map_status").text


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


def test_a_picture_tells_fewer_classes_than_points_do(session, panel):
    kinds = np.array(list("ABCDEFGHI"))[np.arange(N) % 9]
    session.add_columns(Column("nine", "", lambda: kinds, True))
    session.change(colour="nine")
    assert "others" not in named(panel, "legend").text and "I</span>" in named(panel, "legend").text
    session.space.points = N - 1
    named(panel, "map")._trigger_event(RangesUpdate(named(panel, "map")))
    assert "3 other classes" in named(panel, "legend").text


def test_a_plane_that_there_is_not_changes_nothing(session, panel):
    with pytest.raises(UsageError, match="no map 'umap:image'"):
        session.change(plane="umap:image")
    assert session.state.plane == "x|y"


def test_a_space_without_two_dimensions_says_so_and_shows_columns(tmp_path):
    store = EmbeddingStore.write(tmp_path / "flat", {"image": np.ones((5, 3))}, list("abcde"), labels={"z": range(5)})
    session = Session(Space(store))
    panel = map_panel(session)
    assert "all are the same" in session.said[0] and session.said[1] == "error"
    session.change(plane="z|z")
    assert "5 of 5 objects in view" in named(panel, "map_status").text


def test_ids_of_points_are_read_beside_the_page(session, monkeypatch):
    points = Points(map_figure(), session.space)
    plane = session.space.planes.open("x|y", session.columns)
    drawn = points.named(draw(plane, plane.frame, (80, 60), Colouring()))
    monkeypatch.setattr(type(session.space), "ids_of", lambda *_: pytest.fail("ids were read in the page's own turn"))
    points.show(drawn, None)
    assert points.source.data["id"] == [str(session.space.store.object_ids[row]) for row in drawn.rows]


def test_the_part_in_view_is_kept_and_taken_up(session, panel):
    plot = named(panel, "map")
    plot.x_range.update(start=-0.5, end=1.5)
    plot._trigger_event(RangesUpdate(plot))
    view = session.state.view
    assert view == (-0.5, 1.5, plot.y_range.start, plot.y_range.end)
    again = Session(session.space)
    again.change(plane="x|y", view=view)
    opened = named(map_panel(again), "map")
    assert (opened.x_range.start, opened.x_range.end) == (-0.5, 1.5) and opened.x_range.reset_end > 9
    opened.x_range.update(start=opened.x_range.reset_start, end=opened.x_range.reset_end)
    opened._trigger_event(RangesUpdate(opened))
    assert again.state.view == ()
    again.change(view=view)
    again.change(plane="z|y")
    assert again.state.view == () and opened.x_range.start == opened.x_range.reset_start


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


def test_a_bar_says_where_it_ends_before_the_values_do(session, panel):
    session.change(colour="z")
    bar = named(panel, "colour_bar")
    first, *middle, last = bar.ticker.ticks
    known = session.columns["z"].values
    assert np.nanmin(known) < first < min(middle) and max(middle) < last < np.nanmax(known)
    assert f"≤ {first:.3g}" in bar.formatter.code and f"≥ {last:.3g}" in bar.formatter.code
    session.change(colour="y")
    assert "≤" not in bar.formatter.code and bar.ticker.ticks[0] == 0 and bar.ticker.ticks[-1] == 9


def test_tools_have_names(panel):
    told = {tool.description for tool in named(panel, "map").tools if tool.description}
    assert "Lasso: draw around objects to select them" in told and "Show all again" in told


def test_numbers_that_stand_for_missing_take_no_part():
    values = np.array([1e308, -1e308, 1.0, 2.0, 3.0])
    colouring = Colouring(Column("z", "", lambda: values, False))
    assert colouring.missing == 2 and 1 <= colouring.span[0] < colouring.span[1] <= 3


def test_marks_of_several_lists_have_a_sign_each(session, panel):
    session.mark("neighbours", np.array([3, 5, 6]), {"image": np.array([6, 5]), "spectrum": np.array([5, 3])})
    marks, boxes = named(panel, "marks").data, named(panel, "marks_shown")
    assert marks["x"] == [6.0, 5.0, 5.0, 3.0] and marks["marker"] == ["diamond"] * 2 + ["circle"] * 2
    assert boxes.labels == ["neighbours 3: ◇ image, ○ spectrum"]
    session.change(where=("x > 4",))
    assert named(panel, "marks").data["x"] == [6.0, 5.0, 5.0] and boxes.labels[0].startswith("neighbours 2:")
    boxes.active = []
    assert named(panel, "marks").data["x"] == []
