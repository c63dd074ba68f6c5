"""Artifacts: as frequent as asked for, where they are said to be, and nothing else changes."""

import numpy as np
import pytest

from astroclip_kit.mock.artifacts import ARTIFACTS, FULL_WELL, draw_artifacts
from astroclip_kit.mock.camera import draw_exposures, observe_images
from astroclip_kit.mock.components import MARGIN
from astroclip_kit.mock.instruments import PIXEL_SCALE_ARCSEC

SIZE = 64
EXPOSURE = draw_exposures(1, np.random.default_rng(0))
FWHM, SIGMA = EXPOSURE["fwhm"][0] / PIXEL_SCALE_ARCSEC, EXPOSURE["sigma"][0]


def drawn(kind, count=20):
    return [ARTIFACTS[kind](SIZE, FWHM, SIGMA, np.random.default_rng(seed)) for seed in range(count)]


def test_fraction_is_kept():
    kinds = draw_artifacts(20000, 0.04, np.random.default_rng(1))
    assert np.mean(kinds != "none") == pytest.approx(0.04, abs=0.005)
    assert set(kinds) == {"none", *ARTIFACTS}
    assert set(draw_artifacts(100, 0.0, np.random.default_rng(1))) == {"none"}
    assert "none" not in draw_artifacts(100, 1.0, np.random.default_rng(1))


@pytest.mark.parametrize("kind", ARTIFACTS)
def test_light_is_finite_and_a_function_of_the_seed(kind):
    for (light, lost), (again, _) in zip(drawn(kind), drawn(kind), strict=True):
        assert light.shape == lost.shape == (3, SIZE, SIZE)
        assert np.isfinite(light).all() and np.all(light >= 0)
        np.testing.assert_array_equal(light, again)


def test_trail_crosses_one_band_in_a_straight_line():
    for light, lost in drawn("trail"):
        (band,) = np.flatnonzero(light.max(axis=(1, 2)) > SIGMA)
        y, x = np.nonzero(light[band] > 0.5 * light[band].max())
        spread = np.linalg.svd(np.stack([x - x.mean(), y - y.mean()]), compute_uv=False)
        assert spread[0] > 4 * spread[1] and not lost.any()


def test_star_saturates_bleeds_along_columns_and_has_a_halo():
    for light, lost in drawn("saturated"):
        assert light.max() <= FULL_WELL and np.all(light[lost] == FULL_WELL)
    bright = [np.median(light[1]) > SIGMA[1] for light, _ in drawn("saturated", 60)]
    assert np.mean(bright) > 0.8  # wings and halo reach everywhere
    bled = [lost[1] for _, lost in drawn("saturated", 60) if lost[1].sum() > 40]
    taller = [np.any(lost, axis=1).sum() > np.any(lost, axis=0).sum() for lost in bled]
    assert len(bled) > 10 and np.mean(taller) > 0.9


def test_cosmic_ray_is_sharp():
    for light, lost in drawn("cosmic_ray"):
        assert 2 <= np.count_nonzero(light) <= 40 and not lost.any()


def test_spoiled_pixels_have_no_inverse_variance_and_the_rest_its_own_noise():
    size = SIZE + 2 * MARGIN
    exposure = draw_exposures(6, np.random.default_rng(0))
    scene = np.zeros((6, 3, size, size), dtype=np.float32)
    kinds = np.array(["none", *ARTIFACTS, "none"])
    image, ivar = observe_images(scene, exposure, kinds, np.random.default_rng(7))
    clean, _ = observe_images(scene, exposure, np.full(6, "none"), np.random.default_rng(7))
    np.testing.assert_array_equal(image[[0, 5]], clean[[0, 5]])
    assert np.array_equal(np.flatnonzero((ivar == 0).any(axis=(1, 2, 3))), [2, 4])  # the star and the columns
    assert all(np.abs(image[row] - clean[row]).max() > 5 * exposure["sigma"][row].max() for row in (1, 2, 3))
    assert np.all(image[4][ivar[4] == 0] == 0)
