import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from astroclip_kit.downstream.silhouette import silhouettes
from astroclip_kit.errors import InputError

rng = np.random.default_rng(0)
KIND = rng.integers(0, 5, 700)
X = rng.normal(size=(5, 6))[KIND] * 2 + rng.normal(size=(700, 6)) + 30


def test_all_divisions_are_scored_as_sklearn_does():
    divisions = [KIND, KIND % 2, np.where(np.arange(700) == 3, 9, KIND), np.array(list("abcde"))[KIND]]
    for one, division in zip(silhouettes(X, divisions), divisions, strict=True):
        assert one.value == pytest.approx(silhouette_score(X, division), abs=1e-4)
        assert one.low < one.value < one.high and one.n == 700


def test_a_sample_is_scored_against_everyone():
    whole, some = silhouettes(X, [KIND])[0], silhouettes(X, [KIND], pairs=700 * 200, seed=1)[0]
    assert some.n == 200 and some.low < whole.value < some.high
    assert some == silhouettes(X, [KIND], pairs=700 * 200, seed=1)[0]


def test_equal_points_count_nothing():
    assert silhouettes(np.ones((4, 2)), [[0, 0, 1, 1]])[0].value == 0


def test_what_cannot_be_scored_is_said():
    with pytest.raises(InputError, match=r"needs 700 values and two clusters, found \(700,\) and 1"):
        silhouettes(X, [np.zeros(700)])
    with pytest.raises(InputError, match=r"needs 700 values and two clusters, found \(2,\) and 2"):
        silhouettes(X, [[0, 1]])
    with pytest.raises(InputError, match="expected a matrix of finite numbers"):
        silhouettes(np.full((3, 2), np.nan), [[0, 1, 1]])
