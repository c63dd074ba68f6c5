"""What the kit says of survey files before anything is written."""

import shutil

import h5py
import pytest

from astroclip_kit import cli, pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.errors import UsageError
from astroclip_kit.settings import Matching, Reading

HTML = b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>"


def test_info_describes_a_folder_of_survey_files(survey):
    text = pipeline.info(survey)
    assert "Legacy Survey cutouts: 8 files" in text and "SDSS, BOSS or eBOSS spectra: 8 files" in text
    assert "image: g, r, z; 64 x 64 px of 0.262 arcsec; nmgy" in text
    assert "spectrum: flux, ivar; " in text and "object '9000-57000-1', ra " in text
    assert f"astroclip-kit ingest data --spectra {survey / 'spectra'}" in text
    assert f"astroclip-kit ingest data --catalogue {survey / 'catalogue.fits'}" in text and " more" in text


def test_info_describes_one_file_and_what_it_does_not_know(survey, tmp_path):
    path = next((survey / "spectra").iterdir())
    assert pipeline.info(path).startswith(f"{path}: survey files\n  SDSS, BOSS or eBOSS spectra: 1 file, such as")
    (tmp_path / "other").mkdir()
    assert pipeline.info(tmp_path / "other") == f"{tmp_path / 'other'}: no files"
    (tmp_path / "other" / "notes.md").write_text("mine")
    assert "not recognised: 1 file, such as" in pipeline.info(tmp_path / "other")


def test_info_says_why_a_file_cannot_be_read(survey):
    first, *_ = sorted((survey / "spectra").iterdir())[:2]
    for path in (survey / "spectra").iterdir():
        if path != first:
            path.unlink()
    content = first.read_bytes()
    first.write_bytes(content[: len(content) * 2 // 3])
    text = pipeline.info(survey / "spectra")
    assert "SDSS, BOSS or eBOSS spectra: 1 file" in text and "this one cannot be read" in text and "truncated" in text


def test_a_dry_run_says_what_it_found_and_writes_nothing(survey, tmp_path, capsys):
    sorted((survey / "spectra").iterdir())[0].write_bytes(HTML)
    words = ["ingest", tmp_path / "data", "--images", survey / "cutouts", "--spectra", survey / "spectra", "--dry-run"]
    assert cli.main([str(word) for word in words]) == 0
    text = capsys.readouterr().out
    assert "nothing was written" in text and "image: 8 files by LegacySurveyCutouts" in text
    assert "8 tried: 7 observations, 1 left out" in text and "left out 1 x not a FITS file" in text
    assert "matched by id (image 9000-57000-1" in text and "MB to write" in text
    assert not (tmp_path / "data").exists()


def test_a_dry_run_checks_as_the_run_would(survey, tmp_path):
    reading = Reading(dry_run=True)
    text = pipeline.ingest(
        tmp_path / "data", spectra=str(survey / "spectra"), matching=Matching(by="position"), reading=reading
    )
    assert "matched by position, within 1 arcsec" in text
    for path in (survey / "spectra").iterdir():
        path.unlink()
    with pytest.raises(UsageError, match=r"source .spectrum.: .* finds no files"):
        pipeline.ingest(tmp_path / "data", spectra=str(survey / "spectra"), reading=reading)


def test_surveys_that_share_a_folder_are_named(survey, tmp_path, fails):
    other = tmp_path / "other.h5"

    with h5py.File(other, "w") as file:
        file["flux"] = [1.0]
    shutil.copy(other, survey / "spectra")
    line = fails("ingest", tmp_path / "data", "--spectra", survey / "spectra")
    assert "files of several surveys (SDSS, BOSS or eBOSS spectra, 8 files; spectra of many lengths in HDF5" in line


def test_a_flag_alone_is_true(survey, tmp_path, fails):
    sorted((survey / "spectra").iterdir())[0].write_bytes(HTML)
    line = fails("ingest", tmp_path / "data", "--strict", "--spectra", survey / "spectra")
    assert "not a FITS file" in line
    words = ["ingest", tmp_path / "data", "--strict", "false", "--spectra", survey / "spectra", "--workers", "1"]
    assert cli.main([str(word) for word in words]) == 0


def test_rows_are_kept_by_a_condition_on_their_labels(survey, tmp_path, fails):
    words = ["ingest", tmp_path / "data", "--spectra", survey / "spectra", "--workers", "1", "--where", "z < 0.15"]
    assert cli.main([str(word) for word in words]) == 0
    dataset = Dataset(tmp_path / "data")
    assert 0 < len(dataset) < 8 and (dataset.labels["z"] < 0.15).all()
    assert "where 'z < 0.15' does not hold." in pipeline.info(tmp_path / "data")
    words[-1] = "z < 0.1"
    assert cli.main([str(word) for word in words]) == 0 and (Dataset(tmp_path / "data").labels["z"] < 0.1).all()
    words[-1] = "mass > 1"
    assert "where 'mass > 1': name 'mass' is not defined. There are the columns" in fails(*words)


def test_a_configuration_that_names_its_files_needs_no_data(survey, tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text(f"ingest: {{spectra: {survey / 'spectra'}}}")
    assert cli.main(["run", str(tmp_path / "mine.yaml"), str(tmp_path / "run")]) == 0
    assert len(Dataset(tmp_path / "run" / "data")) == 8
    capsys.readouterr()
    assert cli.main(["run", str(tmp_path / "mine.yaml"), str(tmp_path / "run")]) == 0
    assert "ingest" in capsys.readouterr().err
