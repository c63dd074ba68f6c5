"""The spectrum of an object."""

import numpy as np
import pytest
from bokeh.events import RangesUpdate
from odd_objects import WAVELENGTH, odd_space, spectrum

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.objects.spectra import SpectrumView, band_around, drawn_spectrum, placed
from astroclip_kit.explorer.space import Space
from astroclip_kit.types import Modality

PEAK = 6564.61 * 1.1
H_ALPHA = "H\N{GREEK SMALL LETTER ALPHA}"


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


@pytest.fixture
def view(space):
    """The spectrum of the first object, at z = 0.1."""
    shown = SpectrumView(space, space.dataset.modalities["spectrum"])
    shown.show(0, spectrum(0))
    return shown


def names(view, kind):
    return {
        name: x for name, x in zip(view._marks[kind].data["name"], view._marks[kind].data["x"], strict=True) if name
    }


def test_flux_is_in_its_unit_over_wavelength_in_angstrom_with_the_gap_of_what_was_not_observed(view):
    line = view._line.data
    assert view.figure.yaxis[0].axis_label.text == "flux [10⁻¹⁷ erg/s/cm²/Å]"
    assert view.figure.xaxis[0].axis_label == "wavelength observed [Å]"
    assert line["x"][np.nanargmax(line["flux"])] == pytest.approx(PEAK, abs=6)
    gap = (line["x"] > WAVELENGTH[1005]) & (line["x"] < WAVELENGTH[1095])
    assert np.isnan(line["flux"][gap]).all() and np.isfinite(line["flux"][~gap]).mean() > 0.98


def test_the_band_is_one_standard_deviation_and_has_the_same_gap(view):
    band, flux = view._band.data, view._line.data["flux"]
    width = np.nanmax(band["y"][band["x"] < 5000]) - np.nanmin(band["y"][band["x"] < 5000])
    assert width == pytest.approx(2 * 0.2 / np.sqrt(3), rel=0.01)  # three pixels in one: errors of 1/sqrt(25)
    assert np.isnan(band["x"]).sum() == 1 and np.isfinite(flux).any()


def test_few_pixels_are_drawn_as_they_are_and_zooming_shows_each(view, space):
    modality = space.dataset.modalities["spectrum"]
    assert len(view._line.data["x"]) == 1000 < len(WAVELENGTH)
    part = slice(1500, 1600)
    view.figure._trigger_event(RangesUpdate(view.figure, x0=WAVELENGTH[1500], x1=WAVELENGTH[1599]))
    inside = np.isin(view._line.data["x"], WAVELENGTH[part])
    assert inside.sum() == 100 and len(inside) <= 103
    short = drawn_spectrum(spectrum(0), modality, *WAVELENGTH[[1500, 1599]])
    assert short[2] == pytest.approx(0.2)


def test_lines_lie_where_the_redshift_puts_them_and_at_rest_where_they_are_at_rest(view):
    assert names(view, 0)[H_ALPHA] == pytest.approx(PEAK) and names(view, 1)["Mg b"] == pytest.approx(5176.7 * 1.1)
    view._frame.active = 1
    line = view._line.data
    assert names(view, 0)[H_ALPHA] == pytest.approx(6564.61)
    assert line["x"][np.nanargmax(line["flux"])] == pytest.approx(6564.61, abs=6)
    assert view.figure.xaxis[0].axis_label == "wavelength at rest [Å]"
    assert view.figure.x_range.end == pytest.approx(9050 / 1.1) == view.figure.x_range.reset_end


def test_lines_can_be_switched_off_by_kind(view):
    view._kinds.active = [1]
    assert not names(view, 0) and names(view, 1)
    view._kinds.active = []
    assert not view._marks[1].data["x"]


def test_the_note_says_which_column_and_which_wavelengths(view):
    assert "z = 0.1 (column z)" in view._note.text and "vacuum" in view._note.text


def test_without_a_redshift_no_line_is_marked_and_there_is_nothing_to_switch(space, view):
    view._frame.active = 1
    view.show(2, spectrum(2))  # its z is missing
    assert not view._frame.visible and not view._kinds.visible and view._frame.active == 0
    assert not names(view, 0) and "No redshift" in view._note.text
    assert view.figure.x_range.end == pytest.approx(9050)


