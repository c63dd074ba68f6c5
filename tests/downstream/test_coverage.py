from dataclasses import replace

import numpy as np
import pytest

from astroclip_kit.downstream import measure_coverage, predict_table
from astroclip_kit.downstream.coverage import _share, shortfalls
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings.prediction import Prediction


def test_coverage_is_close_to_what_was_wanted(sky_store):
    names = ["z", "log10(z)", "circular(angle_deg, 180)", "class"]
    results = measure_coverage(sky_store, names, query="spectrum", bins=3, settings=Prediction(coverage=0.8))
    overall = {one.property: one for one in results if one.metric == "coverage@0.8"}
    assert list(overall) == names
    for one in overall.values():
        assert one.low < 0.8 < one.high
        assert (one.task, one.query, one.target, one.n, one.dataset, one.origin) == (
            *("coverage", "spectrum", "spectrum"),
            *(240, "sky", "mock"),
        )
    for name in names:
        bins = [one for one in results if one.property == name and "of" in one.metric]
        assert len(bins) == 3 and sum(one.n for one in bins) == 240
        assert np.average([one.value for one in bins], weights=[one.n for one in bins]) == pytest.approx(
            overall[name].value
        )
    assert [one.metric for one in results if one.property == "class"] == [
        *("coverage@0.8", "coverage@0.8 of GALAXY", "coverage@0.8 of QSO", "coverage@0.8 of STAR"),
        *("new_calibrating@0.8", "set_size@0.8"),
    ]
    widths = {one.property: one.value for one in results if one.metric == "width@0.8"}
    assert 0.05 < widths["z"] < 0.5 and widths["circular(angle_deg, 180)"] < 40


def test_the_mean_over_many_skies_is_what_was_wanted(sky, tmp_path):
    """Twelve draws of 120 held-out and 96 calibrating objects: a standard error of 0.013 to 0.016."""
    found = []
    for seed in range(12):
        another = type(sky)(seed=10 * seed)
        sides = np.random.default_rng(seed).permutation(another.split[::2])  # whose noise is held out differs as well
        another.split = np.repeat(sides, 2)
        store = another.write(tmp_path / f"sky{seed}")
        settings = Prediction(coverage=0.8, seed=seed)
        results = measure_coverage(
            store, ["z", "circular(angle_deg, 180)"], query="spectrum", bins=1, settings=settings
        )
        found.append([one for one in results if one.metric == "coverage@0.8"])
    assert np.mean([[one.value for one in row] for row in found], axis=0) == pytest.approx([0.8, 0.8], abs=0.035)
    assert sum(one.low <= 0.8 <= one.high for row in found for one in row) >= 21  # of 24


def test_the_interval_knows_that_the_calibrating_objects_are_a_draw():
    rng, count, trials, groups = np.random.default_rng(0), 99, 400, np.arange(400).astype(str)
    quantiles = np.sort(rng.uniform(size=(2000, count)), axis=1)[:, 89]  # the ceil(0.9 * 100) = 90th smallest
    held = rng.uniform(size=(2000, trials)) <= quantiles[:, None]
    assert held.mean() == pytest.approx(0.9, abs=0.003)
    ends = np.array([_share(one, groups, count)[1:3] for one in held])
    blind = np.array([_share(one, groups, 10**9)[1:3] for one in held])
    inside, without = (((low <= 0.9) & (0.9 <= high)).mean() for low, high in (ends.T, blind.T))
    assert inside == pytest.approx(0.95, abs=0.015) and without < 0.75


