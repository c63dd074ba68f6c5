"""What is explored: a store, its columns, those saved beside it, and the dataset that it was made of."""

import json
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import numpy as np
import pytest

from astroclip_kit.data import ingest
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FolderError, InputError
from astroclip_kit.explorer import space as explored
from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space
from astroclip_kit.filters import rows_where
from astroclip_kit.types import Modality, Sample

N = 10


@pytest.fixture
def store(tmp_path):
    labels = {"z": np.arange(N) / 10, "class": np.array(["a", "b", ""])[np.arange(N) % 3], "none": np.full(N, np.nan)}
    vectors = {"image": np.eye(N)}
    values = {"units": {"z": "km / s"}, "dataset": "gone"}
    return EmbeddingStore.write(tmp_path / "space", vectors, [f"o{i}" for i in range(N)], labels=labels, values=values)


def test_it_has_the_columns_that_hold_a_value(store):
    space = Space.open(store.root)
    assert list(space.columns) == ["z", "class", "has_image"] and len(space) == N
    assert space.columns["z"].title == "z [km / s]" and not space.columns["z"].is_class
    assert space.columns["class"].is_class and space.columns["has_image"].is_class
    assert space.ids_of([3, 1]) == ["o3", "o1"]
    assert "no dataset of these objects was found. Give --dataset" in space.note
    assert space.dataset_row(0) == -1 and space.view(0, "image") is None


def test_a_column_is_not_lost_to_a_reader_that_began_earlier(store, monkeypatch):
    opened, read, go_on = Space.open(store.root), Event(), Event()
    columns = explored._columns

    def slow(store):
        found = columns(store)
        if not read.is_set():
            read.set()
            go_on.wait(60)
        return found

    monkeypatch.setattr(explored, "_columns", slow)
    with ThreadPoolExecutor(2) as pool:
        earlier = pool.submit(opened.refresh)
        read.wait(60)
        later = pool.submit(opened.save_column, "mine", np.arange(N) < 3)
        wait([later], timeout=0.5)
        go_on.set()
        earlier.result(), later.result()
    assert "mine" in opened.columns and opened.columns["mine"].values.sum() == 3


def test_a_dataset_that_is_named_must_be_there(store, tmp_path):
    with pytest.raises(FolderError, match="no such folder"):
        Space.open(store.root, tmp_path / "nothing")


class Cutouts:
    """A reader of one file with some observations, each of a brightness of its own."""

    def __init__(self, root, ids):
        self.path, self.ids = root, ids
        self.modality = Modality("image", "image", ("r",), (1, 4, 4))

    def files(self):
        return [self.path]

    def read(self, path):
        return [Sample(one, {"image": np.full((1, 4, 4), n, "f4")}) for n, one in enumerate(self.ids)]


def _dataset(out, ids):
    out.with_suffix(".txt").write_text("cutouts")
    return ingest({"image": Cutouts(out.with_suffix(".txt"), ids)}, out, workers=1, quiet=True)


def test_the_dataset_that_lies_beside_the_store_and_has_its_objects_is_shown(store, tmp_path):
    _dataset(tmp_path / "a_other", ["p1", "p2"])
    _dataset(tmp_path / "data", ["o0", "o3"])
    space = Space.open(store.root)
    assert space.note == "" and space.dataset.root == tmp_path / "data"
    assert [space.dataset.object_ids[space.dataset_row(row)] for row in (0, 3)] == ["o0", "o3"]
    assert space.view(3, "image").max() == 1 and space.dataset_row(5) == -1
    other = Space.open(store.root, tmp_path / "a_other")
    assert other.note.endswith("a_other holds none of these objects.") and other.view(3, "image") is None


def test_a_dataset_that_cannot_be_read_is_named(store, tmp_path):
    manifest = _dataset(tmp_path / "data", ["o0", "o3"]).root / "manifest.json"
    whole = manifest.read_text()
    manifest.write_text(json.dumps({**json.loads(whole), "format_version": 99}))
    assert "data was written by a newer astroclip_kit" in (space := Space.open(store.root)).note
    assert space.note.startswith("No cutouts or spectra are shown: ") and space.dataset is None
    manifest.write_text(whole)
    for shard in (tmp_path / "data").glob("*.arrow"):
        shard.write_bytes(b"no table")
    assert f"shown: {tmp_path / 'data'}" in Space.open(store.root).note


def test_a_store_of_nothing_is_refused(tmp_path):
    store = EmbeddingStore.write(tmp_path / "empty", {"image": np.empty((0, 4))}, [])
    with pytest.raises(InputError, match="empty has no objects, so there is nothing to explore"):
        Space.open(store.root)


def test_columns_that_were_saved_replaced_or_removed_meanwhile_are_seen(store):
    space = Space(store)
    before = space.columns["z"]
    store.save_column("mine", np.arange(N) < 2)
    store.save_column("kind", ["x"] * N)
    space.refresh()
    assert space.columns["mine"].is_class and space.columns["kind"].classes == ["x"] and space.columns["z"] is before
    store.save_column("kind", ["y"] * N, replace=True)
    store.remove_column("mine")
    space.refresh()
    assert space.columns["kind"].classes == ["y"] and "mine" not in space.columns


