"""Which planes there are, and what is taken for a map of the store."""

import json

import numpy as np
import pytest

from astroclip_kit import EmbeddingStore, project
from astroclip_kit.errors import FolderError, InputError, UsageError
from astroclip_kit.explorer.map import planes as module
from astroclip_kit.explorer.map.planes import Planes, components
from astroclip_kit.explorer.space import Space

N = 40


def make(root, seed=0, **more):
    rng = np.random.default_rng(seed)
    present = {"image": np.ones(N, bool), "spectrum": np.arange(N) % 4 > 0}
    labels = {"z": np.where(np.arange(N) < 3, np.nan, 0.5), "a|b": np.arange(N), "class": ["A"] * N}
    vectors = {name: rng.normal(size=(N, 5)) for name in present}
    coordinates = {"ra": np.linspace(0, 350, N), "dec": np.linspace(-80, 80, N)}
    ids = [f"o{number}" for number in range(N)]
    settings = {"present": present, "labels": labels, "catalog": coordinates, **more}
    return EmbeddingStore.write(root, vectors, ids, **settings)


@pytest.fixture
def store(tmp_path):
    return make(tmp_path / "space")


@pytest.fixture
def columns(store):
    return Space(store).columns


def test_without_a_map_the_first_plane_is_of_principal_components(store, columns):
    planes = Planes(store)
    assert list(planes.titles) == ["pca:image", "pca:spectrum", "pca:mean"]
    assert planes.titles["pca:mean"] == "PCA of the mean"
    plane = planes.open(planes.default, columns)
    made = project(store, store.root.with_name("other"), on="image", method="pca")
    assert np.abs(np.stack(plane.at(slice(None)), axis=1)) == pytest.approx(np.abs(made.coordinates), abs=1e-5)
    assert plane.axes == ("PCA 1", "PCA 2") and plane.missing == 0
    assert planes.open("pca:image", columns) is plane


@pytest.mark.parametrize("block", [7, 1000])
def test_objects_without_the_modality_have_no_place(store, columns, monkeypatch, block):
    monkeypatch.setattr("astroclip_kit.explorer.map.plane.BLOCK", block)
    plane = Planes(store).open("pca:spectrum", columns)
    assert plane.missing == N // 4 and plane.lacks == "spectrum"
    assert np.isnan(plane.x[::4]).all() and np.isfinite(plane.y[1::4]).all()


def test_components_of_the_mean_are_those_of_mean_vectors(store, columns):
    plane, fitted = Planes(store).open("pca:mean", columns), components(store, "mean")
    expected = fitted.transform(store.vectors("mean"))
    assert np.stack(plane.at(slice(None)), axis=1) == pytest.approx(expected, abs=1e-6)


def test_components_are_fitted_on_some_objects_of_many(store, monkeypatch):
    monkeypatch.setitem(module.FITTED, "pca", 10)
    few = store.vectors("spectrum")[np.flatnonzero(store.present("spectrum"))[::3]]
    assert components(store, "spectrum").mean == pytest.approx(few.mean(axis=0))


def test_maps_beside_the_store_and_in_its_folder_of_maps_come_first(store, columns):
    made = project(store, store.root.with_name("a-map"), method="pca")
    again = project(store, store.root.with_name("space.maps") / "umap-image", method="umap", neighbours=5)
    other = project(store, store.root.with_name("b-map"), method="pca")
    planes = Planes(store)
    assert list(planes.titles)[:3] == ["umap:image", "pca:image", "pca:image:b-map"]
    assert planes.titles["pca:image:b-map"] == "PCA of image (b-map)"
    for key, one in (("umap:image", again), ("pca:image", made), ("pca:image:b-map", other)):
        assert np.stack(planes.open(key, columns).at(slice(None)), axis=1) == pytest.approx(one.coordinates)


def test_maps_of_other_spaces_are_not_offered(store, tmp_path):
    project(make(tmp_path / "twin", seed=1), tmp_path / "map-of-the-twin", method="pca")
    (tmp_path / "note.txt").write_text("no folder")
    (tmp_path / "empty").mkdir()
    assert Planes(store).folders == {}


