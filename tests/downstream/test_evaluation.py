import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import f1_score

from astroclip_kit import metrics
from astroclip_kit.downstream import evaluation, knn
from astroclip_kit.downstream import space as space_module
from astroclip_kit.downstream.evaluation import evaluate
from astroclip_kit.downstream.held_out import by_supervision
from astroclip_kit.downstream.space import Space
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.results import SHARES
from astroclip_kit.settings import Evaluation

N = 400
QUICK = Evaluation(n_boot=2)
rng = np.random.default_rng(0)
Z = rng.uniform(0.01, 1, N)
KIND = np.where(Z < 0.7, "GALAXY", "QSO")
SPLIT = np.where(np.arange(N) < 300, "train", "test")


def latent(noise, seed):
    """Vectors that know the redshift, in a space that both modalities share."""
    return np.stack([np.cos(2 * Z), np.sin(2 * Z)], 1) + noise * np.random.default_rng(seed).normal(size=(N, 2))


class Features:
    """What `evaluate` needs of a FeatureSet: features of the same objects, in unrelated dimensions."""

    object_ids = np.array([f"o{i}" for i in range(N)])[::-1]
    groups = object_ids
    names = ("image", "spectrum")
    matrices = {  # noqa: RUF012
        "image": np.hstack([latent(0.1, 3) * 100, rng.normal(size=(N, 1)), np.ones((N, 1))])[::-1],
        "spectrum": latent(0.05, 4)[::-1],
    }

    def matrix(self, name):
        return self.matrices[name].astype(np.float16)

    def present(self, name):
        return np.ones(N, bool)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    labels = {"z": np.where(np.arange(N) % 50 == 1, np.nan, Z), "class": KIND}
    return EmbeddingStore.write(
        tmp_path_factory.mktemp("space") / "space",
        {"image": latent(0.02, 1), "spectrum": latent(0.01, 2)},
        [f"o{i}" for i in range(N)],
        present={"image": np.arange(N) % 10 != 0},
        catalog={"split": SPLIT},
        labels=labels,
        values={"dataset": "ring", "origin": "mock", "seed": 5},
    )


@pytest.fixture(scope="module")
def results(store):
    return evaluate(store, ["z", "class", "log10(z)"], features=Features(), settings=Evaluation(k=8, n_boot=60))


def pick(results, **wanted):
    found = [one for one in results if all(getattr(one, key) == value for key, value in wanted.items())]
    assert len(found) == 1, f"{len(found)} results for {wanted}"
    return found[0]


def test_every_pair_metric_and_space_is_there_once(results):
    keys = [(one.task, one.query, one.target, one.property, one.metric, one.space) for one in results]
    assert len(set(keys)) == len(keys)
    assert {one.space for one in results} == {"aligned", "features", "supervised"}
    aligned = {(one.query, one.target) for one in results if one.property == "z" and one.space == "aligned"}
    both = "image+spectrum"
    assert aligned == {
        ("image", "image"),
        ("image", "spectrum"),
        ("spectrum", "image"),
        ("spectrum", "spectrum"),
        (both, both),
    }
    features = {(one.query, one.target) for one in results if one.property == "z" and one.space == "features"}
    assert features == {("image", "image"), ("spectrum", "spectrum"), (both, both)}
    assert {one.metric for one in results if one.property == "z"} == {"r2", "nmad", "outlier_fraction"}
    assert {one.metric for one in results if one.property == "log10(z)"} == {"r2", "nmad"}
    classes = {"accuracy", "balanced_accuracy", "macro_f1", "ece", "brier"}
    assert {one.metric for one in results if one.property == "class"} == classes


def test_every_result_says_where_it_comes_from(results):
    for one in results:
        assert (one.dataset, one.origin, one.seed) == ("ring", "mock", 5)
        assert one.low <= one.value <= one.high or one.metric in ("median_rank", "nmad", "r2")


