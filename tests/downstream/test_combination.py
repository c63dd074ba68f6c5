import numpy as np
import pytest

from astroclip_kit.downstream.combination import Combination
from astroclip_kit.downstream.neighbourhood import Question, gather
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings.prediction import Prediction

N = 40
IMAGE, SPECTRUM = (np.random.default_rng(seed).normal(size=(N, 5)) for seed in (0, 1))
HAS_IMAGE, HAS_SPECTRUM = np.arange(N) % 4 != 0, np.arange(N) % 3 != 0


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    present = {"image": HAS_IMAGE, "spectrum": HAS_SPECTRUM}
    root, ids = tmp_path_factory.mktemp("two") / "space", [f"o{i}" for i in range(N)]
    return EmbeddingStore.write(root, {"image": IMAGE, "spectrum": SPECTRUM}, ids, present=present)


def similarity(store, asking, answering):
    return store.vectors(asking) @ store.vectors(answering).T


def found(store, query, memory, rows, k=4):
    how = Combination.parse(store, query, memory)
    vectors = how.queries(lambda name: store.vectors(name)[rows])
    everyone = np.ones(len(store), dtype=bool)
    question = Question(store, how, vectors, store.groups[rows], everyone, Prediction(k=k))
    return gather(question, everyone)


def check(store, near, expected, rows, k=4):
    """Neighbours in the order of the similarities [N, N], without the object itself."""
    expected = expected.copy()
    np.fill_diagonal(expected, -np.inf)
    order = np.argsort(-expected[rows], axis=1)[:, :k]
    np.testing.assert_array_equal(near.rows, order)
    np.testing.assert_allclose(1 - near.distance, np.take_along_axis(expected[rows], order, axis=1), atol=1e-6)


def test_side_by_side_is_the_mean_similarity(store):
    rows = np.flatnonzero(HAS_IMAGE & HAS_SPECTRUM)[:5]
    both = (similarity(store, "image", "image") + similarity(store, "spectrum", "spectrum")) / 2
    both[:, ~(HAS_IMAGE & HAS_SPECTRUM)] = -np.inf
    check(store, found(store, "", "image+spectrum", rows), both, rows)
    check(store, found(store, "spectrum + image", "image+spectrum", rows), both, rows)


def test_one_modality_against_two(store):
    rows = np.flatnonzero(HAS_IMAGE & HAS_SPECTRUM)[:5]
    both = (similarity(store, "image", "image") + similarity(store, "image", "spectrum")) / 2
    both[:, ~(HAS_IMAGE & HAS_SPECTRUM)] = -np.inf
    check(store, found(store, "image", "image+spectrum", rows), both, rows)
    one = (similarity(store, "image", "spectrum") + similarity(store, "spectrum", "spectrum")) / 2
    one[:, ~HAS_SPECTRUM] = -np.inf
    check(store, found(store, "image+spectrum", "spectrum", rows), one, rows)


def test_pooled_is_the_most_similar_modality_and_counts_an_object_once(store):
    rows = np.flatnonzero(HAS_IMAGE)[:6]
    best = np.maximum(
        np.where(HAS_IMAGE, similarity(store, "image", "image"), -np.inf),
        np.where(HAS_SPECTRUM, similarity(store, "image", "spectrum"), -np.inf),
    )
    near = found(store, "image", "any", rows)
    check(store, near, best, rows)
    assert near.memory == (HAS_IMAGE | HAS_SPECTRUM).sum()
    count = near.memory - 2
    assert all(len(set(row)) == count for row in found(store, "image", "any", rows, k=count).rows.tolist())
    with pytest.raises(InputError, match=rf"k: expected 1 to {count}, found {count + 1}: no more objects are near"):
        found(store, "image", "any", rows, k=count + 1)
    with pytest.raises(InputError, match=rf"k: expected 1 to {count + 1} \(rows .* of who asks\), found {count + 2}"):
        found(store, "image", "any", rows, k=count + 2)


def test_what_cannot_be_compared_is_said(store):
    with pytest.raises(UsageError, match="has no modality 'radio'; it has image, spectrum"):
        Combination.parse(store, "image", "image+radio")
    with pytest.raises(UsageError, match=r"image\+spectrum cannot be compared with image\+image"):
        Combination.parse(store, "image+spectrum", "image+image")
    assert str(Combination.parse(store, "", "any")) == "any modality"
    assert str(Combination.parse(store, "spectrum")) == "spectrum"
