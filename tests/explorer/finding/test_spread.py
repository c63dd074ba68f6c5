"""How the values of a column are distributed."""

import numpy as np
import pytest

from astroclip_kit.explorer.finding import spread
from astroclip_kit.explorer.finding.spread import Spread


def test_the_slider_spans_nearly_all_between_round_numbers():
    values = np.concatenate([np.linspace(0.0, 1.0, 1001), [-1e9, 1e9, np.nan, np.inf]])
    found = Spread.of(values)
    assert (found.low, found.high, found.missing) == (-1e9, 1e9, 2)
    assert (found.start, found.end, found.step) == (0.0, 1.0, 0.005)
    edges, counts = found.bins(values)
    assert (edges[0], edges[-1], counts.sum()) == (0, 1, 1003)


@pytest.mark.parametrize("values", [np.full(5, 3.0), np.array([3]), np.array([3e30, 3e30]), np.array([np.nan, 1e-30])])
def test_a_value_that_all_have_still_has_a_slider(values):
    found = Spread.of(values)
    assert found.start <= found.low == found.high <= found.end and found.start < found.end
    assert found.bins(values)[1].sum() == np.isfinite(values).sum()


def test_nothing_known_has_no_ends():
    found = Spread.of(np.full(3, np.nan))
    extreme = Spread.of(np.array([1e308, -1e308, 1.0]))
    assert (extreme.low, extreme.high, extreme.missing) == (1, 1, 2) and extreme.end > extreme.start
    tiny = Spread.of(np.array([5e-324, 1e-323]))
    assert tiny.end > tiny.start and tiny.bins(np.array([5e-324, 1e-323]))[1].sum() == 2
    assert np.isnan([found.low, found.high]).all() and found.missing == 3
    assert found.bins(np.full(3, np.nan))[1].sum() == 0


def test_very_many_are_counted_from_some_of_them(monkeypatch):
    monkeypatch.setattr(spread, "SAMPLE", 100)
    values = np.tile([0.0, 1.0, 2.0], 334)
    assert Spread.of(values).bins(values)[1].sum() == pytest.approx(len(values))
