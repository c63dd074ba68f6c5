import shutil

import numpy as np
import pytest

from astroclip_kit.downstream import Map, project
from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FolderError, InputError, UsageError

N = 240
rng = np.random.default_rng(0)
KIND = np.arange(N) % 3
Z = rng.normal(size=(3, 8))[KIND] + 0.2 * rng.normal(size=(N, 8))


def write(root, **changes):
    given = {
        "present": {"image": np.arange(N) % 8 != 0, "lightcurve": np.arange(N) < 2},
        "catalog": {"split": np.where(np.arange(N) < 180, "train", "test")},
        "values": {"dataset": "three", "origin": "mock"},
        **changes,
    }
    vectors = {"image": Z, "spectrum": Z[::-1], "lightcurve": Z}
    return EmbeddingStore.write(root, vectors, [f"o{i}" for i in range(N)], **given)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write(tmp_path_factory.mktemp("maps") / "space")


@pytest.fixture(scope="module", params=["umap", "pca"])
def made(request, store, tmp_path_factory):
    return project(store, tmp_path_factory.mktemp("made") / "map", on="image", method=request.param, neighbours=8)


def test_every_object_with_the_modality_has_a_place(made, store):
    placed = np.isfinite(made.coordinates).all(axis=1)
    np.testing.assert_array_equal(placed, store.present("image"))
    np.testing.assert_array_equal(made.fitted, store.present("image") & (store.split == "train"))
    assert made.coordinates.dtype == np.float32 and made.object_ids.tolist() == store.object_ids.tolist()
    assert f"210 of 240 objects placed; {made.method} of image, fitted on 157" in repr(made) and len(made) == N
    made.check(store)


def test_an_opened_map_places_vectors_as_before(made, store):
    opened = Map(made.root)
    others = np.flatnonzero(store.present("image") & ~made.fitted)
    np.testing.assert_allclose(
        opened.transform(store.vectors("image")[others]), made.coordinates[others], atol=1e-5, rtol=0
    )


def test_nothing_is_pickled(made):
    names = {path.name for path in made.root.iterdir()}
    assert all(name.endswith((".npy", ".json")) for name in names)
    for path in made.root.glob("*.npy"):
        np.load(path, allow_pickle=False)


def test_all_objects_are_fitted_without_a_split_and_chosen_ones_where_said(store, tmp_path):
    whole = write(tmp_path / "whole", catalog={})
    assert project(whole, tmp_path / "a", on="spectrum", method="pca").fitted.all()
    some = project(store, tmp_path / "b", on="spectrum", method="pca", rows=np.arange(N) < 50)
    assert some.fitted.sum() == 50 and np.isfinite(some.coordinates).all()


def test_a_map_of_another_store_is_refused(made, tmp_path):
    turned = write(tmp_path / "turned", present={})
    with pytest.raises(InputError, match=r"is the map of another space than .*turned.*Run project again"):
        made.check(turned)
    alone = EmbeddingStore.write(tmp_path / "alone", {"spectrum": Z}, [f"o{i}" for i in range(N)])
    with pytest.raises(InputError, match=r"is the map of another space than .*alone"):
        made.check(alone)


def test_a_damaged_map_is_said(made, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(made.root, broken)
    name = "mean" if made.method == "pca" else "places"
    (broken / f"{name}.npy").write_bytes(b"no array")
    with pytest.raises(FolderError, match=rf"{name}.npy is damaged or missing .*Project again"):
        Map(broken).transform(np.ones((1, 8)))
    np.save(broken / "coordinates.npy", np.zeros((3, 2), np.float32))
    with pytest.raises(FolderError, match=r"is damaged: it places 3 objects. Project again"):
        Map(broken)


def test_what_cannot_be_made_is_said(store, tmp_path):
    with pytest.raises(InputError, match=r"2 objects to fit a map of lightcurve on .2 of 240 objects have it.; at lea"):
        project(store, tmp_path / "m", on="lightcurve")
    with pytest.raises(InputError, match=r"neighbours: expected 2 to 156 .fewer than the 157"):
        project(store, tmp_path / "m", on="image", neighbours=157)
    with pytest.raises(UsageError, match="no method 'tsne' to make a map; there is: pca, umap"):
        project(store, tmp_path / "m", method="tsne")
    with pytest.raises(UsageError, match="min_dist from 0 to 1 and a seed of 0 or more, found 2 and 0"):
        project(store, tmp_path / "m", min_dist=2)
    with pytest.raises(UsageError, match="has no modality 'radio'"):
        project(store, tmp_path / "m", on="radio")
    assert not (tmp_path / "m").exists()
