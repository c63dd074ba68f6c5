"""North is up on images whose headers say how they are turned, or it is known where it is."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

import astroclip_kit as ak
from astroclip_kit.errors import FileError
from astroclip_kit.surveys import LegacySurveyCutouts, Resampled

STEP = 0.262 / 3600
PLACE = SkyCoord(10, 60, unit="deg")
PLAIN = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 60.0, "CRPIX1": 16.5, "CRPIX2": 16.5}
STEPS = {"CDELT1": -STEP, "CDELT2": STEP}
NORTH_UP = {**PLAIN, **STEPS}


def cd(*values):
    names = ("CD1_1", "CD1_2", "CD2_1", "CD2_2")
    return {**PLAIN, **dict(zip(names, np.array(values) * STEP, strict=True))}


def sky(header, size=32):
    """A star north of the middle, and a fainter one in the east, as a camera with this header sees them."""
    wcs = WCS(fits.Header(header), naxis=2)
    image = np.full((size, size), 0.1, "f4")
    for east, north, brightness in ((0.5, 10.5, 2), (10.5, 0.5, 1)):  # the middles of pixels
        x, y = wcs.world_to_pixel(PLACE.spherical_offsets_by(east * STEP * u.deg, north * STEP * u.deg))
        image[round(float(y)), round(float(x))] = brightness
    return image


def write(path, header, image=None):
    image = sky(header) if image is None else image
    bands = {"BANDS": "grz", "BAND0": "g", "BAND1": "r", "BAND2": "z", "RA": 10.0, "DEC": 60.0}
    fits.writeto(path, np.stack([image] * 3), fits.Header({**header, **bands}), overwrite=True)
    return path


@pytest.mark.parametrize(
    "header",
    [
        NORTH_UP,
        {**NORTH_UP, "CROTA2": 90.0},
        {**NORTH_UP, "CROTA2": 180.0},
        {**NORTH_UP, "CROTA2": -90.2},
        {**NORTH_UP, "CROTA2": 0.3},
        {**NORTH_UP, "CDELT1": STEP},
        {**NORTH_UP, "CDELT2": -STEP},
        {**NORTH_UP, "PC1_1": 0.0, "PC1_2": -1.0, "PC2_1": 1.0, "PC2_2": 0.0},
        cd(-1, 0, 0, 1),
        cd(0, 1, 1, 0),
        cd(0, -1, 1, 0),
        cd(0, 1, -1, 0),
        {**NORTH_UP, "CUNIT1": "arcsec", "CUNIT2": "arcsec", "CDELT1": -0.262, "CDELT2": 0.262, "CRVAL1": 36000.0}
        | {"CRVAL2": 216000.0},
        {**NORTH_UP, "CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": 60.0, "CRVAL2": 10.0},
        {**NORTH_UP, "LONPOLE": 90.0},
    ],
)
def test_mirrored_images_and_quarter_turns_are_turned_back(tmp_path, header):
    (sample,) = LegacySurveyCutouts(tmp_path).read(write(tmp_path / "a.fits", header))
    assert sample.labels == {"north_deg": 0}
    np.testing.assert_array_equal(sample.views["image"][0], sky(NORTH_UP))


@pytest.mark.parametrize(
    ("header", "angle"),
    [
        ({**NORTH_UP, "CROTA2": 30.0}, 30),
        ({**NORTH_UP, "CROTA2": 100.0}, 10),
        ({**NORTH_UP, "CDELT1": STEP, "CROTA2": 30.0}, 30),
        ({**NORTH_UP, "CRPIX1": 20000.0}, -2.52),  # meridians run together
    ],
)
def test_what_is_left_of_another_angle_is_told(tmp_path, header, angle):
    image = None if header["CRPIX1"] < 100 else np.ones((32, 32), "f4")
    (sample,) = LegacySurveyCutouts(tmp_path).read(write(tmp_path / "a.fits", header, image))
    assert abs(sample.labels["north_deg"]) == pytest.approx(abs(angle), abs=0.01)
    if image is None:
        y, x = np.unravel_index(sample.views["image"][0].argmax(), (32, 32))
        north = np.degrees(np.arctan2(15.5 - x, y - 15.5))
        assert north == pytest.approx(sample.labels["north_deg"], abs=4)  # a star is in the middle of a pixel


@pytest.mark.parametrize(
    "header",
    [
        {},
        STEPS,
        {**NORTH_UP, "CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"},
        {**NORTH_UP, "RADESYS": "FK4"},
        cd(-1, 0.2, 0, 1),
        {**NORTH_UP, "CTYPE1": "RA---XXX"},
    ],
)
def test_without_a_word_on_north_nothing_is_turned_or_said(tmp_path, header):
    (sample,) = LegacySurveyCutouts(tmp_path).read(write(tmp_path / "a.fits", header, sky(NORTH_UP)))
    assert sample.labels == {}
    np.testing.assert_array_equal(sample.views["image"][0], sky(NORTH_UP))


def test_an_oblong_image_lies_on_its_side_only_if_it_does_so_in_the_file(tmp_path):
    path = write(tmp_path / "a.fits", {**NORTH_UP, "CROTA2": 90.0, "CRPIX1": 12.5}, np.ones((32, 24), "f4"))
    (sample,) = LegacySurveyCutouts(tmp_path).read(path)
    assert sample.views["image"].shape == (3, 32, 24) and sample.labels == {"north_deg": 90}
    (sample,) = LegacySurveyCutouts(tmp_path, size=24).read(path)
    assert sample.labels == {"north_deg": 90}


def test_a_matrix_of_words_is_a_damaged_header(tmp_path):
    with pytest.raises(FileError, match="damaged header"):
        LegacySurveyCutouts(tmp_path).read(
            write(tmp_path / "a.fits", cd(-1, 0, 0, 1) | {"CD1_2": "north"}, sky(NORTH_UP))
        )


def dataset(folder, **headers):
    (folder / "cutouts").mkdir()
    for name, header in headers.items():
        write(folder / "cutouts" / f"{name}.fits", header, sky(NORTH_UP))
    return ak.ingest(folder / "data", images=LegacySurveyCutouts(folder / "cutouts"))


def test_a_dataset_says_north_up_only_of_images_that_all_are(tmp_path):
    made = dataset(tmp_path, a=NORTH_UP, b={**NORTH_UP, "CROTA2": 180.0})
    assert made.manifest["north_up"] == ["image"] and not made.labels


def test_of_images_that_differ_it_says_where_north_is_on_each(tmp_path):
    made = dataset(tmp_path, a=NORTH_UP, b={**NORTH_UP, "CROTA2": 30.0}, c={})
    assert made.manifest["north_up"] == []
    np.testing.assert_array_equal(made.labels["image_north_deg"], [0, 30, np.nan])
    assert made.manifest["units"] == {"image_north_deg": "deg"}


def test_of_images_that_say_nothing_it_says_nothing(tmp_path):
    made = dataset(tmp_path, a={}, b=STEPS)
    assert made.manifest["north_up"] == [] and not made.labels


def test_readers_of_a_reader_hand_it_on(tmp_path):
    reader = Resampled(LegacySurveyCutouts(tmp_path), 10, 4)
    (sample,) = reader.read(write(tmp_path / "a.fits", {**NORTH_UP, "CROTA2": 30.0}))
    assert sample.labels == {"north_deg": 30} and reader.label_units() == {"north_deg": "deg"}
