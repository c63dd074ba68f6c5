import numpy as np
import pytest
import torch

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe
from astroclip_kit.transforms import ClipOutliers, FillGaps, IvarNoise, Normalise, SelectChannels
from astroclip_kit.transforms.resampling import wavelength_grid


def spectra(count=4, length=200, covariates=0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    flux = torch.rand(count, 1, length, generator=generator) * 3 + 1
    ivar = torch.rand(count, 1, length, generator=generator) + 0.5
    return torch.cat([flux, ivar, torch.full((count, covariates, length), torch.nan)], dim=1)


def test_outliers_come_to_the_given_distance_and_all_else_stays():
    x = spectra(covariates=1)
    x[0, 0, 5], x[1, 0, 6], x[2, 0, 7], x[2, 1, 7] = 1e4, -1e4, 1e6, 0.0  # the last is not observed
    clipped, observed = ClipOutliers(5.0)(x), x[:, 0].clone()
    observed[2, 7] = torch.nan
    mean = observed.nanmean(dim=1)
    sigma = (observed - mean[:, None]).square().nanmean(dim=1).sqrt()
    torch.testing.assert_close(clipped[0, 0, 5], mean[0] + 5 * sigma[0])
    torch.testing.assert_close(clipped[1, 0, 6], mean[1] - 5 * sigma[1])
    torch.testing.assert_close(clipped[2, 0, 7], mean[2] + 5 * sigma[2])
    assert torch.equal(clipped[3].nan_to_num(-9), x[3].nan_to_num(-9)) and torch.equal(clipped[:, 1], x[:, 1])


def test_the_median_scales_flux_and_ivar_together():
    x = spectra()
    normalised = Normalise("median")(x)
    torch.testing.assert_close(normalised[:, 0].median(dim=1).values, torch.ones(4))
    torch.testing.assert_close(normalised[:, 0].square() * normalised[:, 1], x[:, 0].square() * x[:, 1])
    brighter = x * torch.tensor([[1e3], [1e-6]])
    torch.testing.assert_close(Normalise("median")(brighter), normalised)


def test_a_zscored_spectrum_has_mean_0_and_deviation_1_over_observed_pixels():
    x = spectra()
    x[:, 0, :50], x[:, 1, :50] = 1e6, 0.0
    flux = Normalise("zscore")(x)[:, 0, 50:]
    torch.testing.assert_close(flux.mean(dim=1), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(flux.std(dim=1, correction=0), torch.ones(4))


@pytest.mark.parametrize("mode", ["none", "median", "zscore"])
def test_normalising_survives_empty_spectra_and_leaves_covariates(mode):
    x = spectra(covariates=1)
    x[0, :2] = 0.0
    x[1, 0], x[1, 1] = torch.nan, 0.0
    before = x.clone()
    normalised = Normalise(mode)(x)
    assert normalised[0].nan_to_num(0.0).abs().max() == 0
    assert normalised[2:, :2].isfinite().all() and normalised[:, 2].isnan().all()
    torch.testing.assert_close(x, before, equal_nan=True)


def test_normalising_works_without_an_ivar():
    flux = spectra()[:, :1]
    torch.testing.assert_close(Normalise()(flux).median(dim=-1).values, torch.ones(4, 1))


def test_an_unknown_mode_is_an_error():
    with pytest.raises(UsageError, match="'max' is not one of none, median, rest_median, zscore"):
        Normalise("max")


def rest_spectra(z):
    """On the DESI grid: 2 inside the window of the rest frame, 9 outside it."""
    wavelength, z = torch.from_numpy(wavelength_grid("desi")), torch.tensor(z)[:, None]
    inside = (wavelength / (1 + z) >= 5300) & (wavelength / (1 + z) <= 5850)
    flux = torch.where(inside, 2.0, 9.0)
    return torch.stack([flux, torch.ones_like(flux), z.expand_as(flux)], dim=1)


def test_the_rest_frame_median_is_that_of_the_window():
    x = rest_spectra([0.0, 0.3, 0.6])
    normalise = Normalise("rest_median", level=True, wavelength="desi")
    normalised = normalise(x)
    torch.testing.assert_close(normalised[:, 0], x[:, 0] / 2)
    torch.testing.assert_close(normalised[:, 1], x[:, 1] * 4)
    torch.testing.assert_close(normalised[:, 3], torch.full((3, 7781), 2.0).log())
    assert torch.equal(normalised[:, 2], x[:, 2])
    assert torch.equal(build(describe(normalise))(x), normalised)


def test_without_its_window_the_rest_frame_median_is_the_plain_one():
    x = rest_spectra([0.2, 0.2, torch.nan, 1.5, 0.2])
    inside = x[:, 0] == 2
    x[0, 1, inside[0]] = 0.0  # masked
    x[1, 0, inside[1]] = -2.0  # noise below the sky
    x[4, :2] = 0.0  # nothing at all
    normalised = Normalise("rest_median", wavelength="desi")(x)
    torch.testing.assert_close(normalised[:4], Normalise("median")(x[:4]), equal_nan=True)
    assert normalised[:, :2].isfinite().all() and not normalised[4, :2].any()


def test_the_rest_frame_median_says_what_it_lacks():
    with pytest.raises(UsageError, match="needs the wavelengths of the spectra: give wavelength='desi'"):
        Normalise("rest_median")
    normalise = Normalise("rest_median", wavelength="sdss", redshift=3)
    with pytest.raises(InputError, match="3921 pixels and the redshift as channel 3, found 3921 pixels and 2 channels"):
        normalise(torch.ones(1, 2, 3921))
    with pytest.raises(InputError, match="found 100 pixels and 4 channels"):
        normalise(torch.ones(1, 4, 100))


def test_gaps_are_filled_as_numpy_interpolates():
    x = spectra(covariates=1)
    gaps = torch.rand(4, 200, generator=torch.Generator().manual_seed(1)) < 0.4
    x[:, 1][gaps] = 0.0
    x[0, 0][gaps[0]] = torch.nan
    filled = FillGaps()(x)
    pixel = np.arange(200)
    for row in range(4):
        good = ~gaps[row].numpy()
        np.testing.assert_allclose(filled[row, 0], np.interp(pixel, pixel[good], x[row, 0].numpy()[good]), rtol=1e-5)
    assert torch.equal(filled[:, 1], x[:, 1]) and filled[:, 2].isnan().all()


def test_a_spectrum_without_any_pixel_is_filled_with_zeros():
    x = torch.full((1, 2, 9), torch.nan)
    assert FillGaps()(x)[0, 0].tolist() == [0.0] * 9


def test_noise_follows_the_ivar_and_lowers_it():
    x = spectra(count=400)
    x[:, 1, :10] = 0.0
    noisy = IvarNoise(2.0)(x, torch.arange(400))
    pull = (noisy[:, 0, 10:] - x[:, 0, 10:]) * x[:, 1, 10:].sqrt()
    assert pull.std() == pytest.approx(2.0, rel=0.02)
    assert torch.equal(noisy[:, 0, :10], x[:, 0, :10])
    torch.testing.assert_close(noisy[:, 1], x[:, 1] / 5)
    assert torch.equal(IvarNoise(2.0)(x[7:8], torch.tensor([7])), noisy[7:8])
    with pytest.raises(
        InputError, match=r"these have no inverse variance: read them with ivar, or leave this step out"
    ):
        IvarNoise()(x[:, :1], torch.arange(400))


def test_channels_are_selected_by_number():
    x = spectra(covariates=1)
    assert torch.equal(SelectChannels()(x), x[:, :1])
    assert torch.equal(SelectChannels((1, 0))(x), x[:, (1, 0)])
    with pytest.raises(InputError, match="no channel 3 in views of 3 channels"):
        SelectChannels((3,))(x)
