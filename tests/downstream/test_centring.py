"""A space with a gap between its modalities, and the same without."""

import numpy as np
import pytest

from astroclip_kit.downstream.centring import centre, centred
from astroclip_kit.downstream.evaluation import evaluate
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError
from astroclip_kit.settings import Evaluation

N = 300
ALL = np.ones(N, bool)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = np.random.default_rng(0)
    z, noise = rng.normal(size=(N, 8)), rng.normal(size=(2, N, 8))
    vectors = {"image": z + 0.3 * noise[0] + 12 * np.eye(8)[0], "spectrum": z + 0.3 * noise[1] + 12 * np.eye(8)[1]}
    split = np.where(np.arange(N) < 200, "train", "test")
    return EmbeddingStore.write(
        tmp_path_factory.mktemp("gap") / "space",
        vectors,
        [f"o{i}" for i in range(N)],
        present={"image": np.arange(N) % 20 != 0},
        catalog={"split": split},
        labels={"x": z[:, 2]},
        values={"model": "abc", "dataset": "gap", "origin": "mock"},
    )


def test_the_mean_is_that_of_the_training_objects_alone(store):
    z, present, training = store.vectors("image"), store.present("image"), store.split == "train"
    found = centre(z, present, training)
    expected = z[present] - z[present & training].mean(axis=0)
    np.testing.assert_allclose(found[present], expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)
    assert not found[~present].any() and found.dtype == np.float32


def test_centring_is_measured_beside_the_space_as_it_is(store):
    results = evaluate(store, ["x"], settings=Evaluation(k=8, centre=True, n_boot=20))
    found = {(one.space, one.task, one.metric, one.query, one.target): one for one in results}
    about = "image", "spectrum"
    plain, without = (found[space, "retrieval", "recall@1", *about] for space in ("aligned", "aligned, centred"))
    assert without.value > plain.value + 0.1 and plain.n == without.n == 95
    gap = [found[space, "space", "modality_gap", *about].value for space in ("aligned", "aligned, centred")]
    assert gap[0] > 1 and gap[1] < 0.2
    hubness = [found[space, "space", "hubness@10", *about].value for space in ("aligned", "aligned, centred")]
    assert hubness[1] < hubness[0]
    across = [found[space, "regression", "r2", *about].value for space in ("aligned", "aligned, centred")]
    assert across[1] > across[0]
    assert not [one for one in evaluate(store, settings=Evaluation(n_boot=2)) if one.space != "aligned"]


def test_a_centred_store_is_searched_like_any_other(store, tmp_path):
    new = centred(store, tmp_path / "centred")
    training = store.split == "train"
    np.testing.assert_allclose(
        new.vectors("image"), centre(store.vectors("image"), store.present("image"), training), atol=1e-6
    )
    assert new.manifest["centred"] and "model" not in new.manifest and new.manifest["origin"] == "mock"
    assert (new.split == store.split).all() and (new.labels["x"] == store.labels["x"]).all()
    own = [
        [one.search(f"o{i}", query="image", target="spectrum", k=1)["object_id"][0] == f"o{i}" for i in range(201, 219)]
        for one in (store, new)
    ]
    assert sum(own[1]) > sum(own[0])


def test_a_store_without_a_split_is_centred_by_all_its_objects(tmp_path):
    z = np.random.default_rng(1).normal(size=(20, 3)) + 5
    new = centred(EmbeddingStore.write(tmp_path / "s", {"a": z}, [str(i) for i in range(20)]), tmp_path / "c")
    assert np.linalg.norm(new.vectors("a").mean(axis=0)) < 0.4


def test_bad_input_is_one_clear_error():
    with pytest.raises(InputError, match="image: no training object has it"):
        centre(np.eye(3), np.ones(3, bool), np.zeros(3, bool), "image")
    with pytest.raises(InputError, match="image: 3 of 3 vectors are the mean of all"):
        centre(np.tile([1.0, 0], (3, 1)), np.ones(3, bool), np.ones(3, bool), "image")
