"""Planted oddities are found and called by their name, and what cannot be judged is said."""

import numpy as np
import pytest
from astropy.table import Table
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from astroclip_kit.downstream import find_anomalies, measure_detection
from astroclip_kit.downstream.anomalies import SCORES
from astroclip_kit.downstream.mislabels import label_scores
from astroclip_kit.downstream.oddness import disagreement, isolation, nearest_others, tails
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings.oddities import Oddness

N, PLANTED = 500, 20
rng = np.random.default_rng(0)
CLASSES = np.array(["GALAXY", "QSO", "STAR"])
TRUE = np.arange(N) % 3
IMAGE = 6 * np.eye(12)[TRUE] + rng.normal(size=(N, 12))
SPECTRUM = IMAGE + 0.3 * rng.normal(size=(N, 12)) + 9 * np.eye(12)[11]
IMAGE[:PLANTED] = 15 * rng.normal(size=(PLANTED, 12))  # odd: nowhere near a class
SPECTRUM[:PLANTED] = IMAGE[:PLANTED] + 9 * np.eye(12)[11]
SPECTRUM[20:30] = np.roll(SPECTRUM[20:30], 1, axis=0)  # of another object
LABEL = CLASSES[TRUE].copy()
LABEL[30:50] = CLASSES[(TRUE[30:50] + 1) % 3]  # mislabelled
IDS = np.array([f"o{i}" for i in range(N)])


def write(root, labels=None, ids=IDS, **more):
    labels = {"class": LABEL, "z": rng.random(N)} if labels is None else labels
    values = {"dataset": "plants", "origin": "mock", "seed": 3}
    return EmbeddingStore.write(root, {"image": IMAGE, "spectrum": SPECTRUM}, ids, labels=labels, values=values, **more)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write(tmp_path_factory.mktemp("odd") / "space")


@pytest.fixture(scope="module")
def table(store):
    return find_anomalies(store, label="class")


def rows(table):
    """Number in the store of each row of the table."""
    return np.array([int(one[1:]) for one in table["object_id"]])


def test_planted_artifacts_are_found(table):
    for by in ("score", "neighbours", "class_distance", "isolation"):
        planted = rows(table) < PLANTED
        keep = planted | (rows(table) >= 50)
        auc, recall = measure_detection(table[keep], planted[keep], by=by, what="artifact", n_boot=200)
        assert auc.value > 0.95 and recall.value >= 0.8, by
        assert recall.low <= recall.value <= recall.high and recall.n == N - 30
        assert (auc.task, auc.property, auc.origin, auc.dataset) == ("anomaly", f"artifact by {by}", "mock", "plants")
        assert auc.chance == 0.5 and recall.chance == pytest.approx(PLANTED / (N - 30))


def test_all_of_few_that_were_found_are_no_certainty():
    table = Table({"object_id": list("abcdef"), "group": list("aabcde"), "score": [9.0, 8, 3, 2, 1, 0]})
    recall = measure_detection(table, [True, True, False, False, False, False], n_boot=20)[1]
    assert recall.value == recall.high == 1 and recall.low == pytest.approx(1 / (1 + 1.959964**2))  # one object, twice


def test_mislabels_are_found_and_the_right_class_is_suggested(table):
    at = rows(table)
    wrong = (at >= 30) & (at < 50)
    ordinary = wrong | (at >= 50)
    for by in ("score", "label_centroid", "label_neighbours"):
        auc, recall = measure_detection(table[ordinary], wrong[ordinary], by=by, what="mislabel", n_boot=200)
        assert auc.value > 0.95 and recall.value >= 0.9, by
    assert set(table["kind"][wrong]) == {"mislabelled"}
    assert table["suggested"][wrong].tolist() == CLASSES[TRUE[at[wrong]]].tolist()
    assert (
        set(table["by"][wrong]) <= {"label_odds", "label_centroid", "label_neighbours"}
        and (table["suggested_share"][wrong] > 0.5).all()
    )
    first = table[wrong][0]
    assert first["reason"].startswith(f"labelled {first['class']}, ") and first["reason"].endswith(first["suggested"])
    assert (table["kind"][at < 20] == "odd").mean() > 0.8


def test_what_is_broken_is_not_explained_by_its_label(tmp_path):
    own = np.random.default_rng(5)
    broken, wrong = np.arange(50, 54), np.arange(60, 70)
    image = 6 * np.eye(12)[TRUE] + own.normal(size=(N, 12))
    image[broken] = 5 * np.eye(12)[(TRUE[broken] + 1) % 3] + 12 * np.eye(12)[4 + np.arange(4)]  # alone, another's side
    label = CLASSES[TRUE].copy()
    label[wrong] = CLASSES[(TRUE[wrong] + 1) % 3]
    store = EmbeddingStore.write(tmp_path / "s", {"image": image}, IDS, labels={"class": label})
    table = find_anomalies(store, label="class")
    at = rows(table)
    corrupt, mislabelled = np.isin(at, broken), np.isin(at, wrong)
    assert "odd or mislabelled" in set(table["kind"][corrupt]) <= {"odd", "odd or mislabelled"}
    assert set(table["by"][corrupt]) <= {"neighbours", "isolation", "class_distance"}
    assert (table["kind"][mislabelled] == "mislabelled").mean() >= 0.9
    assert all("labelled" not in one for one in table["reason"][corrupt])
    assert (table["rank"][corrupt | mislabelled] <= 50).all()


