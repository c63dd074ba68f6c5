from shutil import rmtree

import numpy as np
import pytest
from astropy.table import MaskedColumn

from astroclip_kit.embeddings import Query
from astroclip_kit.embeddings.store import EmbeddingStore
from astroclip_kit.errors import FolderError, InputError, UsageError

N = 30


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(N, 8)).astype(np.float32)
    return {"image": z, "spectrum": z + 0.3 * rng.normal(size=(N, 8)).astype(np.float32)}


@pytest.fixture
def store(tmp_path, arrays):
    ids = [f"obj{i}" for i in range(N)]
    catalog = {
        "ra": np.linspace(0, 290, N),
        "dec": np.linspace(-60, 60, N),
        "group": ["pair" if i in (4, 5) else f"g{i}" for i in range(N)],
        "split": np.where(np.arange(N) < 20, "train", "test"),
    }
    labels = {"z": np.linspace(0, 1, N), "class": np.where(np.arange(N) % 2, "QSO", "")}
    present = {"image": np.arange(N) != 3}
    return EmbeddingStore.write(
        tmp_path / "space", arrays, ids, present=present, catalog=catalog, labels=labels, values={"seed": 7}
    )


def test_what_was_written_is_read(store, arrays):
    again = EmbeddingStore(store)
    assert len(again) == N and again.names == ["image", "spectrum"] and again.out_features == 8
    assert again.manifest["seed"] == 7 and again.split[19] == "train" and again.groups[5] == "pair"
    z = arrays["spectrum"] / np.linalg.norm(arrays["spectrum"], axis=1, keepdims=True)
    np.testing.assert_allclose(again.vectors("spectrum"), z, atol=1e-6)
    assert again.vectors("spectrum").dtype == np.float32
    assert not again.present("image")[3] and again.present("image").sum() == N - 1
    assert not again.vectors("image")[3].any()
    np.testing.assert_array_equal(again.labels["z"], np.linspace(0, 1, N))
    assert list(again.labels["class"][:2]) == ["", "QSO"]


@pytest.mark.parametrize("kind", [list, lambda values: np.array(values, dtype=object)])
def test_none_and_nan_among_python_objects_are_missing(tmp_path, kind):
    labels = {"class": kind(["QSO", None, float("nan")]), "z": kind([0.5, None, 2])}
    store = EmbeddingStore.write(tmp_path / "space", {"image": np.eye(3)}, ["a", "b", "c"], labels=labels)
    assert store.labels["class"].tolist() == ["QSO", "", ""]
    np.testing.assert_array_equal(store.labels["z"], [0.5, np.nan, 2])


def test_what_is_masked_is_missing(tmp_path):
    mask = [False, True, False]
    labels = {
        "z": np.ma.array([0.1, -99.0, 0.3], mask=mask),
        "class": MaskedColumn(["QSO", "N/A", "STAR"], mask=mask),
        "name": MaskedColumn([b"QSO", b"N/A", b"STAR"], mask=mask),
        "mixed": MaskedColumn(np.array([b"QSO", b"N/A", "STAR"], dtype=object), mask=mask),
        "count": np.ma.array([1, -99, 3], mask=mask),
        "targetid": np.ma.array([2**60 + 1, -99, 2**63 - 1], mask=mask),
        "good": np.ma.array([True, True, False], mask=mask),
        "whole": np.ma.array([1, 2, 3]),
    }
    store = EmbeddingStore.write(tmp_path / "space", {"image": np.eye(3)}, ["a", "b", "c"], labels=labels)
    np.testing.assert_array_equal(store.labels["z"], [0.1, np.nan, 0.3])
    np.testing.assert_array_equal(store.labels["count"], [1, np.nan, 3])
    assert all(store.labels[name].tolist() == ["QSO", "", "STAR"] for name in ("class", "name", "mixed"))
    assert store.labels["targetid"].tolist() == [str(2**60 + 1), "", str(2**63 - 1)]
    assert store.labels["good"].tolist() == [True, False, False] and store.labels["whole"].dtype == np.int64


def test_a_store_that_was_written_again_while_it_was_open_is_not_read_as_the_old_one(store, arrays):
    old, read = EmbeddingStore(store.root), store.labels["z"]
    old.catalog  # noqa: B018 (opened, not read)
    EmbeddingStore.write(store.root, arrays, [f"other{i}" for i in range(N)], labels={"z": np.zeros(N)})
    ways = (
        lambda: old.object_ids,
        lambda: old.catalog.at([1]),
        lambda: old.vectors("image"),
        lambda: old.present("image"),
        lambda: store.save_column("mine", read < 0.5),
    )
    for read_again in ways:
        with pytest.raises(FolderError, match=r"was written again, or removed, since it was opened\. Open it again"):
            read_again()
    assert store.labels["z"] is read and not EmbeddingStore(store).saved_columns
    rmtree(store.root)
    with pytest.raises(FolderError, match="or removed, since it was opened"):
        old.to_table()


