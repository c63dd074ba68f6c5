import numpy as np
import pytest
import torch

from astroclip_kit.transforms.bands import WAVELENGTH_ANGSTROM, band_wavelengths
from astroclip_kit.transforms.smoothing import gaussian_smooth, soft_bins


def test_smoothing_equals_a_slow_loop_over_the_measured_pixels():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(3, 40)), rng.uniform(0.5, 2, (3, 40)) * (rng.random((3, 40)) > 0.3)
    position, targets = np.sort(rng.uniform(0, 5, 40)), np.linspace(1, 4, 7)
    mean, covered = gaussian_smooth(*(torch.from_numpy(one) for one in (values, weights, position, targets)), 0.4)
    for row in range(3):
        for column, target in enumerate(targets):
            kernel = np.exp(-0.5 * ((position - target) / 0.4) ** 2)
            expected = (kernel * weights[row] * values[row]).sum() / (kernel * weights[row]).sum()
            assert mean[row, column] == pytest.approx(expected)
            assert covered[row, column] == pytest.approx((kernel * (weights[row] > 0)).sum() / kernel.sum())


def test_what_was_not_measured_leaves_no_trace():
    position = torch.linspace(0, 1, 20)
    values = torch.ones(2, 20)
    values[0, 3:9], values[1] = torch.nan, torch.inf
    weights = values.isfinite().float()
    mean, covered = gaussian_smooth(values, weights, position, position, 0.1)
    torch.testing.assert_close(mean[0], torch.ones(20))
    assert (mean[1] == 0).all() and (covered[1] == 0).all() and covered[0, 6] < 0.5 < covered[0, 19]


def test_soft_bins_give_the_number_back_and_nothing_for_an_unknown_one():
    centers = [-1.0, 0.0, 3.0, 4.0]
    x = torch.tensor([[-5.0, -0.3], [2.5, 4.0], [9.0, torch.nan]])
    bins = soft_bins(x, centers)
    torch.testing.assert_close(bins @ torch.tensor(centers), torch.tensor([[-1.0, -0.3], [2.5, 4.0], [4.0, 0.0]]))
    torch.testing.assert_close(bins.sum(-1), torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]]))


def test_bands_are_known_by_name_and_others_are_not():
    assert band_wavelengths(["V", "tess", "V"], {"V": 5000.0})[::2] == (5000.0, 5000.0)
    assert np.isnan(band_wavelengths(["tess"])).all()
    order = [WAVELENGTH_ANGSTROM[band] for band in ("UVW2", "U", "B", "g", "V", "r", "i", "z", "J", "K")]
    assert order == sorted(order)
