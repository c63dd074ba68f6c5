from itertools import pairwise

import numpy as np
import pytest

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.transforms.resampling import GRIDS, resample, wavelength_grid


def slow_mean(flux, ivar, wavelength, grid):
    """Overlap by overlap, in plain loops."""

    def edges(centres):
        middle = [(a + b) / 2 for a, b in pairwise(centres)]
        return [2 * centres[0] - middle[0], *middle, 2 * centres[-1] - middle[-1]]

    source, target = edges(wavelength), edges(grid)
    out_flux, out_ivar = [], []
    for low, high in pairwise(target):
        weights = [
            max(0.0, min(high, source[i + 1]) - max(low, source[i])) if ivar[i] > 0 else 0.0 for i in range(len(flux))
        ]
        total = sum(weights)
        if total < 0.5 * (high - low):
            out_flux.append(np.nan)
            out_ivar.append(0.0)
            continue
        out_flux.append(sum(w * f for w, f in zip(weights, flux, strict=True)) / total)
        variance = sum(w * w / v for w, v in zip(weights, ivar, strict=True) if w) / total**2
        out_ivar.append(1 / variance)
    return np.array(out_flux), np.array(out_ivar)


@pytest.mark.parametrize("step", [0.7, 1.0, 3.3, 9.0])
def test_equals_a_slow_loop_over_overlaps(step):
    rng = np.random.default_rng(0)
    wavelength = 4000 * 1.0003 ** np.arange(300)
    flux, ivar = rng.normal(size=300), rng.uniform(0.5, 2, 300)
    ivar[[0, 40, 41, 42, 200]] = 0
    grid = np.arange(3990, 4300, step)
    expected_flux, expected_ivar = slow_mean(flux, ivar, wavelength, grid)
    found_flux, found_ivar = resample(flux, ivar, wavelength, grid)
    good = expected_ivar > 0
    np.testing.assert_allclose(found_ivar, expected_ivar, rtol=1e-9)
    np.testing.assert_allclose(found_flux[good], expected_flux[good], rtol=1e-9, atol=1e-12)
    assert np.isfinite(found_flux).all()


def test_conserves_the_integral():
    wavelength, grid = np.arange(4000.0, 5000, 1.3), np.arange(4100.0, 4900, 7)
    flux = np.exp(-0.5 * ((wavelength - 4500) / 20) ** 2)
    found, _ = resample(flux, np.ones_like(flux), wavelength, grid)
    assert found.sum() * 7 == pytest.approx(flux.sum() * 1.3, rel=1e-6)


def test_variance_falls_with_the_number_of_pixels_averaged():
    wavelength = np.arange(4000.0, 4100)
    _, ivar = resample(np.zeros(100), np.full(100, 4.0), wavelength, np.arange(4004.5, 4095, 10))
    np.testing.assert_allclose(ivar, 40.0)


def test_the_same_pixels_are_copied_with_float32_wavelengths():
    rng = np.random.default_rng(1)
    wavelength = 10 ** np.float32(3.55 + 1e-4 * np.arange(4500)).astype(np.float64)
    flux, ivar = rng.normal(size=4500), rng.uniform(1, 2, 4500)
    found, precision = resample(flux, ivar, wavelength, wavelength_grid("boss"))
    np.testing.assert_array_equal(found[10:4510], flux)
    np.testing.assert_array_equal(precision[10:4510], ivar)
    assert not precision[:10].any() and not precision[4510:].any()


def test_gap_in_the_wavelengths_has_no_inverse_variance_and_a_straight_flux():
    wavelength = np.r_[np.arange(4000.0, 4100, 2), np.arange(4300.0, 4400, 2)]
    flux = np.where(wavelength < 4200, 1.0, 3.0)
    grid = np.arange(4000.5, 4390, 5)
    found, ivar = resample(flux, np.ones_like(flux), wavelength, grid)
    gap = (grid > 4110) & (grid < 4290)
    assert not ivar[gap].any() and ivar[~gap & (grid > 4015) & (grid < 4085)].all()
    assert (np.diff(found[gap]) > 0).all() and found[gap].min() > 1 and found[gap].max() < 3


def test_nan_flux_and_bad_ivar_are_masked_and_filled():
    flux, ivar = np.arange(10.0), np.ones(10)
    flux[2], ivar[4], ivar[5], ivar[6] = np.nan, 0, -1, np.nan
    found, precision = resample(flux, ivar, np.arange(10.0), np.arange(10.0))
    np.testing.assert_allclose(found, np.arange(10.0))
    assert (np.flatnonzero(precision == 0) == [2, 4, 5, 6]).all()


