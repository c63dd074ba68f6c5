"""What every index promises, whatever it is made of."""

import numpy as np
import pytest

from astroclip_kit.embeddings import ExactIndex, FaissIndex
from astroclip_kit.errors import InputError

INDEXES = {
    "exact": ExactIndex,
    "flat": lambda *given: FaissIndex(*given, factory="Flat"),
    "cells": lambda *given: FaissIndex(*given, factory="IVF16,Flat", recall=1.0),
    "links": lambda *given: FaissIndex(*given, factory="HNSW16", recall=1.0),
    "compressed": lambda *given: FaissIndex(*given, factory="PCA14,IVF8,SQ8", recall=1.0),
}
pytestmark = pytest.mark.parametrize("make", INDEXES.values(), ids=INDEXES)
N, K = 700, 6


def unit(count, seed=0, size=16):
    z = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_it_finds_what_is_near_with_true_similarities(make):
    memory, queries = unit(N), unit(40, 1)
    similarity, rows = make(memory).search(queries, K)
    assert similarity.dtype == np.float32 and rows.dtype == np.int64 and rows.shape == (40, K)
    np.testing.assert_allclose(similarity, np.einsum("qkd,qd->qk", memory[rows], queries), atol=1e-6)
    assert (np.diff(similarity, axis=1) <= 0).all()
    best = np.argsort(-queries @ memory.T, axis=1)[:, :K]
    assert np.mean([len(set(a) & set(b)) for a, b in zip(rows, best, strict=True)]) > 0.97 * K


def test_equal_vectors_come_in_the_order_of_the_rows(make):
    memory = np.repeat(unit(100), 3, axis=0)
    _, rows = make(memory).search(memory[::3][:20], 3)
    np.testing.assert_array_equal(rows, 3 * np.arange(20)[:, None] + np.arange(3))


def test_the_own_group_is_left_out(make):
    memory = unit(N)
    groups = np.array([f"SN{i // 5}" for i in range(N)])
    index = make(memory, groups)
    _, rows = index.search(memory[:60], K, exclude=groups[:60])
    assert not (groups[rows] == groups[:60, None]).any()
    _, rows = index.search(memory[:60], 1, exclude=["unknown"] * 60)
    np.testing.assert_array_equal(rows[:, 0], np.arange(60))


def test_there_are_always_k_answers(make):
    memory = unit(N)
    ids = np.where(np.arange(N) < N - 9, "most", "few")
    index = make(memory, ids)
    _, rows = index.search(memory[:5], 9, exclude=["most"] * 5)
    assert all(set(row) == set(range(N - 9, N)) for row in rows)
    _, rows = index.search(memory[:2], N)
    assert all(set(row) == set(range(N)) for row in rows)


def test_nothing_is_modified_and_read_only_memory_will_do(make):
    memory, queries = unit(N), unit(3, 1)
    before = memory.copy()
    memory.flags.writeable = queries.flags.writeable = False
    make(memory).search(queries, 2)
    np.testing.assert_array_equal(memory, before)


@pytest.mark.parametrize(
    ("memory", "ask", "message"),
    [
        (np.zeros(3), None, "matrix"),
        (np.full((2, 2), np.nan), None, "NaN or infinity"),
        (unit(64), lambda index: index.search(unit(2, size=8), 1), "8 dimensions, the memory has 16"),
        (unit(64), lambda index: index.search(unit(2), 65), "k: expected 1 to 64, found 65"),
        (unit(64), lambda index: index.search(unit(2), 0), "k: expected 1 to 64, found 0"),
        (unit(64), lambda index: index.search(unit(2), 64, exclude=[0, 1]), "expected 1 to 63, found 64"),
        (unit(64), lambda index: index.search(unit(2), 1, exclude=[0]), "one id per query"),
        (unit(64), lambda index: index.search(np.full((1, 16), np.inf), 1), "queries: found NaN or infinity"),
    ],
)
def test_bad_input_is_refused(make, memory, ask, message):
    with pytest.raises(InputError, match=message):
        ask(make(memory))
