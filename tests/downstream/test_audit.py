"""Wrong labels and strange members: what is planted is found and called by its name."""

import numpy as np
import pytest

from astroclip_kit.downstream import audit, label_audit
from astroclip_kit.downstream.audit import KINDS
from astroclip_kit.downstream.class_odds import class_factors, class_odds, label_odds
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError

N = 500
SHARES = np.array([0.5, 0.3, 0.14, 0.06])
KINDS_OF_STARS = np.array(["EW", "SR", "RRAB", "HADS"])
TRUE = np.repeat(np.arange(4), (SHARES * N).astype(int))
WRONG = np.array([3, 40, 99, 200, 260, 300, 390, 430, 460, 480])
FAR = np.array([120, 320, 440])


def labels():
    given = TRUE.copy()
    given[WRONG] = (TRUE[WRONG] + 1) % 4
    return KINDS_OF_STARS[given]


def write(root, seed=0, classes=None, **more):
    """Every class has two parts, apart from each other, in two modalities; some members are far from their class."""
    rng = np.random.default_rng(seed)
    part = rng.integers(0, 2, N)
    vectors = {}
    for name, noise in {"lightcurve": 0.15, "spectrum": 0.25}.items():
        z = 0.5 * np.eye(16)[TRUE] + np.eye(16)[4 + 2 * TRUE + part] + noise * rng.normal(size=(N, 16))
        z[FAR] += 3 * np.eye(16)[12 + np.arange(3)]
        vectors[name] = z
    given = labels() if classes is None else classes
    catalog = {"ra": np.linspace(0, 90, N), "dec": np.zeros(N), "split": np.full(N, "train"), **more.pop("catalog", {})}
    about = {"dataset": "stars", "origin": "mock", "seed": 5}
    ids = [f"v{i}" for i in range(N)]
    return EmbeddingStore.write(
        root / "s", vectors, ids, labels={"class": given}, catalog=catalog, values=about, **more
    )


def rows(table):
    return np.array([int(one[1:]) for one in table["object_id"]])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    present = {"spectrum": np.arange(N) % 10 != 7}
    return label_audit(write(tmp_path_factory.mktemp("audit"), present=present), "class")


def test_wrong_labels_come_first_and_the_true_class_is_suggested(table):
    first = table[np.argsort(-table["label_odds"])][: int(0.03 * N)]
    wrong = np.isin(rows(first), WRONG)
    assert wrong.sum() >= 9 and set(first["kind"][wrong]) == {"mislabelled"}
    assert first["suggested"][wrong].tolist() == KINDS_OF_STARS[TRUE[rows(first)[wrong]]].tolist()
    assert first["reason"][wrong][0] == f"labelled {first['class'][wrong][0]}, likelier {first['suggested'][wrong][0]}"
    assert (table["rank"][np.isin(rows(table), WRONG)] <= 40).mean() >= 0.9


def test_strange_members_are_no_wrong_labels(table):
    far = np.isin(rows(table), FAR)
    assert (table["kind"][far] == "in-class outlier").all() and (table["rank"][far] <= 40).all()
    assert all(one.startswith("far from other ") and "nearer" not in one for one in table["reason"][far])
    own = table[table["class"] == "EW"]
    assert (own["own_distance"][own["kind"] == "in-class outlier"] > np.percentile(own["own_distance"], 95)).all()


def test_who_is_far_and_nearer_to_another_class_is_no_in_class_outlier(tmp_path, monkeypatch):
    """Models that always take the side of the label leave wrong labels to the distances."""
    monkeypatch.setattr(audit, "label_odds", lambda shares, codes: (np.full(N, -1.0), (codes + 1) % 4))
    table = label_audit(write(tmp_path), "class")
    wrong, nearer = np.isin(rows(table), WRONG), table["nearest_distance"] < table["own_distance"]
    beyond = table["kind"] == "far, nearer to another"
    assert not nearer[table["kind"] == "in-class outlier"].any() and nearer[beyond].all()
    assert (wrong & beyond).sum() >= 3 and not (table["kind"][wrong] == "in-class outlier").any()
    one = table[wrong & beyond][0]
    assert (
        one["reason"] == f"far from other {one['class']}, nearer to {KINDS_OF_STARS[TRUE[int(one['object_id'][1:])]]}"
    )
    assert f"; {int(beyond.sum())} far, nearer to another" in table.meta["notes"][0]


def test_classes_that_are_too_small_for_outliers_are_named(tmp_path):
    given = labels()
    given[TRUE == 3] = np.where(np.arange((TRUE == 3).sum()) < 16, "HADS", "")
    table = label_audit(write(tmp_path, classes=given), "class")
    assert "too small to tell who is far from the others (fewer than 17): HADS (" in table.meta["notes"][1]
    assert not set(table["kind"][table["class"] == "HADS"]) & set(KINDS[1:3])


