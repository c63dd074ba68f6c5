"""Joining the pixels of a spectrum, and keeping its brightness beside its shape."""

import numpy as np
import pytest
import torch

from astroclip_kit.errors import InputError
from astroclip_kit.transforms import Normalise, Rebin


def spectra(channels=3, length=50):
    x = torch.rand(4, channels, length, generator=torch.Generator().manual_seed(0)) + 0.5
    x[0, 1:2, 7:9] = 0.0
    return x


def test_rebinning_is_the_weighted_mean_of_a_slow_loop():
    x = spectra()
    before = x.clone()
    rebinned = Rebin(6)(x)
    assert rebinned.shape == (4, 3, 8)
    for i, j in np.ndindex(4, 8):
        flux, ivar, covariate = x[i, :, 6 * j : 6 * j + 6].numpy()
        expected = [np.average(flux, weights=ivar), ivar.sum(), covariate.mean()]
        np.testing.assert_allclose(rebinned[i, :, j], expected, rtol=1e-5)
    assert torch.equal(x, before)


def test_a_block_without_a_measurement_keeps_its_filled_flux_and_ivar_0():
    x = spectra()
    x[1, 1, :6], x[2, 0, :6], x[3, 0, 2] = 0.0, torch.nan, torch.nan
    rebinned = Rebin(6)(x)
    torch.testing.assert_close(rebinned[1, 0, 0], x[1, 0, :6].mean())
    assert rebinned[1, 1, 0] == rebinned[2, 1, 0] == 0 and rebinned[2, 0, 0].isnan()
    assert rebinned[3, 0, 0].isfinite()


def test_flux_alone_is_averaged():
    x = spectra(1)
    torch.testing.assert_close(Rebin(5)(x), x.reshape(4, 1, 10, 5).mean(dim=-1))


def test_too_short_a_spectrum_is_an_error():
    with pytest.raises(InputError, match="spectra of 50 pixels cannot be rebinned by 51"):
        Rebin(51)(spectra())


@pytest.mark.parametrize("mode", ["median", "zscore", "none"])
def test_the_level_gives_back_what_was_divided_by(mode):
    x = spectra()
    x[3, 0] = 0.0
    plain, kept = Normalise(mode)(x), Normalise(mode, level=True)(x)
    torch.testing.assert_close(kept[:, :3], plain)
    assert kept.shape == (4, 4, 50) and kept[3, 3].abs().max() == 0
    if mode != "zscore":
        torch.testing.assert_close(kept[:, 0] * kept[:, 3].exp(), x[:, 0])
