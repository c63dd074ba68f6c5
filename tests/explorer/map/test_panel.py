"""The map without a browser: what is drawn, coloured and said."""

import numpy as np
import pytest
from bokeh.events import RangesUpdate
from lattice import N, named

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
