"""What an evaluation can be told: protocols, probes, conditions, coverage."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, r2_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from astroclip_kit import metrics
from astroclip_kit.downstream import knn, probes
from astroclip_kit.downstream.evaluation import evaluate
from astroclip_kit.downstream.held_out import by_neighbours
from astroclip_kit.downstream.space import Space
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Evaluation

rng = np.random.default_rng(0)
QUICK = Evaluation(n_boot=2)
ANGLE = "circular(angle_deg, 180)"


class Features:
    """What `evaluate` needs of a FeatureSet."""

    names = ("image", "spectrum")

    def __init__(self, sky, broken=0):
        self.object_ids, self.groups = sky.object_ids, sky.groups
        self.matrices = {name: 10 * sky.vectors(0.2, seed) + 1 for name, seed in (("image", 5), ("spectrum", 6))}
        self.matrices["image"][:broken] = np.nan

    def matrix(self, name):
        return self.matrices[name]

    def present(self, name):
        return np.ones(len(self.object_ids), bool)


def pick(results, **wanted):
    found = [one for one in results if all(getattr(one, key) == value for key, value in wanted.items())]
    assert len(found) == 1, f"{len(found)} results for {wanted}"
    return found[0]


def both(name, **more):
    return {"query": name, "target": name, **more}


@pytest.mark.parametrize(
    ("protocol", "k", "scaler"),
    [("astroclip-k16", 16, False), pytest.param("astroclip-k64", 64, True, marks=pytest.mark.slow)],
)
def test_the_protocols_of_astroclip_are_those_of_scikit_learn(sky, sky_store, protocol, k, scaler):
    def fitted(model):
        return make_pipeline(StandardScaler(), model) if scaler else model

    how = Evaluation(protocol=protocol, n_boot=2)
    results = evaluate(sky_store, ["z", "class"], features=Features(sky), settings=how)
    memory, asked = sky.split != "test", sky.split == "test"
    for space in (Space.aligned(sky_store), Space.unaligned(Features(sky), sky_store)):
        predictions = {(one.query, one.target): one for one in by_neighbours(space, "z", **how.neighbours)}
        for name, vectors in space.vectors.items():
            vectors = vectors.astype(float)
            model = fitted(KNeighborsRegressor(k, weights="distance")).fit(vectors[memory], sky.z[memory])
            said = model.predict(vectors[asked])
            np.testing.assert_allclose(predictions[name, name].value, said, rtol=1e-4)
            one = pick(results, **both(name), property="z", metric="r2", space=space.name)
            assert one.value == pytest.approx(r2_score(sky.z[asked], said), abs=1e-4)
            model = fitted(KNeighborsClassifier(k, weights="distance")).fit(vectors[memory], sky.kind[memory])
            expected = brier_score_loss(sky.kind[asked], model.predict_proba(vectors[asked]), labels=model.classes_)
            one = pick(results, **both(name), property="class", metric="brier", space=space.name)
            assert one.value == pytest.approx(expected, abs=1e-4)


def test_probes_stand_beside_the_nearest_neighbours(sky, sky_store, monkeypatch):
    monkeypatch.setattr(probes, "EPOCHS", 12)  # enough for so little
    monkeypatch.setattr(probes, "STRENGTHS", (0.1, 1.0))
    settings = Evaluation(k=8, probes=True, n_boot=30)
    results = evaluate(sky_store, ["z", "class", ANGLE], features=Features(sky), settings=settings)
    for task in ("probe_linear", "probe_mlp"):
        found = [one for one in results if one.task == task]
        assert {(one.space, one.query, one.target) for one in found} == {
            (space, name, name) for space in ("aligned", "features") for name in ("image", "spectrum", "image+spectrum")
        }
        about = both("spectrum", task=task, space="aligned")
        one = pick(found, **about, property="z", metric="r2")
        assert one.value > 0.8 and one.low < one.value < one.high and one.n == 240 and abs(one.chance) < 0.1
        assert pick(found, **about, property=ANGLE, metric="r2").value > 0.8
        assert pick(found, **about, property="class", metric="accuracy").value > 0.7
        one = pick(found, **about, property="class", metric="brier")
        assert one.low < one.value < one.high < one.chance
        assert np.isnan(pick(found, **about, property="class", metric="ece").chance)


def test_a_constant_label_and_one_class_have_no_probes_and_no_r2(sky, tmp_path):
    store = sky.write(tmp_path / "s", mass=np.ones(sky.count), type=np.full(sky.count, "STAR"))
    results = evaluate(store, ["mass", "type"], settings=Evaluation(k=4, probes=True, n_boot=2))
    assert not [one for one in results if one.task.startswith("probe")]
    assert np.isnan(pick(results, **both("image"), property="mass", metric="r2").value)
    assert pick(results, **both("image"), property="mass", metric="nmad").value == 0
    one = pick(results, **both("image"), property="type", metric="accuracy")
    assert one.value == one.chance == 1


def test_a_condition_holds_for_those_who_are_judged_and_for_the_memory(sky, sky_store):
    settings = Evaluation(k=8, where="zwarning == 0", n_boot=5)
    results = evaluate(sky_store, ["z"], features=Features(sky), settings=settings)
    good = sky_store.labels["zwarning"] == 0
    judged, memory = (pick(results, **both("image"), task="selection", metric=name) for name in ("judged", "memory"))
    asked, rows = np.flatnonzero(good & (sky.split == "test")), np.flatnonzero(good & (sky.split != "test"))
    assert judged.property == memory.property == "zwarning == 0"
    assert (judged.value, judged.n) == (len(asked), 240) and (memory.value, memory.n) == (len(rows), 960)
    for space in ("aligned", "features", "supervised"):
        assert pick(results, **both("image"), property="z", metric="r2", space=space).n == len(asked)
    assert pick(results, **both("image"), metric="uniformity").n == len(asked)
    z = sky_store.vectors("image")
    said = knn.predict(z[rows], sky.z[rows], z[asked], k=8).value
    one = pick(results, **both("image"), property="z", metric="r2", space="aligned")
    assert one.value == metrics.r2(sky.z[asked], said)
    with pytest.raises(InputError, match=r"has 0 held-out and 0 other objects; both are needed with z > 5\. Choose"):
        evaluate(sky_store, settings=Evaluation(where="z > 5"))
    with pytest.raises(UsageError, match="where 'mass > 5'"):
        evaluate(sky_store, settings=Evaluation(where="mass > 5"))


def test_angles_are_judged_the_short_way_round(sky, tmp_path):
    turned = sky.angle * 0.2  # from 0 to 36, and then around zero, where they jump by 180 degrees
    store = sky.write(tmp_path / "s", angle_deg=(turned - 18) % 180)
    results = evaluate(store, [ANGLE, "angle_deg"], settings=Evaluation(k=8, n_boot=5))
    one = pick(results, **both("spectrum"), property=ANGLE, metric="r2")
    assert one.value > 0.6 > 0.1 > abs(one.chance)
    [found] = [o for o in by_neighbours(Space.aligned(store), ANGLE, k=8) if o.query == o.target == "spectrum"]
    off = np.abs((found.value - found.true + 90) % 180 - 90)
    one = pick(results, **both("spectrum"), property=ANGLE, metric="nmad")
    assert one.value == pytest.approx(1.4826 * np.median(off), rel=0.2) and one.chance > 2 * one.value
    assert pick(results, **both("spectrum"), property="angle_deg", metric="nmad").value > 0


def test_coverage_is_counted_within_each_modality(sky_store):
    results = evaluate(sky_store, ["z", "class"], settings=Evaluation(k=8, coverage=0.8, n_boot=2))
    for name in ("image", "spectrum"):
        for wanted in ("z", "class"):
            one = pick(results, **both(name), task="coverage", property=wanted, metric="coverage@0.8")
            assert one.low <= one.value <= one.high and 0.65 < one.value < 0.98 and one.seed == 4


def test_other_observations_of_held_out_objects_are_no_memory(tmp_path):
    groups = np.repeat(np.arange(100), 2).astype(str)
    split = np.tile(["train", "test"], 100)  # one observation of each object is held out
    split[:80] = "train"
    vectors, ids = {"a": rng.normal(size=(200, 3))}, np.arange(200).astype(str)
    store = EmbeddingStore.write(tmp_path / "s", vectors, ids, catalog={"group": groups, "split": split})
    space = Space.aligned(store)
    assert len(space.rows("a", held_out=True)) == 60 and len(space.rows("a", held_out=False)) == 80


def test_vectors_that_are_not_finite_are_named(sky, sky_store, tmp_path):
    with pytest.raises(InputError, match="features of image: 3 of 1200 vectors hold NaN or infinity"):
        evaluate(sky_store, ["z"], features=Features(sky, broken=3), settings=QUICK)
    split = {"split": ["train", "train", "test"]}
    store = EmbeddingStore.write(tmp_path / "s", {"a": np.eye(3)}, list("abc"), catalog=split)
    np.save(store.root / "a.npy", np.array([[1, 0, 0], [np.nan, 0, 0], [0, 0, 1]], np.float32))
    with pytest.raises(InputError, match="embeddings of a: 1 of 3 vectors hold NaN"):
        evaluate(store, settings=QUICK)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"protocol": "v3"}, "protocol is 'v3', expected one of kit, astroclip-k16, astroclip-k64"),
        ({"protocol": "astroclip-k64", "k": 8}, "protocol astroclip-k64 has k = 64, found 8. Leave one of them out"),
        ({"coverage": 0.2}, "coverage is 0.2, expected 0.5 to below 1"),
        ({"n_boot": 0}, "n_boot is 0, expected at least one resample"),
        ({"seed": -1}, "seed is -1, expected 0 or more"),
    ],
)
def test_settings_that_mean_nothing_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        Evaluation(**values)


def test_properties_are_predicted_from_the_mean_where_it_is_asked_for(sky_store):
    plain = evaluate(sky_store, ["z"], settings=QUICK)
    found = evaluate(sky_store, ["z"], settings=Evaluation(n_boot=2, mean=True))
    more = [one for one in found if one.query == "mean"]
    assert [one.metric for one in more] == ["r2", "nmad", "outlier_fraction"] and len(found) == len(plain) + 3
    assert pick(more, metric="r2").value > pick(found, metric="r2", task="regression", **both("image")).value
    space = Space.of(sky_store).with_mean(sky_store)
    assert space.names == ["image", "spectrum"] and space.with_mean(sky_store) is space
    assert "mean" not in space.centred().vectors


def test_shots_judge_classes_by_few_examples(sky_store):
    found = evaluate(sky_store, ["z", "class"], settings=Evaluation(n_boot=2, shots="1,all", draws=3))
    few = [one for one in found if one.task.startswith("few_shot_")]
    assert {one.task for one in few} == {"few_shot_centroid", "few_shot_knn", "few_shot_1nn"}
    assert {one.metric for one in few if "bal" not in one.metric} == {"accuracy@1", "accuracy@all"}
    assert {one.property for one in few} == {"class"} and {one.query for one in few} >= {"mean", "vote"}
    with pytest.raises(UsageError, match="shots are of classes, and none of z is one"):
        evaluate(sky_store, ["z"], settings=Evaluation(n_boot=2, shots=[5]))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"shots": "1,few"}, "shots: expected numbers of examples such as 1,5,10,all, found 'few'"),
        ({"draws": 0}, "draws is 0"),
    ],
)
def test_shots_that_mean_nothing_are_refused(how, message):
    with pytest.raises(UsageError, match=message):
        Evaluation(**how)
