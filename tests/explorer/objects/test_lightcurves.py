"""The light curve of an object."""

import math

import numpy as np
import pytest
from odd_objects import PERIOD, light_curve, odd_space

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.objects.lightcurves import LightCurveView
from astroclip_kit.explorer.objects.measured import measured
from astroclip_kit.explorer.objects.periods import Period, period_of
from astroclip_kit.explorer.space import Space
from astroclip_kit.types import Modality


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


@pytest.fixture
def view(space):
    shown = LightCurveView(space, space.dataset.modalities["lightcurve"])
    shown.show(0, light_curve(0))
    return shown


def points(view, band):
    return {key: np.asarray(values) for key, values in view._sources[band][0].data.items()}


def test_rows_without_a_measurement_are_left_out():
    rows = np.array([[np.nan] * 4, [5, 1, 0.1, 0], [7, np.nan, 0.1, 0], [6, 2, np.nan, 1]], np.float32)
    found = measured(rows)
    assert found.time.tolist() == [0, 1] and found.value.tolist() == [1, 2] and np.isnan(found.error[1])
    assert not len(measured(np.full((3, 4), np.nan, np.float32)).time)


def test_it_is_folded_over_two_periods_with_magnitudes_upside_down(view):
    assert view._way.active == 1 and view.figure.xaxis[0].axis_label == "phase (P = 2.5 d)"
    found = points(view, 0)
    assert len(found["x"]) == 40 and found["x"].max() < 2
    first = light_curve(0)[:, 0].min()
    assert found["y"] == pytest.approx(15 + np.sin(2 * np.pi * (found["x"] + first / PERIOD)), abs=1e-3)
    assert view.figure.y_range.start > view.figure.y_range.end
    assert view.figure.yaxis[0].axis_label.text == "brightness [mag]"


def test_switched_to_time_it_is_in_days_since_the_first(view):
    view._way.active = 0
    found = points(view, 0)
    assert len(found["x"]) == 20 and view.figure.xaxis[0].axis_label == "time [d] since the first"
    assert 20 < view.figure.x_range.end < 41


def test_errors_are_drawn_where_they_are_given(view):
    view._way.active = 0
    bars = [source.data for _, source in view._sources]
    assert [len(one["x"]) for one in bars] == [20, 19, 20]  # one of the second band has none
    assert (bars[0]["high"] - bars[0]["low"]) == pytest.approx(0.1, abs=1e-5)


def test_upper_limits_are_hollow_triangles_in_the_colour_of_their_band(view):
    glyphs = [one.glyph for one in view.figure.renderers if hasattr(one.glyph, "marker")]
    assert [one.marker for one in glyphs] == ["circle", "square", "inverted_triangle"]
    assert glyphs[2].fill_color is None and glyphs[2].line_color == glyphs[1].line_color != glyphs[0].line_color
    assert [item.label.value for item in view.figure.legend[0].items] == ["g", "r", "r, upper limit"]


def test_without_a_period_it_is_shown_in_time_and_says_so(view):
    view.show(1, light_curve(1)[:30])  # too few to measure one
    assert not view._way.visible and view._way.active == 0 and "No period is known" in view._note.text
    view.show(0, light_curve(0))
    assert view._way.visible and "40 measurements: 20 in g, 20 in r. Upper limits: 20 in r." in view._note.text


def test_the_period_of_the_light_curve_itself_comes_first_then_the_catalogue(space):
    channels = ("time", "value", "error", "band", "amplitude", "period")
    own = Modality("lightcurve", "lightcurve", channels, (-1, 6), "mJy", (), ("V",))
    rows = np.array([[0, 1, 0.1, 0, 0.5, 7.0]], np.float32)
    assert period_of(space, 0, own, rows) == Period(7, "the channel period of lightcurve")
    rows[0, 5] = np.nan
    of_catalogue = Period(PERIOD, "the column period of the catalogue")
    assert period_of(space, 0, own, rows) == of_catalogue
    assert math.isnan(period_of(space, 1, own, rows).days) and period_of(space, 0, own, rows[:0]) == of_catalogue


