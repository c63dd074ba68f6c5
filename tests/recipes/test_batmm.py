"""BATMM's experiment in miniature: two seeds of tiny encoders on simulated stars."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from miniature import make_dataset, run_all, run_of
from scipy import stats

from astroclip_kit.data import Dataset
from astroclip_kit.data.splits import divide
from astroclip_kit.errors import UsageError
from astroclip_kit.models import load_model
from astroclip_kit.recipes import find_recipe
from astroclip_kit.recipes.batmm import measure
from astroclip_kit.recipes.batmm_models import MODELS
from astroclip_kit.recipes.batmm_stages import repetitions, stages
from astroclip_kit.results import read_results
from astroclip_kit.settings import Classification, Hardware, Split, Training
from astroclip_kit.storage import open_folder, read_array

RECIPE = find_recipe("batmm")
ONE = Training(1, 32, hardware=Hardware("cpu", "float32", threads=1))
SMALL = {"widths": [4, 4, 8, 8], "depths": [1, 1, 1, 1]}
ENCODERS = {
    "image": {"class_path": "astroclip_kit.encoders.ImageConvNet", "init_args": {"out_features": 8}},
    "spectrum": {"class_path": "astroclip_kit.encoders.VGG1D", "init_args": SMALL},
}
RESNET = {"class_path": "astroclip_kit.encoders.SEResNet", "init_args": {"name": "resnet18", "width": 8, "size": 32}}
SIZE = {"width": 8, "blocks": 1, "heads": 2, "hidden_features": 16}
SETTINGS = Classification(
    fusion={"init_args": {"size": SIZE}},
    encoder_training=ONE,
    training=ONE,
    alignment_training=ONE,
    split=Split(test=0.2, valid=0.25),
)
EXPERIMENT = {
    **RECIPE.experiment,
    "seeds": 2,
    "n_boot": 20,
    "leave_out": ["resnet", "xgboost", "early_concat", "transformer_image", "transformer_ca", "joint"],
    "methods": {"vgg1d": {"widths": [4]}},
}
EXPERIMENT["methods"]["vgg1d"]["depths"] = [1]


@pytest.fixture(scope="session")
def stars(tmp_path_factory):
    return make_dataset(RECIPE, tmp_path_factory.mktemp("stars"), "stars", 120, 32)


def make_run(root, dataset, **experiment):
    return run_of(root, dataset, ENCODERS, SETTINGS, {**EXPERIMENT, **experiment}, seed=5)


@pytest.fixture(scope="module")
def done(stars, tmp_path_factory):
    """All stages, run once."""
    run = make_run(tmp_path_factory.mktemp("batmm"), stars)
    return run, run_all(stages(run))


@pytest.mark.slow
def test_every_seed_has_its_own_split_encoders_and_tokens(done, stars):
    run, written = done
    names = [stage.name for stage in written]
    assert len(set(names)) == len(names) == 2 * (1 + 1 + 1 + 5 + 1)
    first, second = repetitions(run)
    assert (first.seed, second.seed) == (5, 6)
    one, other = (load_model(each.place("own", "encoders", "spectrum", "encoder")) for each in (first, second))
    assert any((a != b).any() for a, b in zip(one.parameters(), other.parameters(), strict=True))
    for each in (first, second):
        splits = {stage.arguments["split"] for stage in written if stage.name.startswith(each.name)}
        assert splits == {replace(SETTINGS.split, seed=each.seed)}
    sides = [divide(Dataset(stars), each.settings.split) for each in (first, second)]
    assert (sides[0] != sides[1]).any()


def test_the_test_side_of_a_seed_was_seen_by_none_of_its_encoders(done, stars):
    run, _ = done
    for each in repetitions(run):
        sides = divide(Dataset(stars), each.settings.split)
        judged = read_array(each.place("results") / "rows.npy")
        assert set(sides[judged]) == {"test"}
        for folder in ("own/encoders/image", "own/encoders/spectrum", "plain/spectrum", "own/fusion"):
            manifest = open_folder(each.place(*folder.split("/")), "model")
            assert manifest["counts"]["train"] <= (sides == "train").sum()
            assert Split(**manifest["split"]) == each.settings.split


def test_all_rows_of_a_seed_are_judged_by_the_same_stars(done):
    run, _ = done
    for each in repetitions(run):
        results, about = read_results(each.place("results")), open_folder(each.place("results"), "results")
        assert about["models"] == [name for name in MODELS if name not in EXPERIMENT["leave_out"]]
        whole = [one for one in results if one.metric == "macro_f1"]
        assert [one.task for one in whole] == about["models"] and len({one.n for one in whole}) == 1
        assert {one.query for one in whole} == {"image", "spectrum", "image+spectrum"}
        said = read_array(each.place("results") / "probabilities.npy")
        assert said.shape == (len(about["models"]), whole[0].n, 2)
        np.testing.assert_allclose(said.sum(axis=2), 1, atol=1e-6)


def test_what_is_measured_has_means_differences_figures_and_words(done):
    run, _ = done
    found = measure(run)
    [mean] = [one for one in found.results if (one.task, one.metric, one.fold) == ("batmm", "macro_f1", -1)]
    each = [one.value for one in found.results if (one.task, one.metric) == ("batmm", "macro_f1") and one.fold >= 0]
    assert mean.value == pytest.approx(np.mean(each)) and mean.std == pytest.approx(np.std(each, ddof=1))
    half = stats.t.ppf(0.975, 1) * mean.std * math.sqrt(1 / 2 + 0.2 / 0.6)  # 60 % train, 20 % are tested
    assert (mean.low, mean.high) == pytest.approx((max(0, mean.value - half), min(1, mean.value + half)))
    paired = {one.target for one in found.results if one.metric == "macro_f1_difference"}
    assert paired == set(MODELS) - {"batmm", *EXPERIMENT["leave_out"]}
    shares = [one.value for one in found.results if one.task == "shares" and one.fold < 0]
    assert len(shares) == 7 and sum(shares) == pytest.approx(1)
    captions = " ".join(found.figures)
    for words in ("ROC curves", "Precision by recall", "attention to each", "Cross-attention"):
        assert words in captions
    assert "Training of the image encoder, first seed." in found.figures
    assert "orderings by macro F1, of which" in found.parts["Which of the published orderings hold"]
    assert "corrected resampled t-test" in found.parts["BATMM against each other model"]
    assert "aligned with InfoNCE" in found.parts["Whether aligned encoders help"]
    assert any(note.startswith("not run: ResNet, XGBoost, Early Concat") for note in found.notes)
    table = RECIPE.compare(found.results).table
    assert set(table["task"][table["data"] == "mock"]) == (paired | {"batmm"}) - {"aligned"}


@pytest.mark.slow
def test_squeeze_and_excitation_with_and_without_and_all_trained_together(stars, tmp_path):
    left = [name for name in MODELS if name not in ("resnet", "resnet_se", "vgg1d_sa", "batmm", "joint")]
    run = make_run(tmp_path, stars, seeds=1, leave_out=left)
    run.sections["classify"]["encoders"] = {**ENCODERS, "image": RESNET}
    for stage in stages(run):
        stage.run()
    found = measure(run)
    assert not found.parts  # one seed has no differences
    bands = {one.metric: one.value for one in found.results if one.task == "shares" and one.query == "image"}
    assert list(bands) == [f"share of {band}" for band in "ugriz"] and sum(bands.values()) == pytest.approx(1)
    assert "weight of each band in squeeze and excitation" in " ".join(found.figures)
    [plain] = [stage.out for stage in stages(run) if stage.name == "seed-0/plain/image"]
    assert load_model(plain).encoder.excitation is None
    tasks = {one.task for one in found.results if one.metric == "macro_f1"}
    assert tasks == {"resnet", "resnet_se", "vgg1d_sa", "batmm", "joint"}


def test_what_is_left_out_is_not_run(stars, tmp_path):
    run = make_run(tmp_path, stars, leave_out=[name for name in MODELS if name not in ("batmm", "joint")], seeds=1)
    assert [stage.name for stage in stages(run)] == ["seed-0/own/model", "seed-0/joint/model", "seed-0/results"]


def test_a_seed_goes_on_inside(done, stars, tmp_path, monkeypatch):
    """What an interrupted classifier has trained is not trained again."""
    run, _ = done
    shutil.copytree(run.folders["root"] / "seed-0", tmp_path / "seed-0")
    monkeypatch.setattr(
        "astroclip_kit.classifiers.fitting.train_encoder", lambda *_, **__: pytest.fail("trained again")
    )
    again = make_run(tmp_path, stars)
    shutil.rmtree(tmp_path / "seed-0" / "own" / "model")
    next(iter(stages(again))).run()
    assert (tmp_path / "seed-0" / "own" / "model" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        ({"seeds": 0}, "experiment.seeds is 0, expected at least 1"),
        ({"side": "train"}, "experiment.side is 'train', expected one of test, valid"),
        ({"leave_out": ["vgg"]}, "experiment.leave_out: there is no model 'vgg'. There are: resnet, resnet_se"),
    ],
)
def test_settings_that_make_no_sense_are_refused(experiment, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        list(stages(make_run(tmp_path, tmp_path, **experiment)))


def test_both_encoders_are_needed_and_need_attention_to_leave_out(tmp_path):
    run = make_run(tmp_path, tmp_path)
    run.sections["classify"]["encoders"] = {"image": ENCODERS["image"]}
    with pytest.raises(UsageError, match=r"classify\.encoders: expected image and spectrum, found image"):
        repetitions(run)
    other = {"class_path": "astroclip_kit.encoders.SpectrumConvNet"}
    run.sections["classify"]["encoders"] = {**ENCODERS, "spectrum": other}
    with pytest.raises(
        UsageError, match=r"classify.encoders.spectrum has no attention to switch off: leave out 'vgg1d'"
    ):
        list(stages(run))