def test_a_file_that_is_no_column_is_said_on_the_page(store):
    store.save_column("kind", ["x"] * N).path.write_bytes(b"<script>")
    space = Space(EmbeddingStore(store), note="no dataset.")
    assert space.note.startswith("no dataset. ") and "kind.parquet is no column that can be read" in space.note


def test_a_column_of_the_catalogue_reads_as_its_values_do(store):
    mine = Column.of(store.catalog, "class")
    plain = Column("class", "", lambda: store.catalog["class"], True)
    assert mine.classes == plain.classes == ["a", "b"]
    np.testing.assert_array_equal(mine.codes, plain.codes)
    assert mine.comparable.tolist() == plain.comparable.tolist() == store.catalog["class"].tolist()
    assert mine.codes.tolist() == [0, 1, -1, 0, 1, -1, 0, 1, -1, 0]


@pytest.mark.parametrize(
    "condition",
    ["kind == 'b'", "kind != 'b'", "kind == ''", "kind in ['a', '']", "kind < 'b'", "kind == name", "kind == 'new'"],
)
@pytest.mark.parametrize("block", [1 << 20, 3])
def test_conditions_on_classes_hold_as_on_text(store, monkeypatch, condition, block):
    monkeypatch.setattr("astroclip_kit.explorer.map.plane.BLOCK", block)
    values = np.array(["a", "b", "", "b", "a"] * (N // 5))
    store.save_column("kind", values)
    store.save_column("name", np.roll(values, 1))
    session = Session(Space(store))
    session.change(where=(condition,))
    expected = rows_where({"kind": values, "name": np.roll(values, 1)}, condition)
    assert session.shown.tolist() == expected.tolist()


def test_classes_that_are_known_by_number_are_a_column(store):
    codes = np.where(np.arange(N) < 4, 1, -1).astype(np.int32)
    column = Column.of_classes("part", codes, ["none of these", "<b>"])
    assert column.classes[1] == "<b>" and column.codes is codes and column.is_class
    assert column.values.tolist() == ["<b>"] * 4 + [""] * 6
    session = Session(Space(store))
    session.add_columns(column)
    session.change(where=("part == '<b>' and z > 0.15",), colour="part")
    assert session.shown.tolist() == [False, False, True, True] + [False] * 6


def test_looking_at_a_row_reads_no_array_of_ids(store, monkeypatch):
    session = Session(Space(EmbeddingStore(store)))
    monkeypatch.setattr(EmbeddingStore, "object_ids", property(lambda store: pytest.fail("all ids were read")))
    monkeypatch.setattr(type(session.space.store.catalog), "find", lambda *given: pytest.fail("its row was known"))
    session.look_at(7)
    assert session.state.focus == "o7" and session.focus == 7
    session.look_at(-1)
    assert session.focus == -1


def test_what_a_column_holds_and_a_few_rows_of_it_are_known_without_reading_it(store, monkeypatch):
    store.save_column("mine", np.arange(N) < 2)
    space = Space(EmbeddingStore(store))
    of_page = Column.of_classes("part", np.array([1, -1] * (N // 2), np.int32), ["a", "b"])
    monkeypatch.setattr(Column, "values", property(lambda column: pytest.fail(f"{column.name} was read")))
    kinds = {name: space.columns[name].kind for name in ("z", "class", "mine")}
    assert kinds == {"z": "number", "class": "text", "mine": "flag"} and of_page.kind == "text"
    assert space.columns["class"].at([4, 2]).tolist() == ["b", ""] and of_page.at([0, 1]).tolist() == ["b", ""]


def test_a_dataset_that_lacks_a_few_objects_is_that_of_the_store(tmp_path):
    ids = [f"o{number}" for number in range(200)]
    store = EmbeddingStore.write(tmp_path / "space", {"image": np.eye(200)}, ids)
    data = _dataset(tmp_path / "most", [one for one in ids if one not in ("o0", "o100", "o199")])
    assert Space.open(store.root).dataset.root == data.root
    assert "holds none of these objects" not in Space.open(store.root, data.root).note


def test_where_north_is_comes_from_the_dataset_of_each_observation(tmp_path, store):
    data = _dataset(tmp_path / "data", [f"o{number}" for number in range(N)])
    assert np.isnan(Space(store).north(0, "image")) and np.isnan(Space(store, data).north(0, "image"))
    data.manifest["north_up"] = ["image"]
    assert Space(store, data).north(0, "image") == 0
    data = data.with_labels({"image_north_deg": np.where(np.arange(N) == 4, np.nan, np.arange(N) * 10.0)})
    data.manifest["labels"] = ["image_north_deg"]
    space = Space(store, data)
    assert space.north(3, "image") == 30 and space.north(3, "image", at=2) == 20 and np.isnan(space.north(4, "image"))
