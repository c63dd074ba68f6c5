import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from astroclip_kit.downstream import clustering
from astroclip_kit.downstream.clustering import Grouping, divide
from astroclip_kit.errors import InputError, UsageError

rng = np.random.default_rng(1)
KIND = np.repeat([0, 1, 2, 3], [200, 150, 100, 60])
CENTRES = np.array([[0, 0], [12, 0], [0, 12], [12, 12]])
PLANE = CENTRES[KIND] + rng.normal(size=(510, 2))
NOISE = rng.uniform(-40, 50, size=(60, 2))


@pytest.mark.parametrize("method", ["kmeans", "hdbscan", "dbscan"])
def test_planted_groups_are_found_and_numbered_by_size(method):
    found = divide(PLANE, Grouping(method))
    inside = found.labels >= 0
    assert inside.mean() > 0.9 and found.labels.max() == 3
    assert adjusted_rand_score(found.labels[inside], KIND[inside]) > 0.99
    assert (np.diff(np.bincount(found.labels[inside])) <= 0).all()
    assert found.silhouettes[4].value > 0.7
    assert ((found.strength > 0) == inside).all() and found.strength.max() <= 1


def test_k_is_the_one_with_the_largest_silhouette_unless_it_is_given():
    found = divide(PLANE, Grouping("kmeans"))
    assert sorted(found.silhouettes) == list(range(2, 13))
    assert found.parameters == {"k": 4, "k_chosen_by": "silhouette", "kind": "KMeans"}
    given = divide(PLANE, Grouping("kmeans", k=6))
    assert given.labels.max() == 5 and list(given.silhouettes) == [6] and given.parameters["k_chosen_by"] == "user"


def test_the_same_seed_gives_the_same_clusters():
    one, two = (divide(rng.normal(size=(300, 4)) * 0 + PLANE[:300, :1], Grouping("kmeans"), seed=2) for _ in range(2))
    np.testing.assert_array_equal(one.labels, two.labels)


def test_many_vectors_are_divided_by_mini_batches(monkeypatch):
    monkeypatch.setattr(clustering, "MINI_BATCH_ABOVE", 500)
    found = divide(PLANE, Grouping("kmeans"))
    assert found.parameters["kind"] == "MiniBatchKMeans" and adjusted_rand_score(found.labels, KIND) > 0.99


@pytest.mark.parametrize("method", ["hdbscan", "dbscan"])
def test_scattered_points_are_in_no_cluster(method):
    found = divide(np.vstack([PLANE, NOISE]), Grouping(method))
    assert (found.labels[510:] == -1).mean() > 0.7 and (found.labels[:510] == -1).mean() < 0.2
    assert (found.strength[found.labels == -1] == 0).all()


def test_all_noise_is_an_answer():
    spread = np.stack(np.meshgrid(np.arange(15.0), np.arange(15.0)), -1).reshape(-1, 2)
    found = divide(spread, Grouping("dbscan", radius=0.5))
    assert (found.labels == -1).all() and found.silhouettes == {} and (found.strength == 0).all()


def test_one_cluster_is_an_answer():
    found = divide(PLANE[:200], Grouping("dbscan", radius=3.0))
    assert found.labels.max() == 0 and found.silhouettes == {}


def test_dbscan_takes_radius_and_neighbours_as_they_are_given():
    from sklearn.cluster import DBSCAN

    found = divide(PLANE, Grouping("dbscan", radius=0.2, min_size=5))
    assert adjusted_rand_score(found.labels, DBSCAN(eps=0.2, min_samples=5).fit(PLANE.astype(np.float32)).labels_) == 1
    assert found.parameters == {"radius": 0.2, "min_samples": 5}


def test_twins_do_not_hinder():
    twins = np.repeat(CENTRES, 30, axis=0).astype(float)
    for method in ("kmeans", "hdbscan", "dbscan"):
        found = divide(twins, Grouping(method))
        assert adjusted_rand_score(found.labels, np.repeat(np.arange(4), 30)) == 1
    assert sorted(divide(twins, Grouping("kmeans")).silhouettes) == [2, 3, 4]  # there are no more distinct points
    with pytest.raises(InputError, match="no 5 clusters: so many of the 120 points are the same"):
        divide(twins, Grouping("kmeans", k=5))


def test_what_cannot_be_divided_is_said(monkeypatch):
    with pytest.raises(InputError, match=r"at least 3 of finite coordinates \[N, D\], found shape \(2, 2\)"):
        divide(PLANE[:2])
    with pytest.raises(InputError, match="at least 3 of finite coordinates"):
        divide(np.full((9, 2), np.nan), Grouping("kmeans"))
    with pytest.raises(InputError, match="all are the same, so there are no clusters"):
        divide(np.ones((9, 2)), Grouping("kmeans"))
    with pytest.raises(UsageError, match="no method 'optics' of clustering; there is: kmeans, hdbscan, dbscan"):
        divide(PLANE, Grouping("optics"))
    with pytest.raises(UsageError, match="k, min_size, radius and seed: expected 0 or more"):
        divide(PLANE, Grouping("dbscan", radius=-1.0))
    with pytest.raises(UsageError, match=r"k: expected 2 to 509 \(fewer than the 510 objects\), found 510"):
        divide(PLANE, Grouping("kmeans", k=510))
    with pytest.raises(InputError, match=r"min_size: expected 2 to 9 \(fewer than the 10 objects\), found 20"):
        divide(PLANE[:10], Grouping("hdbscan", min_size=20))
    monkeypatch.setattr(clustering, "MOST_NEIGHBOURS", 1000)
    with pytest.raises(InputError, match="radius: 50 reaches 510 neighbours of each of 510 objects, too many"):
        divide(PLANE, Grouping("dbscan", radius=50.0))
    monkeypatch.setattr(clustering, "MOST_IN_MANY_DIMENSIONS", 100)
    with pytest.raises(InputError, match=r"510 vectors of 12 dimensions are too many for a method by density .*--map"):
        divide(np.hstack([PLANE] * 6), Grouping("hdbscan"))
