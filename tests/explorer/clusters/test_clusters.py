"""Clusters of a page: found in all or in some objects, on a sample of many, renamed and put together."""

import numpy as np
import pytest
from three_clusters import HOSTILE, SIZES, made, truth

from astroclip_kit.downstream.clustering import Grouping
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.explorer.clusters import clusters
from astroclip_kit.explorer.clusters.clusters import find_clusters
from astroclip_kit.explorer.map.plane import Plane
from astroclip_kit.explorer.selection.samples import drawn


@pytest.fixture
def store(tmp_path):
    return made(tmp_path)


def plane_of(store):
    xy = np.asarray(store.vectors("spectrum"))[:, :2] + 2 * np.asarray(store.vectors("spectrum"))[:, 2:3]
    xy[5] = np.nan
    return Plane("umap:spectrum", "UMAP", xy[:, 0], xy[:, 1], ("a", "b"), "spectrum")


def test_k_means_finds_what_is_there(store):
    found = find_clusters(store, "spectrum", Grouping("kmeans", k=3))
    assert found.names == ["cluster 1", "cluster 2", "cluster 3"] and tuple(found.sizes) == SIZES
    np.testing.assert_array_equal(found.codes, truth(store))
    assert truth(store)[found.typical].tolist() == [0, 1, 2] and found.codes.dtype == np.int32
    first = found.telling[0][0]
    assert (first.property, first.level) == ("kind", HOSTILE) and first.inside == 1
    assert found.about["method"] == "kmeans" and found.about["k"] == 3 and found.about["modality"] == "spectrum"
    assert any("mean silhouette of the spectrum vectors" in note for note in found.notes)


@pytest.mark.parametrize("on_map", [True, False])
def test_crowds_are_found_on_the_map_and_among_vectors(store, on_map):
    plane = plane_of(store) if on_map else None
    found = find_clusters(store, "spectrum", Grouping("hdbscan", min_size=8), plane=plane)
    inside = found.codes >= 0
    assert len(found.names) == 3 and inside.sum() > 90
    np.testing.assert_array_equal(found.codes[inside], truth(store)[inside])
    assert found.about["space"] == ("umap:spectrum" if on_map else "vectors")
    assert found.codes[5] == -1 or not on_map
    assert found.about["considered"] == len(store) - on_map


def test_two_columns_of_other_units_count_alike(store):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=len(store)), 1e6 * (truth(store) + 0.05 * rng.normal(size=len(store)))
    found = []
    for wide in (1, 1e-9):
        plane = Plane("x|y", "y against x", x * wide, y, ("x", "y"), "x or y")
        found.append(find_clusters(store, "spectrum", Grouping("hdbscan", min_size=8), plane=plane).codes)
    np.testing.assert_array_equal(*found)
    assert found[0].max() >= 1
    flat = Plane("x|y", "y against x", x * 0, y, ("x", "y"), "x or y")
    assert find_clusters(store, "spectrum", Grouping("hdbscan", min_size=8), plane=flat).sizes == list(SIZES)


def test_the_store_stays_as_it_is(store):
    before = store.present("spectrum").copy()
    find_clusters(store, "spectrum", Grouping("hdbscan", min_size=8), plane=plane_of(store))
    np.testing.assert_array_equal(store.present("spectrum"), before)


def test_ten_objects_are_grouped(tmp_path):
    z = np.eye(4)[np.arange(10) % 2] + 0.1 * np.random.default_rng(0).normal(size=(10, 4))
    store = EmbeddingStore.write(tmp_path / "ten", {"image": z}, range(10), labels={"z": np.full(10, np.nan)})
    assert find_clusters(store, "image", Grouping("kmeans")).sizes == [5, 5]
    assert find_clusters(store, "image", Grouping("hdbscan", min_size=3)).sizes == [5, 5]


def test_only_chosen_objects_with_the_modality_are_looked_at(store):
    chosen = np.arange(len(store)) % 2 == 0
    found = find_clusters(store, "image", Grouping("kmeans", k=3), among=chosen)
    assert (found.codes[~chosen] == -1).all() and found.codes[0] == -1 and sum(found.sizes) == 59
    assert "2 objects without image were left out" in found.notes


