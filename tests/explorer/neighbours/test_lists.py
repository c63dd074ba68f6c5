"""Neighbours of one who asks, by each modality."""

import numpy as np
import pytest

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.embeddings.queries import objects
from astroclip_kit.explorer.neighbours import lists
from astroclip_kit.explorer.neighbours.lists import neighbour_list, targets

N = 40


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(N, 8))
    groups = [f"g{i // 2}" for i in range(N)]
    present = {"image": np.ones(N, bool), "spectrum": np.arange(N) != 5}
    vectors = {"image": image, "spectrum": image + rng.normal(size=(N, 8))}
    return EmbeddingStore.write(
        tmp_path / "space", vectors, [f"o{i}" for i in range(N)], present=present, catalog={"group": groups}
    )


def asked(store, row, name):
    return objects(store, np.array([row]), name)


def by_hand(store, row, query, target, k, among=True):
    """Rows in falling order of similarity, by the definition."""
    similarity = store.vectors(target) @ store.vectors(query)[row]
    similarity[~(store.present(target) & among)] = -np.inf
    similarity[row] = -np.inf
    return np.argsort(-similarity)[:k], np.sort(-similarity)[:k] * -1


@pytest.mark.parametrize("query", ["image", "spectrum", "mean"])
@pytest.mark.parametrize("target", ["image", "spectrum", "mean"])
def test_they_are_those_of_the_definition_without_who_asks(store, query, target):
    found = neighbour_list(store, asked(store, 7, query), target, 6)
    rows, similarity = by_hand(store, 7, query, target, 6)
    assert found.rows.tolist() == rows.tolist()
    np.testing.assert_allclose(found.similarity, similarity, atol=1e-6)
    assert found.title == f"{query} → {target}"


def test_other_observations_of_the_same_object_are_flagged(store):
    found = neighbour_list(store, asked(store, 6, "image"), "image", N - 1)
    assert found.rows[found.same].tolist() == [7]


def test_only_those_that_may_answer_do(store):
    among = np.arange(N) % 3 == 0
    found = neighbour_list(store, asked(store, 7, "image"), "spectrum", 5, among)
    assert found.rows.tolist() == by_hand(store, 7, "image", "spectrum", 5, among)[0].tolist()
    assert found.notes == ()  # who asks may not answer, so that nothing is said of its own spectrum


def test_fewer_are_said_to_be_fewer(store):
    found = neighbour_list(store, asked(store, 3, "image"), "image", 50)
    assert len(found.rows) == N - 1 and found.notes == (f"There are only {N - 1}.",)
    few = neighbour_list(store, asked(store, 3, "image"), "spectrum", 50, np.arange(N) < 4)
    assert sorted(few.rows.tolist()) == [0, 1, 2] and few.notes[0] == "There are only 3."


def test_nobody_who_may_answer_is_said(store):
    found = neighbour_list(store, asked(store, 5, "image"), "spectrum", 5, np.arange(N) == 5)
    assert len(found.rows) == 0 and found.notes == ("No other object that may answer has spectrum.",)


def test_how_similar_its_own_other_modality_is_stands_below(store, monkeypatch):
    own = float(store.vectors("image")[7] @ store.vectors("spectrum")[7])
    rank = 1 + int((store.vectors("spectrum") @ store.vectors("image")[7] > own).sum())
    every = neighbour_list(store, asked(store, 7, "image"), "spectrum", N - 2)
    assert every.notes == (f"Its own spectrum: similarity {own:.3f}, rank {rank}.",)
    far = next(row for row in range(N) if row != 5 and _rank(store, row) > 6)
    few = neighbour_list(store, asked(store, far, "image"), "spectrum", 5)
    there = int(store.present("spectrum").sum())
    assert few.notes[0].endswith(f"rank {_rank(store, far)} of {there}.") and len(few.rows) == 5
    monkeypatch.setattr(lists, "RANKED", N - 1)
    few = neighbour_list(store, asked(store, far, "image"), "spectrum", 5)
    assert few.notes[0].endswith("not among the first 5.")
    assert neighbour_list(store, asked(store, 5, "image"), "spectrum", 5).notes == ()


def _rank(store, row):
    similarity = store.vectors("spectrum") @ store.vectors("image")[row]
    return 1 + int((similarity > similarity[row]).sum())


def test_who_asks_comes_first_among_the_targets_and_the_mean_only_where_it_asks(store):
    assert targets(store, "spectrum") == ["spectrum", "image"]
    assert targets(store, "mean") == ["mean", "image", "spectrum"]
