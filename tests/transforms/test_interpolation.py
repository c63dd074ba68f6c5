import numpy as np
import pytest
import torch

from astroclip_kit.transforms.interpolation import Kernel, average_nights, interpolate, since_peak

NAN = float("nan")
LOG_WAVELENGTH = torch.tensor([4400.0, 6500.0]).log()


def lightcurve(*points):
    return torch.tensor([points], dtype=torch.float32)


def test_interpolation_equals_the_textbook_formula():
    rng = np.random.default_rng(0)
    count, kernel = 12, Kernel()
    time, band = rng.uniform(-20, 60, count), rng.integers(0, 2, count)
    points = np.stack([time, rng.normal(17, 1, count), rng.uniform(0.05, 0.3, count), band], axis=1)
    x = torch.from_numpy(np.vstack([points, np.full((3, 4), NAN)]))[None]
    at_time, at = torch.tensor([0.0, 40.0]), torch.tensor([5500.0, 4000.0]).log()
    value, told = interpolate(x, LOG_WAVELENGTH, at_time, at, kernel)

    def covariance(t, p, s, q):
        lag = np.abs(t[:, None] - s) / 25
        fast = 1.2**2 * (1 + np.sqrt(3) * lag) * np.exp(-np.sqrt(3) * lag)
        slow = np.exp(-0.5 * (lag / 8) ** 2)
        return np.exp(-0.5 * ((p[:, None] - q) / 0.6) ** 2) * (fast + slow + 0.7**2)

    where, others = LOG_WAVELENGTH.double().numpy()[band], at.double().numpy()
    noisy = covariance(time, where, time, where) + np.diag(points[:, 2] ** 2 + 0.05**2)
    cross = covariance(time, where, at_time.double().numpy(), others)
    mean = np.average(points[:, 1], weights=np.exp(-np.abs(time) / 30) + 1e-6)
    np.testing.assert_allclose(value[0], mean + cross.T @ np.linalg.solve(noisy, points[:, 1] - mean), rtol=1e-6)
    explained = np.einsum("pq,pq->q", cross, np.linalg.solve(noisy, cross))
    np.testing.assert_allclose(told[0], explained / kernel.variance, rtol=1e-6)


def test_far_from_all_points_nothing_is_told():
    x = lightcurve((0.0, 17.0, 0.1, 0.0))
    value, told = interpolate(x, LOG_WAVELENGTH, torch.tensor([0.0, 3000.0]), LOG_WAVELENGTH[[0, 0]], Kernel(colour=0))
    assert told[0, 0] > 0.99 and told[0, 1] < 1e-6 and value[0].tolist() == pytest.approx([17.0, 17.0])


def test_a_light_curve_without_a_point_is_zero():
    value, told = interpolate(lightcurve((NAN,) * 4), LOG_WAVELENGTH, torch.zeros(1), LOG_WAVELENGTH[:1], Kernel())
    assert value.item() == 0 and told.item() == 0


def test_the_peak_is_the_brightest_good_point_of_the_best_sampled_band():
    points = (3.0, 15.0, 3.0, 0.0), (10.0, 16.0, 0.1, 0.0), (20.0, 17.0, NAN, 0.0), (30.0, 14.0, 0.1, 1.0)
    assert since_peak(lightcurve(*points), torch.tensor([True, True]))[0, :, 0].tolist() == [-7, 0, 10, 20]
    assert since_peak(lightcurve(*points), torch.tensor([False, True]))[0, :, 0].tolist() == [-27, -20, -10, 0]
    assert since_peak(lightcurve(*points), torch.tensor([False, False]))[0, 1, 0] == 0
    assert since_peak(lightcurve((NAN,) * 4), torch.tensor([True, True])).isnan().all()


def test_nights_are_averaged_per_band_and_those_nearest_to_peak_are_kept():
    points = (0.2, 16.0, 0.1, 0.0), (0.8, 17.0, 0.2, 0.0), (0.5, 15.0, 0.1, 1.0), (-5.0, 18.0, NAN, 0.0)
    far = (900.0, 20.0, 0.1, 0.0), (NAN,) * 4
    x = torch.cat([lightcurve(*points, *far), lightcurve(*[(NAN,) * 4] * 6)])
    nights = average_nights(x, 2, (-60, 200), 10)
    assert nights.shape == (2, 3, 4) and nights[1].isnan().all()
    rows = sorted(nights[0].tolist())
    assert rows[0] == pytest.approx([-5.0, 18.0, 0.1, 0.0], abs=1e-5)
    assert rows[1] == pytest.approx([0.32, 16.2, 0.0894, 0.0], abs=1e-4)
    assert rows[2] == pytest.approx([0.5, 15.0, 0.1, 1.0], abs=1e-5)
    assert average_nights(x, 2, (-60, 200), 1)[0, 0, 0] == pytest.approx(0.32)