def test_lines_of_the_night_stay_where_they_were_observed(view):
    assert not names(view, 2)
    view._sky.active = True
    assert names(view, 2)["A band"] == pytest.approx(7595.8)
    view._frame.active = 1
    assert names(view, 2)["A band"] == pytest.approx(7595.8 / 1.1)
    view.show(2, spectrum(2))  # of an object whose z is missing
    assert names(view, 2)["A band"] == pytest.approx(7595.8)


def test_a_star_has_no_forbidden_lines_and_a_velocity(tmp_path, space):
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(2)}, ["a", "b"], labels={"z": [1e-4, 0.1]})
    shown = SpectrumView(Space(store), space.dataset.modalities["spectrum"])
    shown.show(0, spectrum(0))
    assert H_ALPHA in names(shown, 0) and not any("[" in name for name in names(shown, 0))
    assert "(column z, 30 km/s)" in shown._note.text
    shown.show(1, spectrum(0))
    assert "[S II]" in names(shown, 0) and "km/s" not in shown._note.text


def test_the_axis_is_as_long_as_what_was_observed(view):
    part = spectrum(0)
    part[1, :1500] = 0
    view.show(0, part)
    assert 6400 < view.figure.x_range.start < 6500 and view.figure.x_range.end > 9000


def test_tiny_fluxes_have_their_power_of_ten_in_the_title_of_the_axis(space):
    plain = Modality("flux", "spectrum", ("flux",), (1, 3000), "", tuple(WAVELENGTH))
    shown = SpectrumView(Space(space.store), plain)
    shown.show(0, spectrum(0)[:1] * 2e-16)
    assert shown.figure.yaxis[0].axis_label.text == "flux [10⁻¹⁶]" and 10 < shown.figure.y_range.end < 20
    assert np.nanmedian(shown._line.data["flux"]) == pytest.approx(2, rel=0.01)
    shown.show(0, spectrum(0)[:1])
    assert shown.figure.yaxis[0].axis_label.text == "flux"


def test_what_else_is_known_of_a_spectrum_is_told(space):
    channels = ("flux", "ivar", "phase_day")
    dated = Modality("spectrum", "spectrum", channels, (3, 3000), "", tuple(WAVELENGTH))
    shown = SpectrumView(space, dated)
    shown.show(0, np.concatenate([spectrum(0), np.full((1, 3000), -3.25, np.float32)]))
    assert "phase_day -3.25." in shown._note.text
    shown.show(0, np.concatenate([spectrum(0), np.full((1, 3000), np.nan, np.float32)]))
    assert "phase_day" not in shown._note.text


def test_a_single_cosmic_ray_does_not_rule_the_range(space):
    flux = spectrum(0)
    flux[0, 2000] = 1e6
    shown = SpectrumView(space, space.dataset.modalities["spectrum"])
    shown.show(0, flux)
    assert shown.figure.y_range.end < 20


def test_spectra_without_errors_and_of_nothing_are_drawn_without_a_band(space):
    plain = Modality("flux", "spectrum", ("flux",), (1, 3000), "", tuple(WAVELENGTH))
    shown = SpectrumView(Space(space.store), plain)
    shown.show(0, spectrum(0)[:1])
    assert len(shown._band.data["x"]) == 0 and np.isfinite(shown._line.data["flux"]).all()
    shown.show(0, np.full((1, 3000), np.nan, np.float32))
    assert np.isnan(shown._line.data["flux"]).all()
    assert shown.figure.yaxis[0].axis_label.text == "flux"


def test_a_band_is_outlined_piece_by_piece():
    x, y = band_around(np.arange(5.0), np.array([0.0, 0, np.nan, 1, 1]), np.full(5, 0.5))
    assert np.array_equal(x, [0, 1, 1, 0, np.nan, 3, 4, 4, 3], equal_nan=True)
    assert np.array_equal(y, [0.5, 0.5, -0.5, -0.5, np.nan, 1.5, 1.5, 0.5, 0.5], equal_nan=True)


def test_names_keep_apart_and_strong_lines_have_theirs_first():
    [found] = placed([[("[N II]", 500.0), (H_ALPHA, 501.0), ("A", 502.0), ("B", 800.0), ("out", 2000.0)]], 0, 1000)
    by_name = dict(zip(found["name"], found["y"], strict=True))
    assert {H_ALPHA, "A", "B"} <= set(by_name) and "[N II]" not in by_name and len(found["x"]) == 4
    assert by_name[H_ALPHA] != by_name["A"]
