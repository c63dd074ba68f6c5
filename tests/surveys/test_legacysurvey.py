import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from astroclip_kit.errors import FileError, InputError
from astroclip_kit.surveys import LegacySurveyCutouts, write_legacysurvey_cutout


@pytest.fixture
def cube():
    return np.random.default_rng(0).normal(size=(3, 20, 24)).astype("f4")


@pytest.fixture
def path(tmp_path, cube):
    write_legacysurvey_cutout(tmp_path / "a.fits", cube, 359.9, -1.25)
    return tmp_path / "a.fits"


def test_round_trip(path, cube):
    reader = LegacySurveyCutouts(path.parent)
    (sample,) = reader.read(path)
    np.testing.assert_array_equal(sample.views["image"], cube)
    assert (sample.object_id, sample.ra, sample.dec, sample.labels) == ("a", 359.9, -1.25, {"north_deg": 0})
    assert reader.modality.shape == (3, 20, 24) and reader.modality.unit == "nmgy"
    assert reader.modality.pixel_scale_arcsec == 0.262


def test_astropy_reads_the_written_file_without_a_warning(path, cube):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path) as hdus:
            hdus.verify("exception")
            np.testing.assert_array_equal(hdus[0].data, cube)
            wcs = WCS(hdus[0].header, naxis=2)
    ra, dec = wcs.wcs_pix2world([[12.5, 10.5], [2.5, 10.5], [12.5, 20.5]], 1).T
    assert (ra[0], dec[0]) == pytest.approx((359.9, -1.25))
    assert ra[1] > ra[0] and dec[2] - dec[0] == pytest.approx(10 * 0.262 / 3600, rel=1e-3)


def test_same_input_same_bytes(path, cube):
    before = path.read_bytes()
    write_legacysurvey_cutout(path, cube, 359.9, -1.25)
    assert path.read_bytes() == before


def test_header_id_and_order_of_bands(tmp_path, cube):
    path = tmp_path / "cutout-1.fits"
    write_legacysurvey_cutout(path, cube, 1.0, 2.0, object_id="8797", bands=("r", "g", "z"))
    (sample,) = LegacySurveyCutouts(path, bands=("g", "r", "z")).read(path)
    np.testing.assert_array_equal(sample.views["image"], cube[[1, 0, 2]])
    assert sample.object_id == "8797"


def test_centre_crop_and_a_subset_of_bands(path, cube):
    reader = LegacySurveyCutouts(path, bands=("z",), size=8)
    (sample,) = reader.read(path)
    np.testing.assert_array_equal(sample.views["image"], cube[2:, 6:14, 8:16])
    assert reader.modality.shape == (1, 8, 8)


def test_nan_becomes_sky(tmp_path, cube):
    cube[1, 3, 4], cube[2, 5, 6] = np.nan, np.inf
    write_legacysurvey_cutout(tmp_path / "a.fits", cube, 1.0, 2.0)
    (sample,) = LegacySurveyCutouts(tmp_path).read(tmp_path / "a.fits")
    assert sample.views["image"][1, 3, 4] == sample.views["image"][2, 5, 6] == 0


def test_scaled_integers_and_a_reference_pixel_off_the_centre(path, cube):
    header = fits.getheader(path)
    header["CRPIX1"] += 4
    hdu = fits.PrimaryHDU(np.round(cube * 100).astype("i2"), header)
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.01, 1.0
    raw = path.with_name("b.fits")
    hdu.writeto(raw, output_verify="silentfix")
    reader = LegacySurveyCutouts(raw)
    with fits.open(raw) as hdus:
        expected = hdus[0].data
        ra, dec = WCS(hdus[0].header, naxis=2).wcs_pix2world([[12.5, 10.5]], 1)[0]
    (sample,) = reader.read(raw)
    np.testing.assert_allclose(sample.views["image"], expected, atol=1e-5)
    assert (sample.ra, sample.dec) == pytest.approx((ra, dec), abs=1e-9) and sample.ra != 359.9


def test_sexagesimal_position_in_the_header(path):
    fits.setval(path, "RA", value="10:00:00")
    fits.setval(path, "DEC", value="-02:30:00")
    (sample,) = LegacySurveyCutouts(path).read(path)
    assert (sample.ra, sample.dec) == (150.0, -2.5)


