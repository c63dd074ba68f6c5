import warnings

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from synthetic_survey import WAVELENGTH, write_spectrum

from astroclip_kit.errors import FileError, InputError, OutputError, UsageError
from astroclip_kit.surveys import SDSSSpectra, spectrum_file_name, write_sdss_spectrum


def read(path, **settings):
    (sample,) = SDSSSpectra(path, **settings).read(path)
    return sample


def test_round_trip(tmp_path):
    rng = np.random.default_rng(0)
    flux, ivar = rng.normal(size=len(WAVELENGTH)), rng.uniform(1, 2, len(WAVELENGTH))
    path = write_spectrum(tmp_path, 31, flux=flux, ivar=ivar, subclass="WD", z_err=1e-4, zwarning=4, sn_median=7.5)
    sample = read(path)
    assert path.name == "spec-0266-51602-0031.fits"
    assert sample.object_id == sample.group == "266-51602-31"
    assert (sample.ra, sample.dec) == (181.1, -1.5)
    expected = {"plate": 266, "mjd": 51602, "fiber": 31, "class": "GALAXY", "subclass": "WD", "zwarning": 4}
    assert {name: sample.labels[name] for name in expected} == expected
    assert sample.labels["z"] == pytest.approx(0.1) and sample.labels["sn_median"] == 7.5
    view = sample.views["spectrum"]
    np.testing.assert_array_equal(view[0, 510:1110], flux.astype("f4"))
    np.testing.assert_array_equal(view[1, 510:1110], ivar.astype("f4"))
    assert not view[1, :510].any() and not view[1, 1110:].any()


def test_a_missing_label_is_no_key(tmp_path):
    labels = read(write_spectrum(tmp_path)).labels
    assert "subclass" not in labels and "z_err" not in labels and "sn_median" not in labels


def test_astropy_reads_the_written_file_without_a_warning(tmp_path):
    path = write_spectrum(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path) as hdus:
            hdus.verify("exception")
            assert [hdu.name for hdu in hdus] == ["PRIMARY", "COADD", "SPALL", "SPZLINE"]
            names = ["flux", "loglam", "ivar", "and_mask", "or_mask", "wdisp", "sky", "model"]
            assert hdus[1].columns.names == names
            np.testing.assert_allclose(10 ** hdus[1].data["loglam"].astype(float), WAVELENGTH, rtol=1e-6)
            assert hdus[0].header["COEFF0"] == pytest.approx(3.6) and hdus[0].header["COEFF1"] == pytest.approx(1e-4)
            assert hdus[2].data["CLASS"][0] == "GALAXY" and hdus[2].data["PLUG_RA"][0] == 151.1


def test_same_input_same_bytes(tmp_path):
    first = write_spectrum(tmp_path).read_bytes()
    assert write_spectrum(tmp_path).read_bytes() == first


def test_a_linear_grid_has_no_log_linear_keywords(tmp_path):
    path, wavelength = tmp_path / "spec-desi.fits", np.linspace(3600, 9824, 7781)
    row = {"plate": 1, "mjd": 59000, "fiber": 1, "ra": 0.0, "dec": 0.0}
    flux = np.random.default_rng(0).normal(size=7781)
    write_sdss_spectrum(path, wavelength, flux, np.ones(7781), row)
    assert "COEFF0" not in fits.getheader(path)
    np.testing.assert_array_equal(read(path, grid="desi").views["spectrum"][0], flux.astype("f4"))


def test_masked_pixels_have_no_inverse_variance_and_a_filled_flux(tmp_path):
    flux, ivar, mask = np.ones(600), np.ones(600), np.zeros(600, int)
    flux[100], ivar[200:210], flux[200:210], mask[300], flux[300] = np.nan, 0, 1e6, 1 << 23, 1e6
    path = write_spectrum(tmp_path, flux=flux, ivar=ivar, mask=mask)
    view = read(path).views["spectrum"][:, 510:1110]
    assert (np.flatnonzero(view[1] == 0) == [100, *range(200, 210), 300]).all()
    np.testing.assert_allclose(view[0], 1)
    assert read(path, mask_bits=0).views["spectrum"][1, 810] == 1


