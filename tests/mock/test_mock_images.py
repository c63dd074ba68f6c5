"""Cutouts: flux, shape, seeing and depth are those that the latents and the survey prescribe."""

import numpy as np
import pytest

from astroclip_kit.mock.images import MARGIN, fibre_shares, observe_images, render_components
from astroclip_kit.mock.instruments import DEPTH, PIXEL_SCALE_ARCSEC, SEEING_ARCSEC
from astroclip_kit.mock.population import draw_galaxies


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


def test_empty_sky_has_the_depth_of_the_survey(galaxies):
    nothing = np.zeros((60, 3), dtype=np.float32)
    cutouts = observe_images(render_components(galaxies, 64), nothing, nothing, np.random.default_rng(4))
    assert cutouts.shape == (60, 3, 64, 64) and cutouts.dtype == np.float32
    low, middle = np.percentile(cutouts, [15.87, 50], axis=(0, 2, 3))  # the lower side knows no neighbours
    pixels = 4 * np.pi * (np.array(SEEING_ARCSEC) / 2.355 / PIXEL_SCALE_ARCSEC) ** 2
    depth = 22.5 - 2.5 * np.log10(5 * (middle - low) * np.sqrt(pixels))
    np.testing.assert_allclose(depth, DEPTH, atol=0.15)


def test_fibre_takes_more_of_small_galaxies(galaxies):
    bulge, disc = fibre_shares(render_components(galaxies, 64))
    assert np.all((bulge > 0) & (bulge < 0.8) & (disc > 0) & (disc < 0.8))
    assert np.corrcoef(galaxies["disc_radius"], disc)[0, 1] < -0.5