def test_a_map_of_an_earlier_version_is_told_by_its_vectors(store, tmp_path):
    for name, of in (("mine", store), ("foreign", make(tmp_path / "twin", seed=1))):
        project(of, tmp_path / name, method="pca")
        path = tmp_path / name / "manifest.json"
        path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "content"}))
    assert [path.name for path in Planes(store).folders.values()] == ["mine"]


def test_vectors_too_large_to_be_hashed_are_not_read(store, tmp_path, monkeypatch):
    project(store, tmp_path / "mine", method="pca")
    path = tmp_path / "mine" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "content": ""}))
    monkeypatch.setattr(module, "LARGEST_HASHED", 10)
    assert Planes(store).folders == {}


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.write_bytes(b"x"), "damaged or missing"),
        (lambda path: np.save(path, np.ones((3, 2))), "shape"),
    ],
)
def test_a_damaged_map_is_said_to_be(store, tmp_path, columns, damage, problem):
    damage(project(store, tmp_path / "mine", method="pca").root / "coordinates.npy")
    with pytest.raises(FolderError, match=f"coordinates.npy .*{problem}.* Project again"):
        Planes(store).open("pca:image", columns)


def test_two_columns_are_a_plane_and_the_sky_grows_to_the_left(store, columns):
    planes = Planes(store)
    plane = planes.open("z|dec", columns)
    assert (plane.axes, plane.missing, plane.lacks, plane.sky) == (("z", "dec [deg]"), 3, "z or dec", False)
    sky = planes.open("ra|dec", columns)
    assert sky.sky and sky.title == "Sky"
    assert planes.open("a|b|z", columns).axes == ("a|b", "z")


@pytest.mark.parametrize("key", ["umap:image", "pca:radio", "z|nothing", "z|class", "z", "|"])
def test_a_plane_that_there_is_not_is_refused(store, columns, key):
    with pytest.raises(UsageError, match=r"no map .*: expected one of pca:image, .*or two columns of numbers"):
        Planes(store).check(key, columns)


def test_a_umap_is_saved_beside_the_store_and_offered(store, columns, monkeypatch):
    planes = Planes(store)
    assert "umap:spectrum" not in planes.titles
    monkeypatch.setitem(module.FITTED, "umap", 25)
    made = planes.make_umap("spectrum")
    assert made.root == store.root.with_name("space.maps") / "umap-spectrum"
    assert 20 < made.fitted.sum() <= 30 and np.isfinite(made.coordinates[1::4]).all()
    assert planes.default == "umap:spectrum" and planes.open("umap:spectrum", columns).missing == N // 4


def test_too_few_objects_have_no_components(tmp_path, columns):
    two = EmbeddingStore.write(tmp_path / "two", {"image": np.eye(2)}, ["a", "b"])
    with pytest.raises(InputError, match=r"^a map needs at least 3 objects and 2 dimensions, found \d and \d+\.$"):
        Planes(two).open("pca:image", columns)


@pytest.mark.parametrize(
    ("ra", "least", "most"),
    [
        ((359.5, 359.9, 0.1, 0.5), -0.5, 0.5),
        ((10.0, 11.0, 12.0), 10, 12),
        (tuple(range(0, 360, 5)), 0, 355),
        ((200.0, 350.0, 359.0, 20.0, 30.0), -160, 30),
    ],
)
def test_a_field_on_the_sky_is_not_torn_apart_at_zero(tmp_path, ra, least, most):
    ids = [f"o{number}" for number in range(len(ra))]
    catalog = {"ra": np.array(ra, dtype=float), "dec": np.linspace(0, 1, len(ra))}
    vectors = {"image": np.random.default_rng(0).normal(size=(len(ra), 4))}
    space = Space(EmbeddingStore.write(tmp_path / "s", vectors, ids, catalog=catalog))
    plane = space.planes.open("ra|dec", space.columns)
    x, _ = plane.at(slice(None))
    assert (x.min(), x.max()) == (pytest.approx(least), pytest.approx(most)) and ((x - np.array(ra)) % 360 == 0).all()
    assert plane.frame[1] - plane.frame[0] < 1.1 * (most - least)
