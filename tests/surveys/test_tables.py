import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, Table
from pyarrow import parquet
from synthetic_survey import write_catalogue

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import TableReader
from astroclip_kit.types import Drop, Sample

TYPES = {"Ia*": "Ia", "II*": "II", "Candidate": "", "*": "other"}


def read(path, *arguments, **settings):
    items = list(TableReader(path, *arguments, **settings).read(path))
    return [item for item in items if isinstance(item, Sample)], [item for item in items if isinstance(item, Drop)]


@pytest.fixture
def table():
    return Table(
        {
            "id": np.array([11, 12, 13], dtype=">i8"),
            "name": np.array([b"a", b"b ", b"c"]),
            "ra": np.array([10.0, 20, 30], dtype=">f8"),
            "dec": [-1.0, 0, 1],
            "mag": np.array([15.5, 99.0, -9999.0], dtype=">f4"),
            "good": [True, False, True],
            "count": MaskedColumn([1, 2, 3], mask=[False, True, False]),
        }
    )


def test_columns_are_a_modality_in_their_order(tmp_path):
    path = write_catalogue(tmp_path)
    samples, drops = read(path, ["mag", "ebv"], "name", "ra", "dec", ["z"], missing=[])
    assert [sample.object_id for sample in samples] == ["SN1", "SN2", "SN3"] and not drops
    np.testing.assert_allclose(samples[0].views["table"], [15, 0.1])
    np.testing.assert_allclose(samples[1].views["table"], [np.nan, 99])
    assert TableReader(path, ["mag", "ebv"], "name").modality.channels == ("mag", "ebv")


@pytest.mark.parametrize("suffix", ["fits", "ecsv", "vot", "csv", "parquet", "csv.gz", "txt"])
def test_every_format_gives_the_same(tmp_path, table, suffix):
    path = tmp_path / f"table.{suffix}"
    if suffix == "parquet":
        table.to_pandas(index=False).assign(name=["a", "b ", "c"]).to_parquet(path)
    elif suffix == "csv.gz":
        table.write(tmp_path / "plain.csv")
        path.write_bytes(gzip.compress((tmp_path / "plain.csv").read_bytes()))
    elif suffix == "txt":
        table.write(path, format="ascii.fixed_width_two_line")
    else:
        table.write(path, format="votable" if suffix == "vot" else None)
    samples, drops = read(path, ["mag", "count"], "id", "ra", "dec", ["name", "count", "good"])
    assert [sample.object_id for sample in samples] == ["11", "13"]
    first, last = samples[0], samples[-1]
    np.testing.assert_array_equal(first.views["table"], [15.5, 1])
    np.testing.assert_array_equal(last.views["table"], [np.nan, 3])
    assert first.views["table"].dtype == np.float32 and first.views["table"].dtype.isnative
    assert (first.ra, first.dec) == (10, -1)
    assert first.labels["name"] == "a" and first.labels["count"] == 1
    assert first.labels["good"] in (1.0, "True")  # formats without truth values write text
    assert [drop.reason for drop in drops] == ["no value in any column"]


def test_missing_markers_are_a_setting(tmp_path):
    samples, _ = read(write_catalogue(tmp_path), ["ebv"], "name", missing=[0.3])
    np.testing.assert_allclose([sample.views["table"][0] for sample in samples], [0.1, 99])


def test_a_label_of_99_is_a_label(tmp_path):
    path = write_catalogue(tmp_path, mag=[99, 12, -9999], z=[1, 2, 3])
    labels = {"n_phot": "mag", "depth": {"column": "mag", "missing": [99, 12]}}
    samples, _ = read(path, ["mag", "z"], "name", labels=labels, missing=[12])
    np.testing.assert_array_equal([sample.views["table"][0] for sample in samples], [99, np.nan, -9999])
    assert [sample.labels for sample in samples] == [{"n_phot": 99}, {"n_phot": 12}, {"depth": -9999}]


def test_labels_alone_have_no_modality(tmp_path):
    path = write_catalogue(tmp_path)
    reader = TableReader(path, id_column="name", labels=["type", "z"])
    assert reader.modality is None
    assert [(item.views, item.labels) for item in reader.read(path)] == [
        ({}, {"type": "Ia Pec", "z": 0.1}),
        ({}, {"type": "II P"}),
        ({}, {"type": "Candidate", "z": 0.01}),
    ]


def test_labels_are_renamed_classed_and_logarithms(tmp_path):
    labels = {"type": {"column": "type", "classes": TYPES}, "log_z": {"column": "z", "log10": True}, "raw": "type"}
    types = ["Ia Pec", "IIb", ""]
    samples, _ = read(write_catalogue(tmp_path, type=types), id_column="name", labels=labels)
    assert [sample.labels for sample in samples] == [
        {"type": "Ia", "log_z": pytest.approx(-1), "raw": "Ia Pec"},
        {"type": "II", "raw": "IIb"},
        {"log_z": pytest.approx(-2)},
    ]