def test_no_position_is_nan(path):
    for keyword in ("CRVAL1", "CRVAL2"):
        fits.delval(path, keyword)
    (sample,) = LegacySurveyCutouts(path).read(path)
    assert np.isnan(sample.ra) and np.isnan(sample.dec)


def test_missing_band(tmp_path, cube):
    write_legacysurvey_cutout(tmp_path / "a.fits", cube[:2], 1.0, 2.0, bands=("g", "r"))
    with pytest.raises(FileError, match=r"band 'z' is missing: 2 planes, named \['g', 'r'\]"):
        LegacySurveyCutouts(tmp_path).read(tmp_path / "a.fits")


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_blank_band(tmp_path, cube, value):
    cube[2] = value
    write_legacysurvey_cutout(tmp_path / "a.fits", cube, 1.0, 2.0)
    with pytest.raises(FileError, match="band 'z' is blank"):
        LegacySurveyCutouts(tmp_path).read(tmp_path / "a.fits")


def test_too_small_for_the_crop(path):
    with pytest.raises(FileError, match=r"\(20, 24\) pixels, fewer than size=32"):
        LegacySurveyCutouts(path, size=32).read(path)


def test_another_size_than_the_first(path, cube):
    write_legacysurvey_cutout(path.with_name("b.fits"), cube[:, :10, :10], 1.0, 2.0)
    with pytest.raises(FileError, match=r"\(10, 10\) pixels, expected \(20, 24\) of the first file. Give a `size`"):
        LegacySurveyCutouts(path.parent).read(path.with_name("b.fits"))


def test_another_pixel_scale_than_the_first(path, cube):
    write_legacysurvey_cutout(path.with_name("b.fits"), cube, 1.0, 2.0, pixel_scale_arcsec=0.4)
    with pytest.raises(FileError, match=r"0\.4000 arcsec per pixel, expected 0\.2620"):
        LegacySurveyCutouts(path.parent).read(path.with_name("b.fits"))


def test_coordinates_out_of_range(tmp_path, cube):
    write_legacysurvey_cutout(tmp_path / "a.fits", cube, 1.0, 95.0)
    with pytest.raises(FileError, match=r"coordinates out of range: ra 1.0, dec 95.0"):
        LegacySurveyCutouts(tmp_path).read(tmp_path / "a.fits")


def test_wrong_hdu(tmp_path):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, 4, 4)))]).writeto(path)
    with pytest.raises(FileError, match="HDU 0 holds no image"):
        LegacySurveyCutouts(path).read(path)
    fits.PrimaryHDU(np.ones((4, 4))).writeto(path, overwrite=True)
    with pytest.raises(FileError, match="HDU 0 has 2 axes, expected a cube"):
        LegacySurveyCutouts(path).read(path)


def test_damaged_header(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b"CRVAL2  =                -1.25", b"CRVAL2  =                -1.x5"))
    with pytest.raises(FileError, match=r"damaged header \(ValueError"):
        LegacySurveyCutouts(path).read(path)
    path.write_bytes(content.replace(b"NAXIS1  =                   24", b"NAXIS1  =     9999999999999999"))
    with pytest.raises(FileError, match=r"damaged header: it announces"):
        LegacySurveyCutouts(path).read(path)


def test_pixel_scale_of_nothing(path):
    fits.setval(path, "CD1_1", value=0.0)
    with pytest.raises(FileError, match=r"damaged header: 0\.0 arcsec per pixel"):
        LegacySurveyCutouts(path).read(path)


def test_modality_looks_for_the_first_readable_file(path):
    (path.parent / "A-first.fits").write_bytes(b"<html>")
    assert LegacySurveyCutouts(path.parent).modality.shape == (3, 20, 24)


def test_modality_without_a_readable_file(tmp_path):
    with pytest.raises(FileError, match="no file matches"):
        _ = LegacySurveyCutouts(tmp_path).modality
    (tmp_path / "a.fits").write_bytes(b"<html>")
    with pytest.raises(FileError, match=r"no cutout can be read; the last problem: .*it begins with '<html>'"):
        _ = LegacySurveyCutouts(tmp_path).modality


def test_writer_refuses_a_cube_without_its_bands(tmp_path, cube):
    with pytest.raises(InputError, match=r"a cutout of 2 bands cannot have shape \(3, 20, 24\)"):
        write_legacysurvey_cutout(tmp_path / "a.fits", cube, 1.0, 2.0, bands=("g", "r"))


