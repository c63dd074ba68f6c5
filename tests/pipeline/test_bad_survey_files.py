"""Survey files that cannot be used: each is left out, counted and listed with its reason, or is one clear error."""

import json
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from astroclip_kit import cli, pipeline
from astroclip_kit.settings import Reading

HTML = b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>"


def spectrum(survey, fiber=1):
    return survey / "spectra" / f"spec-9000-57000-{fiber:04d}.fits"


def cutout(survey, fiber=1):
    return survey / "cutouts" / f"9000-57000-{fiber}.fits"


def change(path, hdu, **columns):
    """Sets columns of one table of a FITS file."""
    with fits.open(path) as file:
        units = [unit.copy() for unit in file]
    for name, value in columns.items():
        units[hdu].data[name] = value
    fits.HDUList(units).writeto(path, overwrite=True)


def without_column(path):
    with fits.open(path) as file:
        units = [unit.copy() for unit in file]
    units[1] = fits.BinTableHDU(Table(units[1].data)["flux", "loglam", "and_mask"])
    fits.HDUList(units).writeto(path, overwrite=True)


def one_image(path):
    fits.PrimaryHDU(np.zeros((8, 8), dtype="f4")).writeto(path, overwrite=True)


def without_a_band(path):
    with fits.open(path) as file:
        header, data = file[0].header.copy(), file[0].data[:2].copy()
    header["BANDS"] = "gr"
    fits.PrimaryHDU(data, header).writeto(path, overwrite=True)


def far_away(path):
    with fits.open(path, mode="update") as file:
        file[0].header["RA"] = 400.0
        file[0].header["DEC"] = -95.0


BAD_SPECTRA = {
    "empty": (lambda path: path.write_bytes(b""), "not a FITS file: it is empty"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:9000]), "truncated"),
    "web page": (lambda path: path.write_bytes(HTML), "not a FITS file: it begins with '<!DOCTYPE"),
    "wrong HDU": (one_image, "has 1 HDUs, HDU 1 was expected"),
    "missing column": (without_column, "HDU 1 has no column 'ivar'"),
    "all NaN": (lambda path: change(path, 1, flux=np.nan), "no good pixel: flux is NaN, inverse variance 0"),
    "zero ivar": (lambda path: change(path, 1, ivar=0), "no good pixel: flux is NaN, inverse variance 0"),
    "out of range": (lambda path: change(path, 2, RA=400.0, DEC=-95.0), "out of range"),
}
BAD_IMAGES = {
    "empty": (lambda path: path.write_bytes(b""), "not a FITS file: it is empty"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:9000]), "truncated"),
    "web page": (lambda path: path.write_bytes(HTML), "not a FITS file"),
    "wrong HDU": (lambda path: Table({"a": [1.0]}).write(path, format="fits", overwrite=True), "HDU 0 holds no image"),
    "missing band": (without_a_band, "band"),
    "out of range": (far_away, "out of range"),
}


def ingested(survey, out, **changes):
    arguments = {"images": str(survey / "cutouts"), "spectra": str(survey / "spectra")}
    return pipeline.ingest(out, **{**arguments, **changes}, reading=Reading(workers=1))


@pytest.mark.parametrize(
    ("file", "damage", "reason"),
    [
        *((spectrum, *case) for case in BAD_SPECTRA.values()),
        *((cutout, *case) for case in BAD_IMAGES.values()),
    ],
    ids=[*(f"spectrum {name}" for name in BAD_SPECTRA), *(f"image {name}" for name in BAD_IMAGES)],
)
def test_a_bad_file_is_left_out_and_listed(survey, tmp_path, file, damage, reason, capsys):
    damage(file(survey))
    dataset = ingested(survey, tmp_path / "data")
    spoilt, other = ("spectrum", "image") if file is spectrum else ("image", "spectrum")
    assert dataset.present(spoilt).sum() == 7 and dataset.present(other).sum() == 8
    drops = pd.read_csv(tmp_path / "data" / "drops.csv")
    assert list(drops["source"]) == [spoilt] and reason in drops["reason"][0]
    assert file(survey).name.split(".")[0] in drops["dropped"][0]
    assert cli.main(["info", str(tmp_path / "data")]) == 0
    assert reason[:20] in capsys.readouterr().out


