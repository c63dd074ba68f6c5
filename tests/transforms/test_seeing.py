import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe
from astroclip_kit.transforms import Extinction, PSFBlur, QuadratureNoise, stein_augmentations
from astroclip_kit.transforms.lognormal import LogNormal
from astroclip_kit.transforms.seeing import NOISE_NMGY, PSF_SIGMA_PIX

GRZ = ("g", "r", "z")
WITH_IVAR = (*GRZ, "ivar_g", "ivar_r", "ivar_z")
SEEDS = torch.arange(2000)


def images(count=4, channels=3, height=32, width=32, seed=0):
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(seed))


def test_a_lognormal_is_that_of_scipy():
    drawn = LogNormal(0.3, 1.2, 0.9).draw(torch.arange(20000)).numpy()
    assert stats.kstest(drawn, stats.lognorm(0.3, 1.2, 0.9).cdf).pvalue > 0.01
    assert LogNormal(0.3, -5.0, 0.9).draw(SEEDS).max() == 0


def test_dust_reddens_by_the_transmission_of_each_band():
    x = images(2000, height=1, width=1) + 1
    factor = (Extinction(old_ebv=0.1, max_ebv=0.5)(x, SEEDS) / x)[..., 0, 0].double()
    exponents = torch.tensor([-1.2856, -0.866, -0.4844])  # of the specification
    new = 0.1 + factor.log10() / exponents
    torch.testing.assert_close(new[:, :1].expand(-1, 3), new, atol=1e-4, rtol=0)  # one E(B-V) for all bands
    assert stats.kstest(new[:, 0].numpy(), stats.uniform(0, 0.5).cdf).pvalue > 0.01
    sky = Extinction(uniform=False, old_ebv=0.0)(x, SEEDS) / x
    ebv = sky[:, 0, 0, 0].double().log10() / exponents[0]
    assert stats.kstest(ebv.numpy(), stats.lognorm(0.67306, 0.001146, 0.03338).cdf).pvalue > 0.01
    unknown = Extinction(uniform=False)(x, SEEDS) / x
    assert (unknown > 1.001).any() and (unknown < 0.999).any()  # the old one was drawn as well


def test_dust_leaves_the_signal_to_noise_alone():
    x = images(5, 6) + 1
    dusty = Extinction(WITH_IVAR)(x, torch.arange(5))
    torch.testing.assert_close(dusty[:, :3] ** 2 * dusty[:, 3:], x[:, :3] ** 2 * x[:, 3:])
    own = Extinction(("a", "b", "c"), old_ebv=0.0, coefficients=(1.0, 2.0, 0.0))(x[:, :3], torch.arange(5))
    ratio = own / x[:, :3]
    torch.testing.assert_close(ratio[:, 0] ** 2, ratio[:, 1])
    assert torch.equal(ratio[:, 2], torch.ones(5, 32, 32))


@pytest.mark.parametrize("height, width", [(32, 32), (24, 41)])
def test_the_blur_equals_scipy_with_a_width_per_row_and_band(height, width):
    x, seeds = images(6, height=height, width=width), torch.arange(6)
    blur = PSFBlur(true=(0.0, 0.0, 0.0), final=(1.3, 3.0, 0.0))
    blurred = blur(x, seeds)
    for row, (band, sigma) in [(r, b) for r in (0, 5) for b in enumerate((1.3, 3.0))]:
        expected = ndimage.gaussian_filter(x[row, band].numpy().astype(np.float64), sigma, mode="reflect", truncate=8)
        np.testing.assert_allclose(blurred[row, band], expected, atol=1e-6)
    torch.testing.assert_close(blurred[:, 2], x[:, 2])
    whole = PSFBlur()(x, seeds)
    assert (whole - x).abs().amax(dim=(2, 3)).std() > 0.01  # the widths differ


def widths(blur, count=2000):
    """The width that was added to a star, from its second moment."""
    star = torch.zeros(count, 3, 61, 61)
    star[..., 30, 30] = 1.0
    pixel = torch.arange(61) - 30.0
    return (blur(star, torch.arange(count)).sum(dim=3) * pixel**2).sum(dim=2).sqrt()


@pytest.mark.parametrize("uniform", [True, False])
def test_widths_are_added_in_quadrature_to_what_the_survey_has(uniform):
    given = PSFBlur(uniform=uniform, true=(1.4, 1.4, 1.4))
    added = widths(given, 400)
    for band, name in enumerate(GRZ):
        shape, loc, scale, low, high = PSF_SIGMA_PIX[name]
        wanted = stats.uniform(low, high - low) if uniform else stats.lognorm(shape, loc, scale)
        final = np.sqrt(added[:, band].numpy().astype(np.float64) ** 2 + 1.4**2)
        share = wanted.cdf(1.6)
        assert (final < 1.6).mean() == pytest.approx(share, abs=4 * (share / 400) ** 0.5)
        assert stats.kstest(final[final > 1.6], lambda v, w=wanted, s=share: (w.cdf(v) - s) / (1 - s)).pvalue > 0.005
    assert (widths(PSFBlur(uniform=uniform), 100) == 0).any()  # where the drawn one is narrower than the image's
    half = widths(PSFBlur(uniform=uniform, pixel_scale_arcsec=0.524), 100)
    torch.testing.assert_close(half[half > 1], widths(PSFBlur(uniform=uniform), 100)[half > 1] / 2, rtol=0.02, atol=0)


