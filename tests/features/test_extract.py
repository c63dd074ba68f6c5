import json
import os
import pickle
import sys

import numpy as np
import pytest
import torch
from fake_survey import FLOAT32, FakeSurvey, Mean, run
from torch import nn

from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import FolderError, InputError
from astroclip_kit.features import FeatureSet, extract
from astroclip_kit.features.matrix import needs_float32
from astroclip_kit.models import load_model
from astroclip_kit.settings import Hardware


def test_features_are_what_the_encoder_gives(survey, tmp_path):
    encoder = Mean()
    features = run(survey, {"image": encoder, "table": TabularMLP(2, 5)}, tmp_path / "features")
    present = survey.present("image")
    matrix = features.matrix("image")
    assert matrix.dtype == np.float16 and matrix.shape == (50, 2) and isinstance(matrix, np.memmap)
    np.testing.assert_allclose(matrix[present], encoder.expected(survey.values["image"][present]), atol=1e-3)
    assert (matrix[~present] == 0).all() and (features.present("image") == present).all()
    assert survey.rows_read("image") == np.flatnonzero(present).tolist()
    assert encoder.training and next(encoder.parameters()).requires_grad


def test_the_feature_set_describes_itself(survey, tmp_path):
    run(survey, {"table": TabularMLP(2, 5), "image": Mean()}, tmp_path / "features")
    features = pickle.loads(pickle.dumps(FeatureSet(tmp_path / "features")))
    assert features.names == ["table", "image"] and len(features) == 50
    assert features.out_features("table") == 5 and features.views("image") == 1
    assert (features.object_ids == survey.object_ids).all() and (features.groups == survey.groups).all()
    np.testing.assert_array_equal(features.ra, survey.ra)
    assert np.isnan(features.dec).all()
    np.testing.assert_array_equal(features.labels["z"], survey.labels["z"])
    assert (features.labels["class"] == survey.labels["class"]).all()
    assert features.modalities["image"] == survey.modalities["image"]
    assert features.encoders["table"]["init_args"]["out_features"] == 5
    assert features.manifest["dataset"] == "fake" and features.manifest["origin"] == "mock"
    assert os.fspath(features) == str(tmp_path / "features")
    shown = f"table: TabularMLP [5] x {survey.present('table').sum()}"
    assert shown in repr(features) and "<td>TabularMLP</td>" in features._repr_html_()
    with pytest.raises(InputError, match=r"no features of .spectrum.\. It has: table, image"):
        features.matrix("spectrum")
    with pytest.raises(InputError, match="views 0 to 0 of 'image', not 1"):
        features.matrix("image", view=1)


def test_unchanged_features_are_not_computed_again(survey, tmp_path):
    encoders = {"image": Mean(), "table": TabularMLP(2, 5)}
    first = run(survey, encoders, tmp_path / "features")
    before = {path: path.stat().st_mtime_ns for path in first.root.iterdir()}
    again = run(survey, encoders, tmp_path / "features")
    assert survey.reads == []
    assert {path: path.stat().st_mtime_ns for path in again.root.iterdir()} == before


def changed_weight(survey, encoders):
    with torch.no_grad():
        encoders["image"].weight[0] = 2.0


def changed_data(survey, encoders):
    survey.values["image"] = survey.values["image"] + 1


def changed_presence(survey, encoders):
    survey.presence["image"] = ~survey.presence["image"]


def changed_preprocess(survey, encoders):
    encoders["image"].preprocess = lambda x: x * 2


@pytest.mark.parametrize("change", [changed_weight, changed_data, changed_presence, changed_preprocess])
def test_only_what_changed_is_computed_again(survey, tmp_path, change):
    encoders = {"image": Mean(), "table": TabularMLP(2, 5)}
    before = run(survey, encoders, tmp_path / "features").matrix("image").copy()
    change(survey, encoders)
    features = run(survey, encoders, tmp_path / "features")
    assert survey.rows_read("table") == []
    assert survey.rows_read("image") == np.flatnonzero(survey.present("image")).tolist()
    assert not np.array_equal(features.matrix("image"), before)
    assert (features.present("image") == survey.present("image")).all()
    assert len(list(features.root.glob("*.npy"))) == 3


