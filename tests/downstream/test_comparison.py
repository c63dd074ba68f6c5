"""Two spaces with known truth: the better one is named, equal ones are not told apart."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import false_discovery_control, norm

from astroclip_kit.downstream import compare, evaluate
from astroclip_kit.downstream.comparison import _better, _judged_together, _Line
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Evaluation

N = 400
rng = np.random.default_rng(0)
TRUTH = rng.normal(size=(N, 6))
IDS = np.array([f"o{i}" for i in range(N)])
SPLIT = np.where(np.arange(N) % 4 == 0, "test", "train")
LABELS = {
    "z": TRUTH[:, 0],
    "angle": np.degrees(np.arctan2(TRUTH[:, 0], TRUTH[:, 1])) % 180,
    "class": np.where(TRUTH[:, 1] > 0, "QSO", "STAR"),
}


def write(root, noise, seed=1, rows=slice(None), split=SPLIT, labels=LABELS, width=6, names=("image", "spectrum")):
    drawn = np.random.default_rng(seed)
    turn = np.linalg.qr(drawn.normal(size=(width, 6)))[0] if width > 6 else np.eye(6)
    vectors = {name: (TRUTH + noise * drawn.normal(size=TRUTH.shape)) @ turn.T for name in names}
    return EmbeddingStore.write(
        root,
        {name: z[rows] for name, z in vectors.items()},
        IDS[rows],
        catalog={"split": split[rows]},
        labels={name: column[rows] for name, column in labels.items()},
        values={"dataset": "toy", "origin": "mock", "model": f"m{seed}"},
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write(tmp_path_factory.mktemp("compare") / "good", 0.1)


@pytest.fixture(scope="module")
def poor(tmp_path_factory):
    return write(tmp_path_factory.mktemp("compare") / "poor", 0.8, seed=2, width=9)


def pick(table, metric, query="image", target="spectrum"):
    rows = (table["metric"] == metric) & (table["query"] == query) & (table["target"] == target)
    return table[rows][0]


def test_the_better_space_is_named(good, poor):
    table = compare(good, poor, ["z", "class", "circular(angle, 180)"], n_boot=200)
    for metric in ("recall@1", "median_rank", "r2", "nmad", "accuracy"):
        line = pick(table, metric)
        assert line["better"] == "one" and line["low"] <= line["difference"] <= line["high"], metric
        assert line["difference"] == pytest.approx(line["two"] - line["one"]) and line["n"] == 100
        assert line["one_low"] <= line["one"] <= line["one_high"]
    whole = pick(table, "recall@10")
    assert (
        whole["one"] == whole["one_high"] == 1 > whole["one_low"] == pytest.approx(1 / (1 + norm.ppf(0.975) ** 2 / 100))
    )
    swapped = compare(poor, good, n_boot=200)
    assert pick(swapped, "recall@10")["better"] == "two" and set(swapped["task"]) == {"retrieval", "likeness"}
    likeness = table[table["task"] == "likeness"]
    assert likeness["metric"].tolist() == ["mutual_knn@10", "cka"] * 2 and likeness["one"].mask.all()
    assert (likeness["low"] < likeness["shared"]).all() and (likeness["shared"] < 1).all()
    assert likeness["chance"][0] == pytest.approx(10 / 99)
    assert "one: " in table.meta["notes"][1] and set(table["origin"]) == {"mock"}


def test_many_lines_are_judged_together(good, poor):
    table = compare(good, poor, ["z", "class"], n_boot=200)
    told = table[table["task"] != "likeness"]
    z = np.abs(told["difference"]) / ((told["high"] - told["low"]) / (2 * norm.ppf(0.975)))
    np.testing.assert_allclose(told["q"], false_discovery_control(2 * norm.sf(z)), rtol=1e-6, atol=1e-300)
    assert table["q"][table["task"] == "likeness"].mask.all() and (told["q"][told["better"] != ""] < 0.05).all()
    assert any("adjusted for the number of lines" in one for one in table.meta["notes"])
    doubtful = [_Line("retrieval", "a", "b", "", "r2", 9, difference=0.21, low=0.01, high=0.41)]
    many = [replace(doubtful[0], difference=0.0, low=-1.0, high=1.0)] * 30
    assert _better(_judged_together(doubtful)[0]) == "two"
    assert _better(_judged_together(doubtful + many)[0]) == ""


def test_the_values_are_those_of_evaluate(good, poor):
    table = compare(good, poor, ["z"], n_boot=20)
    known = {
        (one.task, one.query, one.target, one.metric): one.value
        for one in evaluate(poor, ["z"], settings=Evaluation(n_boot=2))
        if one.space == "aligned"
    }
    for line in table[table["task"] != "likeness"]:
        assert line["two"] == pytest.approx(known[line["task"], line["query"], line["target"], line["metric"]])


def test_a_space_is_like_itself(good):
    table = compare(good, good, ["z"], n_boot=50)
    numbers = table[table["task"] != "likeness"]
    assert (numbers["difference"] == 0).all() and set(table["better"]) == {""}
    assert np.allclose(table["shared"][table["task"] == "likeness"], 1) and "(the same model)" in table.meta["notes"][1]


def test_the_paired_interval_is_narrower_than_that_of_a_difference_of_two(good, tmp_path):
    near = write(tmp_path / "near", 0.15)
    line = pick(compare(good, near, ["z"], n_boot=200), "r2", target="image")
    paired, single = line["high"] - line["low"], line["one_high"] - line["one_low"]
    assert paired < np.hypot(single, line["two_high"] - line["two_low"])


def test_what_both_have_in_common(good, tmp_path):
    fewer = write(tmp_path / "fewer", 0.1, rows=slice(0, 300))
    with pytest.raises(InputError, match="hold different objects: 300 are in both, 100 and 0 in one only"):
        compare(good, fewer)
    assert pick(compare(good, fewer, common=True, n_boot=5), "recall@1")["n"] == 75
    other = write(tmp_path / "other", 0.1, split=np.where(np.arange(N) % 8 == 0, "test", "train"))
    with pytest.raises(InputError, match="have different splits: 50 objects are held out in one only"):
        compare(good, other)
    assert pick(compare(good, other, ["z"], common=True, n_boot=5), "r2")["n"] == 50
    shifted = write(tmp_path / "shifted", 0.1, labels={**LABELS, "z": LABELS["z"] + 1})
    with pytest.raises(InputError, match="know different values of z: they were not made of the same data"):
        compare(good, shifted, ["z"])
    assert len(compare(good, shifted, ["z"], common=True, n_boot=5))
    images = write(tmp_path / "images", 0.1, names=["image"])
    assert set(compare(good, images, ["class"], n_boot=5)["query"]) == {"image"}


def test_what_cannot_be_compared(good, tmp_path):
    with pytest.raises(InputError, match="have no modality in common"):
        compare(good, write(tmp_path / "a", 0.1, names=["radio"]))
    foreign = EmbeddingStore.write(tmp_path / "b", {"image": TRUTH}, [f"p{i}" for i in range(N)])
    with pytest.raises(InputError, match="have no object in common"):
        compare(good, foreign)
    unsplit = write(tmp_path / "c", 0.1, split=np.full(N, ""))
    with pytest.raises(InputError, match=r"0 objects are held out in both .* and 300 in neither"):
        compare(good, unsplit, common=True)
    with pytest.raises(UsageError, match="no property 'mass' among the labels"):
        compare(good, good, ["mass"])
    with pytest.raises(InputError, match="k: expected 1 to 300"):
        compare(good, good, ["z"], k=301)
    few = {"z": np.where(SPLIT == "test", np.nan, LABELS["z"])}
    unknown = write(tmp_path / "d", 0.1, labels=few)
    with pytest.raises(InputError, match="property 'z' is known for no object that both hold out"):
        compare(unknown, unknown, ["z"])
    damaged = write(tmp_path / "e", 0.1)
    np.save(damaged.root / "image.npy", np.full((N, 6), np.nan, np.float32))
    with pytest.raises(InputError, match=r"embeddings of image: 400 of 400 vectors hold NaN or infinity. Embed again"):
        compare(good, damaged)


def test_angles_are_compared_the_short_way_round(good):
    table = compare(good, good, ["circular(angle, 180)"], n_boot=5)
    found = table[table["task"] == "regression"]
    assert set(found["metric"]) == {"nmad"} and (found["one"] < 30).all()