def test_retrieval_is_among_held_out_objects(results):
    one = pick(results, task="retrieval", query="image", target="spectrum", metric="recall@10")
    assert one.n == 90 and one.chance == pytest.approx(0.1) and one.value > 0.5
    assert pick(results, task="retrieval", query="spectrum", target="image", metric="recall@10").n == 90
    assert not [one for one in results if one.task == "retrieval" and one.query == one.target]  # nobody seen twice


def test_memory_is_training_objects_and_queries_are_held_out(results, store):
    one = pick(results, query="image", target="spectrum", property="z", metric="r2")
    z = store.labels["z"]
    asked = np.flatnonzero(store.present("image") & (SPLIT == "test") & np.isfinite(z))
    memory = np.flatnonzero(SPLIT == "train")
    said = knn.predict(store.vectors("spectrum")[memory], z[memory], store.vectors("image")[asked], k=8)
    assert one.value == metrics.r2(z[asked], said.value) and one.n == len(asked) == 88
    assert one.value > 0.9 and abs(one.chance) < 0.1


def test_the_majority_stands_beside_every_class_metric(results):
    guess = DummyClassifier().fit(Z[:300, None], KIND[:300]).predict(Z[300:, None])
    about = {"query": "spectrum", "target": "spectrum", "property": "class", "space": "aligned"}
    assert pick(results, **about, metric="accuracy").chance == np.mean(guess == KIND[300:])
    assert pick(results, **about, metric="balanced_accuracy").chance == 0.5
    assert pick(results, **about, metric="macro_f1").chance == pytest.approx(
        f1_score(KIND[300:], guess, average="macro")
    )


def test_unaligned_features_are_matched_by_id_and_standardised(results):
    about = {"query": "image", "target": "image", "property": "z", "metric": "r2"}
    assert pick(results, **about, space="features").value > 0.6  # a constant column and one of noise do no harm
    assert pick(results, **about, space="supervised").value > 0.8


