"""Columns beside a store: saved in one step, matched by id, and never in the way of the store."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from astroclip_kit import pipeline
from astroclip_kit.embeddings import EmbeddingStore, saved_columns
from astroclip_kit.errors import InputError, UsageError

N = 12
GROUPS = np.array(["red", "", "blue"])[np.arange(N) % 3]


def made(folder, ids, seed=0):
    z = np.random.default_rng(seed).normal(size=(len(ids), 4))
    return EmbeddingStore.write(folder, {"image": z}, ids, labels={"z": np.arange(len(ids)) / 10})


@pytest.fixture
def store(tmp_path):
    return made(tmp_path / "space", [f"o{i}" for i in range(N)])


def test_a_column_is_known_to_everything_that_reads_labels(store, tmp_path):
    saved = store.save_column("cluster", GROUPS, about={"method": "kmeans", "k": np.int64(3)})
    store.save_column("mass", np.where(np.arange(N) < 3, np.nan, np.arange(N)), unit="solMass")
    store.save_column("mine", np.arange(N) < 4)
    assert str(saved) == "cluster (text of 8 objects)" and saved.about == {"method": "kmeans", "k": 3}
    assert list(store.saved_columns) == ["cluster", "mass", "mine"] and list(store.labels) == ["z", "cluster", "mass"]
    assert str(store.saved_columns["mine"]) == "mine (selection of 4 objects)"
    for opened in (store, EmbeddingStore(store)):
        assert opened.catalog["cluster"].tolist() == GROUPS.tolist() and opened.catalog.kinds["mine"] == "flag"
        assert opened.catalog["mine"].tolist() == [True] * 4 + [False] * 8
        np.testing.assert_array_equal(opened.labels["mass"], [np.nan] * 3 + list(range(3, N)))
        assert opened.catalog.encoded("cluster")[1] == ["blue", "red"] and opened.units["mass"] == "solMass"
        assert opened.catalog.at([3, 2], ["cluster", "mass", "z"])["cluster"].tolist() == ["red", "blue"]
    assert store.to_table()["mass"].unit == "solMass" and "mine" in store.to_table().colnames
    found = store.search("o0", k=2, where="cluster == 'blue' and mine == False")
    assert set(found["cluster"]) == {"blue"} and "mine" not in found.colnames
    part = store.select("mine and cluster == 'red'", tmp_path / "part")
    assert part.object_ids.tolist() == ["o0", "o3"] and part.labels["cluster"].tolist() == ["red", "red"]


def test_verbs_know_it(store, tmp_path):
    store.save_column("cluster", GROUPS)
    assert "saved columns: cluster (text of 8 objects)" in pipeline.info(store.root)
    assert "labels: z\n" in pipeline.info(store.root)
    pipeline.export(store.root, tmp_path / "out.vot")
    assert Table.read(tmp_path / "out.vot")["cluster"].tolist() == GROUPS.tolist()
    store.remove_column("cluster")
    assert "cluster" not in store.catalog and "cluster" not in EmbeddingStore(store).catalog
    assert "saved columns" not in pipeline.info(store.root)


def test_the_store_itself_stays_as_it_was(store):
    before = {path: path.read_bytes() for path in store.root.iterdir()}
    store.save_column("cluster", GROUPS)
    assert before == {path: path.read_bytes() for path in store.root.iterdir()}
    assert [path.name for path in (store.root.parent / "space.columns").iterdir()] == ["cluster.parquet"]


def test_values_are_matched_by_id_where_the_store_was_embedded_again(store, capsys):
    store.save_column("cluster", GROUPS)
    store.save_column("visits", np.arange(N))
    store.save_column("mine", np.arange(N) < 4)
    again = made(store.root, ["new", "o11", "o2", "o0", "o1"], seed=1)
    assert again.catalog["cluster"].tolist() == ["", "blue", "blue", "red", ""]
    np.testing.assert_array_equal(again.catalog["visits"], [np.nan, 11, 2, 0, 1])
    assert again.catalog["mine"].tolist() == [False, False, True, True, True]
    told = capsys.readouterr().err
    assert told.count("note: ") == 3 and "cluster.parquet: 5 of its 8 objects are not in" in told
    same = made(store.root, [f"o{i}" for i in range(N)], seed=2)
    assert same.catalog["visits"].dtype == np.int64 and same.catalog["visits"].tolist() == list(range(N))


def test_what_it_holds_is_seen_without_the_kit(store):
    store.save_column("speed", np.where(np.arange(N) == 1, np.nan, 7.5), unit="km / s", about={"method": "by eye"})
    path = store.root.parent / "space.columns" / "speed.parquet"
    found = pd.read_parquet(path)
    assert found["object_id"].tolist() == [f"o{i}" for i in range(N) if i != 1] and set(found["value"]) == {7.5}
    schema = pq.read_schema(path)
    assert schema.field("value").metadata == {b"unit": b"km / s"}
    assert json.loads(schema.metadata[b"astroclip_kit"])["about"] == {"method": "by eye"}


def test_a_table_of_ids_and_values_is_a_column(store):
    folder = store.root.parent / "space.columns"
    folder.mkdir()
    pd.DataFrame({"object_id": ["o3", "o1", "nobody"], "value": ["a", "b", "c"]}).to_parquet(folder / "theirs.parquet")
    assert EmbeddingStore(store).catalog["theirs"].tolist() == ["", "b", "", "a", *[""] * 8]


def test_nothing_is_overwritten_unasked(store):
    store.save_column("cluster", GROUPS)
    with pytest.raises(UsageError, match=r"cluster.parquet is there. Choose another name, or .*replace=True"):
        store.save_column("cluster", np.arange(N))
    with pytest.raises(UsageError, match=r"Cluster.parquet is there"):
        store.save_column("Cluster", np.arange(N))
    assert store.catalog["cluster"].tolist() == GROUPS.tolist()
    store.save_column("cluster", np.arange(N), replace=True)
    assert store.catalog["cluster"].tolist() == list(range(N))


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", ".x", "a b", "x" * 64, "1st", "and", "_x", "a\0", "<script>", "É", "@x", "x.y"]
)
def test_a_name_that_no_condition_can_use_is_refused(store, name):
    with pytest.raises(UsageError, match="expected a name of letters, digits and _ that begins with a letter"):
        store.save_column(name, np.arange(N))
    assert not (store.root.parent / "space.columns").exists()


@pytest.mark.parametrize("name", ["z", "Z", "ra", "object_id", "image", "has_image", "similarity", "rank"])
def test_a_name_that_is_taken_is_refused(store, name):
    with pytest.raises(UsageError, match=f"column '{name}': there is a column of this name, which is not changed"):
        store.save_column(name, np.arange(N), replace=True)


def test_values_that_do_not_fit_are_refused(store):
    with pytest.raises(InputError, match=r"column 'x': expected a value for each of 12 objects, found \(3,\)"):
        store.save_column("x", [1, 2, 3])
    with pytest.raises(UsageError, match="column 'x': 'parsnip' is no unit that astropy reads"):
        store.save_column("x", np.arange(N), unit="parsnip")
    with pytest.raises(InputError, match="column 'x': expected numbers, text or flags, found complex128"):
        store.save_column("x", np.arange(N) * 1j)


def test_only_what_was_saved_is_removed(store):
    store.save_column("cluster", GROUPS)
    for name in ("z", "../space/catalog", "other"):
        with pytest.raises(UsageError, match=r"no saved column .* beside .*space; there is: cluster"):
            store.remove_column(name)


@pytest.mark.parametrize("content", [b"", b"<html>", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_file_that_is_no_column_is_named_once_and_left_out(store, content, capsys):
    store.save_column("cluster", GROUPS)
    path = store.root.parent / "space.columns" / "broken.parquet"
    path.write_bytes(content)
    opened = EmbeddingStore(store)
    assert list(opened.saved_columns) == ["cluster"] and len(opened.to_table()) == N
    [note] = opened.catalog.notes
    assert f"{path} is no column that can be read" in note and capsys.readouterr().err == f"note: {note}\n"
    store.save_column("broken", np.arange(N), replace=True)
    assert store.catalog["broken"].tolist() == list(range(N))


def test_a_table_of_other_columns_is_no_column(store):
    folder = store.root.parent / "space.columns"
    folder.mkdir()
    pd.DataFrame({"id": ["o3"], "value": [1]}).to_parquet(folder / "other.parquet")
    pd.DataFrame({"object_id": ["o3"], "value": [1]}).to_parquet(folder / "z.parquet")
    table = pa.table({"object_id": ["o3"], "value": [1]}, metadata={"astroclip_kit": "[1]"})
    pq.write_table(table, folder / "strange.parquet")
    first, second, third = EmbeddingStore(store).catalog.notes
    assert "other.parquet is no column that can be read" in first and "strange.parquet is no column" in second
    assert "z.parquet is not shown: 'z' is a column of the store itself, or no name" in third


@pytest.mark.parametrize(("values", "missing"), [(GROUPS, ""), (np.arange(N) < 6, False), (np.arange(N) / 3, np.nan)])
def test_a_column_that_is_damaged_inside_is_missing_and_named(store, values, missing, capsys):
    path = store.save_column("broken", values).path
    content = bytearray(path.read_bytes())
    size = len(content) - 12 - int.from_bytes(content[-8:-4], "little")  # without the footer
    content[4 : 4 + size] = b"\xff" * size
    path.write_bytes(content)
    opened = EmbeddingStore(store)
    np.testing.assert_array_equal(opened.catalog["broken"], np.full(N, missing))
    assert len(opened.to_table()) == N and opened.catalog["z"][1] == 0.1
    assert f"note: {path} is no column that can be read" in capsys.readouterr().err


def test_a_writer_that_is_killed_leaves_the_older_column(store):
    store.save_column("cluster", GROUPS)
    code = """
