"""Pictures of density: what they count, and what of it is seen."""

import numpy as np
import pytest

from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.map.colours import MISSING, Colouring, rgb
from astroclip_kit.explorer.map.density import density, hidden
from astroclip_kit.explorer.map.plane import Plane
from astroclip_kit.explorer.map.shading import HIDDEN
from astroclip_kit.report.figures.canvas import COLOURS

SIZE, BOX = (40, 20), (0.0, 40.0, 0.0, 20.0)


@pytest.fixture(params=[1 << 20, 3], ids=["one block", "blocks"], autouse=True)
def block(request, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.map.plane.PART", request.param)


def plane(*places):
    xy = np.array(places, dtype=float)
    return Plane("", "", xy[:, 0], xy[:, 1], ("", ""), "")


def colour(picture, x, y):
    red, green, blue, opacity = np.ascontiguousarray(picture).view(np.uint8).reshape(*picture.shape, 4)[y, x].tolist()
    return (red, green, blue), opacity


def number(*values):
    return Colouring(Column("v", "", lambda: np.array(values, dtype=float), False))


def classes(*values):
    return Colouring(Column("k", "", lambda: np.array(values), True))


CROWD = [(5.5, 5.5)] * 50
SCENE = plane(*CROWD, (30.5, 10.5), (99.0, 0.0), (np.nan, 1.0))


def test_one_object_is_seen_beside_fifty_and_what_is_outside_is_not_counted():
    picture, count = density(SCENE, BOX, SIZE, Colouring())
    assert picture.shape == (20, 40) and picture.dtype == np.uint32 and count == 51
    few, many = colour(picture, 30, 10), colour(picture, 5, 5)
    assert few[1] == many[1] == 255 and sum(few[0]) > sum(many[0]) + 150 and sum(few[0]) < 650
    assert colour(picture, 31, 11)[1] == 255  # alone, it is three pixels wide
    assert colour(picture, 20, 15)[1] == 0


def test_a_pixel_has_the_colour_of_its_mean_and_is_grey_where_none_is_known():
    colouring = number(*np.tile([0.0, 10.0], 25), np.nan, 0, 0)
    picture, count = density(SCENE, BOX, SIZE, colouring)
    assert count == 51 and colour(picture, 30, 10) == (rgb(MISSING), 255)
    expected = number(*np.tile([0.0, 10.0], 25), 5.0).of(np.array([50]))[0]
    assert np.abs(np.array(colour(picture, 5, 5)[0]) - expected).max() <= 3


def test_a_crowd_is_seen_where_a_number_colours_it():
    picture, _ = density(SCENE, BOX, SIZE, number(*range(53)))
    (_, many), (_, few) = colour(picture, 5, 5), colour(picture, 30, 10)
    assert many == 255 and 140 < few < 200


def test_classes_have_their_colours_and_are_grey_where_unknown():
    colouring = classes(*["A"] * 50, "B", "B", "")
    picture, count = density(SCENE, BOX, SIZE, colouring)
    assert count == 51 and colour(picture, 5, 5)[0] == rgb(COLOURS[0]) and colour(picture, 30, 10)[0] == rgb(COLOURS[1])
    unknown, _ = density(SCENE, BOX, SIZE, classes(*["A"] * 50, "", "A", "A"))
    assert colour(unknown, 30, 10) == (rgb(MISSING), 255) and colour(unknown, 5, 5)[0] == rgb(COLOURS[0])


@pytest.mark.parametrize("colouring", [Colouring(), number(*range(53)), classes(*["A", "B"] * 26, "A")])
def test_what_the_filter_leaves_out_is_a_faint_grey_and_not_counted(colouring):
    shown = np.arange(53) != 50
    picture, count = density(SCENE, BOX, SIZE, colouring, shown)
    assert count == 50 and colour(picture, 30, 10) == (rgb(HIDDEN), 255)
    assert (hidden(SCENE, BOX, SIZE, shown) == np.where(picture == picture[10, 30], picture, 0)).all()


@pytest.mark.parametrize("colouring", [Colouring(), number(*range(53)), classes(*["A", "B"] * 26, "A")])
def test_what_is_not_selected_is_faint(colouring):
    selected = np.arange(53) < 50
    picture, count = density(SCENE, BOX, SIZE, colouring, None, selected)
    assert count == 51 and colour(picture, 5, 5)[1] == 255 and 20 < colour(picture, 30, 10)[1] < 90
    both, count = density(SCENE, BOX, SIZE, colouring, selected, np.arange(53) >= 50)
    assert count == 50 and colour(both, 30, 10) == (rgb(HIDDEN), 255)
    assert 20 < colour(both, 5, 5)[1] < 90


@pytest.mark.parametrize("colouring", [Colouring(), number(*range(53)), classes(*["A"] * 53)])
def test_a_view_of_nothing_is_empty(colouring):
    picture, count = density(SCENE, (50.0, 60.0, 50.0, 60.0), SIZE, colouring)
    assert count == 0 and not (picture >> 24).any()
