"""One bad pixel does not change how the others of an image are drawn."""

import numpy as np
import pytest

from astroclip_kit.report.figures.views import colour_image, stretched

BANDS = {"one": ("w1",), "two": ("a", "b"), "false colour": ("a", "b", "c"), "the viewer's": ("g", "r", "z")}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", BANDS)
def test_a_pixel_that_is_no_number_has_no_say_in_the_stretch(kind, bad):
    bands = BANDS[kind]
    view = np.random.default_rng(0).normal(size=(len(bands), 20, 20)).astype("f4")
    drawn = colour_image(view, bands)
    view[:, 10, 10] = bad
    again = colour_image(view, bands)
    others = np.ones((20, 20), bool)
    others[10, 10] = False
    assert np.isfinite(again).all() and len(np.unique(again)) > 100
    assert np.abs(again[others] - drawn[others]).max() < 0.05


def test_without_a_single_number_an_image_is_black():
    assert not stretched(np.full((4, 4), np.inf, "f4")).any()