def test_strict_stops_at_the_first_bad_file(survey, tmp_path, fails):
    spectrum(survey, 5).write_bytes(HTML)
    error = fails("ingest", "--spectra", survey / "spectra", "--out", tmp_path / "data", "--strict", "true")
    assert f"{spectrum(survey, 5)}: not a FITS file" in error and "download it again" in error
    assert not (tmp_path / "data" / "manifest.json").exists()


def test_nothing_that_can_be_used_is_an_error(survey, tmp_path, fails):
    for path in (survey / "spectra").iterdir():
        path.write_bytes(HTML)
    error = fails("ingest", "--spectra", survey / "spectra", "--out", tmp_path / "data")
    assert "nothing in its 8 files can be used: " in error and "not a FITS file: it begins with '<!DOCTYPE" in error
    assert not (tmp_path / "data" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing to ingest. Give --images, --spectra, --catalogue or sources"),
        (("--images", "{survey}/nowhere"), "nowhere: no such folder. Check"),
        (("--spectra", "{survey}/cutouts"), "cutouts: expected spectrum files of a survey, found Legacy Survey"),
        (("--images", "{survey}/spectra"), "expected image files of a survey, found SDSS, BOSS or eBOSS spectra, 8"),
        (("--catalogue", "{survey}/catalogue.fits"), "every source is a catalogue of labels: add one"),
        (("--images", "{survey}/cutouts", "--catalogue", "{survey}/absent.fits"), "absent.fits: no such file"),
        (
            ("--images", "{survey}/cutouts", "--catalogue", "{survey}/catalogue.fits", "--labels", "zz"),
            "no column 'zz' (found object_id, ra, dec,",
        ),
        (("--images", "{survey}/cutouts", "--matching.by", "name"), "expected one of id, position, found 'name'"),
        (("--images", "{survey}/cutouts", "--radius-arcsec", "-1"), "radius_arcsec is -1.0, expected a positive"),
        (("--images", "{survey}/cutouts", "--rows", "radio"), "names 'radio', which is no modality here"),
        (
            ("--images", "{survey}/cutouts", "--group", "field"),
            "matching.group is 'field', expected 'id' or 'position'",
        ),
        (("--images", "{survey}/cutouts", "--imags", "x"), "--imags x. Did you mean '--images'?"),
        (("--images", "{survey}/cutouts", "--sources", '{"x": "y"}'), "expected a mapping of names to {class_path"),
        (
            ("--images", "{survey}/cutouts", "--sources", '{"x": {"class_path": "astroclip_kit.surveys.Sdss"}}'),
            "cannot import 'astroclip_kit.surveys.Sdss'",
        ),
        (
            ("--images", "{survey}/cutouts", "--sources", '{"x": {"class_path": "collections.Counter"}}'),
            "Counter is no reader",
        ),
        (
            ("--sources", '{"x": {"class_path": "astroclip_kit.surveys.SDSSSpectra", "init_args": {"rot": 1}}}'),
            "unexpected keyword argument 'rot'. Check its init_args",
        ),
    ],
)
def test_ingest_says_what_is_wrong(survey, tmp_path, fails, words, message):
    words = [word.replace("{survey}", str(survey)) for word in words]
    assert message in fails("ingest", "--out", tmp_path / "data", *words)
    assert not (tmp_path / "data" / "manifest.json").exists()


def test_a_spectrum_that_is_there_twice_is_one_object(survey, tmp_path):
    (survey / "spectra" / "copy").mkdir()
    shutil.copy(spectrum(survey), survey / "spectra" / "copy")
    dataset = ingested(survey, tmp_path / "data")
    assert len(dataset) == len(set(dataset.object_ids)) == 8
    drops = pd.read_csv(tmp_path / "data" / "drops.csv")
    assert len(drops) == 1 and "9000-57000-1" in drops["dropped"][0]