def test_the_table_is_ranked_and_says_what_each_modality_says(table):
    assert table["rank"].tolist() == list(range(1, N + 1)) and (np.diff(table["score"]) <= 0).all()
    assert set(table["kind"]) <= set(KINDS) and (table["kind"] == "").mean() > 0.9
    assert ((table["label_odds"] > 0) >= (table["kind"] == "mislabelled")).all()
    lacking = rows(table) % 10 == 7
    assert (table["says_spectrum"][lacking] == "").all() and (table["says_spectrum"][~lacking] != "").all()
    right = table["says_lightcurve"] == KINDS_OF_STARS[TRUE[rows(table)]]
    assert right.mean() > 0.9 and table["ra"].unit == "deg"
    assert table.meta["on"] == "mean" and "500 objects with class by their mean: " in table.meta["notes"][0]
    named = (table["nearest"] == table["class"]).any()
    assert not named and (table["nearest_distance"] <= 2).all()


def test_rare_classes_do_not_fill_the_top(table):
    told = table[table["kind"] != ""]
    assert (told["class"] == "HADS").mean() < 0.3


def test_one_modality_some_objects_and_the_same_again(tmp_path):
    store = write(tmp_path)
    one = label_audit(store, "class", "spectrum", where="ra < 45", seed=3)
    assert len(one) == 250 and one.meta["on"] == "spectrum" and "says_spectrum" not in one.colnames
    again = label_audit(store, "class", "spectrum", rows=np.arange(N) < 250, seed=3)
    assert one["object_id"].tolist() == again["object_id"].tolist()
    np.testing.assert_array_equal(one["label_odds"], again["label_odds"])


def test_the_only_object_of_a_class_is_not_judged_by_odds(tmp_path):
    given = labels()
    given[5], given[6] = "M", ""
    table = label_audit(write(tmp_path, classes=given), "class")
    only = table[table["class"] == "M"][0]
    assert len(table) == N - 1 and np.isnan(only["label_odds"]) and only["kind"] == "" and only["suggested"] == "EW"
    assert only["score"] == 0 and only["says_lightcurve"] == ""


def test_models_never_saw_the_object_nor_its_group():
    rng = np.random.default_rng(0)
    noise = np.repeat(rng.normal(size=(100, 150)), 2, axis=0)  # two visits each, and classes that mean nothing
    codes = np.repeat(rng.integers(0, 2, 100), 2)
    leaking, kept = (
        (class_odds(class_factors([noise], codes, groups), codes)[np.arange(200), codes] > 0.5).mean()
        for groups in (np.arange(200), np.arange(200) // 2)
    )
    assert leaking > 0.8 and kept < 0.6


def test_odds_are_relative_to_how_sure_a_class_usually_is():
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    odds, other = label_odds(shares, np.array([0, 0, 1, 1]))
    expected = np.log(0.6 / 0.9) - np.log(0.4 / 0.5)
    np.testing.assert_allclose(odds[2], expected)
    assert other.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"label": "kind"}, UsageError, "no label 'kind'; there is class"),
        ({"on": "radio"}, UsageError, "has no modality 'radio'; it has lightcurve, spectrum, mean"),
        ({"where": "ra < 30"}, InputError, "class is EW for all objects, so nothing can be mislabelled"),
        ({"where": "ra < -1"}, InputError, "label 'class' is known for none of 0 objects"),
    ],
)
def test_what_cannot_be_audited_says_why(tmp_path, how, error, message):
    given = labels()
    given[:200] = "EW"
    with pytest.raises(error, match=message):
        label_audit(write(tmp_path, classes=given), **{"label": "class", **how})


def test_numbers_names_and_broken_vectors_are_refused(tmp_path):
    store = write(tmp_path, classes=np.arange(N))
    with pytest.raises(UsageError, match="label 'class' is a number"):
        label_audit(store, "class")
    store = write(tmp_path, classes=[f"n{i}" for i in range(N)])
    with pytest.raises(InputError, match="has 500 values for 500 objects"):
        label_audit(store, "class")
    vectors = {"spectrum": np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)}
    ids = [f"v{i}" for i in range(N)]
    store = EmbeddingStore.write(tmp_path / "kind", vectors, ids, labels={"kind": labels()})
    with pytest.raises(UsageError, match="label 'kind' has the name of a column of the answer"):
        label_audit(store, "kind")
    vectors["spectrum"][3] = np.nan
    np.save(store.root / "spectrum.npy", vectors["spectrum"])
    with pytest.raises(InputError, match="1 of 500 vectors hold NaN"):
        label_audit(store, "kind")
