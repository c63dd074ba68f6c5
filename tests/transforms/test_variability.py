import numpy as np
import pytest

from astroclip_kit.transforms.variability import oscillations, string_length


@pytest.fixture
def time():
    return np.sort(np.random.default_rng(0).uniform(0, 400, 300))


def test_frequencies_come_in_order_of_strength_each_from_what_the_others_leave(time):
    value = 14 + np.sin(2 * np.pi * time / 3.1) + 0.3 * np.sin(2 * np.pi * time / 0.47)
    value += 0.01 * np.random.default_rng(1).normal(size=len(time))
    first, second = oscillations(time, value, 5.0, count=2)
    assert 1 / first.frequency == pytest.approx(3.1, rel=1e-3) and 1 / second.frequency == pytest.approx(0.47, rel=1e-3)
    assert first.amplitudes[0] == pytest.approx(1, abs=0.05) and second.amplitudes[0] == pytest.approx(0.3, abs=0.02)
    assert first.explained == pytest.approx(1 / 1.09, abs=0.03) and np.std(second.left) < 0.06


def test_overtones_and_their_phases_do_not_depend_on_when_the_clock_starts(time):
    def shape(t):
        return np.sin(2 * np.pi * t / 3.1) + 0.5 * np.cos(4 * np.pi * t / 3.1)

    [one] = oscillations(time, shape(time), 5.0)
    [later] = oscillations(time + 1.234, shape(time), 5.0)
    np.testing.assert_allclose(one.amplitudes, [1, 0.5, 0, 0], atol=0.02)
    np.testing.assert_allclose(one.phases[0], later.phases[0], atol=0.05)
    assert one.explained > 0.999


@pytest.mark.parametrize("count", [0, 1, 3])
def test_nothing_repeats_in_hardly_any_points(count):
    [one] = oscillations(np.arange(count, dtype=float), np.arange(count, dtype=float), 2.0)
    assert (one.frequency, one.power, one.explained) == (0, 0, 0)
    assert one.amplitudes.tolist() == [0] * 4 and one.phases.tolist() == [0] * 3 and len(one.left) == count


def test_a_few_points_are_fitted_with_fewer_terms(time):
    [one] = oscillations(time[:10], np.sin(time[:10]), 2.0)
    assert (one.amplitudes[2:] == 0).all() and one.amplitudes[0] > 0


def test_a_string_is_short_around_a_smooth_curve_and_1_around_noise(time):
    smooth, noise = np.sin(2 * np.pi * time / 3.1), np.random.default_rng(1).normal(size=len(time))
    assert string_length(time / 3.1, smooth) < 0.01
    assert string_length(time / 3.1, noise) == pytest.approx(1, abs=0.15)
    assert string_length(time, np.ones(len(time))) == string_length(np.empty(0), np.empty(0)) == 1
