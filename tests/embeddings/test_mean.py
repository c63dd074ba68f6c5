"""The mean of the modalities of an object, as one more modality."""

import numpy as np
import pytest

from astroclip_kit.downstream import Grouping, Map, cluster, find_anomalies, predict_table, project
from astroclip_kit.embeddings import EmbeddingStore, build_indexes
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.settings import Prediction

IDS = [f"v{i}" for i in range(40)]


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(1)
    kind = np.arange(40) % 2
    centres = np.eye(6)[kind]
    vectors = {name: centres + 0.2 * rng.normal(size=(40, 6)) for name in ("lightcurve", "spectrum", "table")}
    present = {"spectrum": np.arange(40) != 3, "table": np.arange(40) > 4}
    labels = {"class": np.where(kind, "EW", "SR"), "period": kind + 0.01 * rng.normal(size=40)}
    return EmbeddingStore.write(tmp_path / "space", vectors, IDS, present=present, labels=labels)


def test_it_is_the_mean_of_what_an_object_has(store):
    z = store.vectors("mean")
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(z[3], store.vectors("lightcurve")[3], atol=1e-6)
    expected = sum(store.vectors(name)[7] for name in store.names)
    np.testing.assert_allclose(z[7], expected / np.linalg.norm(expected), atol=1e-6)
    assert store.present("mean").all() and store.names == ["lightcurve", "spectrum", "table"]
    assert store.choices == [*store.names, "mean"]


def test_who_asks_with_the_mean_does_not_find_itself(store):
    found = store.search("v6", query="mean", target="mean", k=5)
    products = store.vectors("mean") @ store.vectors("mean")[6]
    assert list(found["object_id"]) == [IDS[i] for i in np.argsort(-products)[1:6]]
    assert "v6" not in store.search("v6", query="mean", target="spectrum", k=38)["object_id"]
    assert "v6" in store.search("v6", query="lightcurve", target="spectrum", k=39)["object_id"]


def test_anomalies_clusters_maps_and_predictions_take_it(store, tmp_path):
    odd = find_anomalies(store, on="mean", label="class")
    assert list(odd["object_id"][~np.isfinite(odd["disagreement"])]) == ["v3"]  # a light curve and nothing else
    assert len(set(cluster(store, on="mean", grouping=Grouping(k=2)).table["cluster"])) == 2
    place = project(store, tmp_path / "map", on="mean", method="pca")
    Map(place).check(store)
    assert np.isfinite(place.coordinates).all()
    read = predict_table(store, ["class"], query="mean", memory="mean", settings=Prediction(k=3))
    assert (read["class"] == store.labels["class"]).all()


def test_an_index_of_it_is_built_where_it_is_named(store):
    built = build_indexes(store, "Flat", modalities=["mean"])
    assert list(built["modality"]) == ["mean"]
    assert len(store.search("v1", query="mean", k=3)) == 3


def test_a_modality_of_that_name_stays_one_and_a_single_one_has_no_mean(tmp_path):
    own = EmbeddingStore.write(tmp_path / "own", {"mean": np.eye(3), "image": np.eye(3)[::-1]}, list("abc"))
    np.testing.assert_array_equal(own.vectors("mean"), np.eye(3, dtype=np.float32))
    assert own.choices == ["mean", "image"] and len(own.search("a", query="mean", target="image", k=3)) == 3
    single = EmbeddingStore.write(tmp_path / "single", {"image": np.eye(3)}, list("abc"))
    with pytest.raises(UsageError, match="has no modality 'mean'; it has image"):
        single.vectors("mean")


def test_vectors_that_cancel_have_no_mean(tmp_path):
    vectors = {"image": np.eye(3), "spectrum": np.eye(3) * [[1], [-1], [1]]}
    store = EmbeddingStore.write(tmp_path / "space", vectors, list("abc"))
    with pytest.raises(InputError, match="the vectors of b cancel each other: their mean has no direction"):
        store.vectors("mean")
