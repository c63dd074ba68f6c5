"""Images whose header or pixels are wrong, and arguments that make no sense."""

import numpy as np
import pytest
from astropy.io import fits
from layout_images import (
    write_brick,
    write_positions,
    write_tile,
)
from synthetic_images import STAR, drops_of, items_of, views_of, write_image

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import FITSImages


def test_pixels_in_another_unit_are_converted(tmp_path):
    write_image(tmp_path / "g.fits", header={"BUNIT": "uJy"})
    table, bands = write_positions(tmp_path, STAR), {"g": f"{tmp_path}/g.fits"}
    as_stored, nanomaggies = (views_of(FITSImages(table, bands, 48, unit=unit))["1"] for unit in ("uJy", "nmgy"))
    np.testing.assert_allclose(nanomaggies, as_stored / 3.631, rtol=1e-5)


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({"BUNIT": "MJy/sr"}, "pixels in 'MJy / sr' cannot be converted to 'nmgy'"),
        ({"BUNIT": "furlong"}, r"BUNIT 'furlong' is no unit that astropy knows"),
        ({"BUNIT": ""}, r"the header states no unit \(BUNIT\), so not whether it is nmgy"),
        ({"FILTER": "r"}, "the header says band 'r', and the file is given as band 'g'"),
        ({"BAND": 1}, "the header says band 'w1', and the file is given as band 'g'"),
        ({"RADESYS": "FK4"}, "no WCS in right ascension and declination .* system 'FK4'"),
        ({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}, "no WCS in right ascension and declination .* axis 'GLON'"),
    ],
)
def test_headers_that_contradict(tmp_path, keywords, problem):
    write_image(tmp_path / "g.fits", header=keywords)
    reader = FITSImages(write_positions(tmp_path), {"g": f"{tmp_path}/g.fits"}, 16, pixel_scale_arcsec=0.4)
    with pytest.raises(FileError, match=problem):
        list(reader.read(tmp_path / "g.fits"))
    table = tmp_path / "a-positions.csv"
    drops = list(reader.read(table))
    assert len(drops) == 3 and "1 of its files cannot be used; the first: " in drops[0].reason
    with pytest.raises(FileError, match=r"no image can be read; the first problem: .*" + problem):
        _ = FITSImages(table, {"g": f"{tmp_path}/g.fits"}, 16).modality


@pytest.mark.parametrize("band", ["g", "SDSS_g", "G"])
def test_names_of_bands_that_the_header_confirms(tmp_path, band):
    write_image(tmp_path / "a.fits", header={"FILTER": "g DECam SDSS c0001"})
    assert views_of(FITSImages(write_positions(tmp_path, STAR), {band: f"{tmp_path}/a.fits"}, 16))


def test_a_header_that_is_wrong_about_its_band(tmp_path):
    write_image(tmp_path / "r.fits", header={"FILTER": "g"})
    bands = {"r": {"files": f"{tmp_path}/r.fits", "filter": "g", "hdu": 0}}
    assert views_of(FITSImages(write_positions(tmp_path, STAR), bands, 16))


def test_a_damaged_image_of_one_band_costs_its_positions_only(tmp_path):
    stars = {"1": (150.0, 2.0), "2": (150.05, 2.0)}
    for band in "gr":
        for name, (ra, dec) in stars.items():
            write_image(tmp_path / f"{band}-{name}.fits", stars=stars, centre=(ra, dec))
    path = tmp_path / "r-2.fits"
    bands = {band: f"{tmp_path}/{band}-*.fits" for band in "gr"}
    reader = FITSImages(write_positions(tmp_path, stars), bands, 16)
    assert path not in reader.files()
    path.write_bytes(path.read_bytes()[:20000])
    assert list(views_of(reader)) == ["1"]
    (drop,) = drops_of(reader)
    assert drop.source.endswith("g-2.fits: 2") and str(path) in drop.reason
    path.write_bytes(b"<html>")
    again = FITSImages(write_positions(tmp_path, stars), bands, 16)
    assert path in again.files()
    with pytest.raises(FileError, match="cannot be read as a FITS image"):
        list(again.read(path))


def test_where_the_inverse_variance_is_not(tmp_path):
    write_tile(tmp_path, 1)
    table, bands = write_positions(tmp_path), {"w1": f"{tmp_path}/*-img-m.fits"}
    packed = tmp_path / "unwise-1500p020-w1-invvar-m.fits.gz"
    fits.writeto(packed, np.ones((3, 3), "f4"), fits.getheader(packed), overwrite=True)
    with pytest.raises(FileError, match=r"inverse variance of \(3, 3\) pixels for an image of \(64, 64\)"):
        items_of(FITSImages(table, bands, 16, ivar=True))
    packed.unlink()
    reader = FITSImages(table, bands, 16, 2.75, ivar=True)
    with pytest.raises(FileError, match=r"its inverse variance 'unwise-1500p020-w1-invvar-m.fits' is not beside it"):
        list(reader.read(tmp_path / "unwise-1500p020-w1-img-m.fits"))
    write_brick(tmp_path, "g").rename(tmp_path / "g.fits.fz")
    with pytest.raises(UsageError, match=r"where its inverse variance lies is not known. Give `ivar` as a pair"):
        FITSImages(table, {"g": f"{tmp_path}/g.fits.fz"}, 16, ivar=True).files()


def test_files_that_are_no_images(tmp_path):
    table = write_positions(tmp_path)
    fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])]).writeto(tmp_path / "t.fits")
    write_image(tmp_path / "g.fits")
    for bands, problem in (
        ({"g": f"{tmp_path}/t.fits"}, "no HDU holds an image"),
        ({"g": {"files": f"{tmp_path}/t.fits", "hdu": 1}}, "HDU 1 holds no image"),
        ({"g": {"files": f"{tmp_path}/t.fits", "hdu": 4}}, "has 2 HDUs, HDU 4 was expected"),
    ):
        with pytest.raises(FileError, match=problem):
            _ = FITSImages(table, bands, 16).modality
    with pytest.raises(FileError, match="no file has such a name"):
        FITSImages(table, {"g": f"{tmp_path}/x-*.fits"}, 16).files()
    with pytest.raises(FileError, match="is neither an image of band 'g' nor the table of positions"):
        list(FITSImages(table, {"g": f"{tmp_path}/g.fits"}, 16).read(tmp_path / "t.fits"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"bands": {}}, "bands: name at least one band"),
        ({"bands": {"g": {"file": "x"}}}, "band 'g': expected a path with wildcards, or files, filter and hdu"),
        ({"size": 1}, "size: 1 pixels make no image"),
        ({"pixel_scale_arcsec": 0.0}, "pixel_scale_arcsec: expected more than 0"),
        ({"min_coverage": 0.0}, "min_coverage: expected a share between 0 and 1, found 0.0"),
        ({"ivar": ("a",)}, "ivar: expected true, false or a pair of texts"),
        ({"unit": "furlong"}, "unit 'furlong' is no unit that astropy knows"),
    ],
)
def test_arguments_that_make_no_sense(arguments, problem):
    with pytest.raises(UsageError, match=problem):
        FITSImages(**{"positions": "p.csv", "bands": {"g": "g.fits"}, "size": 16, **arguments})


def test_a_table_without_coordinates(tmp_path):
    (tmp_path / "p.csv").write_text("id,z\n1,0.5\n")
    with pytest.raises(UsageError, match="no columns called like ra and dec"):
        FITSImages(tmp_path / "p.csv", {"g": "g.fits"}, 16).files()