def test_the_views_of_two_objects_do_not_agree(table):
    swapped = (rows(table) >= 20) & (rows(table) < 30)
    keep = swapped | (rows(table) >= 50)
    for by in ("disagreement", "disagreement_rank"):
        assert measure_detection(table[keep], swapped[keep], by=by, n_boot=50)[0].value > 0.9
    assert "its image and spectrum disagree" in set(table["reason"])


def test_the_table_is_ranked_with_every_score_beside_its_percentile(table):
    assert table["rank"].tolist() == list(range(1, N + 1)) and (np.diff(table["score"]) <= 0).all()
    for name in SCORES:
        order = np.argsort(table[name])
        assert (np.diff(np.asarray(table[f"{name}_percentile"])[order]) >= 0).all()
        assert 0 < table[f"{name}_percentile"].min() and table[f"{name}_percentile"].max() < 100
    assert table["ra"].unit == "deg" and set(table["by"]) <= set(SCORES)


def test_some_scores_some_objects_and_the_same_again(store):
    keep = np.arange(N) >= 10
    one, two = (find_anomalies(store, on="spectrum", rows=keep, scoring=Oddness("neighbours, isolation")) for _ in "ab")
    assert len(one) == N - 10 and one["object_id"].tolist() == two["object_id"].tolist()
    assert "disagreement" not in one.colnames and "class" not in one.colnames
    np.testing.assert_array_equal(one["isolation"], two["isolation"])
    assert set(one["kind"]) == {"odd"}


def test_scores_against_a_plain_computation():
    z = IMAGE[:60] / np.linalg.norm(IMAGE[:60], axis=1, keepdims=True)
    groups = np.arange(60) // 2
    foreign = groups[:, None] != groups
    distance = np.where(foreign, 1 - z @ z.T, np.inf)
    np.testing.assert_allclose(nearest_others(z, groups, 5)[1].mean(1), np.sort(distance, 1)[:, :5].mean(1), atol=1e-6)
    found = label_scores(z, LABEL[:60], groups, 5)
    for i in (0, 33, 59):
        own = z[(LABEL[:60] == LABEL[i]) & foreign[i]].sum(0)
        assert found.class_distance[i] == pytest.approx(1 - z[i] @ own / np.linalg.norm(own), abs=1e-6)
    a, b = (m[:60] / np.linalg.norm(m[:60], axis=1, keepdims=True) for m in (IMAGE, SPECTRUM))
    a, b = a - a.mean(0), b - b.mean(0)
    a, b = a / np.linalg.norm(a, axis=1, keepdims=True), b / np.linalg.norm(b, axis=1, keepdims=True)
    one, other = (m[:60] / np.linalg.norm(m[:60], axis=1, keepdims=True) for m in (IMAGE, SPECTRUM))
    differ, rank = disagreement(one, other, groups)
    np.testing.assert_allclose(differ, 1 - (a * b).sum(1), atol=1e-5)
    nearer = (a @ b.T > (a * b).sum(1)[:, None]) & foreign
    np.testing.assert_allclose(rank, nearer.sum(1) / foreign.sum(1), atol=1e-6)
    assert isolation(np.vstack([np.zeros((200, 3)) + 0.01 * rng.normal(size=(200, 3)), [[5, 5, 5]]])).argmax() == 200


def test_another_visit_of_the_same_object_is_no_neighbour(tmp_path):
    groups = np.array([f"g{i // 2}" for i in range(N)])
    store = EmbeddingStore.write(
        tmp_path / "s", {"image": np.repeat(IMAGE[::2], 2, axis=0)}, IDS, catalog={"group": groups}
    )
    assert find_anomalies(store, scoring=Oddness("neighbours", k=1))["neighbours"].min() > 1e-4


def test_detection_by_definition():
    score, truth = rng.normal(size=300).round(1), rng.random(300) < 0.1
    table = Table({"object_id": IDS[:300], "group": IDS[:300], "score": score})
    auc, recall = measure_detection(table, truth, n_boot=100, seed=1)
    assert auc.value == pytest.approx(roc_auc_score(truth, score))
    assert 0 <= recall.value <= 1 and auc.low < auc.value < auc.high
    np.testing.assert_allclose(tails(score), (rankdata(-score) - 0.5) / 300)
    missing = table.copy()
    missing["score"][0] = np.nan
    assert measure_detection(missing, truth, n_boot=5)[0].n == 299


