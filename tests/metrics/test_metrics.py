import numpy as np
import pytest
from scipy.stats import binomtest as proportion
from scipy.stats import sem
from sklearn import metrics as sk

from astroclip_kit import metrics
from astroclip_kit.errors import InputError

rng = np.random.default_rng(0)
Y = rng.normal(size=200)
P = Y + 0.5 * rng.normal(size=200)
CLASSES = rng.choice(["GALAXY", "QSO", "STAR"], size=300, p=[0.7, 0.2, 0.1])
GUESS = np.where(rng.random(300) < 0.6, CLASSES, rng.permutation(CLASSES))


def test_recall_and_median_rank_count_what_is_within_k():
    ranks = [1, 2, 5, 11]
    assert [metrics.recall_at_k(ranks, k) for k in (1, 5, 10, 11)] == [0.25, 0.75, 0.75, 1.0]
    assert metrics.median_rank(ranks) == 3.5


def test_chance_recall_equals_a_draw_without_replacement():
    draws = np.array([(rng.permutation(20)[:5] < 3).any() for _ in range(20000)])
    assert metrics.chance_recall([3], [20], 5) == pytest.approx(draws.mean(), abs=0.01)
    assert metrics.chance_recall([1, 1], [600, 600], 10) == pytest.approx(10 / 600)
    assert metrics.chance_recall([1], [4], 10) == 1.0


def test_chance_median_rank_is_the_middle_for_one_hit():
    assert metrics.chance_median_rank([1], [99]) == 50


def test_regression_equals_sklearn():
    assert metrics.r2(Y, P) == pytest.approx(sk.r2_score(Y, P))
    assert np.isnan(metrics.r2([1.0, 1.0], [1.0, 2.0]))


def test_nmad_is_sigma_of_gaussian_residuals():
    d = rng.normal(scale=0.03, size=20000)
    assert metrics.nmad(np.zeros(20000), d) == pytest.approx(0.03, rel=0.03)
    z = rng.uniform(0, 2, 20000)
    assert metrics.nmad(z, z + d * (1 + z), redshift=True) == pytest.approx(0.03, rel=0.03)


def test_outlier_fraction_scales_with_one_plus_z():
    assert metrics.outlier_fraction([1.0, 1.0, 0.0], [1.29, 1.31, 0.16]) == pytest.approx(2 / 3)


def test_classification_equals_sklearn():
    assert metrics.accuracy(CLASSES, GUESS) == pytest.approx(sk.accuracy_score(CLASSES, GUESS))
    assert metrics.balanced_accuracy(CLASSES, GUESS) == pytest.approx(sk.balanced_accuracy_score(CLASSES, GUESS))
    assert metrics.macro_f1(CLASSES, GUESS) == pytest.approx(sk.f1_score(CLASSES, GUESS, average="macro"))


def test_a_class_that_is_never_predicted_counts_zero_in_macro_f1():
    assert metrics.macro_f1(["a", "a", "b"], ["a", "a", "a"]) == pytest.approx(0.4)
    assert metrics.balanced_accuracy(["a", "a", "b"], ["a", "a", "a"]) == 0.5


def test_per_class_equals_sklearn():
    report = sk.classification_report(CLASSES, GUESS, output_dict=True)
    for name, numbers in metrics.per_class(CLASSES, GUESS).items():
        assert numbers["precision"] == pytest.approx(report[name]["precision"])
        assert numbers["recall"] == pytest.approx(report[name]["recall"])
        assert numbers["f1"] == pytest.approx(report[name]["f1-score"])
        assert numbers["one_vs_rest_accuracy"] == pytest.approx(np.mean((CLASSES == name) == (GUESS == name)))
        assert numbers["specificity"] == pytest.approx(sk.recall_score(CLASSES != name, GUESS != name))
        assert numbers["n"] == (CLASSES == name).sum()


def test_many_confusion_matrices_are_judged_at_once_as_scikit_learn_judges_each():
    drawn = rng.integers(0, 300, (5, 40))  # some miss a class
    names = ["GALAXY", "QSO", "STAR", "NOVA"]  # the last never occurs
    counts = np.array([sk.confusion_matrix(CLASSES[rows], GUESS[rows], labels=names) for rows in drawn])
    found = metrics.class_scores(counts.reshape(5, 1, 4, 4))
    for i, rows in enumerate(drawn):
        true, said = CLASSES[rows], GUESS[rows]
        each = sk.precision_recall_fscore_support(true, said, labels=names, zero_division=0)[:3]
        macro = sk.precision_recall_fscore_support(true, said, average="macro", zero_division=0)[:3]
        for name, own, mean in zip(("precision", "recall", "f1"), each, macro, strict=True):
            np.testing.assert_allclose(found[name][i, 0], own)
            assert found[f"macro_{name}"][i, 0] == pytest.approx(mean)
        for c, name in enumerate(names):
            binary = true != name, said != name
            assert found["specificity"][i, 0, c] == pytest.approx(sk.recall_score(*binary, zero_division=0))
            assert found["one_vs_rest_accuracy"][i, 0, c] == pytest.approx(sk.accuracy_score(*binary))
        assert found["accuracy"][i, 0] == pytest.approx(sk.accuracy_score(true, said))
        assert found["balanced_accuracy"][i, 0] == pytest.approx(sk.balanced_accuracy_score(true, said))