@pytest.mark.parametrize(("method", "on_map"), [("kmeans", False), ("hdbscan", True), ("hdbscan", False)])
def test_of_many_objects_a_sample_tells_where_all_belong(store, monkeypatch, method, on_map):
    monkeypatch.setattr(clusters, "FITTED", 60)
    grouping = Grouping(method, k=3) if method == "kmeans" else Grouping(method, min_size=10)
    found = find_clusters(store, "spectrum", grouping, plane=plane_of(store) if on_map else None)
    inside = found.codes >= 0
    np.testing.assert_array_equal(found.codes[inside], truth(store)[inside])
    assert inside.sum() > 100 and found.about["fitted"] == 60
    assert (
        f"found among 60 of {120 - on_map} objects, drawn at random; all others were put to the nearest" in found.notes
    )


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_a_damaged_vector_outside_the_sample_is_in_no_cluster(store, monkeypatch, method):
    monkeypatch.setattr(clusters, "FITTED", 60)
    path = store.root / "spectrum.npy"
    z = np.load(path)
    z[np.setdiff1d(np.arange(len(store)), drawn(np.ones(len(store), bool), 60))[0]] = np.nan
    np.save(path, z)
    with pytest.raises(InputError, match=r"embeddings of spectrum: 1 of \d+ vectors hold NaN or infinity"):
        find_clusters(EmbeddingStore(store.root), "spectrum", Grouping(method, k=3, min_size=10))


def test_two_clusters_of_one_name_are_one(store):
    found = find_clusters(store, "spectrum", Grouping("kmeans", k=3))
    named = found.renamed(store, 2, HOSTILE)
    assert named.names == ["cluster 1", "cluster 2", HOSTILE] and named.sizes == found.sizes
    joined = named.renamed(store, 1, HOSTILE)
    assert joined.names == ["cluster 1", HOSTILE] and joined.sizes == [60, 60]
    np.testing.assert_array_equal(joined.codes, np.minimum(truth(store), 1))
    assert joined.renamed(store, 0, HOSTILE).sizes == [120] and joined.telling[0][0].property == "kind"
    larger = found.renamed(store, 0, "cluster 3")
    assert larger.names == ["cluster 3", "cluster 2"] and larger.sizes == [80, 40]


def test_a_store_without_labels_has_clusters_that_nothing_tells_apart(tmp_path):
    found = find_clusters(made(tmp_path, labels=False), "mean", Grouping("kmeans", k=3))
    assert found.telling == [[], [], []] and tuple(found.sizes) == SIZES


def test_earlier_clusters_do_not_tell_clusters_apart(store):
    found = find_clusters(store, "spectrum", Grouping("kmeans", k=3))
    store.save_column("earlier", np.append(found.names, "")[found.codes])
    again = find_clusters(store, "spectrum", Grouping("kmeans", k=3))
    assert {one.property for one in again.telling[0]} <= {"mass", "kind"}


def test_how_objects_were_observed_does_not_set_clusters_apart(store):
    truth_of = np.asarray(find_clusters(store, "spectrum", Grouping("kmeans", k=3)).codes)
    noise = np.random.default_rng(0).normal(size=len(store))
    store.save_column("plate", truth_of + 0.01 * noise)
    again = find_clusters(store, "spectrum", Grouping("kmeans", k=3))
    assert again.telling[0] and "plate" not in {one.property for one in again.telling[0]}


def test_all_noise_is_said_in_words(tmp_path):
    z = np.random.default_rng(0).normal(size=(40, 8))
    store = EmbeddingStore.write(tmp_path / "noise", {"image": z}, range(40))
    found = find_clusters(store, "image", Grouping("hdbscan", min_size=15))
    assert found.names == [] and (found.codes == -1).all()
    assert found.notes == ["HDBSCAN saw no crowd among 40 objects. Allow fewer objects in one, or take k-means."]


def test_what_cannot_be_grouped_is_refused(store, monkeypatch):
    with pytest.raises(InputError, match="2 objects with spectrum to look for clusters among, at least 3 are needed"):
        find_clusters(store, "spectrum", Grouping("kmeans"), among=np.arange(len(store)) < 2)
    with pytest.raises(UsageError, match="k: expected 2 to 119"):
        find_clusters(store, "spectrum", Grouping("kmeans", k=500))
    monkeypatch.setattr(clusters, "MOST_BY_VECTORS", 100)
    with pytest.raises(InputError, match=r"120 objects are too many for HDBSCAN on vectors\. Look on the map"):
        find_clusters(store, "spectrum", Grouping("hdbscan"))