def test_pooled_rows_get_the_mean_of_their_observations(tmp_path):
    class Visits(Features):
        groups = np.repeat([f"g{i}" for i in range(N // 2)], 2)

    groups = [f"g{i}" for i in range(N // 2)]
    split = np.where(np.arange(N // 2) < 100, "train", "test")
    store = EmbeddingStore.write(
        tmp_path / "s", {"spectrum": np.ones((N // 2, 2))}, groups, catalog={"split": split}, values={"pool": "group"}
    )
    space = Space.unaligned(Visits(), store)
    raw = Features().matrix("spectrum").astype(np.float32).reshape(-1, 2, 2).mean(axis=1)
    expected = (raw - raw[:100].mean(0)) / raw[:100].std(0) / np.sqrt(2)
    np.testing.assert_allclose(space.vectors["spectrum"], expected, atol=1e-5)


def test_what_is_always_right_is_not_certain(tmp_path):
    side = np.arange(80) % 2
    catalog = {"split": np.where(np.arange(80) < 40, "train", "test"), "group": np.repeat(np.arange(40), 2).astype(str)}
    labels = {"z": np.full(80, 0.2) + 1e-3 * side, "class": np.array(["QSO", "STAR"])[side]}
    z = np.eye(2)[side] + 1e-3 * np.arange(80)[:, None]
    store = EmbeddingStore.write(
        tmp_path / "s", {"a": z, "b": z}, np.arange(80).astype(str), catalog=catalog, labels=labels
    )
    found = evaluate(store, ["z", "class"], settings=Evaluation(k=1, n_boot=5))
    shares = [one for one in found if one.property and one.metric in SHARES]
    assert {one.metric for one in shares} == {"accuracy", "balanced_accuracy", "macro_f1", "outlier_fraction", "ece"}
    for one in shares:
        assert one.value == float(one.metric not in ("outlier_fraction", "ece"))
        trials = 40 if one.metric in ("balanced_accuracy", "macro_f1") else 20  # twenty of each class; forty rows
        assert (one.low, one.high) == metrics.wilson(one.value, trials)


def test_objects_seen_twice_are_retrieved_within_a_modality(tmp_path):
    z = rng.normal(size=(60, 8))
    twice = np.repeat(z, 2, axis=0) + 0.1 * rng.normal(size=(120, 8))
    groups, split = np.repeat(np.arange(60).astype(str), 2), np.repeat(["train", "test"], 60)
    ids = [f"visit{i}" for i in range(120)]
    store = EmbeddingStore.write(tmp_path / "s", {"spectrum": twice}, ids, catalog={"group": groups, "split": split})
    one = pick(evaluate(store, settings=QUICK), query="spectrum", target="spectrum", metric="recall@1")
    assert one.n == 60 and one.value > 0.9 and one.chance == pytest.approx(1 / 59)


def test_a_constant_feature_says_nothing_however_it_is_rounded():
    vectors = np.full((1000, 2), 0.1, np.float32)
    vectors[:, 1] = np.random.default_rng(0).normal(size=1000)
    scaled = space_module._standardised(vectors, np.arange(1000) < 700)
    assert not scaled[:, 0].any() and scaled[:700, 1].std() == pytest.approx(0.5**0.5, rel=1e-4)


def test_a_class_of_one_object_among_many_does_not_stop_the_supervised_reference():
    count = 10_200
    vectors = np.random.default_rng(0).normal(size=(count, 1)).astype(np.float32)
    kind = np.where(vectors[:, 0] > 0, "QSO", "STAR").astype("<U6")
    kind[5] = "BLAZAR"
    split = np.where(np.arange(count) < count - 100, "train", "test")
    space = Space("features", {"image": vectors}, {"image": np.ones(count, bool)}, split, split, {"class": kind}, {})
    [found] = by_supervision(space, "class")
    assert metrics.accuracy(found.true, found.value) > 0.95


def test_a_coverage_that_cannot_be_calibrated_is_refused_before_anything_is_computed(store, monkeypatch):
    monkeypatch.setattr(evaluation, "retrieval_results", lambda *_, **__: pytest.fail("computed in vain"))
    with pytest.raises(InputError, match=r"z: a coverage of 0.99 takes at least 100 objects for calibration"):
        evaluate(store, ["z"], settings=Evaluation(k=4, n_boot=2, coverage=0.99))


def test_what_cannot_be_measured_says_why(store, tmp_path):
    with pytest.raises(UsageError, match="no property 'mass' among the labels: z, class"):
        evaluate(store, ["mass"])
    with pytest.raises(UsageError, match="'class' is text and has no logarithm"):
        evaluate(store, ["log10(class)"], settings=QUICK)
    with pytest.raises(InputError, match=r"z of image from image of training objects: k: expected 1 to 26\d"):
        evaluate(store, ["z"], settings=Evaluation(k=1000, n_boot=2))
    everyone = {"split": ["train"] * 3}
    lonely = EmbeddingStore.write(tmp_path / "s", {"a": np.eye(3)}, list("abc"), catalog=everyone)
    with pytest.raises(InputError, match="0 held-out and 3 other objects"):
        evaluate(lonely)
    labels = {"z": [1.0, 2.0, np.nan]}
    unknown = {"split": ["train", "train", "test"]}
    store = EmbeddingStore.write(tmp_path / "t", {"a": np.eye(3)}, list("abc"), catalog=unknown, labels=labels)
    with pytest.raises(InputError, match="'z' is known for no held-out object"):
        evaluate(store, ["z"], settings=Evaluation(k=1))
    other = EmbeddingStore.write(tmp_path / "u", {"image": np.eye(3)}, list("abc"), catalog=unknown)
    with pytest.raises(InputError, match="share no object"):
        evaluate(other, features=Features(), settings=QUICK)
