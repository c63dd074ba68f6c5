import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, Table
from pyarrow import parquet
from synthetic_survey import write_catalogue
from synthetic_tables import read

from astroclip_kit.errors import FileError
from astroclip_kit.surveys import LightCurveTable, TableReader

TYPES = {"Ia*": "Ia", "II*": "II", "Candidate": "", "*": "other"}


def test_columns_are_a_modality_in_their_order(tmp_path):
    path = write_catalogue(tmp_path)
    samples, drops = read(path, {"mag": "mag", "ebv": {"column": "ebv", "missing": []}}, "name", "ra", "dec", ["z"])
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
    samples, _ = read(write_catalogue(tmp_path), {"ebv": {"column": "ebv", "missing": [0.3]}}, "name")
    np.testing.assert_allclose([sample.views["table"][0] for sample in samples], [0.1, 99])


def test_a_label_of_99_is_a_label(tmp_path):
    path = write_catalogue(tmp_path, mag=[99, 12, -9999], z=[1, 2, 3])
    labels = {"n_phot": "mag", "depth": {"column": "mag", "missing": [99, 12]}}
    samples, _ = read(path, {name: {"column": name, "missing": [12]} for name in ("mag", "z")}, "name", labels=labels)
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
    samples, _ = read(write_catalogue(tmp_path), {"ebv": {"column": "ebv", "missing": []}}, "name", "ra", "dec")
    assert (samples[0].ra, samples[0].dec) == pytest.approx((244.141917, -0.590944), abs=1e-6)


def test_unusable_rows_are_drops_with_reasons(tmp_path):
    path = write_catalogue(tmp_path, name=["SN1", "SN1", "SN3"], ra=["10", "20", "400"], dec=["1", "2", "3"])
    samples, drops = read(path, ["ebv"], "name", "ra", "dec")
    assert [sample.object_id for sample in samples] == ["SN1"]
    assert [(drop.source, drop.reason) for drop in drops] == [
        (f"{path}: row 2 SN1", "duplicated id"),
        (f"{path}: row 3 SN3", "coordinates out of range"),
    ]


def test_repeated_ids_of_a_catalogue_of_labels_are_numbered(tmp_path):
    path = write_catalogue(tmp_path, name=["1.237E+18", "1.237E+18", "SN3"])
    samples, drops = read(path, (), "name", labels=["type"])
    assert [sample.object_id for sample in samples] == ["1.237E+18", "1.237E+18#2", "SN3"] and not drops
    assert [sample.group for sample in samples] == ["1.237E+18", "1.237E+18", "SN3"]


def test_proper_motions_come_in_mas_per_year(tmp_path):
    table = Table({"id": ["a"], "PMRA": [0.002], "PMDEC": [-3.0], "parallax": [7.0]})
    table["PMRA"].unit, table["PMDEC"].unit, table["parallax"].unit = "arcsec / yr", "mas / yr", "arcsec"
    table.write(tmp_path / "gaia.fits")
    samples, _ = read(tmp_path / "gaia.fits", (), "id", labels=["PMRA", "PMDEC", "parallax"])
    assert samples[0].labels == pytest.approx({"PMRA": 2.0, "PMDEC": -3.0, "parallax": 7.0})
    table["PMRA"].unit = "km / s"
    table.write(tmp_path / "wrong.fits")
    with pytest.raises(FileError, match=r"column 'PMRA' is in 'km.*', which does not convert to 'mas / yr'"):
        read(tmp_path / "wrong.fits", (), "id", labels=["PMRA"])


def test_coordinates_that_cannot_be_read_are_dropped_and_missing_ones_kept(tmp_path):
    path = write_catalogue(tmp_path, ra=["somewhere", "", "30"], dec=["1", "", "95"])
    samples, drops = read(path, (), "name", "ra", "dec", ["type"])
    assert [sample.object_id for sample in samples] == ["SN2"] and np.isnan(samples[0].ra)
    assert [drop.reason for drop in drops] == ["coordinates out of range"] * 2


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