def test_a_catalogue_with_the_same_id_twice_labels_each_object_once(survey, tmp_path):
    table = Table.read(survey / "catalogue.fits")
    table.add_row(table[0])
    table.write(survey / "catalogue.fits", overwrite=True)
    dataset = ingested(survey, tmp_path / "data", catalogue=str(survey / "catalogue.fits"), labels="logmstar")
    assert len(dataset) == 8 and np.isfinite(dataset.labels["logmstar"]).all()


LIGHTCURVE = {
    "class_path": "astroclip_kit.surveys.LightCurveTable",
    "init_args": {"columns": {"id": "name", "time": "mjd", "value": "mag", "error": "e_mag", "band": "band"}},
}


def lightcurves(path):
    return {"lightcurve": {**LIGHTCURVE, "init_args": {**LIGHTCURVE["init_args"], "path": str(path)}}}


def test_a_light_curve_of_one_point_is_kept_or_listed(tmp_path):
    rows = {"name": ["a", "b", "b"], "mjd": [1.0, 2.0, 3.0], "mag": [20.0, 19.0, 18.0], "e_mag": [0.1] * 3}
    pd.DataFrame({**rows, "band": ["g", "g", "r"]}).to_csv(tmp_path / "phot.csv", index=False)
    dataset = pipeline.ingest(tmp_path / "data", sources=lightcurves(tmp_path / "phot.csv"))
    drops = pd.read_csv(tmp_path / "data" / "drops.csv")
    assert len(dataset) + len(drops) == 2 and "b" in dataset.object_ids
    views = dataset.views("lightcurve", [len(dataset) - 1])
    assert np.isfinite(views[..., :2]).any()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "phot.csv"),
        (HTML, "phot.csv"),
        (b"name,mjd,mag,e_mag\na,1,2,3\n", "band"),
        (b"name,mjd,mag,e_mag,band\na,nan,nan,nan,g\n", "can be used"),
    ],
)
def test_bad_light_curve_tables(tmp_path, fails, content, message):
    (tmp_path / "phot.csv").write_bytes(content)
    sources = json.dumps(lightcurves(tmp_path / "phot.csv"))
    assert message in fails("ingest", "--out", tmp_path / "data", "--sources", sources)
    assert not (tmp_path / "data" / "manifest.json").exists()


def ragged(folder):
    columns = {"id": "name", "offset": "offset", "n_pix": "n", "wavelength": "w", "flux": "f"}
    files = {"path": str(folder / "spectra.h5"), "index": str(folder / "spectra.csv")}
    arguments = {**files, "columns": columns, "grid": [4000, 5000, 10]}
    pd.DataFrame({"name": ["a"], "offset": [0], "n": [100]}).to_csv(folder / "spectra.csv", index=False)
    return json.dumps({"spectrum": {"class_path": "astroclip_kit.surveys.RaggedSpectra", "init_args": arguments}})


@pytest.mark.parametrize("content", [b"", HTML, b"\x89HDF\r\n\x1a\n"])
def test_bad_ragged_spectra(tmp_path, fails, content):
    (tmp_path / "spectra.h5").write_bytes(content)
    error = fails("ingest", "--out", tmp_path / "data", "--sources", ragged(tmp_path))
    assert "spectra.h5: cannot be read as HDF5" in error and "Download it again" in error
    assert not (tmp_path / "data" / "manifest.json").exists()


def test_a_ragged_spectrum_without_a_dataset_says_which(tmp_path, fails):
    with h5py.File(tmp_path / "spectra.h5", "w") as file:
        file["w"] = np.arange(4000.0, 5000, 10)
    error = fails("ingest", "--out", tmp_path / "data", "--sources", ragged(tmp_path))
    assert "spectra.h5" in error and "'f'" in error
