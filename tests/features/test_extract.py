import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_survey import FakeSurvey, Mean
from torch import nn

from astroclip_kit.data.splits import divide
from astroclip_kit.encoders import TabularMLP
from astroclip_kit.errors import FolderError, InputError, OutputError, UsageError
from astroclip_kit.features import FeatureSet, extract
from astroclip_kit.features.matrix import MatrixWriter, needs_float32
from astroclip_kit.models import load_model
from astroclip_kit.settings import Hardware, Split
from astroclip_kit.storage import hash_ids, new_folder, write_manifest
from astroclip_kit.transforms import GaussianNoise
from astroclip_kit.transforms.randomness import object_seeds

FLOAT32 = Hardware("cpu", "float32")
HALF = Split(test=0.5, valid=0.0)


def run(survey, encoders, out, **arguments):
    survey.reads.clear()
    return extract(survey, encoders, out, batch_size=8, hardware=FLOAT32, **arguments)


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


def test_views_are_augmented_per_object_except_the_first(survey, tmp_path):
    encoder, drawn = Mean(), {"augmentations": {"image": GaussianNoise(0.5)}, "views": 3, "seed": 4}
    features = run(survey, {"image": encoder, "table": TabularMLP(2, 5)}, tmp_path / "features", **drawn)
    present = survey.present("image")
    x = torch.from_numpy(survey.values["image"][present])
    assert (features.views("image"), features.views("table")) == (3, 1)
    for view in range(3):
        seeds = object_seeds(4, view, hash_ids(survey.object_ids[present]))
        expected = GaussianNoise(0.5)(x, seeds) if view else x
        np.testing.assert_allclose(
            features.matrix("image", view)[present], encoder.expected(expected.numpy()), atol=1e-3
        )


def test_more_views_keep_those_that_are_there(survey, tmp_path):
    encoder, drawn = {"image": Mean()}, {"augmentations": {"image": GaussianNoise(0.5)}}
    one = len(np.flatnonzero(survey.present("image")))
    run(survey, encoder, tmp_path / "features", views=2, **drawn)
    run(survey, encoder, tmp_path / "features", views=4, **drawn)
    assert len(survey.rows_read("image")) == 2 * one
    run(survey, encoder, tmp_path / "features", views=4, seed=1, **drawn)
    assert len(survey.rows_read("image")) == 3 * one


class Smaller:
    """Leaves the last rows and columns of an image out."""

    def __call__(self, x, seeds):
        return x[..., :-4, :-6]


def test_the_training_side_alone_may_be_augmented(survey, tmp_path):
    drawn = {"augmentations": {"image": GaussianNoise(0.5)}, "views": 3, "seed": 4}
    every = run(survey, {"image": Mean()}, tmp_path / "every", **drawn)
    features = run(survey, {"image": Mean()}, tmp_path / "features", augmented=HALF, **drawn)
    train, present = divide(survey, HALF) == "train", survey.present("image")
    assert 5 < (train & present).sum() < present.sum() - 5
    rows = survey.rows_read("image")
    assert len(rows) == present.sum() + 2 * (train & present).sum()
    for view in range(3):
        side = present & train
        assert np.array_equal(features.matrix("image", view)[side], every.matrix("image", view)[side])
        side = present & ~train
        assert np.array_equal(features.matrix("image", view)[side], features.matrix("image", 0)[side])
    assert features.manifest["augmented"]["test"] == 0.5 and every.manifest["augmented"] is None


def test_another_side_is_another_feature_and_the_observed_view_stays(survey, tmp_path):
    drawn = {"augmentations": {"image": GaussianNoise(0.5)}, "views": 2}
    run(survey, {"image": Mean()}, tmp_path / "features", **drawn)
    run(survey, {"image": Mean()}, tmp_path / "features", augmented=HALF, **drawn)
    trained = np.flatnonzero(survey.present("image") & (divide(survey, HALF) == "train"))
    assert survey.rows_read("image") == trained.tolist()
    run(survey, {"image": Mean()}, tmp_path / "features", augmented=HALF, **drawn)
    assert survey.reads == []


