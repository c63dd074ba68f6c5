import warnings

import numpy as np
import pytest
from astropy.io import fits
from layout_desi import FIRST, make_arms

from astroclip_kit.errors import InputError, OutputError
from astroclip_kit.surveys import Arm, DESISpectra, write_desi_coadd

WAVELENGTH = 3600 + 0.8 * np.arange(160)
TARGETS = {"targetid": [11, 12], "ra": [10.0, 11.0], "dec": [1.0, 2.0]}


def joined(rows=2, **changes):
    values = {"flux": np.full((rows, 160), 2.0), "ivar": np.ones((rows, 160)), "mask": None} | changes
    return {"brz": Arm(WAVELENGTH, **values)}


def test_written_spectra_come_back(tmp_path):
    path = tmp_path / "coadd-1.fits"
    arm = joined(flux=np.random.default_rng(0).normal(size=(2, 160)).astype("f4"))
    more = {"z": [0.5, np.nan], "zwarning": [0, 4], "class": ["GALAXY", "QSO"], "ebv": [0.02, 0.03], "flux_r": 5.0}
    targets = TARGETS | more | {"targetid": np.array([FIRST, FIRST + 1])}
    write_desi_coadd(path, arm, targets, survey="main", program="dark")
    first, second = DESISpectra(path).read(path)
    assert first.object_id == str(FIRST) and (second.ra, second.dec) == (11, 2)
    assert first.labels["survey"] == "main" and first.labels["flux_r"] == 5 and first.labels["z"] == 0.5
    assert "z" not in second.labels and second.labels["class"] == "QSO" and second.labels["zwarning"] == 4
    np.testing.assert_array_equal(second.views["spectrum"][0, :160], arm["brz"].flux[1])
    before = path.read_bytes(), (tmp_path / "redrock-1.fits").read_bytes()
    write_desi_coadd(path, arm, targets, survey="main", program="dark")
    assert (path.read_bytes(), (tmp_path / "redrock-1.fits").read_bytes()) == before


def test_astropy_reads_the_written_file_without_a_warning(tmp_path):
    write_desi_coadd(tmp_path / "coadd-1.fits", make_arms(2), TARGETS | {"z": [0.1, 0.2]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(tmp_path / "coadd-1.fits") as hdus:
            hdus.verify("exception")
            arms = [f"{arm}_{what}" for arm in "BRZ" for what in ("WAVELENGTH", "FLUX", "IVAR", "MASK")]
            assert [hdu.name for hdu in hdus] == ["PRIMARY", "FIBERMAP", *arms]
            assert hdus["B_FLUX"].header["BUNIT"] == "10**-17 erg/(s cm2 Angstrom)"
            assert hdus["FIBERMAP"].data["OBJTYPE"].tolist() == ["TGT", "TGT"]
        assert fits.getdata(tmp_path / "redrock-1.fits", "REDSHIFTS")["Z"].tolist() == [0.1, 0.2]


def test_writer_refuses_what_does_not_fit(tmp_path):
    path = tmp_path / "coadd-1.fits"
    for arms, targets, message in (
        (joined(), {"targetid": [1, 2], "ra": [1, 2]}, r"missing \['dec'\]"),
        (joined(), TARGETS | {"redshift": [1, 2]}, r"unknown \['redshift'\], expected of"),
        (joined(), TARGETS | {"targetid": [1.0, 2.0]}, "targetid must be integers"),
        (joined(), TARGETS | {"z": [1.0]}, r"z has shape \(1,\), there are 2 targets"),
        (joined(3), TARGETS, r"flux of arm BRZ has shape \(3, 160\), expected \(2, 160\)"),
    ):
        with pytest.raises(InputError, match=message):
            write_desi_coadd(path, arms, targets)
    with pytest.raises(InputError, match="redshifts go to a file beside it, so its name must begin with 'coadd'"):
        write_desi_coadd(tmp_path / "spectra.fits", joined(), TARGETS | {"z": [0.1, 0.2]})
    (tmp_path / "nowhere").write_text("a file, no folder")
    with pytest.raises(OutputError, match="cannot be written"):
        write_desi_coadd(tmp_path / "nowhere" / "coadd-1.fits", joined(), TARGETS)
