"""What files say about their own values: units of fluxes and coordinates, masks, and ids that have become numbers."""

import numpy as np
import pandas as pd
import pytest
from astropy import units
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from synthetic_survey import make_reader

from astroclip_kit.errors import FileError
from astroclip_kit.surveys import LegacySurveyCutouts, LightCurveTable, TableReader
from astroclip_kit.surveys.catalogues import catalogue
from astroclip_kit.surveys.files.notes import note
from astroclip_kit.surveys.files.object_tables import read_object_table
from astroclip_kit.surveys.files.stated_units import rescaled, unit_factor
from astroclip_kit.surveys.files.table_files import text
from astroclip_kit.surveys.multimodal.multimodal_columns import clean_text
from astroclip_kit.types import Modality

FORMATS = ["fits", "ecsv", "vot", "parquet", "csv"]


def write(path, table):
    options = {".vot": {"format": "votable"}, ".csv": {"format": "ascii.ecsv", "delimiter": ","}}
    table.write(path, **options.get(path.suffix, {}))
    return path


def placed(path, ra_unit="deg", factor=1.0):
    """Two objects at ra 30 and 60, dec 10 and 20."""
    table = Table({"id": ["a", "b"], "ra": np.array([30.0, 60.0]) * factor, "dec": [10.0, 20.0]})
    table["ra"].unit, table["dec"].unit = ra_unit, "deg"
    return write(path, table)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("unit", "factor"), [("rad", np.pi / 180), ("hourangle", 1 / 15), ("h", 1 / 15), ("deg", 1)])
def test_coordinates_are_in_the_unit_that_the_table_states(tmp_path, suffix, unit, factor):
    if suffix in ("fits", "vot") and unit == "hourangle":
        unit = "h"  # which they do not have
    path = placed(tmp_path / f"t.{suffix}", unit, factor)
    samples = list(catalogue(path).read(path))
    assert [sample.ra for sample in samples] == pytest.approx([30, 60])
    assert [sample.dec for sample in samples] == pytest.approx([10, 20])
    rows = read_object_table({"path": str(path), "id": "id", "ra": "ra", "dec": "dec"}, [], [])
    assert rows["ra"].tolist() == pytest.approx([30, 60])


@pytest.mark.parametrize("unit", ["mag", "h"])
def test_coordinates_in_another_unit_are_refused(tmp_path, unit):
    table = Table({"id": ["a"], "ra": [30.0], "dec": [10.0]})
    table["dec"].unit = unit
    path = write(tmp_path / "t.ecsv", table)
    with pytest.raises(FileError, match=f"column 'dec' is in '{unit}', expected an angle such as 'deg'"):
        list(catalogue(path).read(path))


@pytest.mark.parametrize("unit", ["degrees", "DEG", "Angle[deg]"])
def test_degrees_have_many_spellings(tmp_path, unit):
    path = placed(tmp_path / "t.fits", "deg")
    with fits.open(path, mode="update") as hdus:
        hdus[1].header["TUNIT2"] = unit
    assert [sample.ra for sample in catalogue(path).read(path)] == [30, 60]


def test_light_curves_in_other_units_of_angle(tmp_path):
    table = Table({"id": ["a", "a"], "mjd": [1.0, 2.0], "mag": [15.0, 16.0], "band": ["g", "g"]})
    table["ra"], table["dec"] = [0.5, 0.5] * units.rad, [0.25, 0.25] * units.rad
    columns = {"id": "id", "time": "mjd", "value": "mag", "band": "band", "ra": "ra", "dec": "dec"}
    reader = LightCurveTable(write(tmp_path / "t.ecsv", table), columns)
    [sample] = reader.read(reader.files()[0])
    assert (sample.ra, sample.dec) == pytest.approx(tuple(np.degrees([0.5, 0.25])))


@pytest.mark.parametrize("suffix", FORMATS)
def test_masked_values_are_missing_in_every_format(tmp_path, suffix):
    values = {"z": [0.1, 0.2], "n": [1, 2], "kind": ["STAR", "QSO"]}
    masked = {name: MaskedColumn(column, mask=[False, True]) for name, column in values.items()}
    path = write(tmp_path / f"t.{suffix}", Table({"id": ["a", "b"], **masked}))
    one, two = catalogue(path).read(path)
    assert one.labels == {"z": 0.1, "n": 1, "kind": "STAR"} and two.labels == {}
    views = [
        sample.views["table"] for sample in TableReader(path, ["z", "n"], "id").read(path) if hasattr(sample, "views")
    ]
    np.testing.assert_allclose(views, [[0.1, 1]], rtol=1e-6)