def test_an_interrupted_copy_of_the_observed_view_goes_on(survey, tmp_path, monkeypatch):
    drawn = {"augmentations": {"image": GaussianNoise(0.5)}, "views": 2, "augmented": HALF}
    whole = run(survey, {"image": Mean()}, tmp_path / "whole", **drawn)
    read = MatrixWriter.read

    def stops(self, rows):
        for first in read(self, rows, 3):
            yield first
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MatrixWriter, "read", stops)
        with pytest.raises(KeyboardInterrupt):
            run(survey, {"image": Mean()}, tmp_path / "features", **drawn)
    features = run(survey, {"image": Mean()}, tmp_path / "features", **drawn)
    assert survey.reads == []
    for view in range(2):
        assert np.array_equal(features.matrix("image", view), whole.matrix("image", view))


def test_what_is_not_finite_stays_so_in_the_views_of_others(survey, tmp_path):
    present, sides = survey.present("image"), divide(survey, HALF)
    row = np.flatnonzero(present & (sides != "train"))[0]
    survey.values["image"][row, 0, 0, 0] = 77.0
    drawn = {"augmentations": {"image": GaussianNoise(0.5)}, "views": 2, "augmented": HALF}
    with pytest.warns(UserWarning, match="not finite for 1 of"):
        features = run(survey, {"image": Mean(bad=[77.0])}, tmp_path / "features", **drawn)
    assert not features.matrix("image", 1)[row].any() and not features.present("image")[row]


def test_views_may_be_smaller_if_the_encoder_takes_them(survey, tmp_path):
    drawn = {"augmentations": {"image": Smaller()}, "views": 2}
    features = run(survey, {"image": Mean()}, tmp_path / "features", **drawn)
    present = survey.present("image")
    expected = Mean().expected(survey.values["image"][present][..., :-4, :-6])
    np.testing.assert_allclose(features.matrix("image", 1)[present], expected, atol=1e-3)
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    fixed.out_features = 2
    with pytest.raises(InputError, match=r"Sequential cannot encode 'image': .*multiplied"):
        run(survey, {"image": fixed}, tmp_path / "fixed", **drawn)


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


KILLED = """
import os, signal, sys
sys.path.insert(0, {here!r})
from fake_survey import FakeSurvey, Mean
from astroclip_kit.features import extract
from astroclip_kit.models import load_model
from astroclip_kit.settings import Hardware
import astroclip_kit.features.extraction
sys.modules["astroclip_kit.features.extraction"].SHARD_ROWS = 16

class Killed(FakeSurvey):
    def views(self, name, rows):
        if len(self.rows_read(name)) >= {after}:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().views(name, rows)

extract(Killed(), {{"image": Mean()}}, {out!r}, batch_size=8, hardware=Hardware("cpu", "float32"))
"""


def test_an_extraction_that_was_killed_goes_on(survey, tmp_path):
    here, out = str(Path(__file__).parent), tmp_path / "features"
    script = KILLED.format(here=here, out=str(out), after=32)
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with pytest.raises(FolderError, match="interrupted: run it again"):
        FeatureSet(out)
    rows = np.flatnonzero(survey.present("image"))
    features = run(survey, {"image": Mean()}, out)
    assert survey.rows_read("image") in (rows[16:].tolist(), rows[32:].tolist())
    whole = run(survey, {"image": Mean()}, tmp_path / "whole")
    assert np.array_equal(features.matrix("image"), whole.matrix("image"))
    assert (features.present("image") == whole.present("image")).all()


def test_a_cut_off_journal_line_and_a_lost_matrix_cost_only_time(survey, tmp_path):
    encoders = {"image": Mean(), "table": TabularMLP(2, 5)}
    features = run(survey, encoders, tmp_path / "features")
    before = features.matrix("image").copy()
    next(features.root.glob("image-*.npy")).unlink()
    with (features.root / "journal.jsonl").open("a") as handle:
        handle.write('{"matrix": "ima')
    again = run(survey, encoders, tmp_path / "features")
    assert survey.rows_read("table") == [] and len(survey.rows_read("image")) == survey.present("image").sum()
    assert np.array_equal(again.matrix("image"), before)
    assert run(survey, encoders, tmp_path / "features").names == ["image", "table"] and survey.reads == []


