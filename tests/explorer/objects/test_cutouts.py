"""The cutout of an object."""

import numpy as np
import pytest
from bokeh.models import Arrow, BasicTickFormatter
from odd_objects import image, odd_space

from astroclip_kit.explorer.objects.cutouts import MISSING, CutoutView, cutout_rgba, rgba
from astroclip_kit.types import Modality


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


def shown(view):
    """Colours [H, W, 4] that the page is sent, the lowest row first."""
    [packed] = view._source.data["image"]
    return packed[..., None].view(np.uint8).reshape(*packed.shape, 4)


def texts(view):
    return [one.data_source.data["text"][0] for one in view.figure.renderers if "text" in one.data_source.data]


def test_numbers_become_bytes_and_what_is_missing_has_its_own_colour():
    grey = rgba(np.array([[0.0, 0.5], [2.0, np.nan]]))
    assert grey[0, :, 0].tolist() == [0, 128] and grey[1, 0, 0] == 255 and (grey[..., 3] == 255).all()
    assert tuple(grey[1, 1, :3]) == MISSING


def test_padding_does_not_change_how_the_rest_is_stretched():
    modality = Modality("image", "image", ("F814W",), (1, 32, 32))
    small = 100 + image(0)[:1]  # with a background
    padded = np.pad(small, ((0, 0), (20, 20), (20, 20)), constant_values=np.nan)
    drawn = cutout_rgba(padded, Modality("image", "image", ("F814W",), (1, 72, 72)))
    assert (drawn[0, 0, :3] == MISSING).all() and (drawn[36, 36, :3] > 240).all()
    assert np.abs(drawn[20:52, 20:52].astype(int) - cutout_rgba(small, modality)).mean() < 20
    assert (cutout_rgba(np.full((1, 32, 32), np.nan), modality)[..., :3] == MISSING).all()
    assert rgba(np.zeros((2, 3, 3))).shape == (2, 3, 4)


def test_what_a_reader_filled_up_is_missing_by_its_inverse_variance():
    modality = Modality("image", "image", ("F814W", "ivar_F814W"), (2, 40, 40))
    view = np.pad(np.stack([100 + image(0)[0], np.ones((32, 32))]), ((0, 0), (4, 4), (4, 4))).astype(np.float32)
    drawn = cutout_rgba(view, modality)
    assert (drawn[:4, :, :3] == MISSING).all() and (drawn[20, 20, :3] > 240).all()
    assert (drawn[4:36, 4:36, 0] == drawn[4:36, 4:36, 2]).all()


def test_all_bands_are_in_colour_and_one_is_grey(space):
    view = CutoutView(space, space.dataset.modalities["image"])
    view.show(0, image(0))
    colours = shown(view)
    assert np.array_equal(colours, cutout_rgba(image(0), space.dataset.modalities["image"]))
    assert view.figure.title.text.text == "image: g, r, z"
    view._bands.value = "r"
    grey = shown(view)
    assert (grey[..., 0] == grey[..., 1]).all() and not np.array_equal(grey, colours)
    assert grey[16, 16, 0] > 200 and view.figure.title.text.text == "image: r"


def test_axes_and_the_bar_are_in_arcsec(space):
    view = CutoutView(space, space.dataset.modalities["image"])
    assert (view.figure.x_range.start, view.figure.y_range.end) == (-8, 8)  # 32 pixels of 0.5
    assert "2″" in texts(view)
    [bar, *_] = [
        one.data_source.data["x"] for one in view.figure.renderers if len(one.data_source.data.get("x", ())) == 2
    ]
    assert np.ptp(bar) == pytest.approx(2)
    labels = [one.axis_label for one in (*view.figure.xaxis, *view.figure.yaxis)]
    assert labels == ["offset x [arcsec]", "offset y [arcsec]"]


def test_without_a_pixel_scale_there_is_no_bar_and_axes_are_in_pixels(space):
    view = CutoutView(space, Modality("image", "image", ("w1",), (1, 10, 20)))
    view.show(0, np.ones((1, 10, 20), np.float32))
    assert "″" not in "".join(texts(view)) and view.figure.xaxis[0].axis_label == "offset x [pixels]"
    assert view.figure.frame_width == 2 * view.figure.frame_height and not view._bands.visible


def pointers(view):
    """Where the arrows point to, north first, if they are to be seen."""
    arrows = [view.figure.select_one({"type": Arrow, "name": name}) for name in ("N", "E")]
    return [(one.x_end - one.x_start, one.y_end - one.y_start) for one in arrows if one.visible]


def ends(view):
    arrows = view.figure.select({"type": Arrow})
    return np.array([[(one.x_start, one.y_start), (one.x_end, one.y_end)] for one in arrows])


def labels(view):
    return [one.axis_label for one in (*view.figure.xaxis, *view.figure.yaxis)]


def test_north_and_east_are_marked_only_where_they_are_known(space):
    view = CutoutView(space, space.dataset.modalities["image"])
    note = view.layout.select_one({"name": "orientation-image"})
    assert not pointers(view) and note.visible
    assert note.text == "The orientation of this cutout is not recorded."
    view.point(0.0)
    np.testing.assert_allclose(pointers(view), [(0, 2.24), (-2.24, 0)], atol=1e-9)
    assert labels(view) == ["offset east [arcsec]", "offset north [arcsec]"] and not note.visible
    assert "0 - tick" in view.figure.xaxis[0].formatter.code  # east, on the left, is positive
    view.point(np.nan)
    assert not pointers(view) and note.visible and labels(view) == ["offset x [arcsec]", "offset y [arcsec]"]
    assert isinstance(view.figure.xaxis[0].formatter, BasicTickFormatter)


@pytest.mark.parametrize(("north", "side"), [(30.0, "left"), (-30.0, "right"), (90.0, "left"), (180.0, "left")])
def test_the_compass_turns_with_the_image_and_stays_inside(space, north, side):
    view = CutoutView(space, space.dataset.modalities["image"])
    view.point(north)
    angle = np.radians(north)
    to_north, to_east = np.array(pointers(view)) / 2.24
    np.testing.assert_allclose(to_north, [-np.sin(angle), np.cos(angle)], atol=1e-9)
    np.testing.assert_allclose(to_east, [-np.cos(angle), -np.sin(angle)], atol=1e-9)
    assert (np.abs(ends(view)) < 8).all() and labels(view) == ["offset x [arcsec]", "offset y [arcsec]"]
    told = view.layout.select_one({"name": "orientation-image"})
    assert told.visible and told.text.startswith(f"North is {abs(north):g}° to the {side} of up")
