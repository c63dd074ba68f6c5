"""How familiar inputs look, by the features in front of the heads."""

import re
import shutil

import numpy as np
import pytest
import torch

from astroclip_kit.alignment import ContrastiveModel, Ensemble, ProjectionHead
from astroclip_kit.embeddings import EmbeddingStore, embed
from astroclip_kit.embeddings.familiarity import Familiarity, familiar_rows, familiarity, groups_of, head_inputs
from astroclip_kit.errors import FolderError
from astroclip_kit.settings import Split
from astroclip_kit.types import Batch

N, D = 1200, 12
SPLIT = Split(test=0.2, valid=0.1)


def kinds(count, seed):
    """Features of two kinds of objects that vary in a few directions."""
    rng = np.random.default_rng(seed)
    h = 0.1 * rng.normal(size=(count, D))
    h[:, :3] += rng.normal(size=(count, 3))
    h[:, 3] += np.where(rng.random(count) < 0.5, -5, 5)
    return h


class Features:
    """Two visits of each object; what `embed` needs of a FeatureSet."""

    def __init__(self, count=N):
        self.object_ids = np.array([f"visit {i}" for i in range(count)])
        self.groups = np.array([f"star {i // 2}" for i in range(count)])
        self.ra = self.dec = np.arange(count) / count
        self.labels, self.manifest, self.names, self.encoders = {}, {}, ["image", "spectrum"], {}
        self.matrices = {name: kinds(count, seed).astype(np.float16) for seed, name in enumerate(self.names)}

    def __len__(self):
        return len(self.object_ids)

    def present(self, name):
        return np.arange(len(self)) % 7 > 0 if name == "image" else np.ones(len(self), dtype=bool)

    def matrix(self, name, view=0):
        return self.matrices[name]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return ContrastiveModel({name: ProjectionHead(D, 4) for name in ("image", "spectrum")})


@pytest.fixture(scope="module")
def store(model, tmp_path_factory):
    return embed(model, Features(), tmp_path_factory.mktemp("s") / "space", split=SPLIT, quiet=True)


def test_one_in_a_hundred_honest_objects_is_flagged(store):
    known = familiarity(store, "spectrum")
    new = known.percentile(kinds(4000, 9), np.full(4000, "new"))
    assert (new < 1).mean() == pytest.approx(0.01, abs=0.01)
    assert np.median(new) == pytest.approx(50, abs=8)


@pytest.mark.parametrize(("where", "value"), [(3, 40), (11, 1.5)])
def test_strange_features_are_not_familiar(store, where, value):
    strange = kinds(100, 9)
    strange[:, where] = value  # far beyond both kinds; and little, in a direction in which none of them varies
    assert (familiarity(store, "spectrum").percentile(strange, np.full(100, "new")) < 1).mean() > 0.9


def test_rows_are_judged_without_their_own_object(store):
    data, known = Features(), familiarity(store, "image")
    here = data.present("image")
    rows = familiar_rows(store, "image")
    assert np.isnan(rows[~here]).all() and rows.dtype == np.float32 and np.isfinite(rows[here]).all()
    wanted = known.percentile(data.matrix("image")[here], data.groups[here])
    np.testing.assert_allclose(rows[here], wanted, rtol=1e-6)
    held_out = here & np.isin(store.split, ["valid", "test"])
    assert len(known.usual) == held_out.sum() and not np.isin(known.groups, data.groups[held_out]).any()
    assert (rows[held_out] < 1).mean() <= 0.01
    again = known.distance(data.matrix("image")[here], np.full(here.sum(), "another"))
    assert (again[np.isin(data.groups[here], known.groups)] < 0.1).mean() > 0.8  # the same features, without leave-out


def test_the_distance_is_that_to_the_nearest_of_another_group():
    h = np.random.default_rng(1).normal(size=(300, 4))
    groups = np.array([f"g{i // 3}" for i in range(300)])
    known = Familiarity.fit(h, groups, np.arange(300) >= 180)
    x = (h - known.mean) @ known.axes
    apart = np.linalg.norm(x[:, None] - known.sample.astype(float), axis=2)
    apart[groups[:, None] == known.groups] = np.inf
    np.testing.assert_allclose(known.distance(h, groups, step=64), apart.min(axis=1), atol=5e-3)


def test_without_a_split_some_objects_are_set_apart(model, tmp_path):
    store = embed(model, Features(), tmp_path / "space", quiet=True)
    known = familiarity(store, "spectrum")
    assert len(known.usual) == N // 5 and len(known.sample) == N - N // 5
    assert (known.percentile(kinds(1000, 9), np.full(1000, "new")) < 1).mean() < 0.03


