import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from astroclip_kit.downstream import Clusters, Grouping, cluster, project
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FolderError, InputError, UsageError

N = 400
rng = np.random.default_rng(0)
KIND = rng.choice(3, N, p=[0.5, 0.3, 0.2])
Z = 3 * np.eye(6)[KIND] + 0.3 * rng.normal(size=(N, 6))
ODD = int(np.flatnonzero(KIND == 0)[5])
Z[ODD, 5] += 3  # far from all others of its kind
LABELS = {
    "class": np.where(np.arange(N) % 9 == 0, "", np.array(["GALAXY", "QSO", "STAR"])[KIND]),
    "survey": np.full(N, "SDSS"),
    "name": np.array([f"n{i}" for i in range(N)]),
    "mass": KIND + rng.normal(size=N),
}


def write(root, **changes):
    given = {
        "present": {"image": np.arange(N) % 10 != 1, "lightcurve": np.arange(N) < 2},
        "catalog": {"split": np.where(np.arange(N) < 200, "train", "test")},
        "labels": LABELS,
        "values": {"dataset": "three", "origin": "mock"},
        **changes,
    }
    vectors = {"image": Z, "spectrum": Z, "lightcurve": Z}
    return EmbeddingStore.write(root, vectors, [f"o{i}" for i in range(N)], **given)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write(tmp_path_factory.mktemp("clusters") / "space")


@pytest.fixture(scope="module")
def found(store):
    return cluster(store, on="image")


@pytest.fixture(scope="module")
def plane(store, tmp_path_factory):
    return project(store, tmp_path_factory.mktemp("plane") / "map", on="image", method="pca")


def test_the_planted_classes_are_found_and_named(found, store):
    assert [one["size"] for one in found.summary["clusters"]] == sorted(
        np.bincount(KIND[store.present("image")]), reverse=True
    )
    for one in found.summary["clusters"]:
        first = one["separating"][0]
        assert first["property"] == "class" and first["q"] < 1e-6 and first["value"] > 0.9
        assert first["missing_inside"] + first["missing_outside"] > 0
        assert {"mass", "name"} <= {each["property"] for each in one["separating"]}
    assert found.summary["considered"] == 360 and found.summary["without_modality"] == 40
    assert found.summary["parameters"]["k"] == 3 and found.summary["comparisons"] == 9


def test_members_are_ordered_by_their_distance_from_the_centre(found, store):
    largest, table = found.summary["clusters"][0], found.table
    assert largest["farthest"][0] == f"o{ODD}"
    members = np.flatnonzero(table["cluster"] == 0)
    z = store.vectors("image")[members]
    distance = np.linalg.norm(z - z.mean(axis=0), axis=1)
    assert largest["nearest"] == [f"o{members[row]}" for row in np.argsort(distance)[:5]]


def test_agreement_is_measured_on_held_out_objects(found, store):
    rows = [one for one in found.results if one.property]
    assert {(one.property, one.metric) for one in rows} == {("class", "ami"), ("class", "ari")}
    held = store.present("image") & (store.split == "test") & (LABELS["class"] != "")
    for one in rows:
        assert one.task == "clustering" and one.query == one.target == "image" and one.n == held.sum()
        assert 0.9 < one.low <= one.value <= one.high <= 1 and one.chance == 0 and one.origin == "mock"
    assert "agreement with survey: not measured (1 values among 180 objects)" in found.notes
    assert "agreement with name: not measured (180 values among 180 objects)" in found.notes
    scores = {one.metric: one for one in found.results if not one.property}
    assert max(scores, key=lambda name: scores[name].value) == "silhouette@3" and scores["silhouette@3"].n == 360


def test_rows_stay_those_of_the_store(found, store):
    table = found.table
    assert table["object_id"].tolist() == store.object_ids.tolist() and str(table["ra"].unit) == "deg"
    absent = ~store.present("image")
    assert (table["cluster"][absent] == -1).all() and np.isnan(table["probability"][absent]).all()
    assert (table["cluster"][~absent] >= 0).all() and (table["probability"][~absent] == 1).all()


def test_what_was_written_is_read(found, tmp_path):
    written = found.write(tmp_path / "clusters")
    opened = Clusters(tmp_path / "clusters")
    np.testing.assert_array_equal(opened.labels, found.table["cluster"])
    assert opened.results == found.results and len(opened) == 3 and opened.summary == written.summary
    assert opened.summary["clusters"][1]["nearest"] == found.summary["clusters"][1]["nearest"]
    assert "3 clusters of 360 objects; kmeans on image" in repr(opened)
    assert opened.table["ra"].unit == "deg"
    with pytest.raises(FolderError, match="nothing: no such folder"):
        Clusters(tmp_path / "nothing")


@pytest.mark.parametrize("method", ["hdbscan", "dbscan", "kmeans"])
def test_clusters_on_a_map_have_its_places(store, plane, method):
    found = cluster(store, grouping=Grouping(method), place=plane)
    assert found.summary["modality"] == "image" and found.summary["map"] == str(plane.root)
    assert found.summary["space"] == ("vectors" if method == "kmeans" else "map")
    np.testing.assert_array_equal(np.stack([found.table["x"], found.table["y"]], 1), plane.coordinates)
    assert len(found.summary["clusters"]) == 3
    metrics = {one.metric for one in found.results if one.property}
    assert {"ami", "ari"} <= metrics
    assert ("ami_clustered" in metrics) == (found.summary["in_no_cluster"] > 0)