def test_upper_case_columns_and_plug_coordinates(tmp_path):
    path = write_spectrum(tmp_path)
    content = path.read_bytes().replace(b"'flux    '", b"'FLUX    '").replace(b"'RA      '", b"'XRA     '")
    path.write_bytes(content)
    assert read(path).ra == 151.1


def test_full_files_are_read_no_further_than_the_catalogue_row(tmp_path):
    path = write_spectrum(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"SPZLINE") // 2880 * 2880] + b"exposures that are damaged")
    assert read(path).object_id == "266-51602-1"


@pytest.mark.parametrize("changes", [{"flux": np.full(600, np.nan)}, {"ivar": np.zeros(600)}])
def test_no_good_pixel(tmp_path, changes):
    with pytest.raises(FileError, match="no good pixel: flux is NaN, inverse variance 0"):
        read(write_spectrum(tmp_path, **changes))


def test_nothing_on_the_grid(tmp_path):
    with pytest.raises(FileError, match="no good pixel on the grid: the file covers 3981-4570 Angstrom"):
        read(write_spectrum(tmp_path), grid=(6000, 7000, 10))


def test_coordinates_out_of_range(tmp_path):
    with pytest.raises(FileError, match=r"coordinates out of range: ra 400.0, dec -1.5"):
        read(write_spectrum(tmp_path, ra=400.0))


def test_missing_columns(tmp_path):
    path = write_spectrum(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"'ivar    '", b"'errors  '"))
    with pytest.raises(FileError, match="HDU 1 has no column 'ivar' \\(found flux, loglam, errors"):
        read(path)
    path.write_bytes(content.replace(b"'FIBERID '", b"'FIBRE   '"))
    with pytest.raises(FileError, match="HDU 2 has no column 'FIBERID'"):
        read(path)
    path.write_bytes(content.replace(b"'RA      '", b"'XRA     '").replace(b"'PLUG_RA '", b"'PLUGXRA '"))
    with pytest.raises(FileError, match="neither RA and DEC nor PLUG_RA"):
        read(path)


def test_wrong_hdus(tmp_path):
    path = tmp_path / "spec-image.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((2, 2))), fits.ImageHDU(np.ones((2, 2)))]).writeto(path)
    with pytest.raises(FileError, match="HDU 2 is no table, expected one with PLATE, MJD, FIBERID"):
        read(path)
    fits.PrimaryHDU().writeto(path, overwrite=True)
    with pytest.raises(FileError, match="has 1 HDUs, HDU 1 was expected"):
        read(path)


def test_catalogue_without_a_row(tmp_path):
    path = write_spectrum(tmp_path)
    with fits.open(path) as hdus:
        empty = fits.HDUList([hdus[0], hdus[1], fits.BinTableHDU(hdus[2].data[:0])])
        empty.writeto(tmp_path / "spec-empty.fits")
    with pytest.raises(FileError, match="HDU 2 has no row"):
        read(tmp_path / "spec-empty.fits")


def test_wavelengths_that_are_damaged(tmp_path):
    path = tmp_path / "spec-1.fits"
    row = {"plate": 1, "mjd": 59000, "fiber": 1, "ra": 0.0, "dec": 0.0}
    write_sdss_spectrum(path, [5000.0, 4000.0, 3000.0], np.ones(3), np.ones(3), row)
    with pytest.raises(FileError, match="loglam of HDU 1 does not ascend"):
        read(path)


def test_missing_folder(tmp_path):
    with pytest.raises(FileError, match=r"no such folder\. Check the reader's `root`"):
        SDSSSpectra(tmp_path / "nowhere").files()