import sys, time
import pyarrow.parquet as pq
from astroclip_kit.embeddings import EmbeddingStore
write = pq.write_table
def slow(table, path, **how):
    write(table, path, **how)
    print("written", flush=True)
    time.sleep(60)
pq.write_table = slow
EmbeddingStore(sys.argv[1]).save_column("cluster", range(12), replace=True)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(store.root)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "written\n"
        writer.kill()
    assert EmbeddingStore(store).catalog["cluster"].tolist() == GROUPS.tolist()
    saved_columns.save_column(store, "other", np.arange(N))
    assert list(EmbeddingStore(store).saved_columns) == ["cluster", "other"]


def test_many_threads_read_one_catalogue(store):
    store.save_column("cluster", GROUPS)
    opened = EmbeddingStore(store).catalog
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda name: opened.at([2, 1], [name])[name].tolist(), ["cluster", "object_id", "z"] * 30)
        )
    assert found[0] == ["blue", ""] and found[1] == ["o2", "o1"] and found[::3] == [found[0]] * 30


@pytest.mark.parametrize(
    "value",
    [
        pa.array([[1.0], [2.0]]),
        pa.array([b"a", b"b"]),
        pa.array(["a", "b"], pa.string_view()),
        pa.array([1, 2], pa.decimal128(5, 2)),
        pa.array([1, 2], pa.timestamp("s")),
    ],
    ids=lambda value: str(value.type),
)
def test_a_file_of_an_odd_kind_is_a_note_and_closes_no_store(store, value):
    folder = store.save_column("mine", np.arange(N) < 4).path.parent
    pq.write_table(pa.table({"object_id": ["o1", "o2"], "value": value}), folder / "odd.parquet")
    opened = EmbeddingStore(store)
    assert list(opened.saved_columns) == ["mine"] and opened.catalog.empty() == ["ra", "dec", "split"]
    [note] = opened.catalog.notes
    assert re.search(r"odd\.parquet is not shown: its values are .*, expected numbers, text or flags", note)


