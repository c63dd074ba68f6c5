"""Two coordinates of each object."""

import numpy as np
import pytest

from astroclip_kit.explorer.map import plane as module
from astroclip_kit.explorer.map.plane import Plane, blocks


def plane(x, y):
    return Plane("k", "t", np.asarray(x), np.asarray(y), ("x", "y"), "z")


def test_blocks_hold_every_row_once(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 4)
    assert [(one.start, one.stop) for one in blocks(10)] == [(0, 4), (4, 8), (8, 10)]
    assert list(blocks(0)) == []


@pytest.mark.parametrize("block", [3, 1000])
def test_objects_without_a_coordinate_are_counted_and_do_not_set_the_frame(monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    found = plane([0, 10, np.nan, 5, np.inf], [1, 2, 3, np.nan, 5])
    assert found.missing == 3
    assert found.frame == pytest.approx((-0.3, 10.3, 0.97, 2.03))


def test_integers_are_coordinates():
    found = plane(np.arange(5), np.arange(5, dtype=np.int16))
    assert found.missing == 0 and found.at([4])[1].tolist() == [4.0]


def test_a_frame_has_a_size_where_all_lie_at_one_place_or_none_has_a_place():
    assert plane([2, 2], [3, 3]).frame == (1.5, 2.5, 2.5, 3.5)
    assert plane([np.nan], [1.0]).frame == (0, 1, 0, 1)


def test_a_few_far_out_do_not_squeeze_the_others():
    x = np.concatenate([np.linspace(0, 1, 10_000), [-9999.0]])
    low, high, *_ = plane(x, x).frame
    assert -1 < low < 0 and 1 < high < 2
