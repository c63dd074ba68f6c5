"""Typical and odd members of a selection."""

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError
from astroclip_kit.explorer.selection import extremes as module
from astroclip_kit.explorer.selection.extremes import extremes

N = 60


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    z = np.array([3.0, 0, 0, 0]) + 0.3 * rng.normal(size=(N, 4))
    z[7], z[20] = [-3, 0, 0, 0], [0, 0, 0, 5]  # unlike all others
    z[30] = 0  # has none
    return z


@pytest.fixture
def store(tmp_path, vectors):
    present = {"image": vectors.any(axis=1)}
    return EmbeddingStore.write(tmp_path / "s", {"image": vectors}, [f"o{i}" for i in range(N)], present=present)


def test_they_are_those_of_the_definition(store):
    chosen = np.arange(N) < 50
    found = extremes(store, chosen, "image", most=5)
    rows = np.flatnonzero(chosen & store.present("image"))
    z = np.asarray(store.vectors("image"))[rows].astype(np.float64)
    mean = z.mean(axis=0)
    closeness = z @ mean / np.linalg.norm(mean)
    assert found.typical.tolist() == rows[np.argsort(-closeness)[:5]].tolist()
    np.testing.assert_allclose(found.closeness, np.sort(closeness)[::-1][:5], atol=1e-6)
    among = z @ z.T - 2 * np.eye(len(z))
    likeness = np.sort(among, axis=1)[:, -10:].mean(axis=1)
    assert found.odd.tolist() == rows[np.argsort(likeness)[:5]].tolist() and found.odd[0] == 7
    np.testing.assert_allclose(found.likeness, np.sort(likeness)[:5], atol=1e-6)
    assert (found.count, found.compared, found.neighbours) == (49, 49, 10)


def test_many_are_compared_by_a_sample(store, monkeypatch):
    monkeypatch.setattr(module, "MOST", 20)
    found = extremes(store, np.ones(N, bool), "image")
    assert (found.count, found.compared) == (59, 20)
    again = extremes(store, np.ones(N, bool), "image")
    assert found.odd.tolist() == again.odd.tolist()


def test_two_members_have_one_neighbour_and_one_object_has_none(tmp_path, store):
    found = extremes(store, np.isin(np.arange(N), [1, 2]), "image")
    assert found.neighbours == 1 and sorted(found.odd) == [1, 2]
    groups = {"group": ["a"] * 3}
    one = EmbeddingStore.write(tmp_path / "one", {"image": np.eye(3)}, ["a1", "a2", "a3"], catalog=groups)
    found = extremes(one, np.ones(3, bool), "image")
    assert len(found.odd) == 0 and len(found.typical) == 3


def test_too_few_or_vectors_that_cancel_are_refused(tmp_path, store):
    with pytest.raises(InputError, match="expected at least 2 selected objects with image, found 0"):
        extremes(store, np.arange(N) == 30, "image")
    ends = EmbeddingStore.write(tmp_path / "ends", {"image": [[1.0, 0], [-1, 0]]}, ["a", "b"])
    with pytest.raises(InputError, match="the image vectors of the selection cancel each other"):
        extremes(ends, np.ones(2, bool), "image")
