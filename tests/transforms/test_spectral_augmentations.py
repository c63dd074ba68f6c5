import numpy as np
import pytest
import torch

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe
from astroclip_kit.transforms import ContinuumWarp, FillGaps, MaskPixels, RedshiftShift
from astroclip_kit.transforms.randomness import normal, uniform
from astroclip_kit.transforms.resampling import wavelength_grid

GRID = (4000.0, 4398.0, 2.0)
AUGMENTATIONS = [MaskPixels(3, 20), ContinuumWarp(), RedshiftShift(GRID, 1e-3)]


def spectra(count=6, length=200, seed=0):
    rng = np.random.default_rng(seed)
    flux, ivar = rng.uniform(1, 4, (2, count, length))
    ivar[:, 60:64] = 0
    x = torch.from_numpy(np.stack([flux, ivar, np.full_like(flux, 0.3)], axis=1)).float()
    x[1, 0, 61], x[2, :2] = torch.nan, 0.0
    return x


@pytest.mark.parametrize("augment", AUGMENTATIONS)
def test_a_row_depends_on_its_seed_alone_and_nothing_else_changes(augment):
    x, seeds = spectra(), torch.arange(6)
    before, whole = x.clone(), augment(x, seeds)
    torch.testing.assert_close(augment(x[3:4], seeds[3:4]), whole[3:4], rtol=0, atol=0, equal_nan=True)
    assert not torch.equal(augment(x, seeds + 100)[3], whole[3])
    torch.testing.assert_close(x, before, equal_nan=True)
    assert whole.shape == x.shape and torch.equal(whole[:, 2], x[:, 2]) and not whole[2, :2].any()
    assert augment(x[:, :1], seeds).shape == (6, 1, 200)
    assert build(describe(augment)) == augment


def test_masked_stretches_are_hidden_and_straight():
    x = spectra()[3:4].expand(300, 3, 200)
    masked = MaskPixels(2, 15)(x, torch.arange(300))
    hidden = (masked[:, 1] == 0) & (x[:, 1] > 0)
    assert hidden.sum(dim=1).max() == 30 and hidden.sum(dim=1).min() < 30  # stretches may overlap
    assert (hidden.sum(dim=0) > 0).sum() == 196  # every observed pixel is hidden in some
    expected = x.clone()
    expected[:, 1][hidden] = 0.0
    torch.testing.assert_close(masked, FillGaps()(expected))


def test_the_continuum_is_warped_by_its_curve():
    x, seeds = spectra(), torch.arange(6)
    warped = ContinuumWarp(0.2, order=4)(x, seeds)
    draws = normal(seeds, (4,)).double().numpy()
    place = (np.arange(200) + 0.5) / 200
    for row in (0, 5):
        curve = np.exp(0.2 * sum(draws[row, k] * np.cos(np.pi * (k + 1) * place) / 2**0.5 for k in range(4)))
        np.testing.assert_allclose(warped[row, 0], x[row, 0] * curve, rtol=1e-5)
        np.testing.assert_allclose(warped[row, 1], x[row, 1] / curve**2, rtol=1e-5)


def test_a_line_is_found_where_its_redshift_puts_it():
    wavelength = torch.from_numpy(wavelength_grid("desi")).float()
    line = torch.exp(-0.5 * ((wavelength - 6563) / 5) ** 2)
    seeds = torch.arange(50)
    shifted = RedshiftShift("desi", 1e-3)(torch.stack([line, torch.ones_like(line)]).expand(50, 2, -1), seeds)
    found = (shifted[:, 0] * wavelength).sum(dim=1) / shifted[:, 0].sum(dim=1)
    torch.testing.assert_close(found, 6563 * (1 + 1e-3 * (2 * uniform(seeds) - 1)), atol=0.02, rtol=0)
    assert (found - 6563).abs().max() > 5 and (found - 6563).abs().max() < 6.6


def test_a_shift_interpolates_flux_and_variance_pixel_by_pixel():
    x, seeds, wavelength = spectra().double(), torch.arange(6), wavelength_grid(GRID)
    shifted = RedshiftShift(GRID, 1e-3)(x, seeds)
    filled = FillGaps()(x)[:, 0]
    for row in (0, 1, 4):
        source = wavelength / (1 + 1e-3 * (2 * float(uniform(seeds)[row]) - 1))
        np.testing.assert_allclose(shifted[row, 0], np.interp(source, wavelength, filled[row]), rtol=1e-6)
        for pixel in (0, 10, 58, 59, 60, 63, 64, 65, 150, 199):
            left = int(np.floor((source[pixel] - 4000) / 2))
            share = (source[pixel] - 4000) / 2 - left
            ivar = x[row, 1].tolist()
            expected = 0.0
            if 0 <= left and left + 1 < 200 and ivar[left] and ivar[left + 1]:
                expected = 1 / ((1 - share) ** 2 / ivar[left] + share**2 / ivar[left + 1])
            assert float(shifted[row, 1, pixel]) == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(RedshiftShift(GRID, 0.0)(x, seeds)[:, 0], filled)


def test_numbers_that_make_no_augmentation():
    with pytest.raises(UsageError, match="0 chunks of 50 pixels, expected at least 1 of each"):
        MaskPixels(0)
    with pytest.raises(InputError, match="hides 50 pixels in a row, spectra have 40"):
        MaskPixels()(torch.ones(1, 2, 40), torch.arange(1))
    with pytest.raises(UsageError, match=r"amplitude -1, order 5 must be >= 0 and >= 1"):
        ContinuumWarp(-1)
    with pytest.raises(UsageError, match=r"max_dz is 0\.5, expected 0 to 0.1"):
        RedshiftShift(GRID, 0.5)
    with pytest.raises(InputError, match="spectra have 40 pixels, but RedshiftShift 200 wavelengths"):
        RedshiftShift(GRID)(torch.ones(1, 2, 40), torch.arange(1))
