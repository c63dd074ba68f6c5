import shutil

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore, FaissIndex, build_indexes, faiss_index
from astroclip_kit.embeddings.query import Query
from astroclip_kit.embeddings.saved_index import saved_index
from astroclip_kit.errors import FolderError, UsageError

N = 400


def write(folder, seed=0, size=8):
    z = np.random.default_rng(seed).normal(size=(N, size)).astype(np.float32)
    present = {"image": np.arange(N) % 5 != 0}
    groups = [f"g{i // 2}" for i in range(N)]
    ids = [f"obj{i}" for i in range(N)]
    return EmbeddingStore.write(
        folder / "space", {"image": z, "spectrum": z[:, ::-1]}, ids, present=present, catalog={"group": groups}
    )


@pytest.fixture
def store(tmp_path):
    return write(tmp_path)


@pytest.fixture
def searched(monkeypatch):
    """How often a faiss index was searched."""
    calls = []
    own = FaissIndex.search
    monkeypatch.setattr(FaissIndex, "search", lambda self, *given: calls.append(len(self)) or own(self, *given))
    return calls


def test_indexes_are_kept_with_the_store_and_taken_by_search(store, searched):
    plain = store.search("obj7", query="spectrum", target="image", k=5)
    table = build_indexes(store, "IVF8,Flat", recall=1.0)
    assert list(table["modality"]) == ["image", "spectrum"] and list(table["rows"]) == [320, 400]
    assert (table["recall"] == 1).all() and (table["megabytes"] > 0).all() and set(table["factory"]) == {"IVF8,Flat"}
    assert sorted(path.name for path in (store.root / "index").iterdir()) == [
        "image.faiss",
        "manifest.json",
        "spectrum.faiss",
    ]
    searched.clear()
    again = EmbeddingStore(store.root)
    found = again.search("obj7", query="spectrum", target="image", k=5)
    assert searched == [320]
    assert list(found["object_id"]) == list(plain["object_id"])
    np.testing.assert_array_equal(found["similarity"], plain["similarity"])
    assert "obj7" not in again.search("obj7", query="spectrum", k=50)["object_id"] and len(searched) == 2
    again.search(Query(like="obj7", exact=True))
    again.search("obj7", query="spectrum", where="object_id != 'obj9'")
    assert len(searched) == 2  # asked for exactly, or of some rows only


def test_the_memory_of_an_index_excludes_by_group(store):
    build_indexes(store, "Flat")
    index = saved_index(store, "spectrum")
    _, rows = index.search(store.vectors("spectrum")[:10], 3, exclude=store.groups[:10])
    assert not (store.groups[rows] == store.groups[:10, None]).any()


def test_small_stores_get_no_index_unless_one_is_named(store, monkeypatch):
    table = build_indexes(store)
    assert list(table["factory"]) == ["exact", "exact"] and (table["recall"] == 1).all()
    assert saved_index(store, "image") is None
    monkeypatch.setattr(faiss_index, "EXACT_BELOW", 350)
    assert list(build_indexes(store)["factory"]) == ["exact", "IVF20,Flat"]
    assert saved_index(store, "image") is None and saved_index(store, "spectrum").factory == "IVF20,Flat"


def test_an_index_of_an_older_store_is_noticed(store, tmp_path, searched):
    build_indexes(store, "Flat")
    searched.clear()
    renewed = write(tmp_path, seed=1)
    assert (renewed.root / "index").is_dir()
    with pytest.warns(UserWarning, match=r"index was built before the store was written again"):
        found = renewed.search("obj1", query="spectrum", k=3)
    assert not searched
    order = np.argsort(-renewed.vectors("spectrum") @ renewed.vectors("spectrum")[1])[1:4]
    assert list(found["object_id"]) == [f"obj{i}" for i in order]


def test_a_copied_store_keeps_its_index(store, tmp_path, searched):
    build_indexes(store, "Flat")
    searched.clear()
    shutil.copytree(store.root, tmp_path / "copy")
    EmbeddingStore(tmp_path / "copy").search("obj1", query="spectrum")
    assert searched == [400]


def test_a_damaged_index_is_refused(store):
    build_indexes(store, "Flat", modalities=["image"])
    assert saved_index(store, "spectrum") is None
    path = store.root / "index" / "image.faiss"
    path.write_bytes(path.read_bytes()[:-8] + b"damaged!")
    with pytest.raises(FolderError, match=r"image.faiss is missing or damaged. Run astroclip-kit index"):
        store.search("obj1", query="image")
    path.unlink()
    with pytest.raises(FolderError, match=r"image.faiss is missing or damaged"):
        store.search("obj1", query="image")


def test_a_failed_build_leaves_the_older_index(store):
    build_indexes(store, "Flat")
    with pytest.raises(UsageError, match=r"no modality 'radio'"):
        build_indexes(store, "Flat", modalities=["image", "radio"])
    with pytest.raises(UsageError, match=r"factory 'Flatt': faiss cannot build it"):
        build_indexes(store, "Flatt")
    assert saved_index(store, "image") is not None
    assert not [path for path in store.root.iterdir() if path.name.startswith(".")]


def test_a_modality_that_is_not_named_keeps_its_index(store):
    build_indexes(store, "Flat", modalities=["image"])
    build_indexes(store, "HNSW8", modalities=["spectrum"])
    assert saved_index(store, "image").factory == "Flat" and saved_index(store, "spectrum").factory == "HNSW8"
    assert len(store.search("obj1", query="image", k=3)) == 3
