"""Which survey a folder holds, by what its files hold."""

import shutil

import numpy as np
import pytest
from astropy.io import fits
from synthetic_survey import write_spectrum

from astroclip_kit import surveys
from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys.recognition import SURVEYS, reader_for, recognise, survey_of

REAL = {
    "sdss-spectra/spectra": {"SDSSSpectra": 203},
    "lamost-spectra/spectra": {"LAMOSTSpectra": 315},
    "asas-variables": {"ASASLightCurves": 1, "catalogue": 2},
    "ztf-sn-ia": {"LightCurveTable": 1, "catalogue": 1},
    "ztf-alerts": {"ImageArrays": 1, "LightCurveTable": 1, "catalogue": 1},
    "supernovae": {"RaggedSpectra": 1, "LightCurveTable": 1, "catalogue": 2},
    "format-examples/decals_grz_cutout_509.fits": {"LegacySurveyCutouts": 1},
    "format-examples/coadd-4-80613-thru20210324.fits": {"DESISpectra": 1},
    "format-examples/quasarnp_test_coadd.fits": {"DESISpectra": 1},
    "format-examples/redrock-4-80613-thru20210324.fits": {"": 1},
    "format-examples/frame-r-001000-1-0100.fits.bz2": {"FITSImages": 1},
    "format-examples/unwise-3460p121-w1-invvar-m.fits.gz": {"FITSImages": 1},
    "format-examples/legacysurvey-0959p805-image-g.fits.fz": {"FITSImages": 1},
    "format-examples/XP_CONTINUOUS_RAW.csv": {"GaiaXP": 1},
    "format-examples/SampledMeanSpectrum.csv": {"GaiaXP": 1},
    "format-examples/vxmen.csv": {"ASASSNLightCurves": 1},
    "cosmos-hst/real_galaxy_images_extension.fits": {"ImageCubes": 1},
    "cosmos-hst": {"ImageCubes": 3, "catalogue": 2},
    "catalogues": {"catalogue": 6},
    "templates": {"": 10, "catalogue": 1},
}


@pytest.mark.shared_data
@pytest.mark.parametrize("folder", REAL)
def test_real_surveys(shared_data, folder):
    found = recognise(shared_data / folder)
    assert {one.survey.reader: one.files for one in found if one.survey} == REAL[folder]


def test_every_layout_is_recognised_as_what_its_reader_reads(reader):
    path = reader.files()[0]
    found = survey_of(path) or survey_of(path.parent) or recognise(path.parents[1])[0].survey
    assert found is not None
    inner = getattr(reader, "reader", reader)  # of a survey's reader with more channels
    inner = getattr(inner, "readers", [inner])[0]  # of several surveys in one modality
    assert found.reader == type(inner).__name__ or found.reader in ("catalogue", "LightCurveTable")


def test_every_entry_names_a_reader_of_the_kit():
    assert all(hasattr(surveys, survey.reader) for survey in SURVEYS if survey.reader)


def test_one_damaged_file_does_not_hide_the_others(tmp_path):
    for fiber in range(1, 6):
        write_spectrum(tmp_path, fiber)
    first = sorted(tmp_path.iterdir())[0]
    first.write_bytes(b"<html>")
    (tmp_path / "notes.md").write_text("mine")
    spectra, rest = recognise(tmp_path)
    assert (spectra.survey.reader, spectra.files) == ("SDSSSpectra", 5) and spectra.example != first
    assert rest.survey is None and rest.files == 1
    assert len(reader_for(tmp_path, "spectrum").files()) == 5


def test_names_without_a_pattern_are_told_apart_by_their_ending(tmp_path):
    source = write_spectrum(tmp_path, 1)
    words = [a + b for a in "abcdefgh" for b in "abcdefgh"]
    for word in words:
        shutil.copy(source, tmp_path / f"{word}.fits")
    [found] = recognise(tmp_path)
    assert found.files == len(words) + 1


def test_a_folder_of_several_surveys_says_which(survey):
    for path in (survey / "cutouts").iterdir():
        shutil.copy(path, survey / "spectra" / f"cut-{path.name}")
    assert type(reader_for(survey / "spectra", "spectrum")).__name__ == "SDSSSpectra"
    shutil.copy(survey / "spectra.h5", survey / "spectra" / "other.h5")
    with pytest.raises(UsageError, match=r"files of several surveys \(.*3 files.*Move each into its own folder"):
        reader_for(survey / "spectra", "spectrum")


def test_what_cannot_be_read_says_why(survey, tmp_path):
    with pytest.raises(FileError, match="no such folder"):
        recognise(tmp_path / "nowhere")
    with pytest.raises(
        UsageError, match="expected image files of a survey, found SDSS, BOSS or eBOSS spectra, 3 files"
    ):
        reader_for(survey / "spectra", "image")
    fits.PrimaryHDU(np.zeros((8, 8))).writeto(tmp_path / "stamp.fits")
    with pytest.raises(
        UsageError, match=r"found image cubes or stamps, 1 file; the bands must be said .* the reader Image"
    ):
        reader_for(tmp_path / "stamp.fits", "image")
    with pytest.raises(
        UsageError, match=r"the index table and its columns must be said as well.*configs/supernovae.yaml"
    ):
        reader_for(survey / "spectra.h5", "spectrum")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.txt").write_bytes(b"")
    assert [(one.survey, one.files) for one in recognise(tmp_path / "new")] == [(None, 1)]
    with pytest.raises(UsageError, match="expected lightcurve files of a survey, found nothing"):
        reader_for(tmp_path / "new", "lightcurve")
    assert type(reader_for(tmp_path / "new", "spectrum")).__name__ == "SDSSSpectra"