def test_pooled_rows_are_the_mean_of_their_visits(model, store, tmp_path):
    pooled = embed(model, Features(), tmp_path / "space", pool="group", split=SPLIT, quiet=True)
    order = groups_of(store, store.object_ids) == "star 7"
    wanted = familiar_rows(store, "spectrum")[order].mean()
    assert familiar_rows(pooled, "spectrum")[pooled.object_ids == "star 7"][0] == pytest.approx(wanted)
    rows = familiar_rows(pooled, "image")
    np.testing.assert_array_equal(np.isfinite(rows), pooled.present("image"))


def test_a_large_sample_is_drawn(monkeypatch):
    monkeypatch.setattr("astroclip_kit.embeddings.familiarity.MOST", 50)
    known = Familiarity.fit(kinds(400, 0), np.arange(400).astype(str), np.arange(400) < 120)
    assert known.sample.shape == (50, D) and known.sample.dtype == np.float16 and len(known.usual) == 120


def test_too_few_objects_and_constant_features(model, tmp_path):
    few = embed(model, Features(12), tmp_path / "few", quiet=True)
    assert familiarity(few, "image") is None and familiar_rows(few, "image") is None
    known = Familiarity.fit(np.ones((50, 3)), np.arange(50).astype(str), np.arange(50) < 20)
    assert known.percentile(np.array([[1, 1, 1], [1, 1, 2.0]]), np.array(["a", "b"])).tolist() == [100, 0]


def test_what_the_heads_were_given_is_seen(model):
    batch = Batch([], [], {"image": torch.ones(2, D)}, {"image": torch.arange(2)})
    for one in (model, Ensemble([model, model])):
        with head_inputs(one) as given:
            one.embed(batch)
        np.testing.assert_array_equal(given["image"], np.ones((2, D), dtype=np.float16))
        assert list(given) == ["image"]
    given.clear()
    model.embed(batch)
    assert not given
    with head_inputs(torch.nn.Linear(2, 2)) as nothing:
        assert nothing == {}


def test_what_belongs_to_other_vectors_is_not_used(model, store, tmp_path):
    path = tmp_path / "space"
    embed(model, Features(), path, split=SPLIT, quiet=True)
    file = path / "familiarity" / "image.npz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(FolderError, match=r"image\.npz is damaged .* Embed again"):
        familiarity(EmbeddingStore(path), "image")
    other = EmbeddingStore.write(path, {"image": np.eye(4)}, list("abcd"))
    assert familiarity(other, "image") is None and familiar_rows(store, "image") is not None


def test_a_store_made_from_another_keeps_it(store, tmp_path, capsys):
    at = np.arange(0, 600, 3)
    some = store.select(at, tmp_path / "some")
    np.testing.assert_array_equal(familiar_rows(some, "image"), familiar_rows(store, "image")[at])
    np.testing.assert_array_equal(familiarity(some, "image").sample, familiarity(store, "image").sample)
    one = store.without("image", tmp_path / "one")
    np.testing.assert_array_equal(familiar_rows(one, "spectrum"), familiar_rows(store, "spectrum"))
    whole = some.merged(store.select(np.arange(300, 900), tmp_path / "rest"), tmp_path / "whole")
    assert not capsys.readouterr().err
    rows = [store.object_ids.tolist().index(name) for name in whole.object_ids]
    np.testing.assert_array_equal(familiar_rows(whole, "image"), familiar_rows(store, "image")[rows])


def test_what_two_stores_do_not_know_alike_is_said(store, tmp_path, capsys):
    some, rest = (store.select(np.arange(n, n + 600), tmp_path / f"{n}") for n in (0, 600))
    shutil.rmtree(rest.root / "familiarity")
    assert familiarity(some.merged(rest, tmp_path / "all"), "image") is None
    told = capsys.readouterr().err
    assert re.search(r"all does not say how familiar its image and spectrum look: the two stores do not know", told)


def test_features_of_wide_encoders_are_summed_before_they_are_whitened():
    """Informer has 25,600: their covariance would take hours. A sum keeps what sets strange inputs apart."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(D, 5000)).astype(np.float32)

    def wide(count, seed, noise=0.3):
        own = np.random.default_rng(seed)
        return (kinds(count, seed) @ mixing + noise * own.normal(size=(count, 5000))).astype(np.float32)

    groups = np.arange(700).astype(str)
    known = Familiarity.fit(wide(700, 1), groups, np.arange(700) >= 500)
    assert known.axes.shape == (5000, 512) and known.sample.shape == (500, 512)
    usual = known.percentile(wide(200, 2), np.full(200, "new"))
    assert 30 < np.median(usual) < 70 and (usual < 5).mean() < 0.12
    strange = {"noise": 2 * rng.normal(size=(50, 5000)), "far": 3 * wide(50, 3), "disturbed": wide(50, 4, noise=3.0)}
    for h in strange.values():
        assert (known.percentile(h.astype(np.float32), np.full(50, "strange")) < 1).mean() > 0.9
