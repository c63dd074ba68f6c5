"""What a contrastive space looks like from outside."""

import numpy as np
import pytest

from astroclip_kit.downstream.diagnostics import alignment, diagnose, effective_rank, hubness, modality_gap, uniformity
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError


def sphere(count, dimensions, seed=0):
    z = np.random.default_rng(seed).normal(size=(count, dimensions))
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_alignment_is_the_mean_squared_distance():
    a, b = sphere(50, 8), sphere(50, 8, 1)
    assert alignment(a, a) == 0 and alignment(a, -a) == pytest.approx(4)
    assert alignment(3 * a, b) == pytest.approx(np.mean([np.sum((x - y) ** 2) for x, y in zip(a, b, strict=True)]))


def test_uniformity_is_that_of_a_loop():
    z = sphere(30, 5)
    pairs = [np.exp(-2 * np.sum((z[i] - z[j]) ** 2)) for i in range(30) for j in range(i)]
    assert uniformity(z) == pytest.approx(np.log(np.mean(pairs)))
    assert uniformity(z) < uniformity(z + 3 * np.eye(5)[0])


def test_the_gap_is_the_distance_of_the_means():
    assert modality_gap([[1.0, 0], [1, 0]], [[-1.0, 0]]) == pytest.approx(2)
    assert modality_gap(sphere(4000, 4), sphere(4000, 4, 1)) < 0.1


def test_the_effective_rank_counts_dimensions():
    flat = np.zeros((2000, 16))
    flat[:, :4] = sphere(2000, 4)
    assert effective_rank(sphere(4000, 16)) == pytest.approx(16, rel=0.01)
    assert effective_rank(flat) == pytest.approx(4, rel=0.01)


def test_hubness_grows_with_dimensions_and_is_that_of_scipy():
    from scipy.stats import skew
    from sklearn.neighbors import NearestNeighbors

    z = sphere(400, 100)
    rows = NearestNeighbors(n_neighbors=11).fit(z).kneighbors(z, return_distance=False)[:, 1:]
    assert hubness(z, z, 10, own=True) == pytest.approx(skew(np.bincount(rows.ravel(), minlength=400)), rel=1e-3)
    assert hubness(z, z, 10, own=True) > hubness(sphere(400, 2), sphere(400, 2), 10, own=True)
    assert hubness(0.1 * sphere(400, 20) + np.eye(20)[0], np.eye(20), 1) > 3  # one row answers all


@pytest.fixture
def store(tmp_path):
    z = sphere(200, 6)
    vectors = {"image": z, "spectrum": z + 0.3 * sphere(200, 6, 1) + [0.5, 0, 0, 0, 0, 0]}
    split = ["test" if row % 2 else "train" for row in range(200)]
    values = {"dataset": "made up", "origin": "mock"}
    return EmbeddingStore.write(
        tmp_path / "s", vectors, [str(i) for i in range(200)], catalog={"split": split}, values=values
    )


def test_a_store_is_diagnosed_on_its_held_out_objects(store):
    results = {(one.metric, one.query, one.target): one for one in diagnose(store)}
    assert len(results) == 3 + 3 + 4 and all(one.n == 100 and one.origin == "mock" for one in results.values())
    one = results["alignment", "image", "spectrum"]
    held = store.split == "test"
    assert one.value == pytest.approx(alignment(store.vectors("image")[held], store.vectors("spectrum")[held]))
    assert one.low < one.value < one.high
    assert results["modality_gap", "image", "spectrum"].low > 0.2
    assert diagnose(store, seed=0) == diagnose(store, seed=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: alignment(np.eye(3), np.eye(3)[:2]), "two views of the same objects are needed"),
        (lambda: modality_gap(np.eye(3), np.eye(2)), "found 3 and 2 dimensions"),
        (lambda: uniformity([[1.0, 0.0]]), "expected at least 2 vectors"),
        (lambda: uniformity([[1.0, np.nan], [0, 1]]), "of finite numbers"),
        (lambda: uniformity([[1.0, 0], [0, 0]]), "vector 1 is zero"),
        (lambda: effective_rank([[1.0, 0], [1, 0]]), "the space has collapsed"),
        (lambda: hubness(np.eye(3), np.eye(3), 3), "k: expected 1 to 2, found 3"),
    ],
)
def test_bad_input_is_one_clear_error(call, message):
    with pytest.raises(InputError, match=message):
        call()