def test_first_class_that_fits_and_none(tmp_path):
    path = write_catalogue(tmp_path, type=["Ic", "Candidate", "TDE"])
    samples, _ = read(path, id_column="name", labels={"type": {"column": "type", "classes": TYPES}})
    assert [sample.labels for sample in samples] == [{"type": "other"}, {}, {"type": "other"}]
    samples, _ = read(path, id_column="name", labels={"type": {"column": "type", "classes": {"T*": "TDE"}}})
    assert [sample.labels for sample in samples] == [{}, {}, {"type": "TDE"}]


def test_logarithm_of_nothing_is_missing(tmp_path):
    path = write_catalogue(tmp_path, z=[0.0, -0.1, 1.0])
    samples, _ = read(path, id_column="name", labels={"log_z": {"column": "z", "log10": True}})
    assert [sample.labels for sample in samples] == [{}, {}, {"log_z": 0.0}]


def test_ids_of_several_columns_and_of_none(tmp_path, table):
    table.write(tmp_path / "a.fits")
    assert [s.object_id for s in read(tmp_path / "a.fits", id_column=["id", "name"], labels=["mag"])[0]] == [
        "11-a",
        "12-b",
        "13-c",
    ]
    assert [s.object_id for s in read(tmp_path / "a.fits", labels=["mag"])[0]] == ["0", "1", "2"]


def test_whole_numbers_with_gaps_are_ids_without_a_point(tmp_path):
    pd.DataFrame({"id": [1.0, np.nan, 3.0], "z": [1.0, 2, 3]}).to_parquet(tmp_path / "a.parquet")
    samples, drops = read(tmp_path / "a.parquet", id_column="id", labels=["z"])
    assert [sample.object_id for sample in samples] == ["1", "3"]
    assert [drop.reason for drop in drops] == ["no id"]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "ecsv", "fits"])
def test_large_ids_stay_exact_beside_a_missing_one(tmp_path, suffix):
    ids = np.array([39627835000000001, 39627835000000002, 39627835000000003, 0])
    table = Table({"id": MaskedColumn(ids, mask=ids == 0), "ra": MaskedColumn([1, 2, 3, 4], mask=ids == ids[1])})
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        columns = {name: pa.array(table[name].tolist(), pa.int64()) for name in table.colnames}
        parquet.write_table(pa.table({**columns, "dec": [1.0] * 4}), path)
    else:
        table["dec"] = 1.0
        table.write(path)
    samples, drops = read(path, id_column="id", ra_column="ra", dec_column="dec", labels={"target": "id"})
    assert [sample.object_id for sample in samples] == ["39627835000000001", "39627835000000003"]
    assert [sample.ra for sample in samples] == [1, 3]
    assert [drop.reason for drop in drops] == ["coordinates out of range", "no id"]


def test_sexagesimal_coordinates(tmp_path):
    samples, _ = read(write_catalogue(tmp_path), ["ebv"], "name", "ra", "dec", missing=[])
    assert (samples[0].ra, samples[0].dec) == pytest.approx((244.141917, -0.590944), abs=1e-6)


def test_unusable_rows_are_drops_with_reasons(tmp_path):
    path = write_catalogue(tmp_path, name=["SN1", "SN1", "SN3"], ra=["10", "20", "400"], dec=["1", "2", "3"])
    samples, drops = read(path, ["ebv"], "name", "ra", "dec")
    assert [sample.object_id for sample in samples] == ["SN1"]
    assert [(drop.source, drop.reason) for drop in drops] == [
        (f"{path}: row 2 SN1", "duplicated id"),
        (f"{path}: row 3 SN3", "coordinates out of range"),
    ]


def test_coordinates_that_cannot_be_read_are_dropped_and_missing_ones_kept(tmp_path):
    path = write_catalogue(tmp_path, ra=["somewhere", "", "30"], dec=["1", "", "95"])
    samples, drops = read(path, (), "name", "ra", "dec", ["type"])
    assert [sample.object_id for sample in samples] == ["SN2"] and np.isnan(samples[0].ra)
    assert [drop.reason for drop in drops] == ["coordinates out of range"] * 2


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


@pytest.mark.shared_data
def test_real_supernova_objects(shared_data):
    labels = {"type": {"column": "claimedtype", "classes": TYPES}, "log_z": {"column": "redshift", "log10": True}}
    path = shared_data / "supernovae" / "objects.csv"
    samples, drops = read(path, ["ebv", "maxappmag"], "name", "ra", "dec", labels)
    assert len(samples) == 531 and not drops
    assert not np.isnan([[sample.ra, sample.dec] for sample in samples]).any()
    types = [sample.labels.get("type") for sample in samples]
    assert [types.count(name) for name in ("Ia", "II", "other", None)] == [362, 106, 59, 4]
    assert sum("log_z" in sample.labels for sample in samples) == 530
    assert np.isnan([sample.views["table"] for sample in samples]).sum(axis=0).tolist() == [2, 31]


@pytest.mark.shared_data
def test_real_tractor_catalogue(shared_data):
    path = shared_data / "format-examples" / "tractor-3303p000.fits"
    samples, _ = read(path, ["FLUX_G", "FLUX_R"], ["BRICKID", "OBJID"], "RA", "DEC", ["TYPE"])
    expected = Table.read(path)
    np.testing.assert_array_equal([sample.views["table"][0] for sample in samples], expected["FLUX_G"])
    assert samples[0].object_id == "331689-1" and samples[0].labels == {"TYPE": "PSF"}
