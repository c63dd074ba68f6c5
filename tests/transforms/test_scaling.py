"""Fixed ranges: of each spectrum, and of all images by numbers measured on those that train."""

import numpy as np
import pytest
import torch

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe
from astroclip_kit.transforms import Asinh, Compose, FillGaps, MinMax, Resize, ScaleImages, SelectChannels
from astroclip_kit.transforms.scaling import IMAGENET_GREY


def spectra(length=50):
    x = torch.rand(4, 3, length, generator=torch.Generator().manual_seed(0)) * 5 - 2
    x[:, 1] = x[:, 1].abs() + 0.1
    return x


def images(count=60, bands=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    levels = torch.tensor([1.0, 4.0, 0.3])[:bands, None, None]
    return levels * torch.randn(count, bands, 12, 12, generator=generator).exp()


def test_each_spectrum_goes_from_0_to_1_by_equation_16():
    x = spectra()
    before = x.clone()
    scaled = MinMax()(x)
    for row, flux in enumerate(x[:, 0]):
        torch.testing.assert_close(scaled[row, 0], (flux - flux.min()) / (flux.max() - flux.min()))
    assert torch.equal(scaled[:, 2], x[:, 2]) and torch.equal(x, before)
    sigma = (x[:, 0].amax(dim=1) - x[:, 0].amin(dim=1))[:, None]
    torch.testing.assert_close(scaled[:, 1], x[:, 1] * sigma.square())  # the signal-to-noise ratio stays


def test_brightness_and_background_of_a_spectrum_do_not_matter():
    x = spectra()[:, :1]
    torch.testing.assert_close(MinMax()(x * 1e3 - 7e2), MinMax()(x), atol=1e-4, rtol=0)


def test_pixels_that_were_not_observed_set_no_range():
    x = spectra()
    x[0, 0, 7], x[0, 1, 7] = 1e6, 0.0
    x[1, 0, 3], x[1, 1, 3] = torch.nan, 0.0
    scaled = MinMax()(x)
    assert scaled[0, 0, 8:].max() <= 1 and scaled[0, 0, 7] > 1
    filled = MinMax()(FillGaps()(x))[:, 0]
    assert filled.isfinite().all() and filled.min() == 0 and filled.max() == 1


def test_a_spectrum_without_a_range_becomes_0():
    x = torch.ones(3, 2, 10)
    x[1, 0], x[1, 1], x[2] = torch.nan, 0.0, 0.0
    scaled = MinMax()(FillGaps()(x))
    assert torch.equal(scaled[:, 0], torch.zeros(3, 10)) and scaled.isfinite().all()


def test_measured_images_have_one_range_and_each_band_mean_0_and_deviation_1():
    x = images()
    scale = ScaleImages(quantile=0.99).measured_on(x)
    values = np.sort(x.numpy().ravel())
    below = np.mean(values <= scale.high)
    assert below == pytest.approx(0.99, abs=1e-4) and np.mean(values < scale.low) == pytest.approx(0.01, abs=1e-4)
    scaled = scale(x)
    torch.testing.assert_close(scaled.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)
    expected = (x.clamp(scale.low, scale.high) - scale.low) / (scale.high - scale.low)
    bands = [(expected[:, band] - scale.mean[band]) / scale.scale[band] for band in range(3)]
    torch.testing.assert_close(scaled, torch.stack(bands, dim=1))


def test_a_brighter_object_stays_brighter_once_measured():
    x = images()
    scale = ScaleImages().measured_on(x)
    torch.testing.assert_close(scale(x[:2]), scale(x)[:2])  # an object does not depend on the others
    assert scale(2 * x).mean() > scale(x).mean() + 0.1


def test_the_very_brightest_pixel_moves_the_range_of_nothing():
    x = images()
    saturated = x.clone()
    saturated[0, 0, 0, 0] = 1e6
    assert ScaleImages().measured_on(saturated).high == pytest.approx(ScaleImages().measured_on(x).high, rel=0.1)
    assert ScaleImages(quantile=1.0).measured_on(saturated).high == 1e6


def test_numbers_that_are_given_stay():
    grey = ScaleImages(mean=IMAGENET_GREY[0], scale=IMAGENET_GREY[1])
    measured = grey.measured_on(images())
    assert (measured.mean, measured.scale) == IMAGENET_GREY and measured.high > 1
    assert measured.measured_on(100 * images()) is measured
    torch.testing.assert_close(measured(images()).min(), torch.tensor(-0.449 / 0.226))


def test_before_they_are_measured_each_image_has_its_own_range():
    x = images(3)
    scaled = ScaleImages()(x)
    torch.testing.assert_close(scaled.amin(dim=(1, 2, 3)), torch.full((3,), -0.449 / 0.226))
    torch.testing.assert_close(scaled.amax(dim=(1, 2, 3)), torch.full((3,), 0.551 / 0.226))
    torch.testing.assert_close(ScaleImages()(10 * x), scaled)


def test_missing_pixels_and_empty_bands_are_no_trouble():
    x = images()
    x[0, 0, 3, 3], x[:, 2] = torch.nan, 0.0
    scale = ScaleImages(low=0.0).measured_on(x)
    assert scale.scale[2] == 1 and scale(x).isfinite().all()
    assert ScaleImages()(torch.zeros(1, 3, 4, 4)).isfinite().all()
    assert ScaleImages().measured_on(torch.ones(2, 3, 4, 4))(torch.ones(2, 3, 4, 4)).abs().max() == 0


def test_what_cannot_be_measured_is_an_error():
    with pytest.raises(InputError, match="images to measure the range on have no finite pixel"):
        ScaleImages().measured_on(torch.full((2, 3, 4, 4), torch.nan))
    with pytest.raises(UsageError, match=r"ScaleImages quantile is 0.1, expected a share above 0.5"):
        ScaleImages(quantile=0.1)


def test_a_step_in_a_row_is_measured_on_what_reaches_it():
    x = images(bands=3)
    steps = Compose((SelectChannels((2, 0)), Compose((Asinh(0.1), ScaleImages())), Resize(24)))
    measured = steps.measured_on(x)
    scale = measured.steps[1].steps[1]
    assert scale == ScaleImages().measured_on(Asinh(0.1)(x[:, [2, 0]]))
    assert measured.steps[0] is steps.steps[0] and measured(x).shape == (60, 2, 24, 24)
    assert build(describe(measured), trusted=True)(x).equal(measured(x))
    assert Compose((torch.neg,)).measured_on(x) == Compose((torch.neg,))


def test_resizing_is_bilinear_and_keeps_the_mean():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    larger = Resize(16)(ramp)
    torch.testing.assert_close(larger[0, 0, 0, 3], torch.tensor(1.25))
    torch.testing.assert_close(larger.mean(), ramp.mean())
    stars = torch.rand(2, 5, 64, 64, generator=torch.Generator().manual_seed(0))
    assert Resize(64)(stars).equal(stars)
    torch.testing.assert_close(Resize(32)(stars).mean(dim=(2, 3)), stars.mean(dim=(2, 3)), atol=3e-3, rtol=0)