def test_a_map_asks_for_hdbscan_by_default(store, plane):
    assert cluster(store, place=plane).summary["method"] == "hdbscan"


def test_all_noise_is_said_and_not_compared(store, plane, tmp_path):
    found = cluster(store, grouping=Grouping("dbscan", radius=1e-6), place=plane)
    assert found.summary["clusters"] == [] and found.results == [] and found.summary["comparisons"] == 0
    assert any("there are no clusters: try another min_size" in note for note in found.notes)
    assert len(found.write(tmp_path / "none")) == 0


def test_clusters_without_an_object_whose_class_is_known_are_not_compared_with_it(tmp_path):
    """DBSCAN finds a group among objects without a class, and none among those that have one."""
    far = np.geomspace(1, 1e4, 20)
    place = np.concatenate([np.linspace(0, 0.01, 20), far])[:, None] * [1.0, 0.0]
    store = EmbeddingStore.write(
        tmp_path / "space",
        {"image": np.random.default_rng(2).normal(size=(40, 3))},
        [f"o{i}" for i in range(40)],
        labels={"class": np.array([""] * 20 + ["GALAXY", "QSO"] * 10)},
    )
    plane = project(store, tmp_path / "map", on="image", method="pca")
    plane.coordinates = place
    found = cluster(store, grouping=Grouping("dbscan", radius=0.1, min_size=5), place=plane)
    assert found.summary["in_no_cluster"] == 20 and len(found.summary["clusters"]) == 1
    assert {one.metric for one in found.results if one.property} == {"ami", "ari"}
    assert "agreement with class within clusters: not measured, no object that counts is in one" in found.notes


def smooth(kind):
    draw = np.random.default_rng(1)
    if kind == "random":
        return draw.normal(size=(500, 20))
    return np.tanh(draw.uniform(-1, 1, (500, 3)) @ draw.normal(size=(3, 24)))  # a cube, bent in many directions


@pytest.mark.parametrize("kind", ["random", "cube"])
@pytest.mark.parametrize("method", ["kmeans", pytest.param("hdbscan", marks=pytest.mark.slow)])
def test_no_structure_is_called_a_division_though_a_map_shows_islands(kind, method, tmp_path):
    blank = EmbeddingStore.write(tmp_path / "blank", {"image": smooth(kind)}, [str(i) for i in range(500)])
    plane = project(blank, tmp_path / "map", neighbours=8, min_dist=0.0) if method == "hdbscan" else None
    found = cluster(blank, grouping=Grouping(method), place=plane)
    assert len(found.summary["clusters"]) > 1
    assert any("any clusters: no substantial structure, but a division" in note for note in found.notes)


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_the_silhouette_is_that_of_the_vectors(store, plane, method):
    found = cluster(store, grouping=Grouping(method), place=plane)
    best, usual = (
        max(one["value"] for one in found.summary["silhouettes"]),
        found.summary["silhouette_without_clusters"],
    )
    inside = found.table["cluster"] >= 0
    expected = silhouette_score(store.vectors("image")[inside], found.table["cluster"][inside])
    assert best == pytest.approx(expected, abs=1e-4) and best > usual + 0.3
    told = f"mean silhouette of the image vectors {best:.2f}, where k-means reaches {usual:.2f} without any clusters"
    assert told in found.notes


def test_chosen_rows_and_properties(store):
    found = cluster(store, on="spectrum", rows=KIND > 0, properties=["mass"])
    assert found.summary["considered"] == (KIND > 0).sum()
    assert {each["property"] for one in found.summary["clusters"] for each in one["separating"]} == {"mass"}
    assert (found.table["cluster"][KIND == 0] == -1).all()


def test_what_cannot_be_clustered_is_said(store, plane, tmp_path):
    with pytest.raises(InputError, match=r"2 objects to cluster \(2 of 400 have lightcurve\); at least 3 are needed"):
        cluster(store, on="lightcurve")
    with pytest.raises(InputError, match=r"is a map of image, not of spectrum. Give a map of spectrum"):
        cluster(store, on="spectrum", place=plane)
    with pytest.raises(InputError, match="is the map of another space"):
        cluster(write(tmp_path / "other", present={}), place=plane)
    with pytest.raises(UsageError, match="no property 'colour' among the labels: class, survey, name, mass"):
        cluster(store, properties=["colour"])
    with pytest.raises(UsageError, match="has no modality 'radio'"):
        cluster(store, on="radio")


def test_a_label_of_one_source_that_repeats_the_merged_one_sets_nothing_apart_again(tmp_path):
    z = np.repeat([[1.0, 0.0], [0.0, 1.0]], 20, axis=0) + np.random.default_rng(0).normal(size=(40, 2)) * 0.01
    value = np.arange(40.0)
    labels = {
        "z": value, "survey_z": value + 0.01, "photo_z": value[::-1].copy(), "class": np.repeat(["a", "b"], 20),
        "survey_class": np.repeat(["a", "b"], 20), "flag_z": np.full(40, np.nan),
    }  # fmt: skip
    store = EmbeddingStore.write(tmp_path / "space", {"image": z}, [f"{n}" for n in range(40)], labels=labels)
    apart = {one["property"] for one in cluster(store, grouping=Grouping(k=2)).summary["clusters"][0]["separating"]}
    assert apart == {"z", "photo_z", "class"}
    asked = cluster(store, grouping=Grouping(k=2), properties=["survey_z"]).summary["clusters"][0]["separating"]
    assert [one["property"] for one in asked] == ["survey_z"]
