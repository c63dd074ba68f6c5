"""Small pictures of objects."""

import io
from base64 import b64decode

import numpy as np
import pytest
from odd_objects import COUNT, odd_space
from PIL import Image

from astroclip_kit.explorer.objects import thumbnails
from astroclip_kit.explorer.objects.cutouts import MISSING
from astroclip_kit.explorer.objects.periods import Period
from astroclip_kit.explorer.objects.thumbnails import picture, thumbnail, thumbnail_url
from astroclip_kit.explorer.space import Space
from astroclip_kit.types import Modality

WHITE = np.array([255, 255, 255, 255])


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


def inked(picture):
    """Which pixels are drawn on [H, W]."""
    return (picture != WHITE).any(axis=2)


def test_a_cutout_shows_its_source_in_the_middle_and_north_at_the_top(space):
    picture = thumbnail(space, 0, "image", 64).astype(int)
    assert picture.shape == (64, 64, 4) and (picture[..., 3] == 255).all()
    assert picture[28:36, 28:36, :3].mean() > 3 * picture[:8, :8, :3].mean()
    view = np.zeros((3, 32, 32), np.float32)
    view[:, 28:, :] = 5.0  # the last rows are up
    space.view, kept = lambda row, name: view, space.view
    try:
        bright = thumbnail(space, 0, "image", 32)[..., :3].mean(axis=(1, 2))
    finally:
        space.view = kept
    assert bright[:4].min() > bright[4:].max()


def test_a_spectrum_is_a_line_with_its_peak_where_the_line_is_and_a_gap_where_nothing_was_observed(space):
    drawn = inked(thumbnail(space, 0, "spectrum", 100))
    top = drawn.argmax(axis=0)
    peak = round((6564.61 * 1.1 - 4000) / 5000 * 100)
    assert abs(int(np.where(drawn.any(axis=0), top, 100).argmin()) - peak) <= 1
    assert not drawn[:, 35:36].any() and drawn[:, 10:30].any(axis=0).all()


def test_the_spectrum_of_who_asks_is_drawn_faintly_beneath(space):
    own, other = thumbnail(space, 0, "spectrum", 100), space.view(0, "spectrum").copy()
    other[0] = np.linspace(0, 1, other.shape[1])
    both = thumbnail(space, 0, "spectrum", 100, other)
    assert (both[inked(own)] == own[inked(own)]).all() and (both[..., 3] == 255).all()
    below = inked(both) & ~inked(own)
    assert below.sum() > 50 and both[below].min() > 120  # grey
    assert (both[below][:, 0] == both[below][:, 2]).all()
    assert np.array_equal(thumbnail(space, 0, "image", 32, other), thumbnail(space, 0, "image", 32))


def test_a_cutout_that_is_wider_than_high_is_not_squashed():
    view = np.zeros((1, 10, 40), np.float32)
    view[0, 3:7, 18:22] = 1.0
    modality = Modality("image", "image", ("r",), (1, 10, 40))
    drawn = picture(view, modality, 80)[..., :3].astype(int)
    bright = drawn.mean(axis=2) > 200
    height, width = np.ptp(np.nonzero(bright)[0]) + 1, np.ptp(np.nonzero(bright)[1]) + 1
    assert abs(height - width) <= 1 and (drawn[:20] == MISSING).all()


def test_a_light_curve_is_points_of_two_colours_folded_by_its_period_and_upside_down_in_magnitudes(space):
    picture = thumbnail(space, 0, "lightcurve", 96)
    drawn = inked(picture)
    assert 0.01 < drawn.mean() < 0.4
    assert len(np.unique(picture[drawn].reshape(-1, 4), axis=0)) > 2
    blue = (picture[..., 2] > 150) & (picture[..., 0] < 60)  # the first band, a magnitude brighter
    orange = (picture[..., 0] > 180) & (picture[..., 2] < 60)
    assert np.nonzero(blue)[0].mean() < np.nonzero(orange)[0].mean()


def test_a_period_that_no_catalogue_has_is_looked_for_where_that_is_asked(space, monkeypatch):
    asked = []
    monkeypatch.setattr(thumbnails, "period_of", lambda *given, measure: asked.append(measure) or Period(2.0))
    assert thumbnail_url(space, 0, "lightcurve", 48, measure=True) == thumbnail_url(space, 0, "lightcurve", 48)
    assert asked == [True, False]


def test_what_an_object_lacks_and_a_table_have_no_picture(space):
    assert thumbnail(space, COUNT - 1, "spectrum") is None
    assert thumbnail(space, 0, "table") is None
    assert thumbnail(Space(space.store), 0, "image") is None
    assert thumbnail_url(space, COUNT - 1, "spectrum") == ""


def test_a_spectrum_and_a_light_curve_of_nothing_are_empty(space):
    nothing = {"spectrum": np.full((2, 3000), np.nan, np.float32), "lightcurve": np.full((3, 4), np.nan, np.float32)}
    space.view, kept = lambda row, name: nothing[name], space.view
    try:
        assert not any(inked(thumbnail(space, 0, name)).any() for name in nothing)
    finally:
        space.view = kept


def test_the_address_holds_the_same_picture(space):
    url = thumbnail_url(space, 0, "lightcurve", 48)
    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    assert np.array_equal(Image.open(io.BytesIO(b64decode(data))), thumbnail(space, 0, "lightcurve", 48))


def test_few_points_are_drawn_larger():
    rows = np.stack([np.linspace(0, 10, 40), np.tile([15.0, 16.0], 20), np.full(40, 0.1), np.zeros(40)], axis=1)
    modality = Modality("lc", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", (), ("g",))
    many, few = (inked(picture(view.astype(np.float32), modality, 64)).sum() for view in (rows, rows[:4]))
    assert few / 4 > 2 * many / 40


def test_a_small_cutout_that_was_filled_up_fills_its_picture():
    small = np.random.default_rng(0).normal(size=(1, 24, 24)).astype(np.float32)
    modality = Modality("image", "image", ("F814W",), (1, 64, 64))
    padded = np.pad(small, ((0, 0), (20, 20), (20, 20)), constant_values=np.nan)
    assert not (picture(padded, modality, 48)[..., :3] == MISSING).all(axis=2).any()
    assert (picture(np.full((1, 64, 64), np.nan, np.float32), modality, 48)[..., :3] == MISSING).all()