@pytest.fixture
def ivar(cube):
    return (cube**2 + 1).astype("f4")


def test_inverse_variances_follow_the_bands(tmp_path, cube, ivar):
    path = tmp_path / "a.fits"
    cube[1, 3, 4], ivar[0, 5, 6], ivar[2, 7, 8] = np.nan, 0, np.nan
    write_legacysurvey_cutout(path, cube, 1.0, 2.0, ivar=ivar, bands=("r", "g", "z"))
    reader = LegacySurveyCutouts(tmp_path, size=16, ivar=True)
    (sample,) = reader.read(path)
    assert reader.modality.channels == ("g", "r", "z", "ivar_g", "ivar_r", "ivar_z")
    assert reader.modality.image_bands == ("g", "r", "z") and reader.modality.shape == (6, 16, 16)
    expected = np.concatenate([cube, ivar])[[1, 0, 2, 4, 3, 5], 2:18, 4:20]
    expected[0, 1, 0] = expected[3, 1, 0] = expected[5, 5, 4] = 0
    np.testing.assert_array_equal(sample.views["image"], expected)
    (plain,) = LegacySurveyCutouts(tmp_path, size=16).read(path)
    np.testing.assert_array_equal(plain.views["image"], sample.views["image"][:3])


def test_astropy_reads_the_written_inverse_variance(tmp_path, cube, ivar):
    write_legacysurvey_cutout(tmp_path / "a.fits", cube, 1.0, 2.0, ivar=ivar)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(tmp_path / "a.fits") as hdus:
            hdus.verify("exception")
            np.testing.assert_array_equal(hdus[1].data, ivar)
            assert hdus[1].header["IMAGETYP"] == "invvar" and hdus[1].header["BAND2"] == "z"


def test_cutout_without_its_inverse_variance(path):
    with pytest.raises(FileError, match=r"HDU 1 should hold the inverse variance. Download it with the option invvar"):
        LegacySurveyCutouts(path, ivar=True).read(path)


def test_mask_bits_are_no_inverse_variance(tmp_path, cube, ivar):
    path = tmp_path / "a.fits"
    write_legacysurvey_cutout(path, cube, 1.0, 2.0, ivar=ivar)
    fits.setval(path, "IMAGETYP", value="MASKBITS", ext=1)
    with pytest.raises(FileError, match="HDU 1 holds 'MASKBITS', expected the inverse variance"):
        LegacySurveyCutouts(path, ivar=True).read(path)


def test_inverse_variance_of_another_shape(tmp_path, cube, ivar):
    with pytest.raises(InputError, match=r"inverse variance of shape \(2, 20, 24\) for a cutout of \(3, 20, 24\)"):
        write_legacysurvey_cutout(tmp_path / "a.fits", cube, 1.0, 2.0, ivar=ivar[:2])
    write_legacysurvey_cutout(tmp_path / "a.fits", cube, 1.0, 2.0)
    fits.append(tmp_path / "a.fits", ivar[:, :4], fits.Header({"IMAGETYP": "INVVAR"}))
    with pytest.raises(FileError, match=r"inverse variance of \(3, 4, 24\) pixels for an image of \(3, 20, 24\)"):
        LegacySurveyCutouts(tmp_path, ivar=True).read(tmp_path / "a.fits")


def test_one_band_is_a_plain_image(tmp_path, cube):
    header = fits.Header({"BANDS": "z", "BAND0": "z", "RA": 1.0, "DEC": 2.0})
    fits.writeto(tmp_path / "a.fits", cube[0], header)
    (sample,) = LegacySurveyCutouts(tmp_path, bands=("z",)).read(tmp_path / "a.fits")
    np.testing.assert_array_equal(sample.views["image"], cube[:1])


@pytest.mark.shared_data
def test_real_cutout(shared_data):
    path = shared_data / "format-examples" / "decals_grz_cutout_509.fits"
    reader = LegacySurveyCutouts(path)
    (sample,) = reader.read(path)
    np.testing.assert_array_equal(sample.views["image"], fits.getdata(path))
    assert reader.modality.shape == (3, 509, 509) and reader.modality.pixel_scale_arcsec == 0.262
    assert (sample.ra, sample.dec) == pytest.approx((359.995016, 0.701753), abs=1e-6)
