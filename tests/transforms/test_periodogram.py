import numpy as np
import pytest

from astroclip_kit.transforms.periodogram import periodogram


def test_powers_are_those_of_astropy():
    from astropy.timeseries import LombScargle

    rng = np.random.default_rng(0)
    time = np.sort(rng.uniform(100, 500, 150))
    value = np.sin(2 * np.pi * time / 0.63) + rng.normal(0, 0.5, 150) + 12
    frequency, power = periodogram(time, value, highest_frequency=5)
    expected = LombScargle(time, value).power(frequency, method="slow")
    np.testing.assert_allclose(power, expected, atol=0.03)
    assert frequency[0] == pytest.approx(1 / 400, rel=0.4) and frequency[-1] == pytest.approx(5, rel=1e-3)
    assert 1 / frequency[power.argmax()] == pytest.approx(0.63, rel=1e-3) and power.max() > 0.5
    np.testing.assert_allclose(np.diff(frequency), frequency[1] - frequency[0])


@pytest.mark.parametrize(
    ("time", "value"), [([], []), ([0, 1], [1, 2]), ([0, 3, 7], [1, 1, 1]), ([2, 2, 2], [1, 2, 3])]
)
def test_there_is_no_power_where_nothing_can_be_periodic(time, value):
    frequency, power = periodogram(np.array(time, dtype=float), np.array(value, dtype=float), highest_frequency=2)
    assert len(frequency) == len(power) == 0
