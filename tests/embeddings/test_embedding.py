import numpy as np
import pytest
import torch

from astroclip_kit.alignment import ContrastiveModel, Ensemble, ProjectionHead
from astroclip_kit.data import splits
from astroclip_kit.embeddings import embed
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import save_model
from astroclip_kit.settings import Hardware, Split
from astroclip_kit.types import Batch

N = 24


class Features:
    """Two visits of each of twelve objects; what `embed` needs of a FeatureSet."""

    def __init__(self):
        self.object_ids = np.array([f"visit{i}" for i in range(N)])
        self.groups = np.array([f"star{i // 2:02d}" for i in range(N)])
        self.ra, self.dec = np.arange(N) * 10.0, np.arange(N) - 12.0
        kind = np.where(np.arange(N) % 2, "RRAB", "")
        self.labels = {"period": np.where(np.arange(N) % 2, np.arange(N), np.nan), "kind": kind, "visit": np.arange(N)}
        self.names = ["spectrum", "table"]
        self.encoders = {"spectrum": {"class_path": "a.B"}, "table": None}
        self.manifest = {"dataset": "stars", "origin": "real"}
        rng = np.random.default_rng(0)
        self.matrices = {
            name: rng.normal(size=(N, d)).astype(np.float16) for name, d in [("spectrum", 6), ("table", 3)]
        }

    def __len__(self):
        return N

    def present(self, name):
        return np.arange(N) > 3 if name == "spectrum" else np.arange(N) != 20

    def matrix(self, name, view=0):
        return self.matrices[name]


class Raw(Features):
    """The same, as a dataset of raw views."""

    def __init__(self):
        super().__init__()
        self.modalities = dict.fromkeys(self.names)
        self.matrix = None
        del self.matrix

    def __getattribute__(self, name):
        if name == "matrix":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def batch(self, rows):
        here = {name: np.flatnonzero(self.present(name)[rows]) for name in self.names}
        views = {name: torch.from_numpy(self.matrices[name][rows[here[name]]]).float() for name in self.names}
        ids = [self.object_ids[rows].tolist(), self.groups[rows].tolist()]
        return Batch(*ids, views, {name: torch.from_numpy(here[name]) for name in self.names})


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ContrastiveModel({"spectrum": ProjectionHead(6, 4), "table": ProjectionHead(3, 4)})


@pytest.fixture
def folder(tmp_path, model):
    values = {
        "encoders": {"spectrum": {"class_path": "a.B"}},
        "training": {"seed": 9},
        "split": {"seed": 1, "test": 0.3, "valid": 0.0},
    }
    save_model(model, tmp_path / "model", values)
    return tmp_path / "model"


def test_every_row_is_placed_where_the_model_says(tmp_path, folder, model):
    data = Features()
    store = embed(folder, data, tmp_path / "space", batch_size=5, hardware=Hardware("cpu"), quiet=True)
    rows = np.flatnonzero(data.present("spectrum"))
    x = torch.from_numpy(data.matrix("spectrum")[rows]).float()
    whole = Batch([], [], {"spectrum": x}, {"spectrum": torch.arange(len(rows))})
    np.testing.assert_allclose(store.vectors("spectrum")[rows], model.embed(whole)["spectrum"], atol=1e-6)
    np.testing.assert_array_equal(store.present("table"), data.present("table"))
    assert list(store.object_ids) == list(data.object_ids) and list(store.labels) == ["period", "kind", "visit"]
    assert store.manifest["dataset"] == "stars" and store.manifest["seed"] == 9 and store.manifest["origin"] == "real"
    np.testing.assert_array_equal(store.split, splits.divide(data, Split(seed=1, test=0.3, valid=0.0)))


def test_pooling_gives_one_row_per_object(tmp_path, folder):
    rows = embed(folder, Features(), tmp_path / "rows", quiet=True)
    store = embed(folder, Features(), tmp_path / "space", pool="group", quiet=True)
    assert len(store) == 12 and store.object_ids[0] == "star00" and store.groups[0] == "star00"
    assert list(store.present("spectrum")[:3]) == [False, False, True]
    mean = rows.vectors("spectrum")[10:12].mean(axis=0)
    np.testing.assert_allclose(store.vectors("spectrum")[5], mean / np.linalg.norm(mean), atol=1e-6)
    np.testing.assert_allclose(store.vectors("table")[10], rows.vectors("table")[21], atol=1e-6)
    assert store.labels["period"][3] == 7 and store.labels["kind"][3] == "RRAB" and store.labels["visit"][3] == 6
    assert set(store.split) >= {"train", "test"} and store.ra[1] == 20


