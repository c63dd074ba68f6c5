import errno
from pathlib import Path

import numpy as np
import pytest

from astroclip_kit.embeddings import FaissIndex
from astroclip_kit.embeddings.faiss_index import EXACT_BELOW, factory_for
from astroclip_kit.errors import FolderError, OutputError, UsageError


def unit(count, size=16, seed=0):
    z = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_the_size_chooses_where_the_user_does_not():
    assert factory_for(EXACT_BELOW - 1) == "" and factory_for(EXACT_BELOW) == "IVF316,Flat"
    assert factory_for(9_000_000) == "IVF3000,SQ8"
    assert FaissIndex(unit(50)).factory == "Flat"


def test_the_effort_is_raised_until_the_recall_is_reached():
    low, high = (FaissIndex(unit(3000), factory="IVF64,Flat", recall=recall) for recall in (0.2, 0.97))
    assert low.index.nprobe == 1 or low.index.nprobe < high.index.nprobe
    assert low.recall < 0.97 <= high.recall
    queries = unit(100, seed=1)
    exact = high.exact.search(queries, 10)[1]
    found = high.search(queries, 10)[1]
    assert np.mean([np.isin(one, of) for one, of in zip(found, exact, strict=True)]) > 0.9


def test_the_recall_is_measured_with_the_queries_that_are_given():
    memory = unit(2000)
    easy = FaissIndex(memory, factory="IVF64,Flat", recall=0.01)
    far = unit(200, seed=2), np.full(200, -1)
    assert FaissIndex(memory, factory="IVF64,Flat", recall=0.01, sample=far).recall != easy.recall
    assert FaissIndex(unit(1), factory="Flat").recall == 1.0  # there is nothing to find


def test_an_index_is_saved_and_read_again(tmp_path):
    memory, queries = unit(2000), unit(20, seed=3)
    index = FaissIndex(memory, factory="IVF32,Flat")
    index.save(tmp_path / "image.faiss")
    assert [path.name for path in tmp_path.iterdir()] == ["image.faiss"]
    again = FaissIndex.load(tmp_path / "image.faiss", memory, factory=index.factory, recall=index.recall)
    assert repr(again) == repr(index) and "2000 x 16, IVF32,Flat, recall 0.9" in repr(again)
    for mine, theirs in zip(again.search(queries, 7), index.search(queries, 7), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_file_that_does_not_fit_is_refused(tmp_path):
    path = tmp_path / "image.faiss"
    index = FaissIndex(unit(300), factory="IVF4,Flat")
    index.save(path)
    with pytest.raises(FolderError, match=r"holds 300 vectors of 16 dimensions, the memory 299 of 16"):
        FaissIndex.load(path, unit(299), factory="IVF4,Flat", recall=1.0)
    with pytest.raises(FolderError, match=r"of 16 dimensions, the memory 300 of 8"):
        FaissIndex.load(path, unit(300, 8), factory="IVF4,Flat", recall=1.0)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FolderError, match=r"image.faiss is missing or damaged"):
        FaissIndex.load(path, unit(300), factory="IVF4,Flat", recall=1.0)


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"image.faiss: no space left to write"):
        FaissIndex(unit(50)).save(tmp_path / "image.faiss")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"factory": "Nonsense"}, "factory 'Nonsense': faiss cannot build it .* Try 'IVF7,Flat'"),
        ({"factory": "IVF4096,Flat"}, "faiss cannot build it from 50 vectors of 16 dimensions"),
        ({"factory": "IDMap,Flat"}, "factory 'IDMap,Flat': faiss cannot build it"),
        ({"recall": 0.0}, "recall is 0.0, expected a share above 0"),
        ({"recall": 1.5}, "recall is 1.5, expected a share above 0"),
    ],
)
def test_what_cannot_be_built_is_refused(given, message):
    with pytest.raises(UsageError, match=message):
        FaissIndex(unit(50), **given)
