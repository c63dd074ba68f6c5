import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from astroclip_kit.errors import FolderError, InputError
from astroclip_kit.metrics import wilson
from astroclip_kit.results import combine, range_of, read_results, write_results
from astroclip_kit.types import Result

ONE = Result("retrieval", "image", "spectrum", "", "recall@10", 0.4, 0.3, 0.5, 100, 7, "survey", "mock", chance=0.1)


def test_what_was_written_is_read(tmp_path):
    results = [ONE, replace(ONE, value=np.float64(0.5), low=math.nan, chance=math.nan, metric="r2")]
    write_results(tmp_path / "results.jsonl", results)
    first, second = read_results(tmp_path)
    assert first == ONE
    assert second.value == 0.5 and math.isnan(second.low) and second.metric == "r2"
    assert "NaN" not in (tmp_path / "results.jsonl").read_text()


def test_a_key_of_a_later_version_is_passed_over(tmp_path):
    write_results(tmp_path / "results.jsonl", [ONE])
    path = tmp_path / "results.jsonl"
    path.write_text(path.read_text().replace('"task"', '"telescope": "VLT", "task"'))
    assert read_results(path) == [ONE]


def test_folds_are_put_together_with_their_spread():
    values = [0.4, 0.5, 0.45, 0.42, 0.48]
    folds = [[replace(ONE, value=value, chance=0.1 + 0.01 * i)] for i, value in enumerate(values)]
    pooled, *single = combine(folds)
    assert pooled.value == pytest.approx(np.mean(values)) and pooled.std == pytest.approx(np.std(values, ddof=1))
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (pooled.low, pooled.high) == (pytest.approx(low), pytest.approx(high))
    assert pooled.n == 500 and pooled.fold == -1 and pooled.chance == pytest.approx(0.12)
    assert [one.fold for one in single] == [0, 1, 2, 3, 4] and [one.value for one in single] == values


def test_repeated_random_splits_share_objects_which_widens_the_interval():
    seeds = [[replace(ONE, value=value, seed=seed)] for seed, value in enumerate((0.40, 0.44, 0.42))]
    pooled, *single = combine(seeds, test_share=0.1)
    half = 4.302653 * 0.02 * math.sqrt(1 / 3 + 0.1 / 0.9)  # Student's t of two degrees of freedom
    assert (pooled.low, pooled.high) == pytest.approx((0.42 - half, 0.42 + half), abs=1e-6)
    assert pooled.std == pytest.approx(0.02) and [one.seed for one in single] == [0, 1, 2]
    assert combine(seeds)[0].low > pooled.low


@pytest.mark.parametrize(
    ("metric", "values", "ends"),
    [
        ("recall@10", (0.6, 0.99), (0.0, 1.0)),
        ("balanced_accuracy", (0.6, 0.99), (0.0, 1.0)),
        ("outlier_fraction", (0.0, 0.2), (0.0, 1.0)),
        ("r2", (0.5, 0.99), (-2.368, 1.0)),
        ("nmad", (0.01, 0.2), (0.0, 1.312)),
        ("median_rank", (1.0, 3.0), (1.0, 14.706)),
        ("coverage@0.9", (0.6, 0.99), (0.0, 1.0)),
        ("brier", (0.1, 1.9), (0.0, 2.0)),
        ("modality_gap", (0.1, 1.9), (0.0, 2.0)),
    ],
)
def test_the_interval_of_a_mean_ends_where_the_metric_does(metric, values, ends):
    pooled = combine([[replace(ONE, metric=metric, value=value)] for value in values])[0]
    assert (pooled.low, pooled.high) == pytest.approx(ends, abs=2e-3)


def test_a_share_that_is_the_same_in_every_fold_still_has_width():
    pooled = combine([[replace(ONE, metric="recall", value=1.0, n=5)] for _ in range(2)])[0]
    assert (pooled.low, pooled.high, pooled.n) == (pytest.approx(wilson(1.0, 10)[0]), 1.0, 10)


def test_measurements_are_kept_apart_and_nan_is_left_out():
    folds = [[ONE, replace(ONE, space="features", value=math.nan)], [ONE, replace(ONE, space="features", value=0.2)]]
    aligned, features, *_ = combine(folds)
    assert aligned.std == 0 and features.value == 0.2 and math.isnan(features.std) and math.isnan(features.high)


def test_bad_input_is_refused(tmp_path):
    with pytest.raises(InputError, match="at least one fold"):
        combine([])
    with pytest.raises(InputError, match="occurs twice"):
        combine([[ONE, ONE]])
    with pytest.raises(InputError, match="test_share: expected a share of the objects from 0 to below 1, found 1"):
        combine([[ONE]], test_share=1)
    with pytest.raises(FolderError, match="no such file"):
        read_results(tmp_path / "none.jsonl")
    (tmp_path / "results.jsonl").write_text("<html>\n")
    with pytest.raises(FolderError, match=r"results.jsonl, line 1: not a result"):
        read_results(tmp_path)
    (tmp_path / "results.jsonl").write_text('{"task": "retrieval"}\n')
    with pytest.raises(FolderError, match=r"line 1: not a result"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("metric", "least", "most"),
    [("accuracy_difference", -1.0, 1.0), ("brier_difference", -2.0, 2.0), ("r2_difference", -math.inf, math.inf)],
)
def test_a_difference_reaches_as_far_as_its_metric_lets_it(metric, least, most):
    assert range_of(metric) == (least, most)
