import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from astroclip_kit.downstream.projection import PCAMap, UMAPMap, exact_neighbours
from astroclip_kit.errors import InputError


@pytest.fixture(scope="module")
def digits():
    """Unit vectors of written digits, for fitting and held out, and which digit each is."""
    x, y = load_digits(return_X_y=True)
    x = x - x.mean(axis=0)
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    held = np.arange(500) % 5 == 0  # not the last ones, which others wrote
    return x[:500][~held], y[:500][~held], x[:500][held], y[:500][held]


@pytest.fixture(scope="module")
def fitted(digits):
    return UMAPMap.fit(digits[0], neighbours=10, seed=3)


def test_neighbours_are_those_of_all_distances(digits):
    x = digits[0]
    rows, distance = exact_neighbours(x, 6)
    cosine = 1 - x.astype(np.float64) @ x.T
    np.fill_diagonal(cosine, -1)
    np.testing.assert_array_equal(np.sort(rows, 1), np.sort(np.argsort(cosine, 1)[:, :6], 1))
    assert (rows[:, 0] == np.arange(len(x))).all() and (distance[:, 0] == 0).all()
    np.testing.assert_allclose(distance[:, 1:], np.sort(cosine, 1)[:, 1:6], atol=1e-6)


def test_a_twin_is_a_neighbour_and_oneself_comes_first():
    rows, distance = exact_neighbours([[1.0, 0], [1, 0], [0, 1]], 2)
    assert rows.tolist() == [[0, 1], [1, 0], [2, 0]] and distance[1].tolist() == [0, 0]


def test_components_are_those_of_sklearn(digits):
    x, _, new, _ = digits
    fitted, places = PCAMap.fit(x)
    reference = PCA(2, svd_solver="full").fit(x)
    np.testing.assert_allclose(np.abs(places), np.abs(reference.transform(x)), atol=1e-4)
    np.testing.assert_allclose(np.abs(fitted.transform(new)), np.abs(reference.transform(new)), atol=1e-4)
    np.testing.assert_allclose(fitted.variance, reference.explained_variance_ratio_, rtol=1e-4)


def test_umap_keeps_the_classes_together_and_places_new_vectors_with_them(digits, fitted):
    x, y, new, true = digits
    model, places = fitted
    assert places.shape == (400, 2) and places.dtype == np.float32 and np.isfinite(places).all()
    near = KNeighborsClassifier(5).fit(places, y)
    in_space = KNeighborsClassifier(5).fit(x, y).score(new, true)
    assert near.score(model.transform(new), true) > in_space - 0.05 > 0.85


def test_the_same_seed_gives_the_same_map_and_another_another(digits):
    one, again, other = (UMAPMap.fit(digits[0][:60], neighbours=10, seed=seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


def test_a_place_does_not_depend_on_the_company(digits, fitted):
    model, new = fitted[0], digits[2]
    together = model.transform(new)
    np.testing.assert_allclose(model.transform(new[:1]), together[:1], atol=1e-4)
    np.testing.assert_allclose(model.transform(new[[7, 3]]), together[[7, 3]], atol=1e-4)


def test_few_objects_still_have_a_map(digits):
    assert np.isfinite(UMAPMap.fit(digits[0][:12], neighbours=5)[1]).all()


@pytest.mark.parametrize("kind", [PCAMap, UMAPMap])
def test_what_cannot_be_fitted_is_said(kind):
    with pytest.raises(InputError, match=r"vectors: found NaN or infinity. Leave out"):
        kind.fit(np.full((20, 3), np.nan))
    with pytest.raises(InputError, match="all are the same, so there is no map"):
        kind.fit(np.ones((20, 3)))
    with pytest.raises(InputError, match=r"expected a matrix \[N, D\] that is not empty, found shape \(0, 3\)"):
        kind.fit(np.ones((0, 3)))


def test_too_few_objects_are_said():
    with pytest.raises(InputError, match=r"expected 2 to 14 .fewer than the 15 objects to fit on., found 15"):
        UMAPMap.fit(np.eye(15))
    with pytest.raises(InputError, match=r"at least 3 objects and 2 dimensions, found 2 and 2\."):
        PCAMap.fit(np.eye(2))
    with pytest.raises(InputError, match=r"neighbours: expected 2 to 3 .the objects to fit on., found 4"):
        exact_neighbours(np.eye(3), 4)


def test_vectors_of_another_space_are_refused(fitted, digits):
    for model in (fitted[0], PCAMap.fit(digits[0])[0]):
        with pytest.raises(InputError, match=r"expected a matrix \[N, 64\] that is not empty, found shape \(2, 3\)"):
            model.transform(np.ones((2, 3)))
