import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from astroclip_kit import metrics
from astroclip_kit.metrics import Sweep

RNG = np.random.default_rng(1)
OWN = RNG.random(300) < 0.3
SCORE = np.round(RNG.random(300) + 0.4 * OWN, 2)  # with ties
DRAWN = RNG.integers(0, 300, (300, 7))
TIMES = np.stack([np.bincount(rows, minlength=300) for rows in DRAWN.T], axis=1)
SWEEP = Sweep.of(SCORE, OWN)


def test_areas_are_those_of_scikit_learn():
    assert SWEEP.area() == pytest.approx(roc_auc_score(OWN, SCORE))
    assert SWEEP.average_precision() == pytest.approx(average_precision_score(OWN, SCORE))


def test_all_resamples_at_once_are_those_of_scikit_learn():
    resampled = [(OWN[rows], SCORE[rows]) for rows in DRAWN.T]
    np.testing.assert_allclose(SWEEP.area(TIMES), [roc_auc_score(*one) for one in resampled])
    np.testing.assert_allclose(SWEEP.average_precision(TIMES), [average_precision_score(*one) for one in resampled])


def test_areas_without_a_class_are_unknown():
    sweep = Sweep.of([0.5, 0.6], [False, False])
    assert np.isnan(sweep.area()) and np.isnan(sweep.average_precision())
    alone = Sweep.of([0.5, 0.6], [False, True])
    assert np.isnan(alone.area([[1, 0, 1], [0, 1, 1]])).tolist() == [True, True, False]


def test_intervals_are_those_of_the_loop():
    groups = np.arange(300) // 2
    low, high = metrics.bootstrap(lambda y, s: roc_auc_score(y, s), [OWN, SCORE], n_boot=50, seed=3, groups=groups)
    assert SWEEP.interval("area", groups=groups, n_boot=50, seed=3) == pytest.approx((low, high))


def test_a_class_that_is_absent_or_alone_is_left_out():
    names = np.array(["a", "b"])
    assert [name for name, _ in metrics.sweeps(np.array(["a", "a"]), np.ones((2, 2)) / 2, names)] == []
    assert [name for name, _ in metrics.sweeps(names, np.eye(2), names)] == ["a", "b"]