def test_it_shows_itself(store):
    assert "30 objects x 8 dimensions; image 29, spectrum 30" in repr(store)
    assert "<table" in store._repr_html_()
    table = store.to_table()
    assert table.colnames == ["object_id", "group", "ra", "dec", "split", "z", "class", "has_image", "has_spectrum"]
    assert table["ra"].unit == "deg"


def test_search_by_id_gives_the_most_similar(store):
    found = store.search("obj7", query="image", target="spectrum", k=4)
    products = store.vectors("spectrum") @ store.vectors("image")[7]
    order = np.argsort(-products)[:4]
    assert list(found["object_id"]) == [f"obj{i}" for i in order]
    np.testing.assert_allclose(found["similarity"], products[order], atol=1e-6)
    assert found.colnames == ["object_id", "similarity", "ra", "dec", "z", "class"]


def test_search_within_a_modality_leaves_the_object_itself_out(store):
    assert "obj7" not in store.search("obj7", query="spectrum", k=N - 1)["object_id"]
    assert "obj7" in store.search("obj7", query="image", target="spectrum", k=N)["object_id"]
    assert "obj3" not in store.search("obj7", query="spectrum", target="image", k=N - 1)["object_id"]


def test_search_by_position_across_ra_zero(store):
    by_id = store.search("obj0", query="image", target="spectrum")
    by_position = store.search(ra=359.9995, dec=-60.0, query="image", target="spectrum")
    assert list(by_id["object_id"]) == list(by_position["object_id"])
    assert by_position.meta["object_id"] == "obj0"


def test_search_by_group_of_one_row(store):
    assert store.search("g8").meta["object_id"] == "obj8"


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ({"object_id": "M31"}, InputError, "no object with id 'M31'; it holds ids such as 'obj0'"),
        ({"object_id": "pair"}, InputError, "2 objects with id 'pair': 'obj4', 'obj5'"),
        ({"ra": 10.0, "dec": 89.0}, InputError, "no object within 3.0 arcsec of ra=10.0"),
        ({"object_id": Query(coordinates=(0.0, 0.0), radius_arcsec=648000)}, InputError, "30 objects within"),
        ({"object_id": Query(coordinates=(0.0, 0.0), radius_arcsec=0)}, UsageError, "radius_arcsec is 0, expected"),
        ({"ra": 400.0, "dec": 0.0}, UsageError, "expected 0 <= ra <= 360"),
        ({"ra": 10.0}, UsageError, "expected 0 <= ra <= 360"),
        ({}, UsageError, "give either object_id, or ra and dec"),
        ({"object_id": "obj1", "ra": 1.0, "dec": 1.0}, UsageError, "give either"),
        ({"object_id": "obj3", "query": "image"}, InputError, "'obj3' has no image"),
        ({"object_id": "obj1", "query": "lightcurve"}, UsageError, "no modality 'lightcurve'; it has image, spectrum"),
        ({"object_id": "obj1", "query": "spectrum", "k": N}, InputError, "k: expected 1 to 29"),
    ],
)
def test_a_search_that_cannot_be_answered_says_why(store, where, error, message):
    with pytest.raises(error, match=message):
        store.search(**where)


def test_bad_arrays_are_refused_and_leave_no_folder(tmp_path, arrays):
    ids = [str(i) for i in range(N)]
    cases = [
        (dict(vectors={}, object_ids=ids), InputError, "at least one modality"),
        (dict(vectors=arrays, object_ids=["a"] * N), InputError, "unique ids"),
        (dict(vectors=arrays, object_ids=ids[1:]), InputError, "expected 29 rows"),
        (dict(vectors={"a": np.zeros((N, 2))}, object_ids=ids), InputError, "row 0 is zero or not finite"),
        (dict(vectors={**arrays, "b": np.ones((N, 2))}, object_ids=ids), InputError, "same dimensions"),
        (dict(vectors=arrays, object_ids=ids, labels={"ra": ids}), UsageError, "'ra' cannot be a label"),
        (dict(vectors=arrays, object_ids=ids, catalog={"z": ids}), UsageError, "'z' cannot be a catalogue column"),
        (dict(vectors=arrays, object_ids=ids, labels={"z": [1]}), InputError, "column 'z': expected 30 values"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            EmbeddingStore.write(tmp_path / "space", **arguments)
    assert not list(tmp_path.iterdir())


def test_a_damaged_store_is_refused(store):
    np.save(store.root / "image.npy", np.zeros((2, 8), np.float32))
    with pytest.raises(FolderError, match=r"image.npy has shape \(2, 8\)"):
        store.vectors("image")
    (store.root / "spectrum.npy").write_bytes(b"")
    with pytest.raises(FolderError, match=r"spectrum.npy is damaged"):
        store.vectors("spectrum")
    (store.root / "catalog.parquet").write_bytes(b"<html>")
    with pytest.raises(FolderError, match=r"catalog.parquet is damaged"):
        _ = EmbeddingStore(store).object_ids
    (store.root / "manifest.json").unlink()
    with pytest.raises(FolderError, match="not a complete embeddings folder"):
        EmbeddingStore(store)
