"""Classes from few examples, and where the classes lie: against what is known of vectors that are made for it."""

import numpy as np
import pytest

from astroclip_kit.downstream import class_centroids, few_shot
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Evaluation

N = 240
KINDS = np.array(["EB", "EW", "SR"])
TRUE = np.arange(N) % 4 % 3  # EB is as frequent as both others
QUICK = Evaluation(n_boot=100)


def write(root, noise=(0.3, 0.6), seed=0, **more):
    rng = np.random.default_rng(seed)
    vectors = {
        name: np.eye(8)[TRUE + 3 * (name == "spectrum")] + amount * rng.normal(size=(N, 8))
        for name, amount in zip(("lightcurve", "spectrum"), noise, strict=True)
    }
    labels = {"class": np.where(np.arange(N) == 7, "", KINDS[TRUE])} | more.pop("labels", {})
    catalog = {"split": np.where(np.arange(N) % 5 == 4, "test", "train")} | more.pop("catalog", {})
    about = {"dataset": "kinds", "origin": "mock", "seed": 3}
    ids = [f"v{i}" for i in range(N)]
    return EmbeddingStore.write(root / "space", vectors, ids, labels=labels, catalog=catalog, values=about, **more)


@pytest.fixture
def store(tmp_path):
    return write(tmp_path)


def test_centroids_are_mean_directions_of_the_objects_that_are_not_held_out(store):
    found = class_centroids(store, "class")
    assert found.classes.tolist() == ["EB", "EW", "SR"] and list(found.directions) == ["lightcurve", "spectrum", "mean"]
    own = (store.labels["class"] == "EW") & (store.split != "test")
    for name in found.directions:
        total = store.vectors(name)[own].sum(axis=0)
        np.testing.assert_allclose(found.directions[name][1], total / np.linalg.norm(total), atol=1e-6)
        assert found.counts[name][1] == own.sum()
    across = found.similarity("lightcurve", "spectrum")
    np.testing.assert_allclose(across[0, 2], found.directions["lightcurve"][0] @ found.directions["spectrum"][2])
    assert (np.diagonal(found.similarity("mean")) > 0.999).all() and across.shape == (3, 3)
    said = found.nearest(store.vectors("lightcurve")[:20], "lightcurve")
    assert (said == KINDS[TRUE[:20]]).mean() > 0.9
    everyone = class_centroids(store, "class", "mean", rows=np.ones(N, dtype=bool))
    assert list(everyone.directions) == ["mean"] and everyone.counts["mean"].sum() == N - 1


def test_a_class_without_a_modality_has_no_centroid_there(tmp_path):
    store = write(tmp_path, present={"spectrum": TRUE != 2})
    found = class_centroids(store, "class")
    assert found.counts["spectrum"][2] == 0 and np.isnan(found.directions["spectrum"][2]).all()
    assert "SR" not in found.nearest(store.vectors("lightcurve"), "spectrum")
    with pytest.raises(UsageError, match="no centroids of 'radio'; there is lightcurve, spectrum, mean"):
        found.similarity("radio")
    with pytest.raises(InputError, match="expected finite vectors and classes with spectrum, found 2 such classes"):
        found.nearest(np.full((1, 8), np.nan), "spectrum")


def test_more_examples_and_more_modalities_help(store):
    found = {(one.query, one.metric): one for one in few_shot(store, "class", shots=[1, 10, 0], settings=QUICK)}
    assert {query for query, _ in found} == {"lightcurve", "spectrum", "mean", "vote"}
    one, many, everything = (found["spectrum", f"accuracy@{shots}"] for shots in ("1", "10", "all"))
    assert one.value < many.value <= everything.value + 0.02 and one.std > many.std and np.isnan(everything.std)
    assert found["mean", "accuracy@1"].value > one.value + 0.1
    for result in found.values():
        assert result.low <= result.value <= result.high and result.n == 48
        assert (result.task, result.property, result.origin) == ("few_shot_centroid", "class", "mock")
    assert one.chance == (TRUE[store.split == "test"] == 0).mean()
    assert found["mean", "balanced_accuracy@1"].chance == pytest.approx(1 / 3)


def test_a_single_example_is_its_centroid_and_its_only_neighbour(store):
    numbers = [
        [(one.query, one.metric, one.value) for one in few_shot(store, "class", "mean", shots=[1], **how)]
        for how in ({"method": m, "settings": QUICK, "draws": 5} for m in ("centroid", "knn", "1nn"))
    ]
    assert numbers[0] == numbers[1] == numbers[2]


def test_all_examples_by_hand(store):
    train, test = (np.flatnonzero(((store.split == "test") == side) & (store.labels["class"] != "")) for side in (0, 1))
    z = store.vectors("mean")
    nearest = train[(z[test] @ z[train].T).argmax(axis=1)]
    right = (TRUE[nearest] == TRUE[test]).mean()
    found = few_shot(store, "class", "mean", shots=[0], method="1nn", settings=QUICK)
    assert found[0].metric == "accuracy@all" and found[0].value == pytest.approx(right)