@pytest.mark.parametrize(("unit", "days"), [("h", 0.5), ("d", 12.0), ("", 12.0), ("m", math.nan), ("quux", math.nan)])
def test_a_period_of_another_unit_is_converted_or_none(tmp_path, unit, days):
    labels, units = {"period": [12.0, 1.0], "lag": [1.0, 2.0]}, {"period": unit}
    vectors, values = {"image": np.eye(2)}, {"units": units}
    store = EmbeddingStore.write(tmp_path / "s", vectors, ["a", "b"], labels=labels, values=values)
    plain = Modality("lc", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mJy", (), ("V",))
    found = period_of(Space(store), 0, plain, np.zeros((0, 4), np.float32))
    assert found.days == pytest.approx(days, nan_ok=True)


def test_fluxes_are_the_right_way_up_and_one_band_names_the_axis(space):
    shown = LightCurveView(
        space, Modality("lc", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mJy", (), ("V",))
    )
    shown.show(0, np.array([[0, 1, 0.1, 0], [1, 2, 0.1, 0]], np.float32))
    assert shown.figure.y_range.start < shown.figure.y_range.end and not shown.figure.legend[0].visible
    assert shown.figure.yaxis[0].axis_label.text == "V [mJy]"


def test_at_twice_the_period_each_half_is_seen_once(view):
    view._way.active = 2
    assert view.figure.xaxis[0].axis_label == "phase (P = 5 d)"
    assert len(points(view, 0)["x"]) == 40 and points(view, 0)["x"].max() < 2


def test_the_legend_names_what_the_object_has_of_many_bands_that_all_look_different(space):
    bands = tuple(f"b{number}" for number in range(20))
    many = Modality("lc", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", (), bands)
    shown = LightCurveView(space, many)
    shown.show(0, np.array([[0, 1, 0.1, 3], [1, 2, 0.1, 12]], np.float32))
    named = [item.label.value for item in shown.figure.legend[0].items if item.visible]
    assert named == ["b3", "b12"] and shown.figure.legend[0].visible
    glyphs = [one.glyph for one in shown.figure.renderers if hasattr(one.glyph, "marker")]
    assert len({(one.marker, one.line_color) for one in glyphs}) == len(bands)


def test_times_are_since_a_date_where_that_is_known(tmp_path, space):
    labels = {"time_zero_mjd": [58000.25, np.nan]}
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(2)}, ["a", "b"], labels=labels)
    shown = LightCurveView(Space(store), space.dataset.modalities["lightcurve"])
    rows = np.array([[1.5, 1, 0.1, 0], [2, 2, 0.1, 0]], np.float32)
    shown.show(0, rows)
    assert shown.figure.xaxis[0].axis_label == "time [d] since MJD 58001.75"
    shown.show(1, rows)
    assert shown.figure.xaxis[0].axis_label == "time [d] since the first"


def test_it_says_where_the_period_is_from(view):
    assert "The period is from the column period of the catalogue." in view._note.text
    view.show(1, light_curve(1)[:30])  # too few to measure one
    assert "The period is" not in view._note.text


def test_values_that_are_not_shown_are_counted(view):
    rows = light_curve(0)[np.arange(400) % 60]
    rows[0, 1] = 99
    view.show(0, rows)
    assert view.figure.y_range.start < 30 and "1 far from the others lies outside of the axis" in view._note.text
    rows[1, 1] = -99
    view.show(0, rows)
    assert "2 far from the others lie outside of the axis" in view._note.text


def test_all_values_are_on_the_axis_where_none_is_wild(view):
    rows = light_curve(0)[np.arange(1000) % 60]
    rows[:2, 1] = 14, 18
    view.show(0, rows)
    ends = view.figure.y_range
    assert ends.end < rows[:, 1].min() and rows[:, 1].max() < ends.start and "outside" not in view._note.text


def test_a_light_curve_without_a_measurement_is_empty(view):
    view.show(0, np.full((2, 4), np.nan, np.float32))
    assert not len(points(view, 0)["x"]) and "0 measurements: none" in view._note.text
