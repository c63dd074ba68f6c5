"""The cutout of an object."""

import numpy as np
import pytest
from bokeh.models import Arrow
from odd_objects import image, odd_space

from astroclip_kit.explorer.objects.cutouts import MISSING, CutoutView, cutout_rgba, rgba
from astroclip_kit.explorer.space import Space
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
    labels = [one.axis_label.text for one in (*view.figure.xaxis, *view.figure.yaxis)]
    assert labels == ["offset x [arcsec]", "offset y [arcsec]"]


def test_without_a_pixel_scale_there_is_no_bar_and_axes_are_in_pixels(space):
    view = CutoutView(space, Modality("image", "image", ("w1",), (1, 10, 20)))
    view.show(0, np.ones((1, 10, 20), np.float32))
    assert not texts(view) and view.figure.xaxis[0].axis_label.text == "offset x [pixels]"
    assert view.figure.frame_width == 2 * view.figure.frame_height and not view._bands.visible


def test_north_and_east_are_marked_only_where_they_are_known(space):
    modality = space.dataset.modalities["image"]
    unknown = CutoutView(space, modality)
    note = unknown.layout.select_one({"name": "orientation-image"})
    assert not unknown.figure.select({"type": Arrow})
    assert note.visible and note.text == "The orientation of this cutout is not recorded."
    space.dataset.manifest["north_up"] = ["image"]
    try:
        view = CutoutView(space, modality)
    finally:
        del space.dataset.manifest["north_up"]
    ends = {
        (round(one.x_end - one.x_start), round(one.y_end - one.y_start)) for one in view.figure.select({"type": Arrow})
    }
    assert ends == {(0, 2), (-2, 0)} and {"N", "E"} <= set(texts(view))
    across, up = view.figure.xaxis[0], view.figure.yaxis[0]
    assert (across.axis_label, up.axis_label) == ("offset east [arcsec]", "offset north [arcsec]")
    assert "0 - tick" in across.formatter.code  # east, on the left, is positive
    assert not view.layout.select_one({"name": "orientation-image"}).visible


def test_a_space_without_a_dataset_marks_no_north(space):
    assert "N" not in texts(CutoutView(Space(space.store), space.dataset.modalities["image"]))
