"""Whether probabilities can be believed."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from astroclip_kit.downstream.calibration import brier, confidence, expected_calibration_error
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
