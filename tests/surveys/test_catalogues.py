import pytest
from astropy.table import Table

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys.catalogues import catalogue

COLUMNS = {"TARGETID": [7, 8], "Target_RA": [1.0, 2.0], "TARGET_DEC": [3.0, 4.0], "Z": [0.1, 0.2], "TYPE": ["A", "B"]}


@pytest.mark.parametrize("ending", ["fits", "csv", "parquet", "ecsv", "vot"])
def test_columns_are_found_by_the_names_that_surveys_give_them(tmp_path, ending):
    path = tmp_path / f"table.{ending}"
    if ending == "parquet":
        Table(COLUMNS).to_pandas().to_parquet(path)
    else:
        Table(COLUMNS).write(path, **({"format": "votable"} if ending == "vot" else {}))
    reader = catalogue(path)
    first, second = reader.read(path)
    assert (first.object_id, first.ra, second.dec) == ("7", 1.0, 4.0)
    assert first.labels == {"Z": pytest.approx(0.1), "TYPE": "A"}
    assert next(iter(catalogue(path, ["Z"]).read(path))).labels == {"Z": pytest.approx(0.1)}


def test_columns_of_several_values_are_no_labels(tmp_path):
    Table({"id": ["a"], "mag": [[1.0, 2.0]], "z": [0.5]}).write(tmp_path / "t.fits")
    [sample] = catalogue(tmp_path / "t.fits").read(tmp_path / "t.fits")
    assert sample.labels == {"z": 0.5}


def test_a_table_without_id_or_position_is_refused(tmp_path):
    Table({"z": [0.1]}).write(tmp_path / "t.csv")
    with pytest.raises(UsageError, match="no column is called like an id"):
        catalogue(tmp_path / "t.csv")
    with pytest.raises(FileError, match="no such file"):
        catalogue(tmp_path / "absent.csv")
    (tmp_path / "page.fits").write_text("<html>not found</html>")
    with pytest.raises(FileError, match="cannot be read as a table"):
        catalogue(tmp_path / "page.fits")