def test_what_cannot_be_negative_has_no_interval_below_zero_and_the_same_coverage(sky, tmp_path):
    noise = np.repeat(np.random.default_rng(5).gamma(0.3, 2, sky.count // 2), 2)  # about which the vectors know nothing
    store = sky.write(tmp_path / "space", dust=noise, log_dust=noise - 0.5)  # a scale that goes below zero
    settings = Prediction(coverage=0.9)
    table = predict_table(store, ["dust", "log_dust"], settings=settings)
    inside = table["dust_supported"]
    assert (table["dust_low"][inside] == 0).mean() > 0.5 and not (table["dust_low"][inside] < 0).any()
    np.testing.assert_allclose(table["dust_high"], table["log_dust_high"] + 0.5)
    assert (table["log_dust_low"][inside] < -0.5).mean() > 0.5
    found = {
        (one.property, one.metric): one for one in measure_coverage(store, ["dust", "log_dust"], settings=settings)
    }
    held = found["dust", "coverage@0.9"]
    assert held.value == found["log_dust", "coverage@0.9"].value and held.low < 0.9 < held.high
    assert found["dust", "width@0.9"].value < 0.8 * found["log_dust", "width@0.9"].value


def test_a_truth_below_all_that_are_known_is_held_by_no_interval(sky, tmp_path):
    store = sky.write(tmp_path / "space", dust=np.where(sky.split == "test", -1e-9, 0.01 * sky.z))
    results = measure_coverage(store, ["dust"], bins=1, settings=Prediction(coverage=0.9))
    assert results[0].metric == "coverage@0.9" and results[0].value == 0


def test_who_calibrates_is_told(sky_store):
    for coverage, count, new in ((0.9, 96, 96), (0.985, 96, 96)):
        results = measure_coverage(sky_store, ["z"], bins=1, settings=Prediction(coverage=coverage))
        [one] = [one for one in results if one.metric == f"new_calibrating@{coverage}"]
        assert (one.n, round(one.value * one.n)) == (count, new)
    results = measure_coverage(sky_store, ["z"], bins=1, settings=Prediction(coverage=0.995, calibration=0.5))
    [one] = [one for one in results if one.metric == "new_calibrating@0.995"]
    assert (one.n, round(one.value * one.n)) == (240, 120)


def test_what_holds_less_than_wanted_is_told(sky, tmp_path):
    wrong = np.where(sky.split == "test", sky.z + 5, sky.z)
    results = measure_coverage(
        sky.write(tmp_path / "space", wrong=wrong), ["z", "wrong"], settings=Prediction(coverage=0.9)
    )
    told = "wrong by image: what is to hold the truth of 0.9 of the objects holds that of 0.000 (0.000 to 0."
    [note] = shortfalls([replace(results[0], metric="r2"), *results])
    assert note.startswith(told) and note.endswith("): less than wanted")


def test_more_coverage_takes_wider_intervals(sky_store):
    found = {}
    for coverage in (0.5, 0.9):
        results = measure_coverage(sky_store, ["z"], bins=1, settings=Prediction(coverage=coverage))
        found[coverage] = {one.metric.partition("@")[0]: one.value for one in results}
    assert found[0.5]["width"] < 0.6 * found[0.9]["width"] and found[0.5]["coverage"] < found[0.9]["coverage"] - 0.2


def test_neither_neighbours_nor_calibrating_objects_are_held_out(sky, tmp_path):
    """Held-out objects whose labels are all wrong change what is measured, and nothing else."""
    wrong = np.where(sky.split == "test", sky.z + 5, sky.z)
    store = sky.write(tmp_path / "space", wrong=wrong)
    right, off = (measure_coverage(store, [name], bins=1, settings=Prediction(coverage=0.9)) for name in ("z", "wrong"))
    assert right[-1].value == off[-1].value and off[0].value == 0 and off[0].low == pytest.approx(0, abs=1e-9)


def test_what_cannot_be_measured_is_said(sky, sky_store, tmp_path):
    with pytest.raises(UsageError, match="expected a coverage and at least 1 bin, found 0 and 5"):
        measure_coverage(sky_store, ["z"], settings=Prediction())
    with pytest.raises(InputError, match="'z' is known for no held-out object that can ask"):
        measure_coverage(sky_store, ["z"], where="split != 'test'")
    with pytest.raises(UsageError, match="no property 'mass' among the labels"):
        measure_coverage(sky_store, ["mass"])
    lonely = EmbeddingStore.write(
        tmp_path / "s",
        {"image": np.eye(4)},
        list("abcd"),
        catalog={"split": ["train"] * 3 + ["test"]},
        labels={"z": [1] * 4},
    )
    with pytest.raises(
        InputError, match=r"z: a coverage of 0.9 takes at least 10 objects for calibration, and 0.2 of 3 "
    ):
        measure_coverage(lonely, ["z"], settings=Prediction(k=1, coverage=0.9))
