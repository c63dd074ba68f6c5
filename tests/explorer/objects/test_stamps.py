"""Stamps of one place that are no colours."""

import numpy as np
import pytest
from odd_objects import odd_space

from astroclip_kit.explorer.objects.cutouts import MISSING, cutout_rgba
from astroclip_kit.explorer.objects.panel import VIEWS
from astroclip_kit.explorer.objects.stamps import StampsView, are_stamps, stamp
from astroclip_kit.types import Modality

ALERTS = Modality("image", "image", ("science", "template", "difference"), (3, 32, 32), "", (1.01,))
COLOURS = Modality("image", "image", ("g", "r", "z"), (3, 32, 32), "", (0.26,))


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


def alert():
    """A star on a bright sky that has faded, beside a new one; a column is off the chip."""
    y, x = np.mgrid[:32, :32]
    star, new = (np.exp(-((x - at) ** 2 + (y - 16) ** 2) / 8) for at in (10, 22))
    noise = np.random.default_rng(0).standard_normal((3, 32, 32))
    view = np.stack([200 + 50 * new, 190 + 50 * star, 50 * new - 50 * star]) + 0.5 * noise
    view[:, :, 31] = np.nan
    return view.astype(np.float32)


def shown(view):
    """Grey of each stamp [C, H, W]."""
    images = (source.data["image"][0] for source in view._sources)
    return np.stack([one[..., None].view(np.uint8).reshape(*one.shape, 4) for one in images])


def test_stamps_are_told_from_colours_by_the_names_of_bands(space):
    assert are_stamps(ALERTS) and not are_stamps(COLOURS)
    assert isinstance(VIEWS["image"](space, ALERTS), StampsView)
    assert not isinstance(VIEWS["image"](space, COLOURS), StampsView)


def test_they_lie_beside_each_other_with_their_names_and_move_together(space):
    view = StampsView(space, ALERTS)
    assert [one.title.text.text for one in view.figures] == ["science", "template", "difference"]
    assert len({one.x_range.id for one in view.figures}) == len({one.y_range.id for one in view.figures}) == 1
    assert all(one.sizing_mode is None and one.frame_width == one.frame_height for one in view.figures)
    note = view.layout.select_one({"name": "orientation-image"}).text
    assert "Each is 32.3″ wide" in note and "orientation of this cutout is not recorded" in note
    assert "black fainter than before" in note
    view.point(0.0)
    assert "North is up, east to the left." in view.layout.select_one({"name": "orientation-image"}).text


def test_each_is_grey_what_faded_is_black_and_what_is_missing_is_neither(space):
    view = StampsView(space, ALERTS)
    view.show(0, alert())
    drawn = shown(view).astype(int)
    science, template, difference = drawn[..., 0]
    assert science[16, 22] > 240 > 120 > science[16, 10] and template[16, 10] > 240 > 120 > template[16, 22]
    assert difference[16, 22] > 240 and difference[16, 10] < 15
    assert 100 < np.median(difference[:8, :30]) < 155
    assert (drawn[:, :, 31, :3] == MISSING).all()


def test_a_small_picture_shows_the_first():
    assert np.array_equal(cutout_rgba(alert(), ALERTS), cutout_rgba(alert(), ALERTS, "science"))


def test_a_difference_of_nothing_is_even():
    assert np.isnan(stamp(np.full((4, 4), np.nan), "diff")).all()
    assert (stamp(np.zeros((4, 4)), "diff") == 0.5).all()
