"""How single views are drawn."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from astroclip_kit.report.figures import draw_view
from astroclip_kit.types import Modality


def drawn(view, bands):
    axes = Figure().subplots()
    draw_view(axes, view, Modality("image", "image", bands, view.shape, "nmgy", (1.375,)))
    return np.asarray(axes.images[0].get_array())


def source(flux, rng):
    """Noise of 1 with a source in the middle."""
    view = rng.standard_normal((32, 32)).astype(np.float32)
    view[14:18, 14:18] += flux
    return view


def test_bands_that_have_no_colours_are_drawn_in_false_ones_the_first_in_blue():
    rng = np.random.default_rng(0)
    view = np.stack([source(flux, rng) for flux in (100, 20, 0, 500)])
    red, green, blue = np.moveaxis(drawn(view, ("w1", "w2", "w3", "w4")), 2, 0)
    middle = slice(14, 18), slice(14, 18)
    assert blue[middle].mean() == pytest.approx(1, abs=0.05) and blue[:10].mean() < 0.35
    assert red[middle].mean() < green[middle].mean() and red[middle].mean() < 0.7  # noise stays dark


def test_one_or_two_bands_are_grey():
    view = np.stack([source(flux, np.random.default_rng(1)) for flux in (100, 20)])
    assert drawn(view, ("w1", "w2")).shape == drawn(view[:1], ("w1",)).shape == (32, 32)


def test_a_brighter_neighbour_does_not_black_out_the_object():
    view = source(100, np.random.default_rng(2))[None]
    view[:, 1:7, 1:7] += 5000
    assert drawn(view, ("w1",))[15:17, 15:17].mean() > 0.9


@pytest.mark.parametrize(("covariate", "number"), [("amplitude", 0.4), ("period", np.nan), ("period", -1.0)])
def test_a_light_curve_with_covariates_is_drawn_as_one_without(covariate, number):
    view = np.array([[0, 15, 0.1, 0, number], [1, 16, 0.1, 0, number]], np.float32)
    channels = ("time", "value", "error", "band", covariate)
    axes = Figure().subplots()
    draw_view(axes, view, Modality("curve", "lightcurve", channels, (-1, 5), "mag", bands=("V",)))
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), view[:, :2])
    assert axes.get_xlabel() == "time [days]"


def test_a_light_curve_that_knows_its_period_is_folded():
    view = np.array([[10, 15, 0.1, 0, 4], [15, 16, 0.1, 0, 4], [np.nan] * 5], np.float32)
    channels = ("time", "value", "error", "band", "period")
    axes = Figure().subplots()
    draw_view(axes, view, Modality("curve", "lightcurve", channels, (-1, 5), "mag", bands=("V",)))
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[0, 15], [0.25, 16], [1, 15], [1.25, 16]])
    assert axes.get_xlabel() == "phase (P = 4 d)"
