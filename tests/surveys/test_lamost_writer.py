"""LAMOST spectra that the kit writes: read back by its own reader and by astropy."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from layout_lamost import COEFF0, COEFF1, N_PIX, WAVELENGTH, write_visit

from astroclip_kit.errors import InputError, OutputError
from astroclip_kit.surveys import LAMOSTSpectra, lamost_file_name, write_lamost_spectrum

SAID = {"class": "STAR", "subclass": "F4", "z": 3.402e-05, "z_err": 2.5e-05, "snr_g": 94.1, "objtype": "FS"}
SAID |= {"mjd": 55858, "magtype": "ugriz", "mag_g": 15.09, "mag_r": 14.75}


def read(path, **settings):
    [sample] = LAMOSTSpectra(path, **settings).read(path)
    return sample


@pytest.mark.parametrize("ending", [".fits", ".fits.gz"])
def test_round_trip(tmp_path, ending):
    bad = np.eye(1, N_PIX, 7)[0]
    path = write_visit(tmp_path, 232, ending, catalogue=SAID, and_mask=bad, or_mask=bad + np.eye(1, N_PIX, 9)[0])
    sample = read(path)
    assert path.name == f"spec-55859-F5902_sp03-232{ending}"
    assert (sample.object_id, sample.group) == ("103432", "LAMOST J2203232.26-001028.9")
    assert (sample.ra, sample.dec) == (330.909453, -0.17471)
    assert {name: sample.labels[name] for name in SAID} == SAID
    assert not {"snr_u", "mag_u", "mag_i"} & set(sample.labels)
    flux = np.random.default_rng(232).normal(100, 1, N_PIX).astype("f4")
    good = np.arange(N_PIX) != 7
    np.testing.assert_array_equal(sample.views["spectrum"][0, :N_PIX][good], flux[good])
    np.testing.assert_array_equal(sample.views["spectrum"][1, :N_PIX], np.where(good, np.float32(0.5), 0))
    assert np.flatnonzero(read(path, mask="or").views["spectrum"][1, :N_PIX] == 0).tolist() == [7, 9]


def test_what_is_not_said_is_no_label(tmp_path):
    sample = read(write_visit(tmp_path, catalogue={"z": np.nan, "obsid": np.nan}))
    assert sample.object_id == "55859-F5902-3-17"
    assert set(sample.labels) == {"lmjd", "planid", "spid", "fiber", "class"}


@pytest.mark.parametrize("ending", [".fits", ".fits.gz"])
def test_astropy_reads_it_without_a_warning(tmp_path, ending):
    path = write_visit(tmp_path, ending=ending, catalogue=SAID)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path) as hdus:
            hdus.verify("exception")
            header, image = hdus[0].header, hdus[0].data
    assert len(image) == 5 and image.dtype == ">f4" and header["EXTNAME"] == "Flux"
    np.testing.assert_allclose(image[2], WAVELENGTH, rtol=1e-6)
    assert (header["COEFF0"], header["COEFF1"], header["MAG1"], header["MAG2"]) == (COEFF0, COEFF1, 99.0, 15.09)
    assert header["SNRU"] == -9999 and header["VACUUM"] is True and header["FILENAME"] == path.name.removesuffix(".gz")


@pytest.mark.shared_data
def test_headers_are_those_of_real_files(shared_data, tmp_path):
    real = shared_data / "lamost-spectra" / "spectra" / "spec-55859-F5902_sp03-232.fits.gz"
    real_header = fits.getheader(real)
    mine = fits.getheader(write_visit(tmp_path, 232, ".fits.gz"))
    assert not {key for key in mine if key not in real_header} - {"COMMENT"}
    assert {key for key in mine if type(mine[key]) is not type(real_header[key])} == set()
    was = read(real)
    with fits.open(real) as hdus:
        flux, ivar, _, both, either = hdus[0].data
    said = {**was.labels, "ra": was.ra, "dec": was.dec, "desig": was.group}
    again = tmp_path / "again.fits"
    write_lamost_spectrum(again, flux, ivar, 3.5682, 1e-4, said, and_mask=both, or_mask=either)
    now = read(again)
    assert (now.object_id, now.labels, now.group) == (was.object_id, was.labels, was.group)
    np.testing.assert_array_equal(now.views["spectrum"], was.views["spectrum"])


def test_same_input_same_bytes(tmp_path):
    first = write_visit(tmp_path, ending=".fits.gz").read_bytes()
    assert write_visit(tmp_path, ending=".fits.gz").read_bytes() == first


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ivar": np.ones(3)}, r"ivar has shape \(3,\), the flux has 300 pixels"),
        ({"or_mask": np.ones(3)}, r"or_mask has shape \(3,\), the flux has 300 pixels"),
        ({"coeff0": 3700.0}, "coeff0 3700.0 and coeff1 0.0001, expected one row of pixels whose log10 of Angstrom"),
        ({"coeff1": 0.0}, "whose log10 of Angstrom ascends between 2 and 5"),
        ({"flux": np.ones((2, 3))}, r"flux of shape \(2, 3\)"),
        ({"catalogue": {"ra": np.nan}}, "header of a LAMOST spectrum: ra missing"),
        ({"catalogue": {"period": 1.0}}, "header of a LAMOST spectrum: period unknown"),
    ],
)
def test_what_cannot_be_written(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        write_visit(tmp_path, **changes)


def test_a_full_disk_leaves_the_older_file(tmp_path, monkeypatch):
    path = write_visit(tmp_path)
    before = path.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="no space left"):
        write_visit(tmp_path, catalogue=SAID)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_name_of_a_file():
    assert lamost_file_name(55859, "F5902", 3, 7) == "spec-55859-F5902_sp03-007.fits"