def test_bootstrap_gives_the_standard_error_of_a_mean():
    low, high = metrics.bootstrap(np.mean, [Y], seed=3)
    assert high - low == pytest.approx(2 * 1.96 * Y.std() / np.sqrt(200), rel=0.15)
    assert metrics.bootstrap(np.mean, [Y], seed=3) == (low, high)


def test_bootstrap_draws_whole_groups():
    groups = np.repeat(np.arange(20), 10)
    same = np.repeat(rng.normal(size=20), 10)  # ten copies of each value carry no more than one
    low, high = metrics.bootstrap(np.mean, [same], groups=groups)
    assert high - low > 2 * np.subtract(*metrics.bootstrap(np.mean, [same])[::-1])


def test_bootstrap_draws_the_rows_of_the_groups_that_are_drawn():
    groups = np.array(["b", "a", "b", "c", "a", "b"])
    seen = []
    metrics.bootstrap(lambda rows: seen.append(rows) or 0.0, [np.arange(6)], n_boot=20, seed=4, groups=groups)
    draws, members = np.random.default_rng(4), [[1, 4], [0, 2, 5], [3]]
    for rows in seen:
        assert rows.tolist() == [row for number in draws.integers(0, 3, 3) for row in members[number]]


@pytest.mark.parametrize("groups", [None, rng.integers(0, 30, 200)])
def test_weights_of_many_resamples_give_the_interval_of_the_loop(groups, monkeypatch):
    loop = metrics.bootstrap(lambda y: [y.mean(), y.std()], [Y], n_boot=40, seed=5, groups=groups)

    def moments(drawn):
        mean, square = Y @ drawn / drawn.sum(axis=0), Y**2 @ drawn / drawn.sum(axis=0)
        return np.stack([mean, np.sqrt(square - mean**2)])

    for block in (200 * 7, 2**21):
        monkeypatch.setattr("astroclip_kit.metrics.intervals.BLOCK_VALUES", block)
        np.testing.assert_allclose(metrics.weighted_bootstrap(moments, 200, n_boot=40, seed=5, groups=groups), loop)


def test_the_error_of_a_mean_over_splits_grows_with_what_they_share():
    plain, shared = metrics.error_of_mean(Y), metrics.error_of_mean(Y, 0.2)
    assert plain == pytest.approx(sem(Y)) and shared == pytest.approx(Y.std(ddof=1) * np.sqrt(1 / 200 + 0.2 / 0.8))
    assert np.isnan([metrics.error_of_mean([0.9]), metrics.error_of_mean([])]).all()


def test_a_share_of_nothing_or_all_has_an_interval_all_the_same():
    for count in (10, 100):
        low, high = metrics.bootstrap(np.mean, [np.zeros(count)], n_boot=20)
        assert low == high == 0
        below, above = metrics.share_interval(0.0, low, high, count)
        interval = proportion(0, count).proportion_ci(method="wilson")
        assert (below, above) == pytest.approx((interval.low, interval.high), abs=1e-5)
        assert metrics.share_interval(1.0, 1.0, 1.0, count) == pytest.approx((1 - above, 1))
    assert metrics.share_interval(0.0, 0.0, 0.01, 10) == (0.0, 0.01)


def test_bootstrap_of_several_numbers_leaves_out_resamples_without_a_value():
    low, high = metrics.bootstrap(lambda y: [y.mean(), np.nan if y.std() < 0.9 else 1.0, np.nan], [Y], n_boot=50)
    assert low[1] == high[1] == 1.0 and np.isnan(low[2]) and low[0] < high[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.recall_at_k([], 1), "at least one rank"),
        (lambda: metrics.recall_at_k([0], 1), "ranks start at 1"),
        (lambda: metrics.median_rank([np.nan]), "ranks start at 1"),
        (lambda: metrics.recall_at_k([1], 0), "at least 1"),
        (lambda: metrics.r2([1.0], [1.0, 2.0]), "equal lengths"),
        (lambda: metrics.nmad([np.nan], [1.0]), "NaN or infinity"),
        (lambda: metrics.accuracy([], []), "equal lengths above 0"),
        (lambda: metrics.bootstrap(np.mean, [Y, Y[1:]]), "arrays of one length"),
        (lambda: metrics.bootstrap(np.mean, [Y], n_boot=0), "at least one resample"),
        (lambda: metrics.weighted_bootstrap(np.mean, 200, n_boot=0), "at least one resample"),
        (lambda: metrics.weighted_bootstrap(np.mean, 0), "found 0 rows"),
        (lambda: metrics.weighted_bootstrap(np.mean, 3, groups=Y), "found 3 rows and 200 groups"),
        (lambda: metrics.error_of_mean(Y, -0.1), r"test_share: expected a share .* from 0 to below 1, found -0\.1"),
        (lambda: metrics.class_scores(np.ones((2, 3))), r"true by predicted class, not empty; found shape \(2, 3\)"),
        (lambda: metrics.class_scores(np.zeros((2, 2))), "not empty"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