def test_a_spectrum_without_a_good_pixel_is_zero():
    found, precision = resample(np.full((2, 5), np.nan), np.ones((2, 5)), np.arange(5.0), np.arange(0, 5, 0.7))
    assert not found.any() and not precision.any()


@pytest.mark.parametrize("grid", [np.arange(3900.0, 5000, 7), 4000 + 2.0 * np.arange(100)])
def test_many_spectra_at_once_equal_one_by_one_and_inputs_stay(grid):
    rng = np.random.default_rng(2)
    wavelength = 4000 + 2.0 * np.arange(300)
    flux, ivar = rng.normal(size=(6, 300)), rng.uniform(0, 1, (6, 300)).round()
    before = flux.copy(), ivar.copy()
    found, precision = resample(flux, ivar, wavelength, grid)
    for row in range(6):
        one_flux, one_ivar = resample(flux[row], ivar[row], wavelength, grid)
        np.testing.assert_allclose(found[row], one_flux)
        np.testing.assert_allclose(precision[row], one_ivar)
    np.testing.assert_array_equal(flux, before[0])
    np.testing.assert_array_equal(ivar, before[1])


def test_no_overlap_gives_no_inverse_variance():
    _, ivar = resample(np.ones(10), np.ones(10), np.arange(4000.0, 4010), np.arange(5000.0, 5010))
    assert not ivar.any()


@pytest.mark.parametrize(
    ("name", "n_pix", "first", "last"),
    [("sdss", 3921, 3784.43, 9332.54), ("boss", 4686, 3539.97, 10411.18), ("desi", 7781, 3600.0, 9824.0)],
)
def test_published_grids(name, n_pix, first, last):
    grid = wavelength_grid(name)
    assert len(grid) == n_pix
    assert grid[0] == pytest.approx(first, abs=0.006) and grid[-1] == pytest.approx(last, abs=0.006)


def test_a_grid_that_is_changed_leaves_the_named_one_alone():
    wavelength_grid("sdss")[:] = 0
    assert GRIDS["sdss"][0] > 3784


def test_start_stop_step_includes_the_stop():
    np.testing.assert_allclose(wavelength_grid([3800, 8000, 10])[[0, -1]], [3800, 8000])
    np.testing.assert_allclose(wavelength_grid((4000, 4000.3, 0.1)), [4000, 4000.1, 4000.2, 4000.3])


def test_explicit_wavelengths_are_kept():
    np.testing.assert_array_equal(wavelength_grid([1.0, 2.0, 4.0, 8.0]), [1, 2, 4, 8])
    np.testing.assert_array_equal(wavelength_grid([4000.0, 5000.0, 6000.0]), [4000, 5000, 6000])


def test_unknown_grid_name():
    with pytest.raises(UsageError, match="grid 'sdss5' is unknown: take sdss, boss, desi, lamost"):
        wavelength_grid("sdss5")


@pytest.mark.parametrize("grid", [[3.0, 2.0, 1.0, 0.0], [1.0], [1.0, np.nan, 3.0, 4.0]])
def test_grid_that_does_not_ascend(grid):
    with pytest.raises(UsageError, match="expected \\(start, stop, step\\) or at least two ascending wavelengths"):
        wavelength_grid(grid)


def test_shapes_that_differ():
    with pytest.raises(InputError, match="differ in length"):
        resample(np.ones(4), np.ones(5), np.arange(4.0), np.arange(4.0))


def test_wavelengths_that_repeat():
    with pytest.raises(InputError, match="strictly ascending"):
        resample(np.ones(3), np.ones(3), [1.0, 1.0, 2.0], np.arange(4.0))


def test_a_range_of_a_known_grid_has_its_very_pixels():
    grid = wavelength_grid("boss 4000-9000")
    assert len(grid) == 3522 and np.isin(grid, GRIDS["boss"]).all()
    assert grid[0] >= 4000 > grid[0] / 10**1e-4 and grid[-1] <= 9000 < grid[-1] * 10**1e-4
    np.testing.assert_allclose(wavelength_grid("lamost 4000 - 9000"), grid, rtol=1e-9)
    with pytest.raises(UsageError, match="grid 'sdss 9500-9900': sdss goes from 3784 to 9333 Angstrom"):
        wavelength_grid("sdss 9500-9900")
    with pytest.raises(UsageError, match=r"'hst 4000-9000' is unknown: take .* a part of one such as 'boss 4000-9000'"):
        wavelength_grid("hst 4000-9000")