def test_a_file_whose_ids_are_none_is_a_note(store):
    path = store.save_column("mine", np.arange(N) < 4).path
    pq.write_table(pa.table({"object_id": [1.5], "value": [1]}), path)
    [note] = EmbeddingStore(store).catalog.notes
    assert "mine.parquet is not shown: its object_id is double, expected text" in note


def test_flags_that_are_missing_are_off_and_large_text_is_text(store):
    folder = store.save_column("mine", np.arange(N) < 4).path.parent
    ids = [f"o{i}" for i in range(3)]
    pq.write_table(pa.table({"object_id": ids, "value": [True, None, False]}), folder / "seen.parquet")
    words = pa.array(["a", None, "b"], pa.large_string())
    pq.write_table(pa.table({"object_id": ids, "value": words}), folder / "word.parquet")
    few = pa.array([7, 8, 7]).dictionary_encode()
    pq.write_table(pa.table({"object_id": ids, "value": few}), folder / "few.parquet")
    catalog = EmbeddingStore(store).catalog
    np.testing.assert_array_equal(catalog["few"], [7, 8, 7] + [np.nan] * (N - 3))
    assert catalog["seen"].dtype == bool and np.flatnonzero(catalog["seen"]).tolist() == [0]
    assert catalog["word"].tolist() == ["a", "", "b"] + [""] * (N - 3)


def test_a_few_rows_and_what_is_known_need_no_array_of_text(store):
    folder = store.save_column("cluster", GROUPS).path.parent
    theirs = {"object_id": ["o0", "o1", "o2"], "value": ["red", "", None]}
    pq.write_table(pa.table(theirs), folder / "theirs.parquet")
    catalog = EmbeddingStore(store).catalog
    assert np.flatnonzero(catalog.known("theirs")).tolist() == [0]
    assert catalog.at([0, 1, 2], ["cluster", "object_id"])["cluster"].tolist() == ["red", "", "blue"]
    assert catalog.known("cluster").tolist() == (GROUPS != "").tolist() and catalog.known("object_id").all()
    assert catalog.encoded("cluster")[1] == ["blue", "red"] and not catalog._read
    assert catalog["cluster"].tolist() == GROUPS.tolist()


@pytest.mark.parametrize("classes", [["blue", "red"], ["red", "blue", ""]])
def test_classes_are_saved_by_their_numbers(store, classes):
    codes = [classes.index(one) if one in classes else -1 for one in GROUPS]
    saved = store.save_column("cluster", pd.Categorical.from_codes(codes, classes))
    plain = store.save_column("plain", GROUPS)
    assert (saved.kind, saved.count) == (plain.kind, plain.count) == ("text", 8)
    for opened in (store, EmbeddingStore(store)):
        assert opened.catalog["cluster"].tolist() == GROUPS.tolist()
        assert opened.catalog.encoded("cluster")[1] == ["blue", "red"]
    other = made(store.root, [f"o{i}" for i in range(N)][::-1], seed=1)
    assert other.catalog["cluster"].tolist() == GROUPS[::-1].tolist()
    read = pd.read_parquet(saved.path)
    assert read["value"].astype(str).tolist() == [one for one in GROUPS if one]
    with pytest.raises(InputError, match=r"column 'few': expected a value for each of 12 objects, found \(2,\)"):
        other.save_column("few", pd.Categorical(["a", "b"]))
