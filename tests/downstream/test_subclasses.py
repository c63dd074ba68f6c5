"""Subclasses that were planted in a class are found and named, and none where there are none."""

import numpy as np
import pytest

from astroclip_kit.downstream import Clusters, Grouping, Map, find_subclasses, project
from astroclip_kit.downstream.projection import PCAMap, UMAPMap
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import InputError, UsageError

N, D = 700, 10
KIND = np.random.default_rng(1).choice(3, N, p=[0.5, 0.3, 0.2])
GIANT = np.random.default_rng(2).random(N) < 0.35


def write(root, planted=5.0, seed=0, **changes):
    """A space of three classes; giants among the rotational ones lie elsewhere, and are redder."""
    rng = np.random.default_rng(seed)
    z = 4 * np.eye(D)[KIND] + 0.4 * rng.normal(size=(N, D))
    z[:, 7] += planted * GIANT * (KIND == 0)
    labels = {
        "class": np.array(["ROT", "EW", "M"])[KIND],
        "bp_rp": 1.5 * GIANT + rng.normal(size=N),
        "field": rng.choice(["north", "south"], N),
        "parallax": np.where(rng.random(N) < 0.4, np.nan, rng.normal(size=N)),
        "radius": np.full(N, np.nan),
        "name": np.array([f"star {i}" for i in range(N)]),
        "period": rng.normal(size=N),
    }
    given = {
        "labels": labels,
        "catalog": {
            "split": np.where(np.arange(N) % 10 < 6, "train", np.where(np.arange(N) % 10 < 8, "valid", "test"))
        },
        "present": {"spectrum": np.arange(N) % 9 != 2},
        "values": {"dataset": "three", "origin": "mock"},
    } | changes
    vectors = {"lightcurve": z, "spectrum": z + 0.2 * rng.normal(size=z.shape)}
    return EmbeddingStore.write(root, vectors, [f"o{i}" for i in range(N)], **given)


