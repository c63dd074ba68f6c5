"""AstroM3's preprocessing of spectra against its steps, one spectrum at a time."""

import numpy as np
import pytest
import torch
from astrom3_release import WAVELENGTHS, spectrum_channels

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.transforms import SpectrumChannels
from astroclip_kit.transforms.resampling import wavelength_grid
from astroclip_kit.types import Modality

GRIDS = ["lamost", (3700.0, 9100.0, 1.5), (4500.0, 8000.0, 2.5), (3840.0, 8988.0, 2.0), "published"]


def grid_of(grid):
    return WAVELENGTHS.astype(float) if grid == "published" else wavelength_grid(grid)


def spectra(grid, count=4):
    rng = np.random.default_rng(0)
    x = rng.lognormal(3, 0.5, (count, 2, len(grid_of(grid))))
    x[1, 0, 5:400] = 0
    x[2, 1, 40:60] = 0
    return x.astype(np.float32)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_the_channels_are_those_of_the_release(grid):
    x, wavelength = spectra(grid), grid_of(grid)
    modality = Modality.spectrum("s", wavelength, covariates=("z",))
    transform = SpectrumChannels.for_modality(modality, gaps="kept")
    assert transform.length == 2575
    got = transform(torch.from_numpy(np.concatenate([x, x[:, :1]], axis=1)))
    for one, spectrum in zip(got.numpy(), x, strict=True):
        np.testing.assert_allclose(one, spectrum_channels(wavelength, *spectrum), rtol=2e-5, atol=2e-5)
    if grid == "published":
        torch.testing.assert_close(SpectrumChannels(gaps="kept")(torch.from_numpy(x)), got)


def test_the_error_instead_of_the_inverse_variance():
    x = torch.from_numpy(spectra("published"))
    sigma, ivar = SpectrumChannels(second="sigma")(x), SpectrumChannels()(x)
    torch.testing.assert_close(sigma[:, ::2], ivar[:, ::2])
    scale = 10 ** sigma[0, 2, 0]
    torch.testing.assert_close(sigma[0, 1] * scale, x[0, 1].rsqrt(), rtol=1e-4, atol=1e-6)
    assert (sigma[2, 1, 40:60] == 0).all()


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_whole_spectra_are_those_of_the_release_with_either_way_of_filling_gaps(grid):
    x = torch.from_numpy(spectra(grid))[[0, 3]]
    kept, filled = (
        SpectrumChannels(wavelength=tuple(grid_of(grid)), gaps=gaps)(x) for gaps in ("kept", "interpolated")
    )
    torch.testing.assert_close(filled, kept, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_what_is_not_covered_does_not_change_what_is(bad):
    whole = torch.from_numpy(spectra("published"))[:1]
    flux, ivar = whole[0].clone()
    flux[:500], flux[2000:] = 0, bad
    ivar[:500], ivar[2000:], ivar[900:903] = 0, bad, bad
    got = SpectrumChannels()(torch.stack([flux, ivar])[None])[0]
    good = torch.ones(2575, dtype=torch.bool)
    good[:500] = good[2000:] = good[900:903] = False
    values = whole[0, 0][good]
    mad = (values - values.quantile(0.5)).abs().quantile(0.5)
    torch.testing.assert_close(got[0, good], (values - values.mean()) / mad, rtol=1e-3, atol=1e-3)
    assert abs(float(got[0, good].mean())) < 1e-4 and (got[0, :500] == got[0, 500]).all()
    assert (got[0, 2000:] == got[0, 1999]).all() and (got[1, ~good] == 0).all()
    torch.testing.assert_close(got[0, 901], (got[0, 899] + got[0, 903]) / 2, rtol=1e-4, atol=1e-5)


def test_the_second_channel_is_a_number_in_every_unit():
    x = torch.from_numpy(spectra("published"))[:1]
    small = x * torch.tensor([1e-17, 1e34])[:, None]
    unit = Modality.spectrum("s", grid_of("published"), "erg / (s cm2 Angstrom)")
    got = SpectrumChannels.for_modality(unit)
    assert (got.second, got.gaps) == ("sigma", "interpolated")
    torch.testing.assert_close(got(small)[:, :2], SpectrumChannels(second="sigma")(x)[:, :2], rtol=1e-4, atol=1e-4)
    released = SpectrumChannels.for_modality(Modality.spectrum("s", grid_of("published")))
    assert (released.second, released.gaps) == ("ivar", "kept")
    lamost = SpectrumChannels.for_modality(Modality.spectrum("s", grid_of("lamost")))
    assert (lamost.second, lamost.gaps) == ("ivar", "interpolated")
    with pytest.raises(InputError, match=r"scatter of the flux \(.*e-17\) is too large a number. Give second='sigma'"):
        SpectrumChannels()(small)


def test_spectra_without_scatter_are_finite():
    x = torch.zeros(4, 2, 2575)
    x[1, 0], x[2, 0, :50], x[3, 0] = 3.0, 7.0, torch.nan
    got = SpectrumChannels()(x)
    assert got.isfinite().all() and (got[[0, 1, 3], 2] == 0).all() and (got[[0, 1, 3], 0] == 0).all()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: SpectrumChannels(step=0), UsageError, "wavelengths that ascend.* found 3850 to 9000 in steps of 0"),
        (lambda: SpectrumChannels(second="flux"), UsageError, "second 'ivar' or 'sigma'.* and 'flux'"),
        (lambda: SpectrumChannels(gaps="cut"), UsageError, "takes gaps 'interpolated' or 'kept', found 'cut'"),
        (lambda: SpectrumChannels()(torch.zeros(2, 2, 9)), InputError, r"takes \[B, 2, 2575\] of flux and ivar, found"),
        (
            lambda: SpectrumChannels.for_modality(Modality("s", "spectrum", ("flux",), (1, 2), "", (1.0, 2.0))),
            InputError,
            "takes spectra of flux and ivar, and 's' is of kind 'spectrum' with flux",
        ),
    ],
)
def test_what_cannot_be_done(call, error, words):
    with pytest.raises(error, match=words):
        call()
