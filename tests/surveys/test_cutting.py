import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.nddata import Cutout2D
from astropy.wcs import WCS

from astroclip_kit.surveys.images.cutting import cut, lattice_nodes, sky_nodes


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(40, 50)).astype(">f4")


def grid(corner, size, step=1.0, angle_deg=0.0):
    """Nodes [3, 3, 2] of a grid that starts at a pixel, with steps of so many pixels, turned."""
    angle = np.radians(angle_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    steps = np.array([0, (size - 1) / 2, size - 1]) * step
    return np.stack(np.meshgrid(steps, steps), axis=-1) @ turn + corner


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("position", [(20.0, 15.0), (20.4, 15.5), (20.5, 15.6), (2.0, 38.0), (49.4, 0.0)])
def test_aligned_pixels_are_those_of_cutout2d(image, size, position):
    (nodes,) = lattice_nodes([position[0]], [position[1]], size)
    expected = Cutout2D(image, position, size, mode="partial", fill_value=np.nan).data
    flux, ivar, good = cut(image, None, nodes, size)
    np.testing.assert_array_equal(good, np.isfinite(expected))
    np.testing.assert_array_equal(flux, np.nan_to_num(expected))
    np.testing.assert_array_equal(ivar, good)
    assert flux.dtype == ivar.dtype == np.float32 and np.abs(nodes[1, 1] - position).max() <= 0.5


def test_bad_pixels_are_zero_and_have_no_weight(image):
    image, ivar = image.copy(), np.full(image.shape, 4.0, "f4")
    image[10, 12], ivar[11, 12], ivar[12, 12], ivar[13, 12] = np.nan, 0, np.nan, -1
    flux, inverse, good = cut(image, ivar, grid((10, 8), 8), 8)
    assert not good[2:6, 2].any() and good.sum() == 60
    assert (flux[2:6, 2] == 0).all() and (inverse[2:6, 2] == 0).all() and (inverse[good] == 4).all()


@pytest.mark.parametrize("angle", [0.0, 27.0, 200.0])
@pytest.mark.parametrize("step", [0.4, 1.0, 3.7])
def test_the_level_of_the_sky_follows_the_area_of_the_pixel(step, angle):
    nodes = grid((60, 60), 6, step, angle)
    flux, ivar, good = cut(np.full((120, 120), 2.0), None, nodes, 6)
    assert good.all() and (ivar == 1).all()
    np.testing.assert_allclose(flux, 2 * step**2, rtol=1e-6)


@pytest.mark.parametrize("step", [0.5, 1.0, 2.0, 5.0])
def test_the_noise_is_what_the_inverse_variance_says(step):
    rng, size = np.random.default_rng(1), 24
    sigma = rng.uniform(0.5, 2, (200, 200))
    image = rng.normal(size=sigma.shape) * sigma
    flux, ivar, good = cut(image, 1 / sigma**2, grid((60.3, 20.2), size, step, 20), size)
    assert good.all()
    assert (flux * np.sqrt(ivar)).std() == pytest.approx(1, abs=0.12)


def test_a_tilted_slope_is_interpolated_exactly():
    y, x = np.mgrid[:50, :60]
    nodes = grid((20.3, 15.7), 9, 0.8, 33)
    flux, _, _ = cut(3.0 * x - 2.0 * y, None, nodes, 9)
    assert flux[0, 0] == pytest.approx(0.64 * (3 * 20.3 - 2 * 15.7), rel=1e-6)
    assert flux[8, 8] == pytest.approx(0.64 * (nodes[2, 2] @ [3, -2]), rel=1e-6)


def test_a_bad_pixel_takes_its_neighbours_only_where_it_dominates():
    image = np.ones((30, 30))
    image[15, 15] = np.nan
    flux, ivar, good = cut(image, np.ones((30, 30)), grid((10.2, 10.2), 10), 10)
    assert (~good).sum() == 1 and not good[5, 5]
    assert flux[5, 5] == ivar[5, 5] == 0
    np.testing.assert_allclose(flux[good], 1, rtol=1e-6)


def test_a_grid_over_the_edge(image):
    _, _, good = cut(image, None, grid((-3.3, 35.4), 10), 10)
    np.testing.assert_array_equal(good.any(axis=0), [False] * 3 + [True] * 7)
    np.testing.assert_array_equal(good.any(axis=1), [True] * 5 + [False] * 5)


def test_the_tangent_plane_is_that_of_wcslib():
    ra, dec, size, scale = np.array([0.01, 123.4, 359.999]), np.array([-88.0, 12.0, 60.0]), 64, 2.75
    nodes = sky_nodes(ra, dec, size, scale)
    for at in range(3):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [ra[at], dec[at]]
        wcs.wcs.crpix, wcs.wcs.cdelt = [(size + 1) / 2] * 2, [-scale / 3600, scale / 3600]
        expected = SkyCoord(*wcs.wcs_pix2world([0, 31.5, 63], [0, 0, 63], 0), unit="deg")
        found = SkyCoord(*nodes[at][[0, 0, 2], [0, 1, 2]].T, unit="deg")
        assert found.separation(expected).arcsec.max() < 1e-6
