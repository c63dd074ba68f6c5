"""From where to where the axis of a flux goes."""

import numpy as np
import pytest

from astroclip_kit.explorer.objects.heights import heights, power_of_ten

COUNT = 1000
NONE = np.full(COUNT, np.nan)


def noisy(scatter=0.1):
    return 1 + scatter * np.random.default_rng(0).standard_normal(COUNT)


def test_a_strong_line_is_seen_whole_and_a_cosmic_ray_is_not():
    flux = noisy()
    flux[500:504] = 30, 50, 50, 30
    flux[700] = 1e4
    low, high = heights(flux, np.full(COUNT, 0.1))
    assert high == 50 and 0.5 < low < 1


@pytest.mark.parametrize("error", [np.where(np.arange(COUNT) < 100, 5.0, 0.1), NONE])
def test_a_noisy_end_does_not_rule_with_errors_or_without(error):
    flux = noisy()
    flux[:100] = noisy(5)[:100]
    low, high = heights(flux, error)
    assert 0.4 < low < 1 < high < 1.6


def test_a_line_that_is_narrow_among_means_is_seen_where_it_was_more_than_one_pixel():
    flux = noisy()
    flux[500] = 50
    assert heights(flux, np.full(COUNT, 0.1))[1] < 2  # one pixel
    assert heights(flux, np.full(COUNT, 0.1), flux)[1] == 50


def test_nothing_and_a_constant_have_an_axis_too():
    assert heights(NONE, NONE) == (0, 1) and heights(np.ones(COUNT), NONE) == (1, 1)
    few = np.append(NONE, 3.0)
    assert heights(few, few) == (3, 3)


@pytest.mark.parametrize(
    ("flux", "power"), [(3e-16, -16), (0.5, 0), (800.0, 0), (4e7, 7), (0.0, 0), (np.nan, 0), (-2e-5, -5)]
)
def test_a_power_of_ten_shortens_only_numbers_that_are_long(flux, power):
    assert power_of_ten(np.array([flux, flux])) == power
