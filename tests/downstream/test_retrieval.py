import numpy as np
import pytest

from astroclip_kit.downstream.retrieval import rank, recall
from astroclip_kit.errors import InputError


def unit(count, size=16, seed=0):
    z = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def slow_ranks(q, t, asked, held, exclude_self):
    """Row by row: sort the others, look for the first of the same group."""
    ranks = []
    for i, z in enumerate(q):
        rows = [j for j in np.argsort(-(t @ z)) if not (exclude_self and i == j)]
        hits = [place for place, j in enumerate(rows, 1) if held[j] == asked[i]]
        ranks.append(hits[0] if hits else None)
    return ranks


@pytest.mark.parametrize("exclude_self", [False, True])
def test_equals_a_slow_loop(exclude_self):
    q = unit(60)
    t = q if exclude_self else unit(60, seed=1) + q
    groups = np.array([f"SN{i // 2 if i < 40 else i}" for i in range(60)])  # twenty pairs, twenty singles
    found = rank(q, t, groups, groups, exclude_self=exclude_self, block_rows=7)
    expected = slow_ranks(q, t, groups, groups, exclude_self)
    assert list(found.queries) == [i for i, one in enumerate(expected) if one]
    assert found.rank.tolist() == [one for one in expected if one]
    assert found.left_out == (20 if exclude_self else 0)
    assert set(found.candidates) == {59 if exclude_self else 60}
    assert set(found.hits) == ({1} if exclude_self else {1, 2})


def test_perfect_and_random_spaces():
    z, ids = unit(400), np.arange(400)
    assert recall(rank(z, z, ids, ids))["recall@1"] == (1.0, pytest.approx(1 / 400))
    value, chance = recall(rank(z, unit(400, seed=2), ids, ids))["recall@10"]
    assert chance == pytest.approx(10 / 400) and abs(value - chance) < 0.03
    median, guess = recall(rank(z, unit(400, seed=2), ids, ids))["median_rank"]
    assert guess == 200.5 and abs(median - guess) < 40


def test_chance_counts_how_many_right_answers_there_are():
    groups = np.repeat(np.arange(20), 10)
    numbers = recall(rank(unit(200), unit(200, seed=3), groups, groups))
    value, chance = numbers["recall@10"]
    assert chance > 0.35 and abs(value - chance) < 0.12


def test_a_collapsed_space_finds_nothing():
    z = np.tile(unit(1), (100, 1))
    numbers = recall(rank(z, z, np.arange(100), np.arange(100)))
    assert numbers["recall@10"][0] == 0 and numbers["median_rank"] == (50.5, 50.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((unit(3), unit(3, 8), "abc", "abc"), "equal dimensions"),
        ((unit(3), unit(3), "abc", "ab"), "one group per row"),
        ((unit(3), unit(3), "abc", "xyz"), "no query has a right answer"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    q, t, asked, held = arguments
    with pytest.raises(InputError, match=message):
        rank(q, t, list(asked), list(held))