def test_another_version_of_the_kit_computes_again(survey, tmp_path, monkeypatch):
    encoders = {"image": Mean()}
    run(survey, encoders, tmp_path / "features")
    once = len(survey.rows_read("image"))
    monkeypatch.setattr("astroclip_kit.__version__", "99.0")
    run(survey, encoders, tmp_path / "features")
    assert len(survey.rows_read("image")) == once > 0


def test_a_new_label_is_taken_over_without_computing(survey, tmp_path):
    encoders = {"image": Mean()}
    run(survey, encoders, tmp_path / "features")
    survey.labels["mass"] = np.arange(50.0)
    features = run(survey, encoders, tmp_path / "features")
    assert survey.reads == [] and features.labels["mass"][7] == 7


def test_a_modality_may_be_added_and_left_out(survey, tmp_path):
    image, table = Mean(), TabularMLP(2, 5)
    run(survey, {"image": image}, tmp_path / "features")
    assert run(survey, {"image": image, "table": table}, tmp_path / "features").names == ["image", "table"]
    assert survey.rows_read("image") == []
    assert run(survey, {"table": table}, tmp_path / "features").names == ["table"] and survey.reads == []


def test_another_precision_is_another_feature(survey, tmp_path):
    encoders = {"table": TabularMLP(2, 5)}
    exact = run(survey, encoders, tmp_path / "features").matrix("table").copy()
    rounded = extract(survey, encoders, tmp_path / "features", hardware=Hardware("cpu", "bfloat16"))
    assert rounded.manifest["precision"] == "bfloat16"
    error = np.abs(rounded.matrix("table").astype(float) - exact).max()
    assert 0 < error < 0.05


@pytest.mark.parametrize("scale", [1e6, 1e-7])
def test_features_that_float16_would_ruin_are_float32(survey, tmp_path, scale):
    encoder = Mean(scale)
    features = run(survey, {"image": encoder}, tmp_path / "features")
    present = survey.present("image")
    assert features.matrix("image").dtype == np.float32
    assert features.manifest["modalities"]["image"]["matrices"][0]["dtype"] == "float32"
    np.testing.assert_allclose(
        features.matrix("image")[present],
        encoder.expected(survey.values["image"][present]),
        rtol=1e-3,
        atol=scale / 1e4,
    )


@pytest.mark.parametrize(
    ("feature", "ruined"), [((57000, 10), True), ((1000, 0.1), True), ((18, 1), False), ((0.1, 0), False)]
)
def test_a_feature_that_varies_less_than_float16_resolves_is_float32(feature, ruined):
    rng = np.random.default_rng(0)
    h = np.stack([rng.normal(*feature, 500), rng.normal(size=500)], axis=1).astype(np.float32)
    assert needs_float32(h) == ruined


def test_a_later_shard_that_overflows_begins_again_in_float32(survey, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["astroclip_kit.features.extraction"], "SHARD_ROWS", 16)
    last = np.flatnonzero(survey.present("image"))[-1]
    survey.values["image"][last] = 1e5
    features = run(survey, {"image": Mean()}, tmp_path / "features")
    assert features.matrix("image").dtype == np.float32
    assert features.matrix("image")[last, 0] == pytest.approx(1e5)
    assert features.matrix("image")[np.flatnonzero(survey.present("image"))[0], 1] > 0


def test_features_that_are_not_finite_are_counted_and_listed(survey, tmp_path):
    rows = np.flatnonzero(survey.present("image"))[[3, 20]]
    survey.values["image"][rows, 0, 0, 0] = [77.0, 78.0]
    ids = survey.object_ids[rows]
    message = rf"'image' are not finite for 2 of {survey.present('image').sum()} objects \({ids[0]}, {ids[1]}\)"
    with pytest.warns(UserWarning, match=message):
        features = run(survey, {"image": Mean(bad=(77.0, 78.0))}, tmp_path / "features")
    assert features.manifest["modalities"]["image"]["not_finite"] == ids.tolist()
    expected = survey.present("image").copy()
    expected[rows] = False
    assert (features.present("image") == expected).all() and (features.matrix("image")[rows] == 0).all()


