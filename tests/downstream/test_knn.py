import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from astroclip_kit.downstream.knn import predict
from astroclip_kit.errors import InputError, UsageError

rng = np.random.default_rng(0)
MEMORY = rng.normal(size=(500, 12)).astype(np.float32) * 3 + 1
QUERIES = rng.normal(size=(80, 12)).astype(np.float32) * 3 + 1
Y = MEMORY[:, 0] + 0.1 * rng.normal(size=500)
CLASSES = np.array(["GALAXY", "QSO", "STAR"])[rng.integers(0, 3, 500)]


@pytest.mark.parametrize("weights", ["distance", "uniform"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 7, 500])
def test_equals_sklearn_regression(weights, metric, k):
    sk = KNeighborsRegressor(k, weights=weights, metric=metric, algorithm="brute").fit(MEMORY.astype(float), Y)
    found = predict(MEMORY, Y, QUERIES, k=k, weights=weights, metric=metric)
    np.testing.assert_allclose(found.value, sk.predict(QUERIES.astype(float)), rtol=1e-5, atol=1e-6)
    distance, rows = sk.kneighbors(QUERIES.astype(float))
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.distance, distance, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("weights", ["distance", "uniform"])
def test_equals_sklearn_classification(weights):
    sk = KNeighborsClassifier(9, weights=weights, metric="cosine", algorithm="brute").fit(MEMORY.astype(float), CLASSES)
    found = predict(MEMORY, CLASSES, QUERIES, k=9, weights=weights)
    np.testing.assert_array_equal(found.value, sk.predict(QUERIES.astype(float)))
    np.testing.assert_allclose(found.probabilities, sk.predict_proba(QUERIES.astype(float)), atol=1e-6)
    assert list(found.classes) == list(sk.classes_)
    np.testing.assert_allclose(found.spread, 1 - found.probabilities.max(axis=1))


def test_standardise_is_the_scaler_of_the_memory():
    scaler = StandardScaler().fit(MEMORY)
    scaled = predict(scaler.transform(MEMORY), Y, scaler.transform(QUERIES), metric="euclidean")
    found = predict(MEMORY, Y, QUERIES, metric="euclidean", standardise=True)
    np.testing.assert_array_equal(found.rows, scaled.rows)
    np.testing.assert_allclose(found.value, scaled.value, rtol=1e-4)


def test_a_constant_dimension_survives_standardising():
    memory = np.column_stack([MEMORY, np.ones(500)])
    queries = np.column_stack([QUERIES, np.ones(80)])
    assert np.isfinite(predict(memory, Y, queries, standardise=True).value).all()


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_query_in_the_memory_answers_for_itself_unless_excluded(metric):
    ids = np.arange(500)
    np.testing.assert_allclose(predict(MEMORY, Y, MEMORY, k=5, metric=metric).value, Y)
    found = predict(MEMORY, Y, MEMORY, k=5, metric=metric, exclude=(ids, ids))
    assert not (found.rows == ids[:, None]).any() and not np.allclose(found.value, Y)


def test_all_rows_of_the_group_are_excluded():
    groups = np.array([f"SN{i // 5}" for i in range(500)])
    found = predict(MEMORY, Y, MEMORY[:50], k=5, exclude=(groups[:50], groups))
    assert not (groups[found.rows] == groups[:50, None]).any()


def test_missing_labels_are_left_out_and_counted():
    y = Y.copy()
    y[::2] = np.nan
    found = predict(MEMORY, y, QUERIES, k=3, exclude=(np.arange(80), np.arange(500)))
    assert found.left_out == 250 and (found.rows % 2 == 1).all() and np.isfinite(found.value).all()
    classes = np.where(np.arange(500) < 10, CLASSES, "")
    found = predict(MEMORY, classes, QUERIES, k=10)
    assert found.left_out == 490 and (found.rows < 10).all() and "" not in found.classes
    assert predict(MEMORY, np.where(classes == "", None, classes), QUERIES, k=10).left_out == 490


def test_spread_is_the_weighted_deviation_of_the_neighbours():
    found = predict(MEMORY, Y, QUERIES, k=4, weights="uniform")
    np.testing.assert_allclose(found.spread, Y[found.rows].std(axis=1))
    assert predict(MEMORY, Y, QUERIES, k=1).spread.max() == 0


def test_numbers_whose_squares_overflow_have_a_mean_and_a_deviation():
    for size in (1.0, 1e200, 1e308):
        found = predict([[1.0, 0]] * 3, np.array([-1, 1, 1.5]) * size, [[1.0, 0]], k=3)
        np.testing.assert_allclose(found.value, 0.5 * size)
        np.testing.assert_allclose(found.spread, np.std([-1, 1, 1.5]) * size)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"k": 501}, InputError, "k: expected 1 to 500"),
        ({"k": 0}, InputError, "k: expected 1 to 500"),
        ({"memory_y": np.full(500, np.nan)}, InputError, "k: expected 1 to 0"),
        ({"k": 500, "exclude": (np.arange(80), np.arange(500))}, InputError, "k: expected 1 to 499"),
        ({"memory_y": Y[1:]}, InputError, "one label per vector"),
        ({"query_z": QUERIES[:, 1:]}, InputError, "equal dimensions"),
        ({"memory_z": np.zeros((500, 12))}, InputError, "zero or NaN"),
        ({"exclude": (np.arange(80), np.arange(80))}, InputError, "an id for each of 500 rows"),
        ({"metric": "manhattan"}, UsageError, "metric cosine or euclidean"),
        ({"weights": "gaussian"}, UsageError, "weights distance or uniform"),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        predict(**{"memory_z": MEMORY, "memory_y": Y, "query_z": QUERIES, **arguments})
