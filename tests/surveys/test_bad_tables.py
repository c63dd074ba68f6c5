"""Tables that cannot be read, or that do not hold what is asked of them."""

import numpy as np
import pytest
from astropy.table import Table
from synthetic_survey import write_catalogue
from synthetic_tables import read

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import TableReader


def test_no_usable_row(tmp_path):
    with pytest.raises(FileError, match="none of its 3 rows can be used; the first: no value in any column"):
        read(write_catalogue(tmp_path, mag=[None] * 3), ["mag"], "name")


def test_missing_column(tmp_path, table):
    with pytest.raises(FileError, match=r"objects.csv: no column 'E_BV' \(found name, ra, dec, type, z, ebv"):
        read(write_catalogue(tmp_path), ["E_BV"], "name")
    table.write(tmp_path / "a.fits")
    with pytest.raises(FileError, match=r"a.fits: no column 'E_BV' \(found id, name"):
        read(tmp_path / "a.fits", ["E_BV"], "id")
    table.to_pandas(index=False).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileError, match=r"a.parquet: no column 'E_BV' \(found id, name"):
        read(tmp_path / "a.parquet", ["E_BV"], "id")


def test_table_without_rows(tmp_path):
    (tmp_path / "a.csv").write_text("name,z\n")
    with pytest.raises(FileError, match=r"a.csv: the table has no row"):
        read(tmp_path / "a.csv", ["z"], "name")


def test_empty_and_missing_files(tmp_path):
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(FileError, match=r"a.csv: the file is empty"):
        read(tmp_path / "a.csv", ["z"], "name")
    with pytest.raises(FileError, match=r"b.csv: no such file"):
        read(tmp_path / "b.csv", ["z"], "name")


@pytest.mark.parametrize("name", ["a.fits", "a.parquet", "a.vot", "a.unknown"])
def test_a_web_page_is_no_table(tmp_path, name):
    (tmp_path / name).write_text("<!DOCTYPE html><html><body>404</body></html>")
    with pytest.raises(FileError, match=f"{name}: cannot be read as a table"):
        read(tmp_path / name, ["z"], "name")


def test_fits_without_a_table(tmp_path):
    from astropy.io import fits

    fits.PrimaryHDU(np.ones((3, 3))).writeto(tmp_path / "a.fits")
    with pytest.raises(FileError, match=r"a.fits: cannot be read as a table"):
        read(tmp_path / "a.fits", ["z"], "name")


@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_truncated_fits_table(tmp_path, table):
    Table({"id": np.arange(5000), "z": np.ones(5000)}).write(tmp_path / "a.fits")
    content = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(content[: len(content) // 2])
    with pytest.raises(FileError, match=r"a.fits: cannot be read as a table"):
        read(tmp_path / "a.fits", ["z"], "id")


def test_several_values_per_row(tmp_path):
    Table({"id": [1, 2], "flux": np.ones((2, 5))}).write(tmp_path / "a.fits")
    with pytest.raises(FileError, match=r"column 'flux' holds \(5,\) values per row, expected one"):
        read(tmp_path / "a.fits", ["flux"], "id")


@pytest.mark.parametrize(
    "spec", [{"classes": {}}, {"column": "z", "ln": True}, {"column": "z", "log10": True, "classes": {}}]
)
def test_label_that_is_not_described(spec):
    with pytest.raises(UsageError, match="label 'x': expected a column, or column with classes, or with log10"):
        TableReader("a.csv", id_column="name", labels={"x": spec})


def test_nothing_to_read():
    with pytest.raises(UsageError, match="a table reader needs columns, labels, an id_column or coordinates"):
        TableReader("a.csv")


def test_text_that_is_no_list(tmp_path):
    path = write_catalogue(tmp_path, mag=["[1, 2]", "(3, spam)", None])
    with pytest.raises(FileError, match=r"column 'mag' holds '\(3, spam\)', expected a list of numbers"):
        read(path, {"mag": {"column": "mag", "values": 2}}, "name")


def test_units_are_converted_or_refused(tmp_path):
    table = Table({"id": [1, 2], "flux": [1.0, 2.0], "mag": [20.0, 99.0], "plain": [3.0, 4.0]})
    table["flux"].unit, table["mag"].unit = "Jy", "mag"
    table.write(tmp_path / "a.ecsv")
    wanted = {name: {"column": name, "unit": "mJy"} for name in ("flux", "mag", "plain")}
    samples, _ = read(tmp_path / "a.ecsv", wanted, "id")
    expected = [[1000, 3631e3 * 10**-8.0, 3], [2000, np.nan, 4]]
    np.testing.assert_allclose([sample.views["table"] for sample in samples], expected, rtol=1e-5)
    with pytest.raises(FileError, match=r"a.ecsv: column 'flux' is in 'Jy', which does not convert to 'm'"):
        read(tmp_path / "a.ecsv", {"flux": {"column": "flux", "unit": "m"}}, "id")


def test_column_that_is_not_described():
    with pytest.raises(UsageError, match=r"column 'x': expected a column, or \{column: ...\} with unit, missing, val"):
        TableReader("a.csv", {"x": {"column": "x", "log10": True}}, "id")