@pytest.fixture(scope="module", autouse=True)
def quick_map():
    """Principal components instead of UMAP, which takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("astroclip_kit.downstream.subclasses.UMAPMap", PCAMap)
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write(tmp_path_factory.mktemp("subclasses") / "space")


@pytest.fixture(scope="module")
def found(store):
    return find_subclasses(store, "class", "ROT", grouping=Grouping("kmeans", k=2))


def plane(store, root):
    """A map that takes no time, with the subclasses apart on it."""
    return project(store, root, on="mean", method="pca", rows=(KIND == 0) & (store.split == "train"))


def test_planted_subclasses_are_found(found, store):
    truth = GIANT[KIND == 0]
    table = found.table[KIND == 0]
    assert found.count == 2 and found.summary["within"] == "ROT" and found.summary["modality"] == "mean"
    assert (np.asarray(table["cluster"] == 1) == truth).mean() > 0.98  # giants are the smaller group
    assert (found.table["cluster"][KIND != 0] == -1).all() and found.table["object_id"].tolist() == [*store.object_ids]
    [valley] = found.summary["valleys"]
    assert valley["n"] == ((KIND == 0) & (store.split != "train")).sum() and valley["q"] < 1e-6
    assert found.summary["fitted"] == ((KIND == 0) & (store.split == "train")).sum()
    assert "a valley: " in found.notes[0] and "1 of 5 properties separate groups more clearly" in found.notes[1]
    assert found.notes[1].endswith("as given, which the space made: properties that went into the space are favoured")


def test_properties_are_ranked_against_chance(found):
    ranking = {one["property"]: one for one in found.summary["columns"]}
    assert next(iter(ranking)) == "bp_rp" and set(ranking) == {
        "bp_rp",
        "field",
        "parallax",
        "period",
        "has spectrum",
    }  # not what is never known, nor what all have, nor names
    best = ranking.pop("bp_rp")
    assert best["low"] < abs(best["value"]) > best["chance"] > 0 and best["p_any"] == 0.001 and best["q"] < 1e-6
    assert all(abs(one["value"]) < one["chance"] and one["p_any"] > 0.05 for one in ranking.values())
    assert ranking["parallax"]["missing_inside"] > 0 and ranking["field"]["effect"] == "cramers_v"
    assert {one["cluster"] for one in found.summary["clusters"]} == {0, 1}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_group_is_called_one_group(tmp_path, seed):
    found = find_subclasses(
        write(tmp_path / "space", planted=0.0, seed=seed), "class", "ROT", grouping=Grouping("kmeans", k=2), seed=seed
    )
    assert (
        found.count == 1 and "is one group as far as" in found.notes[0] and "a division of one group" in found.notes[0]
    )
    assert set(found.table["cluster"][KIND == 0].tolist()) == {0, 1}  # which is given all the same
    told = found.summary["columns"]
    assert told and all(one["p_any"] is None and one["chance"] is None for one in told)
    found.write(tmp_path / "clusters")
    read = Clusters(tmp_path / "clusters")
    assert read.summary["columns"] == told
    assert "no p says how clearly properties differ" in found.notes[1] and "permutations" not in " ".join(found.notes)


def test_groups_on_a_map_and_pieces_are_joined(store, tmp_path):
    place = plane(store, tmp_path / "map")
    found = find_subclasses(store, "class", "ROT", place=place)
    inside = found.table["cluster"][KIND == 0]
    assert found.count == 2 and found.summary["method"] == "hdbscan" and found.summary["map"] == str(tmp_path / "map")
    assert {"x", "y"} <= set(found.table.colnames)
    assert (np.asarray(inside == 1) == GIANT[KIND == 0])[np.asarray(inside) >= 0].mean() > 0.97
    pieces = find_subclasses(store, "class", "ROT", place=place, grouping=Grouping("kmeans", k=4))
    assert pieces.count == 2 and len(pieces.summary["valleys"]) == 3 and len(pieces.summary["clusters"]) == 2
    nothing = find_subclasses(store, "class", "ROT", place=place, grouping=Grouping("dbscan", radius=1e-9))
    assert (
        nothing.count == 1 and nothing.summary["columns"] == [] and "is one group: dbscan finds no" in nothing.notes[0]
    )


@pytest.mark.slow  # UMAP
def test_by_umap_of_all_classes(store, monkeypatch):
    monkeypatch.setattr("astroclip_kit.downstream.subclasses.UMAPMap", UMAPMap)
    found = find_subclasses(store, "class", "ROT")
    assert found.count == 2 and found.summary["parameters"]["min_size"] == found.summary["fitted"] // 20
    placed = np.isfinite(np.asarray(found.table["x"]))
    assert placed[store.split == "train"].all() and placed[KIND == 0].all()


def test_without_training_objects_a_half_takes_their_part(tmp_path):
    store = write(tmp_path / "space", catalog={"group": np.array([f"g{i // 2}" for i in range(N)])})
    found = find_subclasses(store, "class", "ROT", on="lightcurve", place=None, grouping=Grouping("kmeans", k=2))
    groups = len(np.unique(store.groups[KIND == 0]))
    assert found.count == 2 and found.summary["valleys"][0]["n"] == groups // 2  # an object counts once
    largest = found.summary["columns"][0]
    assert largest["property"] == "bp_rp" and largest["n_inside"] + largest["n_outside"] == groups


def test_a_modality_that_some_lack_is_named(tmp_path):
    """A mean of other modalities lies elsewhere: the groups are those with and without, and that is said."""
    rng = np.random.default_rng(0)
    z = 4 * np.eye(D)[KIND] + 0.4 * rng.normal(size=(N, D))
    lacks = rng.random(N) < 0.4
    store = EmbeddingStore.write(
        tmp_path / "space",
        {"lightcurve": z, "spectrum": z + 8 * np.eye(D)[9]},
        [f"o{i}" for i in range(N)],
        present={"spectrum": ~lacks},
        labels={"class": np.array(["ROT", "EW", "M"])[KIND]},
        catalog={"split": np.where(np.arange(N) % 2 == 0, "train", "test")},
    )
    found = find_subclasses(store, "class", "ROT", grouping=Grouping("kmeans", k=2))
    assert found.count == 2 and found.summary["columns"][0]["property"] == "has spectrum"
    assert found.summary["columns"][0]["value"] > 0.9


def test_other_properties_are_compared(store):
    temperature = np.where(GIANT, 4000.0, 6000.0) + np.random.default_rng(0).normal(size=N)
    found = find_subclasses(
        store,
        "class",
        "ROT",
        on="spectrum",
        properties={"teff": temperature, "class": store.labels["class"]},
        grouping=Grouping("kmeans", k=2),
    )
    [only] = found.summary["columns"]
    assert only["property"] == "teff" and abs(only["value"]) > 0.95
    assert "objects without spectrum were left out" in found.notes[0]


def test_it_is_written_and_read_as_clusters(found, tmp_path):
    found.write(tmp_path / "clusters")
    opened = Clusters(tmp_path / "clusters")
    assert opened.summary["subclasses"] == 2 and opened.summary["valleys"] == found.summary["valleys"]
    assert len(opened) == 2 and opened.results == []


def test_a_map_that_knows_the_counted_objects_is_told(store, tmp_path):
    place = project(store, tmp_path / "map", on="mean", method="pca", rows=np.ones(N, bool))
    found = find_subclasses(store, "class", "ROT", place=place, grouping=Grouping("kmeans", k=2))
    assert "the map was fitted also on objects that are counted: the valleys flatter the groups" in found.notes


def test_too_few_that_were_not_fitted_is_told(store, tmp_path):
    sides = np.where(np.arange(N) % 100 == 0, "test", "train")
    few = write(tmp_path / "space", catalog={"split": sides})
    found = find_subclasses(few, "class", "ROT", on="lightcurve", grouping=Grouping("kmeans", k=2), place=None)
    assert found.count == 1 and "are too few to tell whether groups are apart: hold more out" in found.notes[1]


def test_what_is_wrong_is_said(store, tmp_path):
    for given, message in (
        (("kind", "ROT"), r"no label 'kind'; there is: class, bp_rp"),
        (("bp_rp", "ROT"), "bp_rp holds numbers, expected a label with classes"),
        (("class", "RRAB"), rf"no object has the class 'RRAB'; there is: EW \({(KIND == 1).sum()}\), M"),
    ):
        with pytest.raises(UsageError, match=message):
            find_subclasses(store, *given)
    with pytest.raises(UsageError, match="has no modality 'radio'"):
        find_subclasses(store, "class", "ROT", on="radio")
    with pytest.raises(InputError, match=r"property 'teff': expected 700 values, found shape \(3,\)"):
        find_subclasses(store, "class", "ROT", properties={"teff": np.ones(3)}, grouping=Grouping("kmeans", k=2))
    place = project(store, tmp_path / "map", on="spectrum", method="pca")
    assert isinstance(place, Map)
    with pytest.raises(InputError, match=r"is a map of spectrum, not of mean\. Give a map of mean"):
        find_subclasses(store, "class", "ROT", place=place)
    rare = np.where(np.arange(N) < 40, "RARE", "EW")
    with pytest.raises(
        InputError, match=r"24 training objects are RARE and have mean \(of 40\); at least 30 are needed"
    ):
        find_subclasses(write(tmp_path / "rare", labels={"class": rare}), "class", "RARE")
    unlabelled = write(tmp_path / "unlabelled", labels={})
    with pytest.raises(UsageError, match="no label 'class'; there is: none"):
        find_subclasses(unlabelled, "class", "ROT")
