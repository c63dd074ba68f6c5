import numpy as np
import pytest

from astroclip_kit.embeddings.index import ExactIndex
from astroclip_kit.errors import InputError

PRECISIONS = ["auto", "bfloat16", "float32", "float64"]


def unit(count, size=32, seed=0):
    z = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def brute_force(queries, memory, k, excluded=None):
    """The definition, row by row: float64 products rounded to float32, ties in the order of the rows."""
    products = (queries.astype(np.float64) @ memory.astype(np.float64).T).astype(np.float32)
    if excluded is not None:
        products[excluded] = -np.inf
    rows = np.argsort(-products, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(products, rows, axis=1), rows


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("k", [1, 10, 70])
def test_equals_brute_force(precision, k):
    memory, queries = unit(3000), unit(40, seed=1)
    similarity, rows = ExactIndex(memory, precision=precision, block_rows=700).search(queries, k)
    expected, expected_rows = brute_force(queries, memory, k)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(similarity, expected, rtol=0, atol=1e-7)
    assert similarity.dtype == np.float32 and rows.dtype == np.int64


@pytest.mark.parametrize("precision", PRECISIONS)
def test_ties_come_in_the_order_of_the_rows(precision):
    memory = np.tile(unit(50), (20, 1))  # every vector twenty times, spread over several blocks
    queries = unit(30, seed=2)
    for k in (5, 25, 1000):
        _, rows = ExactIndex(memory, precision=precision, block_rows=96).search(queries, k)
        np.testing.assert_array_equal(rows, brute_force(queries, memory, k)[1])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_collapsed_space_is_searched_exactly(precision):
    """All vectors within a rounding error of each other: no bfloat16 candidate can be proven right."""
    memory = unit(1, 64) + 1e-4 * unit(2000, 64, seed=3)
    memory /= np.linalg.norm(memory, axis=1, keepdims=True)
    _, rows = ExactIndex(memory, precision=precision, block_rows=512).search(memory[:20], 10)
    np.testing.assert_array_equal(rows, brute_force(memory[:20], memory, 10)[1])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_vectors_of_any_length_are_ranked_by_their_product(precision):
    rng = np.random.default_rng(4)
    memory = unit(1500) * rng.lognormal(sigma=2, size=(1500, 1)).astype(np.float32)
    queries = unit(20, seed=5) * 30
    _, rows = ExactIndex(memory, precision=precision).search(queries, 12)
    np.testing.assert_array_equal(rows, brute_force(queries, memory, 12)[1])


def test_precision_and_blocks_do_not_change_the_answer():
    memory, queries = unit(2500, 16), unit(300, 16, seed=6)
    answers = [
        ExactIndex(memory, precision=precision, block_rows=rows).search(queries, 8)
        for precision in PRECISIONS
        for rows in (100, 4096)
    ]
    for similarity, rows in answers[1:]:
        np.testing.assert_array_equal(rows, answers[0][1])
        np.testing.assert_array_equal(similarity, answers[0][0])


def test_the_bfloat16_pass_alone_answers_most_queries_of_a_spread_space(monkeypatch):
    index = ExactIndex(unit(5000, 16), precision="bfloat16")
    searched = []
    slow = ExactIndex._exhaustive
    monkeypatch.setattr(
        ExactIndex, "_exhaustive", lambda self, q, *rest: searched.append(len(q)) or slow(self, q, *rest)
    )
    index.passes = index.passes[:1]
    index.search(unit(200, 16, seed=7), 5)
    assert sum(searched) < 20


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_row_itself_is_left_out(precision):
    memory = unit(900)
    index = ExactIndex(memory, precision=precision, block_rows=128)
    _, rows = index.search(memory, 1)
    np.testing.assert_array_equal(rows[:, 0], np.arange(900))
    similarity, rows = index.search(memory, 3, exclude=np.arange(900))
    own = np.zeros((900, 900), bool)
    np.fill_diagonal(own, True)
    np.testing.assert_array_equal(rows, brute_force(memory, memory, 3, own)[1])
    assert (similarity < 1).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_whole_group_is_left_out(precision):
    memory = unit(600)
    groups = np.array([f"SN{i // 4}" for i in range(600)])
    asked = np.append(groups[:30], "unknown")
    queries = np.vstack([memory[:30], unit(1, seed=8)])
    index = ExactIndex(memory, ids=groups, precision=precision, block_rows=64)
    _, rows = index.search(queries, 9, exclude=asked)
    np.testing.assert_array_equal(rows, brute_force(queries, memory, 9, asked[:, None] == groups[None])[1])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_nearly_the_whole_memory_may_be_left_out(precision):
    """Fewer groups of rows are left than there are places for candidates."""
    memory, queries = unit(3000), unit(40, seed=10)
    ids = np.where(np.arange(3000) % 150 == 7, "kept", "left out")
    index = ExactIndex(memory, ids=ids, precision=precision, block_rows=640)
    _, rows = index.search(queries, 20, exclude=["left out"] * 40)
    excluded = np.broadcast_to(ids == "left out", (40, 3000))
    np.testing.assert_array_equal(rows, brute_force(queries, memory, 20, excluded)[1])


@pytest.mark.parametrize("count", [2001, 2007, 2048])
def test_the_last_block_may_be_short(count):
    memory = unit(count)
    _, rows = ExactIndex(memory, precision="bfloat16", block_rows=500).search(memory[-40:], 3)
    np.testing.assert_array_equal(rows, brute_force(memory[-40:], memory, 3)[1])


def test_k_may_be_the_whole_memory():
    memory, queries = unit(37), unit(5, seed=9)
    _, rows = ExactIndex(memory, precision="bfloat16", block_rows=10).search(queries, 37)
    np.testing.assert_array_equal(rows, brute_force(queries, memory, 37)[1])
    _, rows = ExactIndex(memory, block_rows=10).search(memory, 36, exclude=np.arange(37))
    assert all(set(row) == set(range(37)) - {i} for i, row in enumerate(rows.tolist()))


def test_arrays_are_not_modified_and_may_be_read_only():
    memory, queries = unit(200), unit(5)
    memory.flags.writeable = queries.flags.writeable = False
    similarity, rows = ExactIndex(memory).search(queries, 2)
    assert (rows[:, 0] != rows[:, 1]).all() and similarity.shape == (5, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ExactIndex(np.zeros((0, 3))), "matrix .* not empty"),
        (lambda: ExactIndex(np.zeros(3)), "matrix"),
        (lambda: ExactIndex(np.full((2, 2), np.nan)), "NaN or infinity"),
        (lambda: ExactIndex(unit(4), ids=["a"]), "one per row"),
        (lambda: ExactIndex(unit(4)).search(unit(2, 8), 1), "8 dimensions, the memory has 32"),
        (lambda: ExactIndex(unit(4)).search(unit(2), 5), "k: expected 1 to 4, found 5"),
        (lambda: ExactIndex(unit(4)).search(unit(2), 0), "k: expected 1 to 4, found 0"),
        (lambda: ExactIndex(unit(4)).search(unit(2), 4, exclude=[0, 1]), "expected 1 to 3, found 4"),
        (lambda: ExactIndex(unit(4)).search(unit(2), 1, exclude=[0]), "one id per query"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_an_index_says_its_size_and_precision():
    vectors = np.eye(3, 4, dtype=np.float32)
    assert repr(ExactIndex(vectors, precision="float32")) == "ExactIndex(3 x 4, float32)"
    assert repr(ExactIndex(vectors, precision="float64")) == "ExactIndex(3 x 4, float64)"