def test_pooling_loses_no_digit_of_a_whole_number(tmp_path, folder):
    features = Features()
    ids = 12345678901234567 + np.arange(N)  # more than float64 holds
    features.labels = {"source_id": ids, "good": np.arange(N) % 2 == 0, "flux": np.full(N, np.nan, np.float32)}
    labels = embed(folder, features, tmp_path / "space", pool="group", quiet=True).labels
    assert labels["source_id"].tolist() == ids[::2].tolist() and labels["good"].all()
    assert labels["flux"].dtype == np.float32 and np.isnan(labels["flux"]).all()


def test_a_model_in_memory_takes_its_split_from_the_caller(tmp_path, model):
    store = embed(model, Features(), tmp_path / "a", quiet=True)
    assert set(store.split) == {""}
    store = embed(model, Features(), tmp_path / "b", split=Split(test=0.5, valid=0.0), quiet=True)
    assert (store.split == "test").any()


def test_what_align_returned_knows_its_folder(tmp_path, folder, model):
    model.root = folder
    store = embed(model, Features(), tmp_path / "space", quiet=True)
    np.testing.assert_array_equal(store.split, splits.divide(Features(), Split(seed=1, test=0.3, valid=0.0)))
    assert store.manifest["seed"] == 9


def test_the_hash_of_the_model_follows_its_weights(tmp_path, model):
    first = embed(model, Features(), tmp_path / "a", quiet=True).manifest["model"]
    assert embed(model, Features(), tmp_path / "b", quiet=True).manifest["model"] == first
    with torch.no_grad():
        next(model.parameters()).add_(1e-3)
    assert embed(model, Features(), tmp_path / "c", quiet=True).manifest["model"] != first


def test_an_ensemble_is_placed_in_one_space(tmp_path, model):
    store = embed(Ensemble([model, model]), Features(), tmp_path / "space", quiet=True)
    assert store.out_features == 8


def test_raw_views_go_through_the_encoders(tmp_path):
    class Linear(torch.nn.Module):
        def __init__(self, in_features):
            super().__init__()
            self.in_features, self.out_features = in_features, 5
            self.layer = torch.nn.Linear(in_features, 5)

        def forward(self, x):
            return self.layer(x)

    heads = {"spectrum": ProjectionHead(5, 4), "table": ProjectionHead(5, 4)}
    model = ContrastiveModel(heads, {"spectrum": Linear(6), "table": Linear(3)})
    store = embed(model, Raw(), tmp_path / "space", hardware=Hardware("cpu", "float32"), batch_size=7, quiet=True)
    assert store.present("spectrum").sum() == 20
    with pytest.raises(InputError, match="encodes raw spectrum itself: give it the dataset"):
        embed(model, Features(), tmp_path / "space", quiet=True)


def test_data_that_do_not_fit_the_model_are_refused(tmp_path, folder, model):
    data = Features()
    data.encoders = {"spectrum": {"class_path": "another.One"}}
    with pytest.raises(InputError, match="features of spectrum come from another encoder"):
        embed(folder, data, tmp_path / "space", quiet=True)
    with pytest.raises(InputError, match="needs features of spectrum: give it the features folder"):
        embed(model, Raw(), tmp_path / "space", quiet=True)
    with pytest.raises(UsageError, match="pool is 'mean', expected 'group'"):
        embed(model, Features(), tmp_path / "space", pool="mean", quiet=True)
    data.names = ["lightcurve"]
    with pytest.raises(InputError, match="has no modality of the model, which knows spectrum, table"):
        embed(model, data, tmp_path / "space", quiet=True)
    assert not (tmp_path / "space").exists()


def test_data_new_to_the_model_need_not_be_divisible(tmp_path, model):
    save_model(model, tmp_path / "model", {"split": {"by": "plate"}, "data_hash": "another"})
    assert set(embed(tmp_path / "model", Features(), tmp_path / "space", quiet=True).split) == {""}
