"""Whether probabilities can be believed."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from astroclip_kit import metrics
from astroclip_kit.downstream.calibration import (
    binned_error,
    brier,
    calibration_error,
    calibration_interval,
    confidence,
    expected_calibration_error,
)
from astroclip_kit.errors import InputError

rng = np.random.default_rng(0)
CLASSES = np.array(["GALAXY", "QSO", "STAR"])
P = rng.dirichlet([1, 1, 1], 4000)
TRUE = CLASSES[(P.cumsum(axis=1) > rng.random((4000, 1))).argmax(axis=1)]


def test_the_brier_score_is_that_of_scikit_learn():
    assert brier(P, CLASSES, TRUE).mean() == pytest.approx(brier_score_loss(TRUE, P, labels=CLASSES))


def test_a_class_nobody_knew_costs_the_whole_probability():
    assert brier([[1.0, 0, 0]], CLASSES, np.array(["BLAZAR"])).tolist() == [2.0]
    sure, right = confidence([[1.0, 0, 0]], CLASSES, np.array(["BLAZAR"]))
    assert sure.tolist() == [1.0] and right.tolist() == [False]


def test_the_calibration_error_is_that_of_a_loop():
    total = 0.0
    for low in np.arange(15) / 15:
        inside = (P.max(axis=1) > low) & (P.max(axis=1) <= low + 1 / 15)
        if inside.any():
            right = CLASSES[P.argmax(axis=1)] == TRUE
            total += inside.mean() * abs(right[inside].mean() - P.max(axis=1)[inside].mean())
    assert expected_calibration_error(P, CLASSES, TRUE) == pytest.approx(total)
    assert total < 0.04  # drawn from these very probabilities


def test_too_sure_is_badly_calibrated():
    sharp = P**8 / (P**8).sum(axis=1, keepdims=True)
    assert expected_calibration_error(sharp, CLASSES, TRUE) > 0.2
    assert brier(sharp, CLASSES, TRUE).mean() > brier(P, CLASSES, TRUE).mean()


@pytest.mark.parametrize("true", [0.0, 0.03, 0.06])
def test_the_interval_of_the_calibration_error_holds_the_true_one(true):
    """Forty draws of 600 objects that are too sure by as much: the plain percentiles hold 0 in none, 0.03 in half."""
    draw, held, values = np.random.default_rng(1), 0, []
    for seed in range(40):
        sure = 0.4 + 0.6 * draw.beta(4, 1.5, 600)
        right = draw.random(600) < sure - true
        low, high = metrics.bootstrap(binned_error, [sure, right], n_boot=60, seed=seed)
        value, bottom, top = calibration_interval(sure, right, half_width=(high - low) / 2)
        assert 0 <= bottom <= value <= top and value == calibration_error(sure, right)
        held += bottom <= true <= top
        values.append(value)
    assert held >= 35 and abs(np.mean(values) - true) < 0.012


def test_rows_of_an_object_are_no_more_certain_than_one():
    sure, right = np.full(300, 0.7), np.repeat(np.arange(30) % 5 < 3, 10)
    alone, groups = calibration_error(sure, right), np.repeat(np.arange(30), 10)
    assert calibration_error(sure[::10], right[::10]) == pytest.approx(calibration_error(sure, right, groups), abs=1e-6)
    assert calibration_error(sure, right, groups) < alone <= binned_error(sure, right) + 1e-6
    assert calibration_interval(np.ones(9), np.ones(9, bool)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("p", "true", "message"),
    [
        (P[:, :2], TRUE, r"expected \(4000, 3\) \(objects, classes\), found \(4000, 2\)"),
        (P[:0], TRUE[:0], r"found \(0, 3\)"),
        (2 * P, TRUE, "add up to 1"),
        (np.where(P > 0.9, np.nan, P), TRUE, "add up to 1"),
    ],
)
def test_bad_input_is_one_clear_error(p, true, message):
    with pytest.raises(InputError, match=message):
        expected_calibration_error(p, CLASSES, true)
