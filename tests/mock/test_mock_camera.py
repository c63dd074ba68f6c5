"""Cutouts: flux, shape, seeing and depth are those that the latents and the survey prescribe."""

import numpy as np
import pytest

from astroclip_kit.mock.background import GALAXIES, STARS, draw_background
from astroclip_kit.mock.camera import draw_exposures, effective_pixels, fibre_aperture, moffat_transfer, observe_images
from astroclip_kit.mock.components import MARGIN, compose, render_components
from astroclip_kit.mock.instruments import DEPTH, MOFFAT_SCALE, PIXEL_SCALE_ARCSEC, SEEING_ARCSEC
from astroclip_kit.mock.population import draw_galaxies

CLEAN = np.full(60, "none")


@pytest.fixture(scope="module")
def galaxies():
    return draw_galaxies(60, np.random.default_rng(3), 19.9)


def test_components_hold_the_flux_of_their_profile(galaxies):
    bulge, disc = render_components(galaxies, 64)
    assert bulge.shape == disc.shape == (60, 64 + 2 * MARGIN, 64 + 2 * MARGIN)
    small = galaxies["disc_radius"] < 1.5
    np.testing.assert_allclose(disc[small].sum(axis=(1, 2)), 1, atol=0.02)
    assert np.all(bulge.sum(axis=(1, 2)) <= 1 + 1e-5)


def test_half_of_the_disc_is_within_its_radius(galaxies):
    round_disc = galaxies | {"axis_ratio": np.ones(60), "disc_radius": np.full(60, 2.0), "arm_strength": np.zeros(60)}
    disc = render_components(round_disc, 96)[1]
    offset = (np.arange(disc.shape[-1]) - (disc.shape[-1] - 1) / 2) * PIXEL_SCALE_ARCSEC
    inside = np.hypot(offset[:, None], offset) < 2.0
    np.testing.assert_allclose(disc[:, inside].sum(axis=1), 0.5, atol=0.02)


def test_inclination_flattens_along_the_position_angle(galaxies):
    edge_on = galaxies | {"axis_ratio": np.full(60, 0.2), "position_angle_deg": np.zeros(60)}
    disc = render_components(edge_on, 64)[1]
    offset = np.arange(disc.shape[-1]) - (disc.shape[-1] - 1) / 2
    along_x = (disc * offset**2).sum(axis=(1, 2))
    along_y = (disc * offset[:, None] ** 2).sum(axis=(1, 2))
    assert np.all(along_x > 3 * along_y)


def test_empty_sky_has_the_depth_of_the_survey():
    exposure = draw_exposures(60, np.random.default_rng(4))
    empty = np.zeros((60, 3, 64 + 2 * MARGIN, 64 + 2 * MARGIN), dtype=np.float32)
    image, ivar = observe_images(empty, exposure, CLEAN, np.random.default_rng(5))
    assert image.shape == ivar.shape == (60, 3, 64, 64) and image.dtype == ivar.dtype == np.float32
    pixels = 4 * np.pi * (np.array(SEEING_ARCSEC) / 2.355 / PIXEL_SCALE_ARCSEC) ** 2
    depth = 22.5 - 2.5 * np.log10(5 * image.std(axis=(0, 2, 3)) * np.sqrt(pixels))
    np.testing.assert_allclose(depth, DEPTH, atol=0.1)


def test_noise_is_what_the_inverse_variance_of_the_image_says(galaxies):
    exposure = draw_exposures(60, np.random.default_rng(4))
    flux = np.full((60, 3), 60.0, dtype=np.float32)
    scene = compose(render_components(galaxies, 64), flux, flux)
    pair = [observe_images(scene, exposure, CLEAN, np.random.default_rng(seed)) for seed in (1, 2)]
    pull = (pair[0][0] - pair[1][0]) * np.sqrt(pair[0][1] / 2)
    assert pull.std() == pytest.approx(1, abs=0.01)
    assert np.all(pair[0][1][:, :, 32, 32] < pair[0][1][:, :, 0, 0])  # photons of the galaxy are noise, too


def test_every_band_and_exposure_has_its_own_moffat_seeing():
    exposure = draw_exposures(200, np.random.default_rng(1))
    np.testing.assert_allclose(np.median(exposure["fwhm"], axis=0), SEEING_ARCSEC, rtol=0.03)
    assert np.all(exposure["fwhm"].std(axis=0) > 0.05)
    size, fwhm = 128, 1.3
    point = np.fft.fftshift(np.fft.irfft2(moffat_transfer(size, fwhm), (size, size)))
    radius = np.arange(40) * PIXEL_SCALE_ARCSEC / (fwhm * MOFFAT_SCALE)
    profile = point[size // 2, size // 2 : size // 2 + 40]
    np.testing.assert_allclose(profile[:20] / profile[0], (1 + radius[:20] ** 2) ** -2.5, rtol=0.1)
    assert point.sum() == pytest.approx(1, rel=1e-5)


def test_fibre_takes_more_of_small_galaxies(galaxies):
    components = render_components(galaxies, 64)
    aperture = fibre_aperture(components[0].shape[-1])
    bulge, disc = (np.tensordot(part, aperture, axes=2) for part in components)
    assert np.all((bulge > 0) & (bulge < 0.8) & (disc > 0) & (disc < 0.8))
    assert np.corrcoef(galaxies["disc_radius"], disc)[0, 1] < -0.5


def test_larger_galaxies_collect_the_noise_of_more_pixels(galaxies):
    exposure = draw_exposures(60, np.random.default_rng(2))
    one = np.ones((60, 3), dtype=np.float32)
    pixels = effective_pixels(compose(render_components(galaxies, 64), 0 * one, one), exposure)
    assert pixels.shape == (60, 3) and np.all(pixels > 20)
    assert np.corrcoef(galaxies["disc_radius"] * np.sqrt(galaxies["axis_ratio"]), np.sqrt(pixels[:, 1]))[0, 1] > 0.8


def test_background_has_galaxies_and_redder_stars_to_the_number():
    light = draw_background(400, 64, np.random.default_rng(3))
    assert light.shape == (400, 3, 64, 64) and np.all(light >= 0)
    empty = np.mean(light[:, 1].max(axis=(1, 2)) == 0)
    assert empty == pytest.approx(np.exp(-(GALAXIES + STARS) * (64 * PIXEL_SCALE_ARCSEC / 17) ** 2), abs=0.05)
    flux = light.sum(axis=(2, 3))[light[:, 1].max(axis=(1, 2)) > 0]
    colour = -2.5 * np.log10(flux[:, 0] / flux[:, 1])
    assert 0.4 < np.median(colour) < 1.2 and colour.std() > 0.2
