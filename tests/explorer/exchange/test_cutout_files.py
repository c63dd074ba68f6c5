"""The image of an object as FITS."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from odd_objects import HOSTILE, image, odd_space

from astroclip_kit.errors import InputError
from astroclip_kit.explorer.exchange.cutout_files import write_cutout
from astroclip_kit.explorer.space import Space


@pytest.fixture
def space(tmp_path):
    return odd_space(tmp_path)


def test_the_bands_are_planes_and_hostile_names_are_text(space, tmp_path):
    assert write_cutout(space, 0, "image", tmp_path / "c.fits") == HOSTILE
    with fits.open(tmp_path / "c.fits") as file:
        np.testing.assert_array_equal(file[0].data, image(0))
        header = file[0].header
    assert (header["BANDS"], header["BUNIT"], header["OBJECT"]) == ("g,r,z", "nmgy", HOSTILE)
    assert "CTYPE1" not in header  # nobody knows where its north is


def test_north_up_has_world_coordinates_with_the_object_in_the_middle(space, tmp_path):
    space.dataset.manifest["north_up"] = ["image"]
    write_cutout(space, 0, "image", tmp_path / "c.fits")
    wcs = WCS(fits.getheader(tmp_path / "c.fits")).celestial
    assert wcs.all_pix2world(15.5, 15.5, 0) == pytest.approx((10.0, -5.0))
    east, north = wcs.all_pix2world([13.5, 15.5], [15.5, 17.5], 0)
    assert east[0] > 10 and north[1] == pytest.approx(-5 + 2 * 0.5 / 3600)
    write_cutout(space, 1, "image", tmp_path / "d.fits")  # its place is not known
    assert "CTYPE1" not in fits.getheader(tmp_path / "d.fits")


@pytest.mark.parametrize("north", [30.0, -90.0, 180.0])
def test_an_image_that_is_turned_has_the_coordinates_of_its_pixels(space, tmp_path, north):
    space.dataset = space.dataset.with_labels({"image_north_deg": np.array([north, 0, np.nan, 0, 0, 0])})
    space.dataset.manifest["labels"].append("image_north_deg")
    write_cutout(space, 0, "image", tmp_path / "c.fits")
    wcs = WCS(fits.getheader(tmp_path / "c.fits")).celestial
    place = wcs.pixel_to_world(15.5, 15.5)
    angle = np.radians(north)
    to_north = wcs.pixel_to_world(15.5 - 10 * np.sin(angle), 15.5 + 10 * np.cos(angle))
    to_east = wcs.pixel_to_world(15.5 - 10 * np.cos(angle), 15.5 - 10 * np.sin(angle))
    for other, degrees in ((to_north, 0), (to_east, 90)):
        away = (place.position_angle(other).deg - degrees + 180) % 360 - 180
        assert abs(away) < 0.01 and place.separation(other).arcsec == pytest.approx(5, rel=1e-4)
    write_cutout(space, 2, "image", tmp_path / "d.fits")  # of which nobody knows
    assert "CTYPE1" not in fits.getheader(tmp_path / "d.fits")


def test_what_is_no_image_or_is_not_there_is_refused(space, tmp_path):
    for row, name in ((0, "spectrum"), (0, "table"), (5, "lightcurve")):
        with pytest.raises(InputError, match=f"has no {name} that could be sent. Look at one that has"):
            write_cutout(space, row, name, tmp_path / "c.fits")
    with pytest.raises(InputError, match="has no image that could be sent"):
        write_cutout(Space(space.store), 0, "image", tmp_path / "c.fits")