def test_examples_are_drawn_by_object_and_never_ask(tmp_path):
    groups = np.array([f"g{i // 2}" for i in range(N)])
    kinds = KINDS[np.arange(N) // 2 % 3]
    split = np.where(np.arange(N) % 8 == 0, "test", "train")  # one visit of an object, not the other
    store = write(tmp_path, catalog={"group": groups, "split": split}, labels={"pair": kinds})
    from astroclip_kit.downstream.few_examples import _Task
    from astroclip_kit.downstream.space import Space

    task = _Task.of(store, Space.aligned(store), "pair", QUICK)
    for examples in task.draws(["lightcurve", "mean"], 4, 3):
        drawn = groups[examples["mean"]]
        assert np.array_equal(examples["lightcurve"], examples["mean"]) and len(set(drawn)) == 12 and len(drawn) == 24
        assert not set(drawn) & set(groups[split == "test"])


def test_votes_count_modalities_and_ties_go_to_the_surer(tmp_path):
    store = write(tmp_path, noise=(0.05, 2.0))
    found = {
        one.query: one.value for one in few_shot(store, "class", shots=[0], settings=QUICK) if "bal" not in one.metric
    }
    assert found["spectrum"] < found["vote"] <= found["lightcurve"] == 1.0


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"shots": [500]}, InputError, "500 examples of each class of class .* fewer than two .* EB .95., EW .48."),
        ({"shots": []}, UsageError, "expected shots of 0 .all. or more and at least one draw"),
        ({"shots": [-1]}, UsageError, "expected shots of 0"),
        ({"draws": 0}, UsageError, "at least one draw"),
        ({"method": "svm"}, UsageError, "no method 'svm' for few shots; there is: centroid, knn, 1nn"),
        ({"on": "radio"}, UsageError, "has no modality 'radio'; it has lightcurve, spectrum, mean"),
        ({"label": "kind"}, UsageError, "no label 'kind'; there is class"),
        ({"label": "one"}, InputError, "expected examples of at least two classes .* found EW and 48 held-out"),
    ],
)
def test_what_cannot_be_judged_says_why(tmp_path, how, error, message):
    store = write(tmp_path, labels={"one": np.full(N, "EW")})
    with pytest.raises(error, match=message):
        few_shot(store, **{"label": "class", "settings": QUICK, **how})


def test_a_rare_class_is_left_out_of_all_numbers_and_named(tmp_path):
    kinds = np.where(np.isin(np.arange(N), [0, 1, 2, 4]), "M", KINDS[TRUE])  # one of the four is held out
    store = write(tmp_path, labels={"class": kinds})
    with pytest.warns(UserWarning, match=r"left out, with fewer than 5 examples to draw from: M \(3\)$"):
        found = few_shot(store, "class", shots=[1, 5, 0], settings=QUICK)
    rest = write(tmp_path / "rest", labels={"class": np.where(kinds == "M", "", kinds)})
    expected = few_shot(rest, "class", shots=[1, 5, 0], settings=QUICK)
    assert [(one.query, one.metric, one.value, one.n) for one in found] == [
        (one.query, one.metric, one.value, one.n) for one in expected
    ]
    assert {one.chance for one in found if "balanced" in one.metric} == {1 / 3}
    kept = few_shot(store, "class", "lightcurve", shots=[3], settings=QUICK)
    assert kept[1].chance == 1 / 4


def test_a_class_that_is_rare_in_one_modality_is_left_out_where_that_is_asked(tmp_path):
    store = write(tmp_path, present={"spectrum": (TRUE != 2) | (np.arange(N) < 12)})
    with pytest.warns(UserWarning, match=r"SR \("):
        few_shot(store, "class", shots=[10], settings=QUICK)
    assert few_shot(store, "class", "lightcurve", shots=[10], settings=QUICK)[1].chance == 1 / 3


def test_a_single_modality_has_no_vote_and_nan_is_refused(tmp_path):
    labels, split = {"class": KINDS[TRUE]}, {"split": np.where(np.arange(N) % 5, "train", "test")}
    ids, z = [f"v{i}" for i in range(N)], np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    store = EmbeddingStore.write(tmp_path / "one", {"spectrum": z}, ids, labels=labels, catalog=split)
    assert {one.query for one in few_shot(store, "class", shots=[1], settings=QUICK)} == {"spectrum"}
    with pytest.raises(UsageError, match=r"a vote takes several modalities; .* has spectrum alone"):
        few_shot(store, "class", "vote")
    z[3] = np.nan
    np.save(store.root / "spectrum.npy", z)
    for of in (few_shot, class_centroids):
        with pytest.raises(InputError, match=r"1 of [0-9]+ vectors hold NaN or infinity"):
            of(store, "class")