def test_where_keeps_rows_and_their_numbers(tmp_path):
    path = write_catalogue(tmp_path, mag=[None, 12, None])
    samples, drops = read(path, ["mag"], labels=["type"], where={"type": ["II P", "Candidate"], "ebv": [99, 0.3]})
    assert [sample.object_id for sample in samples] == ["1"]
    assert [drop.source for drop in drops] == [f"{path}: row 3 2"]
    with pytest.raises(FileError, match=r"objects.csv: no row has \{'type': 'Ia'\}"):
        read(path, ["mag"], "name", where={"type": "Ia"})


@pytest.mark.parametrize("suffix", ["fits", "parquet", "csv", "vot"])
def test_several_values_per_row_become_channels(tmp_path, suffix):
    wide = np.array([[1.0, 2, 3], [4, -9999, 6], [7, 8, 9]])
    path = tmp_path / f"a.{suffix}"
    if suffix in ("fits", "vot"):
        Table({"id": [1, 2, 3], "f": MaskedColumn(wide.astype(">f4"), mask=wide == 9), "m": [5, 5, 5]}).write(
            path, format="votable" if suffix == "vot" else None
        )
    else:
        rows = [*wide[:2].tolist(), [7, 8, None]]
        frame = pd.DataFrame({"id": [1, 2, 3], "f": [str(row) for row in rows] if suffix == "csv" else rows, "m": 5})
        getattr(frame, f"to_{suffix}")(path, index=False)
    columns = {"m": "m", "flux": {"column": "f", "values": 3}}
    samples, _ = read(path, columns, "id")
    assert TableReader(path, columns, "id").modality.channels == ("m", "flux_0", "flux_1", "flux_2")
    expected = [[5, 1, 2, 3], [5, 4, np.nan, 6], [5, 7, 8, np.nan]]
    np.testing.assert_array_equal([sample.views["table"] for sample in samples], expected)
    with pytest.raises(FileError, match="column 'f' holds 3 values in a row, expected 2"):
        read(path, {"flux": {"column": "f", "values": 2}}, "id")


def test_comments_before_the_names_of_a_csv(tmp_path):
    (tmp_path / "a.csv").write_text('# {"from": "a survey"}\n#\nid,z\n007,1\n008,2\n')
    samples, _ = read(tmp_path / "a.csv", ["z"], "id")
    assert [(sample.object_id, sample.views["table"][0]) for sample in samples] == [("007", 1), ("008", 2)]
    (tmp_path / "a.csv").write_text("# nothing but\n# comments\n")
    with pytest.raises(FileError, match=r"a.csv: cannot be read as a table \(it names no columns\)"):
        read(tmp_path / "a.csv", ["z"], "id")


def test_masked_ids_bytes_and_large_integers(tmp_path):
    ids = MaskedColumn(np.array([2**62 + 1, 5, 7], dtype=">i8"), mask=[False, True, False])
    table = Table({"id": ids, "name": MaskedColumn([b"a", b"b", b"c"], mask=[False, False, True]), "z": [1.0, 2, 3]})
    table.write(tmp_path / "a.fits")
    samples, drops = read(tmp_path / "a.fits", ["z"], "id", labels=["name"])
    assert [sample.object_id for sample in samples] == [str(2**62 + 1), "7"]
    assert [drop.reason for drop in drops] == ["no id"] and samples[0].labels == {"name": "a"}
    samples, drops = read(tmp_path / "a.fits", ["z"], "name")
    assert [sample.object_id for sample in samples] == ["a", "b"]


def test_ids_and_labels_as_bytes_in_parquet(tmp_path):
    pa.table({"id": [b"a ", b"b"], "z": [1.0, 2.0], "type": [b"Ia", None]}).to_pandas().to_parquet(
        tmp_path / "a.parquet"
    )
    samples, _ = read(tmp_path / "a.parquet", ["z"], "id", labels=["type"])
    assert [(sample.object_id, sample.labels) for sample in samples] == [("a", {"type": "Ia"}), ("b", {})]
    light = pa.table({"id": [b"x", b"x"], "t": [1.0, 2.0], "m": [3.0, 4.0], "b": [b"g", b"g"]})
    parquet.write_table(light, tmp_path / "b.parquet")
    reader = LightCurveTable(tmp_path / "b.parquet", {"id": "id", "time": "t", "value": "m", "band": "b"})
    assert [sample.object_id for sample in reader.read(reader.files()[0])] == ["x"] and reader.modality.bands == ("g",)
