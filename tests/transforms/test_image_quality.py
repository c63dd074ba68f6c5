"""Which images show something in the middle, whatever their noise and pixels."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.ndimage import gaussian_filter

from astroclip_kit.mock.camera import moffat_transfer
from astroclip_kit.mock.mid_infrared import AB_OFFSETS, SATURATED, WISE
from astroclip_kit.transforms import ImageQuality
from astroclip_kit.types import Modality

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIGURATIONS = ("configs/iicnet_cutouts.yaml", "astroclip_kit/recipes/iicnet_mock.yaml")
BANDS = ("w1", "w2", "w3")
NOTHING = "no source in the middle: less than 5 sigma in every band."


def judged(view, **settings):
    view = np.asarray(view, dtype=np.float32)
    modality = Modality("image", "image", BANDS[: len(view)], view.shape, "nmgy")
    return ImageQuality(**{"core": 9, "significance": 5, **settings}).spoiled(view, modality)


def blank(rng, sigma, size=80):
    noise = gaussian_filter(rng.standard_normal((3, size, size)), (0, sigma, sigma), mode="wrap")
    return noise / noise.std()


@pytest.mark.parametrize("level", [3.0, 0.1, -2.0])
@pytest.mark.parametrize("rounding", [0, 1e-7])
def test_a_constant_image_shows_no_source(level, rounding):
    rng = np.random.default_rng(0)
    assert judged(level * (1 + rounding * rng.standard_normal((3, 40, 40)))) == NOTHING


def test_a_source_without_noise_is_one():
    view = np.full((1, 40, 40), 2.0)
    view[:, 18:22, 18:22] = 2.1
    assert judged(view) == ""
    assert judged(4 - view) == NOTHING


@pytest.mark.parametrize("fwhm_arcsec", [0.0, 6.1, 9.5])
def test_noise_that_neighbouring_pixels_share_is_no_source(fwhm_arcsec):
    rng, sigma = np.random.default_rng(1), fwhm_arcsec / 2.355 / 0.625
    blanks = [blank(rng, sigma) for _ in range(60)]
    assert {judged(view) for view in blanks} == {NOTHING}
    offset = np.arange(80) - 39.5
    source = 12 * np.exp(-(offset[:, None] ** 2 + offset**2) / 2 / 5.0**2)
    assert {judged(view + source) for view in blanks} == {""}


def test_where_the_sky_cannot_be_seen_nothing_is_said_of_a_source():
    assert (
        judged(np.ones((1, 10, 10))) == "there are too few good pixels around the middle to tell a source from the sky."
    )
    assert judged(np.ones((1, 10, 10)), core=0) == ""


def test_a_sky_that_is_left_in_is_told():
    view = np.random.default_rng(2).standard_normal((2, 40, 40))
    asked = {"significance": 0, "without_sky": True}
    assert judged(view, **asked) == ""
    view[1] += 30
    assert judged(view, **asked) == "the sky is still in it, in band 'w2'."
    assert judged(view, **asked | {"without_sky": False}) == ""


def cleaning(path):
    told = yaml.safe_load((REPOSITORY / path).read_text())["ingest"]["sources"]["image"]["init_args"]["reader"]
    names = ("min_good", "core", "saturation", "significance")
    return ImageQuality(**{name: told["init_args"][name] for name in names})


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_a_plateau_over_the_core_is_saturated_in_every_band_and_the_faintest_saturated_star_is_too(path):
    quality = cleaning(path)
    bands = tuple(quality.saturation)
    modality = Modality("image", "image", bands, (len(bands), 40, 40), "nmgy")
    noise = np.random.default_rng(3).standard_normal(modality.shape).astype(np.float32)
    for row, band in enumerate(bands):
        view = noise.copy()
        view[row, 17:23, 17:23] = 1e6
        assert quality.spoiled(view, modality) == f"the object itself has a bad or saturated pixel in band {band!r}."
    beam = np.fft.irfft2(moffat_transfer(128, np.array([WISE.seeing_arcsec]), 1.375), (128, 128))[0]
    for magnitude, saturated in ((-0.1, True), (0.1, False)):
        flux = 10 ** (-0.4 * (np.array(SATURATED) + magnitude + AB_OFFSETS - 22.5))
        peaks = dict(zip(WISE.bands, beam.reshape(4, -1).max(axis=1) * flux, strict=True))
        assert all(bool(peaks[band] > limit) is saturated for band, limit in quality.saturation.items())