def test_unknown_grid(tmp_path):
    with pytest.raises(UsageError, match="grid 'sdss5' is unknown"):
        SDSSSpectra(tmp_path, grid="sdss5")


def test_writer_refuses_arrays_of_different_length(tmp_path):
    with pytest.raises(InputError, match=r"flux has shape \(3,\), the wavelengths have \(600,\)"):
        write_spectrum(tmp_path, flux=np.ones(3))


def test_writer_asks_for_the_catalogue_row(tmp_path):
    with pytest.raises(InputError, match="catalogue row of a spectrum: mjd, fiber, ra, dec missing"):
        write_sdss_spectrum(tmp_path / "spec.fits", WAVELENGTH, WAVELENGTH, WAVELENGTH, {"plate": 1})


def test_writer_on_a_full_disk(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="no space left"):
        write_spectrum(tmp_path)


def test_name_of_a_file():
    assert spectrum_file_name(10000, 57346, 2) == "spec-10000-57346-0002.fits"


@pytest.mark.shared_data
def test_all_real_spectra(shared_data):
    reader = SDSSSpectra(shared_data / "sdss-spectra")
    samples = [reader.read(path)[0] for path in reader.files()]
    assert len(samples) == len({sample.object_id for sample in samples}) == 203
    assert all(np.isfinite(sample.views["spectrum"]).all() for sample in samples)
    published = pd.read_csv(shared_data / "sdss-spectra" / "catalog.csv").set_index(["plate", "mjd", "fiber"])
    rows = [published.loc[tuple(int(part) for part in sample.object_id.split("-"))] for sample in samples]
    assert [sample.labels["class"] for sample in samples] == [row["class"] for row in rows]
    np.testing.assert_allclose([sample.labels["z"] for sample in samples], [row["z"] for row in rows])


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name", ["spec-0266-51602-0031.fits", "spec-1039-52707-0207.fits", "spec-3655-55240-0002.fits"]
)
def test_real_files_lite_full_and_upper_case_equal_astropy(shared_data, name):
    path = shared_data / "sdss-spectra" / "spectra" / name
    sample = read(path, mask_bits=0)
    with fits.open(path) as hdus:
        data, row = hdus[1].data, hdus[2].data
        start = round((float(data["loglam"][0]) - 3.549) / 1e-4)
        end = start + len(data)
        good = data["ivar"] > 0
        np.testing.assert_array_equal(sample.views["spectrum"][1, start:end], data["ivar"])
        np.testing.assert_array_equal(sample.views["spectrum"][0, start:end][good], data["flux"][good])
        assert sample.labels["z"] == row["Z"][0] and sample.labels["class"] == row["CLASS"][0]
        assert sample.ra == pytest.approx(row["PLUG_RA"][0], abs=1e-3)


def test_a_spectrum_that_is_short_of_its_grid_is_left_out_where_that_is_wanted(tmp_path):
    ivar = np.ones(len(WAVELENGTH))
    ivar[300:310] = 0  # a gap is no lack of coverage
    write_spectrum(tmp_path, 1, ivar=ivar)
    path = write_spectrum(tmp_path, 2, ivar=np.where(WAVELENGTH < 4450, 1, 0))
    grid = "boss 4000-4500"
    assert read(path, grid=grid).views["spectrum"].shape == (2, 512)
    reader = SDSSSpectra(tmp_path, grid=grid, min_coverage=1.0)
    assert [sample.object_id for sample in reader.read(reader.files()[0])] == ["266-51602-1"]
    with pytest.raises(FileError, match="is short of 4000-4500 Angstrom: it covers less than 100% of them"):
        reader.read(path)
    assert read(path, grid=grid, min_coverage=0.8).object_id == "266-51602-2"
    with pytest.raises(UsageError, match="min_coverage: expected a share between 0 and 1, found 2"):
        SDSSSpectra(tmp_path, min_coverage=2)