def test_features_of_which_none_is_finite_are_an_error(survey, tmp_path):
    survey.values["image"][:, 0, 0, 0] = 77.0
    with pytest.raises(InputError, match=r"not finite for .*: .*Mean or its preprocess is broken"):
        run(survey, {"image": Mean(bad=(77.0,))}, tmp_path / "features")
    with pytest.raises(FolderError, match="not a complete features folder"):
        FeatureSet(tmp_path / "features")


def test_a_large_survey_is_written_in_several_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["astroclip_kit.features.extraction"], "SHARD_ROWS", 64)
    survey = FakeSurvey(count=500)
    features = run(survey, {"table": Mean()}, tmp_path / "features")
    present = survey.present("table")
    np.testing.assert_allclose(features.matrix("table")[present], Mean().expected(survey.values["table"][present]),
                               atol=2e-3)  # fmt: skip
    journal = [json.loads(line) for line in (features.root / "journal.jsonl").read_text().splitlines()]
    assert [entry["done"] for entry in journal[:3]] == [0, 64, 128]


def test_a_real_dataset_and_a_selection_of_it(tmp_path):
    from astroclip_kit.data import ingest
    from astroclip_kit.surveys import TableReader

    (tmp_path / "optical.csv").write_text("name,g,r\n" + "".join(f"s{i},{i}.5,{i}.1\n" for i in range(20)))
    (tmp_path / "infrared.csv").write_text("name,W1\n" + "".join(f"s{i},{i}.2\n" for i in range(0, 30, 3)))
    readers = {
        name: TableReader(tmp_path / f"{name}.csv", columns=columns, id_column="name", name=name)
        for name, columns in {"optical": ["g", "r"], "infrared": ["W1"]}.items()
    }
    dataset = ingest(readers, tmp_path / "data", quiet=True)
    encoders = {"optical": TabularMLP(2, 4).eval(), "infrared": TabularMLP(1, 4).eval()}
    features = extract(dataset, encoders, tmp_path / "features", hardware=FLOAT32)
    for name, encoder in encoders.items():
        present = dataset.present(name)
        assert 0 < present.sum() < len(dataset) and (features.present(name) == present).all()
        with torch.inference_mode():
            expected = encoder(torch.from_numpy(dataset.views(name)))
        np.testing.assert_allclose(features.matrix(name)[present], expected, atol=2e-2, rtol=2e-3)
    rows = np.array([5, 2, 9])
    some = extract(dataset.select(rows), encoders, tmp_path / "some", hardware=FLOAT32)
    assert (some.object_ids == features.object_ids[rows]).all()
    np.testing.assert_allclose(some.matrix("optical"), features.matrix("optical")[rows], rtol=1e-3, atol=1e-6)


def test_encoders_are_kept_with_their_features(survey, tmp_path):
    encoder = TabularMLP(2, 5)
    features = run(survey, {"table": encoder}, tmp_path / "features")
    folder = features.encoder_folders["table"]
    assert not hasattr(encoder, "root")
    again = load_model(folder)
    views = torch.from_numpy(survey.values["table"])
    torch.testing.assert_close(again(again.preprocess(views)), encoder.eval()(encoder.preprocess(views)))
    before, weights = (folder / "weights.safetensors").stat().st_mtime_ns, (folder / "weights.safetensors").read_bytes()
    run(survey, {"table": encoder}, tmp_path / "features", views=1)
    assert (folder / "weights.safetensors").stat().st_mtime_ns == before
    run(survey, {"table": TabularMLP(2, 5)}, tmp_path / "features")
    assert (folder / "weights.safetensors").read_bytes() != weights


def test_an_encoder_that_cannot_be_described_is_not_kept(survey, tmp_path):
    class Forgetful(Mean):
        def __init__(self, number):
            super().__init__()

    class Tied(Mean):
        def __init__(self):
            super().__init__()
            self.one = self.two = nn.Linear(1, 1)
            self.three = nn.Linear(1, 1)
            self.three.weight = self.one.weight

    out = tmp_path / "features"
    assert list(run(survey, {"image": Mean()}, out).encoder_folders) == ["image"]
    for encoder in (Forgetful(1), Tied()):
        assert run(survey, {"image": encoder}, out).encoder_folders == {}
    assert not [path.name for path in (out / "encoders").iterdir()]