@pytest.mark.parametrize(("layout", "unit"), [("sdss", "Jy"), ("legacysurvey", "K"), ("legacysurvey", "blorp")])
def test_a_flux_in_another_kind_of_unit_is_refused(survey, layout, unit):
    reader = make_reader(layout, survey)
    path = reader.files()[0]
    fits.setval(path, "BUNIT", value=unit)
    with pytest.raises(FileError, match=f"is in '{unit}', which does not convert to '"):
        reader.read(path)


def test_millijansky_are_no_nanomaggies(survey):
    reader = make_reader("legacysurvey", survey)
    path = reader.files()[0]
    before = reader.read(path)[0].views["image"]
    fits.setval(path, "BUNIT", value="mJy")
    np.testing.assert_allclose(reader.read(path)[0].views["image"], before / 3.631e-3, rtol=1e-5)


def test_factors_and_views():
    assert unit_factor("a", "flux", "", "Jy") == unit_factor("a", "flux", "Jy", "") == 1
    assert unit_factor("a", "flux", "nanomaggies", "nmgy") == 1
    curve = Modality("lightcurve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mJy", bands=("g", "r"))
    rows = np.array([[5, 1, 0.1, 1]], np.float32)
    np.testing.assert_allclose(rescaled(rows, curve, 1000), [[5, 1000, 100, 1]])
    assert rescaled(rows, curve, 1.0) is rows


@pytest.mark.parametrize("ivar", [False, True])
def test_packed_cutouts_are_read(survey, ivar):
    reader = make_reader("legacysurvey", survey)
    path = reader.files()[0]
    before = reader.read(path)[0]
    with fits.open(path) as hdus:
        image = hdus[0]
        packed = [
            fits.PrimaryHDU(),
            fits.CompImageHDU(image.data, image.header, quantize_level=0, compression_type="GZIP_2"),
        ]
        header = fits.Header({"IMAGETYP": "invvar"})
        packed += [fits.CompImageHDU(np.full_like(image.data, 4), header)] if ivar else []
        fits.HDUList(packed).writeto(path.with_suffix(".fits.fz"))
    path.unlink()
    packed_reader = LegacySurveyCutouts(reader.root, "*.fz", size=reader.size, ivar=ivar)
    [sample] = packed_reader.read(packed_reader.files()[0])
    assert (sample.object_id, sample.ra, sample.dec) == (before.object_id, before.ra, before.dec)
    np.testing.assert_array_equal(sample.views["image"][:3], before.views["image"])
    assert (sample.views["image"][3:] == 4).all() and len(sample.views["image"]) == (6 if ivar else 3)
    if not ivar:
        with pytest.raises(FileError, match="no HDU holds the inverse variance"):
            LegacySurveyCutouts(reader.root, "*.fz", ivar=True).read(packed_reader.files()[0])
        empty = packed_reader.files()[0].with_name("empty.fits.fz")
        fits.PrimaryHDU().writeto(empty)
        with pytest.raises(FileError, match="no HDU holds an image"):
            packed_reader.read(empty)


def test_whole_numbers_written_as_floats_are_the_same_ids(tmp_path):
    (tmp_path / "t.csv").write_text("id,z\n39633345008634465.0,0.1\n39633345008634466,0.2\nv1.0,0.3\n1.50,0.4\n")
    path = tmp_path / "t.csv"
    ids = [sample.object_id for sample in catalogue(path).read(path)]
    assert ids == ["39633345008634465", "39633345008634466", "v1.0", "1.50"]


@pytest.mark.parametrize("to_ids", [text, clean_text])
def test_ids_that_have_lost_digits_are_pointed_out_once(to_ids, capsys):
    note.cache_clear()
    assert list(to_ids(pd.Series([7.0, 5.0]))) == ["7", "5"] and not capsys.readouterr().err
    for _ in range(2):
        assert list(to_ids(pd.Series([39633345008634465.0], name="TARGETID"))) == ["39633345008634464"]
    err = capsys.readouterr().err
    assert err.startswith("note: ") and err.count("have lost their last digits") == 1
