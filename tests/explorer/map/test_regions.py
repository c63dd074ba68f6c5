"""Which objects lie within a lasso or a box, against the slow way."""

import numpy as np
import pytest
from matplotlib.path import Path

from astroclip_kit.explorer.map.plane import Plane
from astroclip_kit.explorer.map.regions import nearest, rows_in_box, rows_within, within_box


def plane(xy):
    return Plane("", "", xy[:, 0], xy[:, 1], ("", ""), "")


@pytest.fixture(params=[1 << 20, 1000], ids=["one block", "blocks"])
def rng(request, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.map.plane.PART", request.param)
    return np.random.default_rng(0)


def star(corners):
    angle = np.linspace(0, 4 * np.pi, corners)
    return np.stack([angle / 5 * np.cos(angle), (1 + np.sin(3 * angle)) * np.sin(angle)], axis=1)


@pytest.mark.parametrize(
    "outline",
    [
        [(0, 0), (1, 0), (0.5, 1)],
        [(-1, -1), (1, 1), (1, -1), (-1, 1)],  # a bow tie
        [(-3, -3), (3, 3), (3, 3.01), (-3, -2.99)],  # thinner than a cell
        [(-99, -99), (99, -99), (99, 99), (-99, 99)],
        star(200),
        star(37) * 0.01 + 0.3,
    ],
    ids=["triangle", "bow tie", "sliver", "all", "star", "small star"],
)
def test_a_lasso_takes_exactly_what_lies_within(rng, outline):
    xy = np.concatenate([rng.normal(size=(5000, 2)), 0.3 + 0.02 * rng.normal(size=(5000, 2))])
    xy[::97] = np.nan
    outline = np.asarray(outline, dtype=float)
    expected = Path(np.vstack([outline, outline[:1]])).contains_points(np.nan_to_num(xy, nan=1e9))
    assert (rows_within(plane(xy), outline) == expected).all() and expected.any()


def test_a_lasso_over_float32_of_a_file_is_as_exact(rng, tmp_path):
    np.save(tmp_path / "xy.npy", rng.normal(size=(4000, 2)).astype(np.float32))
    xy = np.load(tmp_path / "xy.npy", mmap_mode="r")
    outline = star(80)
    expected = Path(np.vstack([outline, outline[:1]])).contains_points(xy)
    assert (rows_within(plane(xy), outline) == expected).all()


def test_a_lasso_takes_only_what_is_shown(rng):
    xy, shown = rng.uniform(size=(3000, 2)), rng.random(3000) < 0.5
    assert (rows_within(plane(xy), [(0, 0), (2, 0), (2, 2), (0, 2)], shown) == shown).all()


@pytest.mark.parametrize("outline", [[], [(0, 0), (1, 1)], [(0, 0), (1, 0), (2, 0)], [(0, 0), (1, 0), (np.nan, 1)]])
def test_an_outline_without_an_inside_takes_nothing(outline):
    assert not rows_within(plane(np.zeros((4, 2))), outline).any()


def test_rows_in_a_box_until_there_are_too_many(rng):
    xy = rng.uniform(size=(5000, 2))
    inside = np.flatnonzero((xy[:, 0] <= 0.5) & (xy[:, 1] >= 0.9))
    box, shown = (0.0, 0.5, 0.9, 1.0), np.arange(5000) % 2 == 0
    assert rows_in_box(plane(xy), box).tolist() == inside.tolist()
    assert rows_in_box(plane(xy), box, shown).tolist() == inside[inside % 2 == 0].tolist()
    assert rows_in_box(plane(xy), box, most=len(inside)).tolist() == inside.tolist()
    assert rows_in_box(plane(xy), box, most=len(inside) - 1) is None


def test_the_nearest_shown_object_within_reach(rng):
    xy = np.array([[0.0, 0.0], [0.03, 0.0], [0.0, 5.0], [np.nan, 0.0]])
    assert nearest(plane(xy), 0.02, 0.0, (0.1, 0.1)) == 1
    assert nearest(plane(xy), 0.02, 0.0, (0.1, 0.1), np.array([True, False, True, True])) == 0
    assert nearest(plane(xy), 0.02, 3.0, (0.1, 10.0)) == 2  # of what is as near along y in pixels
    assert nearest(plane(xy), 9.0, 9.0, (0.1, 0.1)) == -1


def test_the_edges_of_a_box_are_in_it(rng):
    xy = np.stack(np.meshgrid(np.arange(40.0), np.arange(40.0)), axis=-1).reshape(-1, 2)
    inside = (xy >= 2).all(axis=1) & (xy <= 5).all(axis=1)
    assert within_box(plane(xy), (2, 5, 2, 5)).tolist() == inside.tolist()
    even = np.arange(len(xy)) % 2 == 0
    assert np.flatnonzero(within_box(plane(xy), (2, 5, 2, 5), even)).tolist() == np.flatnonzero(inside & even).tolist()
    assert rows_in_box(plane(xy), (2, 5, 2, 5)).tolist() == np.flatnonzero(inside).tolist()
