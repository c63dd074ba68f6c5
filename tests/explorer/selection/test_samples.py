"""A few of many rows."""

import numpy as np
import pytest

from astroclip_kit.explorer.selection.samples import drawn


@pytest.fixture(params=[1 << 20, 7], ids=["one block", "blocks"], autouse=True)
def block(request, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.map.plane.BLOCK", request.param)


def test_a_sample_is_of_those_that_are_flagged_once_each_in_order_and_the_same_again():
    mask = np.arange(1000) % 3 == 0
    rows = drawn(mask, 50)
    assert len(rows) == 50 and mask[rows].all() and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, drawn(mask, 50))
    assert not np.array_equal(rows, drawn(mask, 50, seed=1))


def test_every_row_is_as_likely_as_another():
    counts = sum(np.bincount(drawn(np.ones(20, bool), 5, seed), minlength=20) for seed in range(2000))
    assert abs(counts / 2000 - 0.25).max() < 0.05


def test_few_rows_are_all_there():
    assert drawn(np.array([True, False, True]), 2).tolist() == [0, 2]
    assert not len(drawn(np.zeros(4, bool), 3))
