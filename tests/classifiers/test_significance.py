import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from astroclip_kit.classifiers import corrected_difference, significance_table
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.results import combine
from astroclip_kit.settings import Split
from astroclip_kit.types import Result

A, B = [0.94, 0.95, 0.93, 0.96, 0.95], [0.93, 0.93, 0.92, 0.95, 0.93]  # differences 1, 2, 1, 1, 2 %
ONE = Result("batmm", "image+spectrum", "image+spectrum", "class", "macro_f1", 0, 0, 1, 100, 0, "stars", "mock")


def table_of(models):
    return [replace(ONE, task=name, value=v, seed=seed) for name, vs in models.items() for seed, v in enumerate(vs)]


def test_the_difference_is_that_of_a_hand_calculation():
    mean, variance = 0.014, 3e-5  # (2 x 0.006^2 + 3 x 0.004^2) / 4
    error = math.sqrt(variance * (1 / 5 + 0.1 / 0.9))
    found = corrected_difference(A, B, 0.1)
    assert found.mean == pytest.approx(mean)
    assert (found.low, found.high) == pytest.approx((mean - 2.776445 * error, mean + 2.776445 * error), abs=1e-8)
    assert found.p == pytest.approx(2 * stats.t.sf(mean / error, 4)) and 0.005 < found.p < 0.02


def test_splits_that_share_nothing_give_the_paired_t_test():
    plain = stats.ttest_rel(A, B)
    assert corrected_difference(A, B, 0.0).p == pytest.approx(plain.pvalue)
    assert corrected_difference(A, B, 0.1).p > plain.pvalue
    back = corrected_difference(B, A, 0.1)
    assert back.mean == pytest.approx(-0.014) and back.p == corrected_difference(A, B, 0.1).p


def test_the_correction_keeps_its_promise_where_splits_overlap():
    """Differences that have n_test / (n_test + n_train) of their variance in common, as the correction supposes."""
    rng, share, wrong = np.random.default_rng(0), 0.3, 0
    for _ in range(600):
        d = math.sqrt(share) * rng.normal() + math.sqrt(1 - share) * rng.normal(size=5)
        wrong += corrected_difference(d, np.zeros(5), share).p < 0.05
    assert 0.03 < wrong / 600 < 0.075


@pytest.mark.parametrize(("a", "b", "mean"), [([0.5, 0.75], [0.25, 0.5], 0.25), ([0.3, 0.4], [0.3, 0.4], 0)])
def test_the_same_difference_in_every_split_tells_nothing_of_its_scatter(a, b, mean):
    found = corrected_difference(a, b, 0.1)
    assert found.mean == mean and all(math.isnan(value) for value in found[1:])


def test_validation_objects_neither_train_nor_are_tested():
    """The variance grows by n_test / n_train = 0.1 / 0.7 for 70, 20 and 10 % of the objects."""
    share, scatter = Split(test=0.1, valid=2 / 9).tested_share, np.subtract(A, B).std(ddof=1)
    half = stats.t.ppf(0.975, 4) * scatter * math.sqrt(1 / 5 + 0.1 / 0.7)
    found = corrected_difference(A, B, share)
    assert share == pytest.approx(0.125) and found.high - found.mean == pytest.approx(half)
    assert Split(folds=5, valid=0).tested_share == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("a", "b", "share", "message"),
    [
        (A, B[1:], 0.1, r"one value for each of two splits or more, found \(5,\) and \(4,\)"),
        (A[:1], B[:1], 0.1, "two splits or more"),
        ([0.1, math.nan], [0.1, 0.2], 0.1, "a and b: found NaN or infinity"),
        (A, B, 1.0, "test_share: expected a share of the objects from 0 to below 1, found 1.0"),
    ],
)
def test_bad_input_is_refused(a, b, share, message):
    with pytest.raises(InputError, match=message):
        corrected_difference(a, b, share)


def test_one_model_against_every_other():
    single = table_of({"batmm": A, "svm": B, "early_add": A[::-1]})
    results = combine([[one for one in single if one.seed == seed] for seed in range(5)])  # means and single ones
    results += [replace(ONE, property="class:bhb", value=0.1), replace(ONE, metric="accuracy")]
    table = significance_table(results, "batmm", names={"svm": "SVM"})
    assert list(table["model"]) == ["SVM", "early_add"] and list(table["seeds"]) == [5, 5]
    line = table[0]
    assert [line[name] for name in ("difference", "low", "high", "p")] == list(corrected_difference(A, B, 0.1))
    assert (line["mean"], line["mean_of_first"]) == pytest.approx((np.mean(B), np.mean(A)))
    assert line["p_adjusted"] == pytest.approx(2 * line["p"]) and table[1]["p_adjusted"] == table[1]["p"] == 1
    assert table.meta == {"model": "batmm", "metric": "macro_f1", "test_share": 0.1}


def test_adjusted_for_the_number_of_models_as_by_hand():
    rows = {"batmm": [0.9, 0.95, 0.93], "a": [0.8, 0.86, 0.84], "b": [0.88, 0.95, 0.9], "c": [0.7, 0.76, 0.72]}
    table = significance_table(table_of(rows), "batmm")
    p = dict(zip(table["model"], table["p"], strict=True))
    first, second, third = sorted(p, key=p.get)
    adjusted = dict(zip(table["model"], table["p_adjusted"], strict=True))
    assert adjusted[first] == pytest.approx(3 * p[first])
    assert adjusted[second] == pytest.approx(max(3 * p[first], 2 * p[second]))
    assert adjusted[third] == pytest.approx(max(adjusted[second], p[third]))
    level = significance_table(table_of({**rows, "d": rows["batmm"]}), "batmm")  # cannot be told, and is not counted
    assert level["p_adjusted"][:3].tolist() == list(table["p_adjusted"]) and math.isnan(level["p_adjusted"][3])


def test_models_that_were_not_judged_at_the_same_seeds_cannot_be_compared():
    results = table_of({"batmm": A, "svm": B})
    with pytest.raises(UsageError, match="macro_f1 of 'iicnet' and of another model at two seeds: there is none"):
        significance_table(results, "iicnet")
    with pytest.raises(UsageError, match="There is: batmm, svm"):
        significance_table([one for one in results if one.task == "batmm" or one.seed == 0], "batmm")
    with pytest.raises(UsageError, match="There is: none"):
        significance_table(results, "batmm", of="class:bhb")