def test_weights_that_come_back_are_computed_again(survey, tmp_path):
    encoders = {"image": Mean()}
    first = run(survey, encoders, tmp_path / "features").matrix("image").copy()
    run(survey, {"image": Mean(2.0)}, tmp_path / "features")
    assert np.array_equal(run(survey, encoders, tmp_path / "features").matrix("image"), first)
    assert len(survey.rows_read("image")) == survey.present("image").sum()


def test_a_full_disk_is_one_clear_error(survey, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match="no space left to write"):
        run(survey, {"image": Mean()}, tmp_path / "features")
    monkeypatch.undo()
    assert run(survey, {"image": Mean()}, tmp_path / "features").present("image").any()


def test_space_is_set_aside_where_the_system_cannot_do_it_at_once(survey, tmp_path, monkeypatch):
    expected = run(survey, {"image": Mean()}, tmp_path / "one").matrix("image")
    monkeypatch.delattr(os, "posix_fallocate")
    assert np.array_equal(run(survey, {"image": Mean()}, tmp_path / "two").matrix("image"), expected)


def test_foreign_folders_are_left_alone(survey, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("do not touch")
    with pytest.raises(FolderError, match="was not written by astroclip_kit"):
        run(survey, {"image": Mean()}, tmp_path / "mine")
    with new_folder(tmp_path / "model", "model") as folder:
        write_manifest(folder, "model", {})
    with pytest.raises(FolderError, match="is a model folder, expected a features folder"):
        run(survey, {"image": Mean()}, tmp_path / "model")


def test_a_folder_of_a_newer_version_is_refused(survey, tmp_path):
    features = run(survey, {"image": Mean()}, tmp_path / "features")
    manifest = features.root / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format_version": 99}))
    with pytest.raises(FolderError, match="newer astroclip_kit"):
        FeatureSet(features.root)


def test_a_damaged_folder_says_so(survey, tmp_path):
    features = run(survey, {"image": Mean()}, tmp_path / "features")
    next(features.root.glob("image-*.npy")).write_bytes(b"\x93NUMPY")
    with pytest.raises(FolderError, match=r"image-.*\.npy is missing or damaged"):
        features.matrix("image")
    (features.root / "catalog.parquet").write_bytes(b"PAR1")
    with pytest.raises(FolderError, match=r"catalog\.parquet is damaged"):
        FeatureSet(features.root).labels  # noqa: B018


@pytest.mark.parametrize(
    "encoders, arguments, error, message",
    [
        ({}, {}, UsageError, "no encoders were given. Give one for at least one of: image, table"),
        ({"spectrum": Mean()}, {}, UsageError, "no modality 'spectrum' in the dataset. It has: image, table"),
        ({"image": nn.Flatten()}, {}, InputError, "Flatten is no encoder"),
        ({"table": TabularMLP(7, 5)}, {}, InputError, "TabularMLP cannot encode 'table'"),
        ({"image": Mean()}, {"batch_size": 0}, UsageError, "batch_size is 0, expected at least 1"),
        ({"image": Mean()}, {"views": 0}, UsageError, "views is 0, expected at least 1"),
        ({"image": Mean()}, {"augmentations": {"img": torch.add}}, UsageError, "no modality 'img'"),
    ],
)
def test_what_cannot_be_extracted_is_refused(survey, tmp_path, encoders, arguments, error, message):
    with pytest.raises(error, match=message):
        extract(survey, encoders, tmp_path / "features", hardware=FLOAT32, **arguments)


def test_a_modality_that_nobody_has_is_refused(survey, tmp_path):
    survey.presence["image"][:] = False
    with pytest.raises(InputError, match="no object of the dataset has a 'image'"):
        run(survey, {"image": Mean()}, tmp_path / "features")


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
    np.testing.assert_allclose(some.matrix("optical"), features.matrix("optical")[rows], rtol=1e-3)


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
