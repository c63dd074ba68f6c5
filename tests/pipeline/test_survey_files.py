"""What the kit says of survey files before anything is written."""

import re
import shlex
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from released_astrom3 import write_released

from astroclip_kit import cli, pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.errors import UsageError
from astroclip_kit.settings import Matching, Reading
from astroclip_kit.storage import write_manifest

HTML = b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>"


def test_info_describes_a_folder_of_survey_files(survey):
    text = pipeline.info(survey)
    assert "Legacy Survey cutouts: 8 files" in text and "SDSS, BOSS or eBOSS spectra: 8 files" in text
    assert "image: g, r, z; 64 x 64 px of 0.262 arcsec; nmgy" in text
    assert "spectrum: flux, ivar; " in text and "object '9000-57000-1', ra " in text
    folders = f"--images {survey / 'cutouts'} --spectra {survey / 'spectra'} --catalogue {survey / 'catalogue.fits'}"
    assert text.endswith(f"\nastroclip-kit ingest data {folders}") and " more" in text
    assert text.count("ingest data") == 1


def test_info_suggests_a_command_that_works_as_typed(survey, tmp_path, monkeypatch):
    home = tmp_path / "my survey"
    survey.rename(home)
    for number, path in enumerate(sorted((home / "spectra").iterdir())):  # as surveys have them, by plate
        (home / "spectra" / f"{number % 2}").mkdir(exist_ok=True)
        path.rename(home / "spectra" / f"{number % 2}" / path.name)
    table = Table.read(home / "catalogue.fits")
    table.remove_column("object_id")
    table.write(home / "catalogue.fits", overwrite=True)
    monkeypatch.chdir(tmp_path)
    command = shlex.split(pipeline.info("my survey").splitlines()[-1])
    assert command[0] == "astroclip-kit" and command[-2:] == ["--by", "position"]
    assert command[command.index("--spectra") + 1] == "my survey/spectra"
    assert cli.main(command[1:]) == 0
    dataset = Dataset("data")
    assert len(dataset) == 8 and dataset.present("image").all() and dataset.present("spectrum").all()
    assert np.isfinite(dataset.labels["logmstar"]).all()


def test_info_suggests_a_ready_configuration_for_repeat_visits(survey, tmp_path, monkeypatch, capsys):
    home = tmp_path / "my survey"
    survey.rename(home)
    monkeypatch.chdir(Path(__file__).parents[2])
    line = next(line for line in pipeline.info(home).splitlines() if "astroclip-kit run configs/" in line)
    assert line.strip().startswith("keeps repeat visits as rows of one object: astroclip-kit run configs/surveys/sdss")
    words = shlex.split(line.partition("astroclip-kit ")[2])
    assert cli.main([*words, "--out", str(tmp_path / "run")]) == 0
    assert len(Dataset(tmp_path / "run" / "data")) == 8


def test_info_suggests_no_command_that_is_refused(survey, tmp_path, fails):
    assert "add it to those that are ingested, --catalogue" in pipeline.info(survey / "catalogue.fits")
    assert "ingest data" not in pipeline.info(survey / "catalogue.fits")
    fits.PrimaryHDU(np.zeros((8, 8))).writeto(survey / "cutouts" / "stamp.fits")
    text = pipeline.info(survey)
    assert "files of several surveys lie there: move these into a folder of their own, or name each as a source" in text
    assert "start from configs/surveys/cosmos_hst.yaml: the bands must be said" in text and "--images" not in text
    assert text.endswith(f"ingest data --spectra {survey / 'spectra'} --catalogue {survey / 'catalogue.fits'}")
    for path in (survey / "spectra").iterdir():
        path.write_bytes(path.read_bytes()[:9000])
    assert "--spectra" not in pipeline.info(survey)
    assert "nosuch: no such folder. Expected a folder of the kit or of survey files" in fails(
        "info", tmp_path / "nosuch"
    )


def test_templates_are_no_observations(tmp_path):
    wavelength = fits.PrimaryHDU(np.zeros((3, 50), "f4"))
    wavelength.header["COEFF0"] = 3.5
    wavelength.writeto(tmp_path / "spEigen.fits")
    fits.PrimaryHDU(np.zeros((900, 4), "f4")).writeto(tmp_path / "basis.fits")
    Table({"WAVE": np.zeros((1, 50)), "PCA": np.zeros((1, 500))}).write(tmp_path / "yip.fits")
    text = pipeline.info(tmp_path)
    assert "FITS images without a sky: 2 files" in text and "simulate --templates" in text
    assert "not recognised: 1 file, such as" in text and "yaml" not in text


def test_only_files_with_columns_and_rows_are_tables(tmp_path):
    for name, content in {"notes.txt": "hello", "poem.txt": "a\nb\nc\n", "names.csv": "object_id,z\n"}.items():
        (tmp_path / name).write_text(content)
    assert "tables" not in pipeline.info(tmp_path)
    for name, content in {"ids.csv": "object_id\n1\n", "z.dat": "object_id z\n1 2\n"}.items():
        (tmp_path / name).write_text(content)
    assert "tables: 2 files" in pipeline.info(tmp_path) and "not recognised: 3 files" in pipeline.info(tmp_path)
    (tmp_path / "skipped.csv").write_text("object_id,reason\na,b\n")
    assert "tables: 3 files" in pipeline.info(tmp_path)
    write_manifest(tmp_path, "hats", {})
    assert "tables: 2 files" in pipeline.info(tmp_path)


def test_info_describes_one_file_and_what_it_does_not_know(survey, tmp_path):
    path = next((survey / "spectra").iterdir())
    assert pipeline.info(path).startswith(f"{path}: survey files\n  SDSS, BOSS or eBOSS spectra: 1 file, such as")
    (tmp_path / "other").mkdir()
    assert pipeline.info(tmp_path / "other") == f"{tmp_path / 'other'}: no files"
    (tmp_path / "other" / "notes.md").write_text("mine")
    assert "not recognised: 1 file, such as" in pipeline.info(tmp_path / "other")


def test_info_says_whose_weights_a_file_holds_and_what_reads_them(tmp_path):
    path = tmp_path / "model.safetensors"
    write_released(path, width=8, depth=1, channels=(4, 4, 4, 4), hidden=6, out=5)
    assert f"weights; it looks like AstroM3 (astroclip-kit convert {path} --to astrom3)" in pipeline.info(path)
    path.write_bytes(path.read_bytes()[:500])
    assert "weights that cannot be read" in pipeline.info(path) and "is damaged or cut off" in pipeline.info(path)


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


def test_bands_that_the_files_hold_and_nobody_reads_are_named(stars, chain, tmp_path, capsys):
    cutouts = stars / "survey" / "cutouts"
    pipeline.ingest(tmp_path / "grz", images=str(cutouts), reading=Reading(workers=1))
    said = re.search(
        r"note: image: bands g, r, z are read, not u, i, which the files hold as well\. To read all: (.*)",
        capsys.readouterr().err,
    )
    words = shlex.split(said[1])
    assert cli.main(["ingest", str(tmp_path / "all"), *words, "--reading.workers", "1"]) == 0
    assert Dataset(tmp_path / "all").modalities["image"].channels == ("u", "g", "r", "i", "z")
    pipeline.ingest(images=str(chain.survey / "cutouts"), reading=Reading(dry_run=True))
    assert "are read, not" not in capsys.readouterr().err