def test_objects_without_a_label_or_a_modality(tmp_path):
    few = np.where(np.arange(N) < 60, LABEL, "")
    store = write(tmp_path / "s", {"class": few}, present={"spectrum": np.arange(N) >= 100})
    table = find_anomalies(store, label="class")
    assert table.meta["notes"] == ["class: known for 60 of 500 objects; the others are judged without it"]
    unlabelled = np.asarray(table["class"]) == ""
    assert np.isnan(table["label_centroid"][unlabelled]).all() and (table["kind"][unlabelled] == "odd").all()
    assert np.isnan(table["disagreement"][rows(table) < 100]).all() and np.isfinite(table["score"]).all()
    assert len(find_anomalies(store, on="spectrum")) == N - 100
    lonely = write(tmp_path / "t", present={"spectrum": np.arange(N) < 3})
    assert "spectrum was not compared with image: 3 objects have both" in find_anomalies(lonely).meta["notes"]
    rare = write(tmp_path / "u", {"class": np.where(np.arange(N) < 8, LABEL, "")})
    told = find_anomalies(rare, label="class")
    assert "class is known for 8 objects alone, too few for 10 neighbours" in told.meta["notes"]
    assert (
        "label_centroid" not in told.colnames
        and told["object_id"].tolist() == find_anomalies(rare)["object_id"].tolist()
    )


def test_one_class_cannot_be_mislabelled(tmp_path):
    store = write(tmp_path / "s", {"class": np.full(N, "STAR")})
    table = find_anomalies(store, label="class")
    assert table.meta["notes"] == ["class is STAR for all objects, so nothing can be mislabelled"]
    assert set(table["kind"]) == {"odd"} and "label_centroid" not in table.colnames
    with pytest.raises(UsageError, match="none of label_centroid can be computed here: class is STAR"):
        find_anomalies(store, label="class", scoring=Oddness("label_centroid"))
    with pytest.raises(InputError, match="at least two classes, found 1"):
        label_scores(IMAGE, np.full(N, "STAR"), IDS)


@pytest.mark.parametrize(
    ("labels", "label", "error", "match"),
    [
        ({"class": LABEL}, "kind", UsageError, "no label 'kind'; there is class"),
        ({"kind": LABEL}, "kind", UsageError, "label 'kind' has the name of a column of the answer"),
        ({"z": np.arange(N)}, "z", UsageError, "label 'z' is a number; expected the name of a class"),
        ({"class": np.full(N, "")}, "class", InputError, "label 'class' is known for none of 500 objects"),
        ({"name": IDS}, "name", InputError, "label 'name' has 500 values for 500 objects"),
    ],
)
def test_labels_that_are_no_classes(tmp_path, labels, label, error, match):
    with pytest.raises(error, match=match):
        find_anomalies(write(tmp_path / "s", labels), label=label)


def test_what_cannot_be_computed(store, tmp_path):
    with pytest.raises(UsageError, match="no score 'distance'; there is: neighbours, isolation"):
        find_anomalies(store, scoring=Oddness(["distance"]))
    with pytest.raises(UsageError, match="no modality 'radio'"):
        find_anomalies(store, on="radio")
    with pytest.raises(UsageError, match="none of class_distance can be computed here: give a label"):
        find_anomalies(store, scoring=Oddness(["class_distance"]))
    with pytest.raises(InputError, match=r"k: expected 1 to 499 \(image of other objects\), found 500"):
        find_anomalies(store, scoring=Oddness(k=500))
    with pytest.raises(InputError, match="k: expected 1 to 0"):
        find_anomalies(store, rows=np.zeros(N, bool))
    with pytest.raises(UsageError, match="expected k of 1 or more and a seed of 0 or more, found 0 and 0"):
        Oddness(k=0)
    damaged = write(tmp_path / "s")
    broken = np.load(damaged.root / "image.npy")
    broken[3] = np.nan
    np.save(damaged.root / "image.npy", broken)
    with pytest.raises(InputError, match="embeddings of image: 1 of 500 vectors hold NaN or infinity"):
        find_anomalies(damaged)
    with pytest.raises(InputError, match="expected at least 2 objects that have both modalities, found 1"):
        disagreement(IMAGE[:1], SPECTRUM[:1], ["a"])


def test_detection_refuses_what_it_cannot_measure(table):
    with pytest.raises(UsageError, match="the table has no score 'novelty'; it has object_id"):
        measure_detection(table, np.zeros(N, bool), by="novelty")
    with pytest.raises(InputError, match=r"planted: expected one flag for each of 500 rows, found shape \(3,\)"):
        measure_detection(table, [True] * 3)
    with pytest.raises(InputError, match="trail: expected some planted and some other objects, found 0 of 500"):
        measure_detection(table, np.zeros(N, bool), what="trail")
