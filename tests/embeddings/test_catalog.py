"""The catalogue is read column by column, and tells the same as all of it at once."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from astroclip_kit.embeddings import EmbeddingStore, arrow_columns
from astroclip_kit.embeddings.class_codes import encode
from astroclip_kit.errors import FolderError
from astroclip_kit.filters import rows_where

N = 50


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow_columns, "ROW_GROUP", 8)  # seven groups
    kind = np.array(["", "QSO", "STAR", "QSO", "<b>É</b>"])[np.arange(N) % 5]
    z = np.where(np.arange(N) == 3, np.nan, np.arange(N) / 10)
    labels = {"z": z, "class": kind, "good": np.arange(N) % 2 == 0, "visits": np.arange(N), "none": np.full(N, "")}
    ids = [f"object {i}" for i in range(N)]
    catalog = {"group": [f"g{i // 2}" for i in range(N)], "split": [""] * N}
    vectors = np.random.default_rng(0).normal(size=(N, 4))
    values = {"units": {"z": "km / s"}}
    return EmbeddingStore.write(
        tmp_path / "space", {"image": vectors}, ids, labels=labels, catalog=catalog, values=values
    )


def test_nothing_is_read_until_a_column_is_asked_for(store, monkeypatch):
    read = []
    table = type(store.catalog)._table
    monkeypatch.setattr(
        type(store.catalog), "_table", lambda self, names, *more: read.append(names) or table(self, names, *more)
    )
    assert len(store.catalog) == 10 and "z" in store.catalog and "y" not in store.catalog and 3 not in store.catalog
    assert list(store.labels) == ["z", "class", "good", "visits", "none"] and "ra" not in store.labels
    assert store.catalog.rows == N and not read
    assert store.catalog["z"][5] == 0.5 and store.catalog["z"] is store.labels["z"]
    assert read == [["z"]]
    with pytest.raises(KeyError, match="ra"):
        store.labels["ra"]
    with pytest.raises(KeyError, match="y"):
        store.catalog["y"]


def test_kinds_come_from_the_schema(store):
    kinds = {name: store.catalog.kinds[name] for name in ("object_id", "ra", "z", "class", "good", "visits", "none")}
    assert kinds == dict(zip(kinds, ("text", "number", "number", "text", "flag", "number", "text"), strict=True))
    assert store.catalog["class"].dtype == "U8" and store.catalog["good"].dtype == bool
    assert store.catalog["visits"].dtype == np.int64


def test_it_is_a_mapping_like_any(store):
    everything = {**store.catalog}
    assert list(everything) == list(dict(store.catalog)) == Table(store.catalog).colnames == list(store.catalog)
    np.testing.assert_array_equal(everything["class"], Table(store.catalog)["class"])


def test_classes_are_numbered_the_most_frequent_first(store):
    codes, classes = store.catalog.encoded("class")
    assert classes == ["QSO", "<b>É</b>", "STAR"] and codes.dtype == np.int32
    assert [classes[code] if code >= 0 else "" for code in codes] == store.catalog["class"].tolist()
    codes, classes = store.catalog.encoded("none")
    assert classes == [] and (codes == -1).all()
    codes, classes = store.catalog.encoded("good")
    assert classes == ["False", "True"] and (codes == (np.arange(N) + 1) % 2).sum() == N


def test_any_values_are_numbered_in_the_same_way(store):
    for name in ("class", "good"):
        codes, classes = encode(store.catalog[name])
        np.testing.assert_array_equal(codes, store.catalog.encoded(name)[0])
        assert classes == store.catalog.encoded(name)[1]
    assert encode([np.nan, 1.0, 1.0])[0].tolist() == [-1, 0, 0]
    assert encode(["nan", "", "nan"])[1] == ["nan"]


@pytest.mark.parametrize("rows", [[41], [3, 49, 3, 0, 17], [], range(N - 1, -1, -1)])
def test_a_few_rows_of_all_columns(store, rows):
    found = store.catalog.at(rows)
    assert list(found) == list(store.catalog)
    for name, values in found.items():
        np.testing.assert_array_equal(values, store.catalog[name][list(rows)], err_msg=name)


def test_a_few_rows_read_only_their_row_groups(store, monkeypatch):
    assert pq.read_metadata(store.root / "catalog.parquet").num_row_groups == 7
    groups = []
    read = pq.ParquetFile.read_row_groups
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_groups", lambda self, at, **how: groups.append(at) or read(self, at, **how)
    )
    assert store.catalog.at([9, 40], ["z"])["z"].tolist() == [0.9, 4.0]
    assert groups == [[1, 5]]
    assert store.catalog.at([], ["class"])["class"].tolist() == [] and groups == [[1, 5], []]


def test_rows_are_found_by_text(store):
    assert store.catalog.find(["object 7", "nobody", "object 3"]).tolist() == [3, 7]
    assert store.catalog.find(["g2", "g0"], "group").tolist() == [0, 1, 4, 5]
    assert store.catalog.find([]).tolist() == []
    assert store.catalog.rows_of(["object 7", "nobody", "object 3"]).tolist() == [7, -1, 3]
    assert store.catalog.rows_of(["nobody"]).tolist() == [-1]
    assert store.catalog.rows_of(["g2"], "group").tolist() == [4]


def test_an_id_is_looked_for_in_the_row_groups_that_may_hold_it(tmp_path, monkeypatch):
    monkeypatch.setattr("astroclip_kit.embeddings.arrow_columns.ROW_GROUP", 8)
    ids = [f"o{number:03d}" for number in range(N)]
    catalog = EmbeddingStore.write(tmp_path / "rising", {"a": np.ones((N, 2))}, ids).catalog
    groups = []
    read = pq.ParquetFile.read_row_groups
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_groups", lambda self, at, **how: groups.append(at) or read(self, at, **how)
    )
    assert catalog.find(["o041"]).tolist() == [41] and catalog.find(["o049", "o003"]).tolist() == [3, 49]
    assert groups == [[5], [0, 6]]
    assert catalog.find(["o0415", "p"]).tolist() == [] and groups[2:] == [[5]]
    assert catalog.rows_of(["o017", "p", "o001"], "group").tolist() == [17, -1, 1]


def test_text_of_few_classes_is_told_by_its_size(tmp_path):
    rows = 40_000
    kinds, names = np.array(["a", "b"])[np.arange(rows) % 2], [f"object {number}" for number in range(rows)]
    labels = {"kind": kinds, "name": names, "z": np.ones(rows)}
    store = EmbeddingStore.write(tmp_path / "large", {"a": np.ones((rows, 2))}, range(rows), labels=labels)
    told = {name: store.catalog.has_few_classes(name) for name in labels}
    assert told == {"kind": True, "name": False, "z": False}
    store.save_column("mine", kinds)
    assert store.catalog.has_few_classes("mine")


def test_conditions_read_it_as_they_read_arrays(store):
    arrays = {**store.catalog}
    for condition in ("", "z < 1 and `class` == 'QSO'", "class in ['STAR', ''] and good", "z.isna()", "visits > 7"):
        np.testing.assert_array_equal(
            rows_where(EmbeddingStore(store).catalog, condition), rows_where(arrays, condition)
        )


def test_columns_without_a_value_are_known(store, tmp_path):
    assert store.catalog.empty() == ["ra", "dec", "split", "none"]
    late = np.where(np.arange(3000) < 2999, np.nan, 1)
    new = EmbeddingStore.write(tmp_path / "late", {"a": np.ones((3000, 2))}, range(3000), labels={"late": late})
    assert "late" not in new.catalog.empty()


def test_a_file_that_is_damaged_inside_is_named(store):
    path = store.root / "catalog.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(content)
    catalog = EmbeddingStore(store).catalog
    with pytest.raises(FolderError, match=r"space: catalog.parquet is damaged .*Embed again"):
        catalog["object_id"]


def test_pandas_reads_the_file_without_the_kit(store):
    found = pd.read_parquet(store.root / "catalog.parquet")
    assert found["class"].dtype == "str" and found["good"].dtype == bool and found["z"].isna().sum() == 1
    assert pq.read_schema(store.root / "catalog.parquet").field("z").metadata == {b"unit": b"km / s"}


def test_polars_reads_the_file_without_the_kit(store):
    pl = pytest.importorskip("polars")
    found = pl.read_parquet(store.root / "catalog.parquet")
    kinds = {name: found.schema[name] for name in ("object_id", "z", "good", "visits")}
    assert kinds == {"object_id": pl.String, "z": pl.Float64, "good": pl.Boolean, "visits": pl.Int64}
    assert found.filter((pl.col("class") == "QSO") & (pl.col("z") < 1))["object_id"].to_list() == [
        "object 1",
        "object 6",
        "object 8",
    ]