@pytest.mark.parametrize("uniform", [True, False])
def test_noise_is_added_in_quadrature_to_what_the_survey_has(uniform):
    zeros = torch.zeros(300, 3, 40, 40)
    added = QuadratureNoise(uniform=uniform, true=(0.001, 0.001, 0.001))(zeros, torch.arange(300))
    for band, name in enumerate(GRZ):
        shape, loc, scale, low, high = NOISE_NMGY[name]
        wanted = stats.uniform(low, high - low) if uniform else stats.lognorm(shape, loc, scale)
        final = np.sqrt(added[:, band].double().var(dim=(1, 2)).numpy() + 1e-6)
        assert stats.kstest(final, wanted.cdf).pvalue > 0.005
    correlation = torch.corrcoef(added.transpose(0, 1).reshape(3, -1))
    assert (correlation - torch.eye(3)).abs().max() < 0.01
    assert torch.equal(QuadratureNoise(true=(1.0,) * 3, final=(0.5,) * 3)(zeros, torch.arange(300)), zeros)


def test_noise_lowers_the_ivar_and_masked_pixels_stay_masked():
    x = images(3, 6)
    x[:, 3:, :2] = 0.0
    noisy = QuadratureNoise(WITH_IVAR, true=(3.0, 3.0, 3.0), final=(5.0, 5.0, 2.0))(x, torch.arange(3))
    torch.testing.assert_close(noisy[:, 3:5], 1 / (1 / x[:, 3:5] + 16))
    assert torch.equal(noisy[:, 5], x[:, 5]) and torch.equal(noisy[:, 2], x[:, 2])
    assert not noisy[:, 3:, :2].any() and (noisy[:, :2] != x[:, :2]).all()


@pytest.mark.parametrize("augment", [Extinction(), PSFBlur(), QuadratureNoise(), stein_augmentations(size=24)])
def test_a_row_depends_on_its_seed_alone(augment):
    x, seeds = images(6), torch.arange(6)
    before, whole = x.clone(), augment(x, seeds)
    torch.testing.assert_close(augment(x[2:3], seeds[2:3]), whole[2:3], rtol=1e-6, atol=1e-7)
    assert not torch.equal(augment(x, seeds + 100)[0], whole[0])
    assert torch.equal(x, before) and whole.isfinite().all()
    assert describe(build(describe(augment))) == describe(augment)
    assert torch.equal(build(describe(augment))(x, seeds), whole)


def test_the_published_chain_has_its_steps_in_their_order():
    chain = stein_augmentations(("z", "r", "g"), size=30, uniform=False)
    names = [type(step).__name__ for step in chain.steps]
    assert names == ["Extinction", "RandomRotate", "RandomScale", "PSFBlur", "JitterCrop", "QuadratureNoise"]
    assert all(not step.uniform and step.bands == ("z", "r", "g") for step in chain.steps[::5])
    x = images(2, height=48, width=48)
    x[0, 0, 3, 3] = torch.nan
    assert chain(x, torch.arange(2)).shape == (2, 3, 30, 30)
    assert PSFBlur()(x, torch.arange(2)).isfinite().all()


def test_bands_and_numbers_that_do_not_fit():
    with pytest.raises(UsageError, match="knows no coefficient of the band 'B', only of u, g, r, i, z, Y, W1, W2"):
        Extinction(("B",))
    with pytest.raises(UsageError, match="Extinction: 2 coefficients for 3 bands"):
        Extinction(coefficients=(1.0, 2.0))
    with pytest.raises(UsageError, match=r"E\(B-V\) of 1\.0 and -1 must not be negative"):
        Extinction(old_ebv=-1)
    with pytest.raises(InputError, match="images have 6 channels, expected 3: g, r, z"):
        Extinction()(images(channels=6), torch.arange(4))
    with pytest.raises(UsageError, match=r"PSFBlur knows the distribution in g, r, z and not in 'i'\. Give true"):
        PSFBlur(("g", "r", "i"))
    with pytest.raises(
        UsageError, match=r"QuadratureNoise: \[1\.0\] is not one width, at least 0, for each of g, r, z"
    ):
        QuadratureNoise(true=(1.0,))
    with pytest.raises(UsageError, match="PSFBlur mixes pixels, and an inverse variance per pixel is wrong then"):
        PSFBlur(WITH_IVAR)
