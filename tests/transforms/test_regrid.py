import numpy as np
import pytest
import torch

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe
from astroclip_kit.transforms import Resample
from astroclip_kit.transforms.resampling import overlap, resample, wavelength_grid


def spectra(count, length, seed=0, scale=1.0):
    """Random spectra with single bad pixels, gaps, bad ends, NaN, and one without any good pixel."""
    rng = np.random.default_rng(seed)
    flux, ivar = rng.normal(1, 0.3, (count, length)), rng.uniform(0.1, 10, (count, length))
    ivar[rng.uniform(size=ivar.shape) < 0.05] = 0
    for row in ivar:
        start = rng.integers(length)
        row[start : start + length // 20] = 0
    ivar[0, : length // 10], ivar[0, -length // 10 :] = 0, 0
    flux[1, 7], ivar[1, 9], ivar[1, 11], ivar[2] = np.nan, np.nan, -1, 0
    return (flux * scale).astype(np.float32), (ivar / scale**2).astype(np.float32)


GRID_PAIRS = [
    ("desi", "sdss"),
    ("sdss", "desi"),
    ("boss", "desi"),
    ("desi", "boss"),
    ("sdss", "boss"),
    ("boss", "sdss"),
    ("lamost", "desi"),
    ((3600, 9800, 2), "sdss"),
    ("desi", (4000, 9000, 37)),
    ((3600, 9800, 2), (3600, 9800, 4)),
    ((3600, 9800, 2), (3600.5, 9799.5, 1)),  # each pixel of the output in one of the input
    ("boss", "boss 4000-9000"),
    ("desi", "desi"),
]


@pytest.mark.parametrize("source, grid", GRID_PAIRS)
def test_equals_the_resampling_of_the_readers(source, grid):
    wavelength, target = wavelength_grid(source), wavelength_grid(grid)
    flux, ivar = spectra(4, len(wavelength))
    expected_flux, expected_ivar = resample(flux, ivar, wavelength, target)
    found = Resample(source, grid)(torch.from_numpy(np.stack([flux, ivar], axis=1)))
    np.testing.assert_array_equal(found[:, 1] == 0, expected_ivar == 0)
    np.testing.assert_allclose(found[:, 1], expected_ivar, rtol=1e-5)
    good = expected_ivar > 0
    np.testing.assert_allclose(found[:, 0][good], expected_flux[good], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found[:, 0], expected_flux, atol=1e-3)  # wavelengths of gaps are float32
    assert found.isfinite().all() and not found[2].any()


@pytest.mark.parametrize("scale", [1e-17, 1e12])
def test_any_unit_of_the_flux_keeps_its_precision(scale):
    wavelength = wavelength_grid("desi")
    flux, ivar = spectra(3, len(wavelength), scale=scale)
    expected_flux, expected_ivar = resample(flux, ivar, wavelength, wavelength_grid("sdss"))
    found = Resample("desi", "sdss")(torch.from_numpy(np.stack([flux, ivar], axis=1)))
    np.testing.assert_allclose(found[:, 0], expected_flux, atol=1e-3 * scale)
    np.testing.assert_allclose(found[:, 1], expected_ivar, rtol=1e-5)


def test_the_integral_is_conserved():
    wavelength, grid = wavelength_grid("desi"), wavelength_grid("sdss")
    line = np.exp(-0.5 * ((wavelength - 6563) / 8) ** 2).astype(np.float32)
    found = Resample("desi", "sdss")(torch.from_numpy(line)[None, None])[0, 0].numpy()
    assert np.trapezoid(found, grid) == pytest.approx(np.trapezoid(line, wavelength), rel=1e-4)


def test_a_spectrum_depends_on_no_other_of_its_batch_and_the_input_stays():
    flux, ivar = spectra(5, 7781)
    x = torch.from_numpy(np.stack([flux, ivar], axis=1))
    before, whole = x.clone(), Resample("desi", "boss")(x)
    assert torch.equal(Resample("desi", "boss")(x[3:4]), whole[3:4])
    torch.testing.assert_close(x, before, equal_nan=True)


def test_what_the_source_does_not_reach_goes_on_without_weight():
    x = torch.stack([torch.full((2, 3921), 3.0), torch.ones(2, 3921)], dim=1)
    found, wavelength = Resample("sdss", "boss")(x), wavelength_grid("boss")
    outside = torch.from_numpy((wavelength < 3784) | (wavelength > 9333))
    assert outside.sum() > 700 and not found[:, 1, outside].any() and found[:, 1, ~outside].all()
    torch.testing.assert_close(found[:, 0], torch.full((2, 4686), 3.0))


def test_covariates_are_carried_and_a_flux_alone_is_enough():
    x = torch.cat([torch.ones(2, 2, 7781), torch.full((2, 1, 7781), 0.7), torch.full((2, 1, 7781), torch.nan)], dim=1)
    found = Resample("desi", "sdss")(x)
    assert found.shape == (2, 4, 3921) and (found[:, 2] == 0.7).all() and found[:, 3].isnan().all()
    torch.testing.assert_close(Resample("desi", "sdss")(x[:, :1]), torch.ones(2, 1, 3921))


def test_a_known_grid_is_kept_by_its_name_and_rebuilt():
    once = Resample(wavelength_grid("desi").astype(np.float32), tuple(wavelength_grid("sdss")))
    assert (once.source, once.grid) == ("desi", "sdss")
    described = describe(Resample("desi", [4000, 9000, 10]))
    assert described["init_args"] == {"source": "desi", "grid": [4000.0, 9000.0, 10.0]}
    assert torch.equal(build(described)(torch.ones(1, 1, 7781)), torch.ones(1, 1, 501))


def test_shares_of_a_pixel_add_up_to_one_where_it_is_covered():
    shares = overlap(wavelength_grid("boss"), wavelength_grid("sdss"))
    assert shares.nnz == 3921 and (shares.data == 1).all()
    shares = overlap(wavelength_grid("desi"), wavelength_grid("sdss"))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-9)


def test_grids_that_hardly_meet_and_spectra_of_another_length():
    with pytest.raises(UsageError, match=r"of 3600 to 4500 Angstrom cover 19% of the grid from 3784 to 9333"):
        Resample((3600, 4500, 1), "sdss")
    with pytest.raises(UsageError, match="grid 'sdss5' is unknown"):
        Resample("desi", "sdss5")
    with pytest.raises(InputError, match="spectra have 4686 pixels, expected the 7781 of the grid they are on"):
        Resample("desi", "sdss")(torch.ones(1, 2, 4686))
