import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from astroclip_kit.downstream.silhouette import silhouettes, without_clusters
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


@pytest.mark.slow
def test_what_has_no_clusters_has_a_silhouette_all_the_same_and_it_is_told():
    rng = np.random.default_rng(2)
    for x, k in ((rng.normal(size=(400, 3)), 8), (rng.normal(size=(400, 40)), 2)):
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        own = silhouettes(x, [KMeans(k, n_init=4, random_state=0).fit(x).labels_])[0].value
        assert without_clusters(x, k) == pytest.approx(own, abs=0.03)
    apart = np.eye(3)[np.arange(30) % 3] + 0.01 * rng.normal(size=(30, 3))
    assert without_clusters(apart / np.linalg.norm(apart, axis=1, keepdims=True), 3) < 0.7
