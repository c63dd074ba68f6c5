"""A whole classification, each step of which is done once."""

import json
import re
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from small_stars import SIZE, SPLIT, TRAINING, Patches, Stars, make_encoders

from astroclip_kit.classifiers import (
    EarlyAdd,
    fit_classifier,
    fitting,
    token_logits,
    view_logits,
)
from astroclip_kit.classifiers.seen import check_unseen
from astroclip_kit.data import splits
from astroclip_kit.encoders.fitted import encoder_of
from astroclip_kit.errors import InputError, TrainingError, UsageError
from astroclip_kit.features import FeatureSet
from astroclip_kit.models import load_model, save_model
from astroclip_kit.pretraining import Pretraining
from astroclip_kit.settings import Alignment, Classification
from astroclip_kit.storage import open_folder

SETTINGS = Classification(
    fusion={"init_args": {"size": SIZE}},
    encoder_training=TRAINING,
    training=TRAINING,
    alignment_training=replace(TRAINING, batch_size=32),
    split=SPLIT,
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a classification in two stages."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    fit_classifier(Stars(), make_encoders(), SETTINGS, folder, quiet=True)
    return folder


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def counted(monkeypatch):
    """The trainings that were begun, by the name of what is trained."""
    begun = []
    for module, name in (
        (fitting, "train_encoder"),
        (fitting, "train_fusion"),
        (fitting, "train_joint"),
        (fitting, "align"),
    ):
        function = getattr(module, name)

        def noted(*arguments, _function=function, _name=name, **named):
            begun.append(_name)
            return _function(*arguments, **named)

        monkeypatch.setattr(module, name, noted)
    return begun


def held_out(stars):
    whole = stars.presence["image"] & (stars.labels["class"] != "")
    return np.flatnonzero(whole & (splits.divide(stars, SPLIT) == "test"))


@pytest.mark.parametrize(
    ("stages", "trainings"),
    [
        ("two", ["train_encoder", "train_encoder", "train_fusion"]),
        ("joint", ["train_encoder", "train_encoder", "train_joint"]),
        ("aligned", ["align", "train_encoder", "train_encoder", "train_fusion"]),
    ],
)
def test_all_three_ways_end_in_a_classifier_and_nothing_is_done_twice(stars, tmp_path, counted, stages, trainings):
    settings = replace(SETTINGS, stages=stages)
    classifier = fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    assert counted == trainings
    rows = held_out(stars)
    logits = view_logits(classifier, stars, rows, hardware=TRAINING.hardware)
    said = np.array(classifier.classes)[logits.argmax(axis=1)]
    assert (said == stars.labels["class"][rows]).mean() > 0.85
    again = fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    assert counted == trainings and again.root == tmp_path / "run" / "model"
    saved = load_model(tmp_path / "run" / "model", trusted=True)
    for one in (again, saved):
        assert np.array_equal(view_logits(one, stars, rows, hardware=TRAINING.hardware), logits)


def test_a_changed_setting_repeats_what_it_touches(stars, run, counted):
    longer = replace(SETTINGS, training=replace(TRAINING, epochs=2))
    fit_classifier(stars, make_encoders(), longer, run, quiet=True)
    assert counted == ["train_fusion"]
    counted.clear()
    other = {**make_encoders(), "spectrum": Patches(16)}
    fit_classifier(stars, other, longer, run, quiet=True)
    assert counted == ["train_encoder", "train_fusion"]


class PowerCutError(BaseException):
    """What no code may catch."""


@pytest.mark.parametrize("step", ["train_encoder", "extract_tokens", "train_fusion", "calibrate", "save_model"])
def test_a_classification_that_was_cut_off_at_any_step_goes_on(stars, tmp_path, finished, monkeypatch, step):
    whole = load_model(finished / "model", trusted=True)

    def cut(*_arguments, **_named):
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(fitting, step, cut)
        with pytest.raises(PowerCutError):
            fit_classifier(stars, make_encoders(), SETTINGS, tmp_path / "run", quiet=True)
    ended = fit_classifier(stars, make_encoders(), SETTINGS, tmp_path / "run", quiet=True)
    assert ended.temperature == whole.temperature
    pairs = zip(ended.state_dict().values(), whole.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_several_fusions_share_encoders_and_tokens(stars, tmp_path, finished, counted):
    tokens = FeatureSet(finished / "tokens")
    added = replace(SETTINGS, method="early_add", fusion={})
    both = fit_classifier(stars, {}, added, tmp_path / "early_add", tokens=tokens, quiet=True)
    alone = replace(SETTINGS, method="linear", fusion={})
    one = fit_classifier(stars, {"spectrum": ""}, alone, tmp_path / "alone", tokens=tokens, quiet=True)
    assert counted == ["train_fusion", "train_fusion"]
    assert isinstance(both.fusion, EarlyAdd) and one.modalities == ("spectrum",)
    rows = held_out(stars)
    from_tokens = token_logits(both.fusion, tokens, rows, hardware=TRAINING.hardware) / both.temperature
    np.testing.assert_allclose(
        view_logits(both, stars, rows, hardware=TRAINING.hardware), from_tokens, rtol=1e-2, atol=1e-2
    )  # tokens are cached in float16
    with pytest.raises(UsageError, match="keeps no encoder of 'photo': it was not extracted"):
        fit_classifier(stars, {"photo": ""}, alone, tmp_path / "photo", tokens=tokens, quiet=True)


def test_trained_encoders_may_be_given_by_their_folders(stars, tmp_path, finished, counted, monkeypatch):
    monkeypatch.setattr(fitting, "encoder_of", partial(encoder_of, trusted=True))
    folders = {name: finished / "encoders" / name for name in ("image", "spectrum")}
    second = fit_classifier(stars, folders, SETTINGS, tmp_path / "second", quiet=True)
    assert counted == ["train_fusion"]
    first = load_model(finished / "model", trusted=True)
    assert torch.equal(second.encoders["image"].map.weight, first.encoders["image"].map.weight)
    for one in (load_model(folders["image"], trusted=True), second.encoders["image"]):
        assert one.trained_on == stars.modalities["image"]
    with pytest.raises(UsageError, match="stages 'aligned' begins with encoders that are not trained yet"):
        fit_classifier(stars, folders, replace(SETTINGS, stages="aligned"), tmp_path / "third", quiet=True)


def test_the_manifest_says_what_the_classifier_was_made_of(stars, tmp_path):
    alignment = Alignment(augmentations={"image": {"class_path": "astroclip_kit.transforms.RandomFlipRotate"}})
    settings = replace(SETTINGS, alignment=alignment, class_weights="balanced")
    classifier = fit_classifier(stars, make_encoders(), settings, tmp_path / "run", quiet=True)
    about = open_folder(tmp_path / "run" / "model", "model")
    assert about["method"] == "fusion" and about["label"]["classes"] == ["bhb", "other"]
    assert about["temperature"] == classifier.temperature and about["left_out"]["no image"] > 0
    assert about["settings"]["class_weights"] == "balanced" and set(about["modalities"]) == {"image", "spectrum"}


def test_a_temperature_is_set_only_where_it_can_be(stars, tmp_path):
    valid = splits.divide(stars, SPLIT) == "valid"
    stars.labels["class"] = np.where(valid & (stars.labels["class"] == "other"), "", stars.labels["class"])
    with pytest.warns(UserWarning, match=r"fusion: not calibrated: all \d+ validation objects are of one class"):
        assert fit_classifier(stars, make_encoders(), SETTINGS, tmp_path / "run", quiet=True).temperature == 1.0
    assert not open_folder(tmp_path / "run" / "model", "model")["calibration"]["fitted"]


def test_what_the_fusion_cannot_be_is_found_before_anything_is_trained(stars, tmp_path, counted):
    with pytest.raises(UsageError, match="method is 'late', expected one of fusion, early_add"):
        fit_classifier(stars, make_encoders(), replace(SETTINGS, method="late"), tmp_path / "run")
    with pytest.raises(UsageError, match="PooledLinear reads one modality, found image, spectrum"):
        fit_classifier(stars, make_encoders(), replace(SETTINGS, method="linear", fusion={}), tmp_path / "run")
    stars.presence["spectrum"] = ~stars.presence["image"]
    with pytest.raises(TrainingError, match="no training object has image and spectrum"):
        fit_classifier(stars, make_encoders(), SETTINGS, tmp_path / "run")
    assert not counted and not (tmp_path / "run").exists()


def test_what_makes_no_sense_is_refused(stars, tmp_path):
    with pytest.raises(UsageError, match="stages is 'three', expected one of two, joint, aligned, simulated"):
        fit_classifier(stars, make_encoders(), replace(SETTINGS, stages="three"), tmp_path / "run")
    with pytest.raises(UsageError, match="a classifier needs an encoder for each modality"):
        fit_classifier(stars, {}, SETTINGS, tmp_path / "run")
    with pytest.raises(UsageError, match="there is no 'kind' in the data; it has class, teff"):
        fit_classifier(stars, make_encoders(), replace(SETTINGS, label="kind"), tmp_path / "run")
    stars.labels["class"][:] = "bhb"
    with pytest.raises(InputError, match="all labelled objects are of the class 'bhb'"):
        fit_classifier(stars, make_encoders(), SETTINGS, tmp_path / "run")


def test_encoders_that_learned_labels_of_held_out_objects_are_refused(stars, tmp_path, finished):
    folders = {name: finished / "encoders" / name for name in ("image", "spectrum")}
    other = replace(SPLIT, seed=5)
    message = r"learned the labels of \d+ of \d+ objects that split {seed: 5} holds out: .* with split {seed: 0}\. Give"
    with pytest.raises(UsageError, match=message):
        fit_classifier(stars, folders, replace(SETTINGS, split=other), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
    module = load_model(folders["image"], trusted=True)
    with pytest.raises(UsageError, match="Give the same split, or an encoder trained on other data or on none"):
        check_unseen({"image": module}, stars, replace(SPLIT, folds=3))
    assert check_unseen({"image": make_encoders()["image"], **folders}, stars, replace(SPLIT, valid=0.1)) == []
    stars.labels["block"] = np.arange(len(stars)) % 3
    for by in ("block", "seed"):  # a split that these objects cannot have leaves none of them unseen
        manifest = finished / "encoders" / "image" / "encoder" / "manifest.json"
        copy = tmp_path / by
        shutil.copytree(manifest.parent, copy)
        about = json.loads(manifest.read_text())
        about["split"]["by"] = by
        (copy / "manifest.json").write_text(json.dumps(about))
        with pytest.raises(UsageError, match=rf"by: {by}"):
            check_unseen({"image": copy}, stars, SPLIT)
    stars.values["image"] += 1
    assert check_unseen({"image": folders["image"]}, stars, other) == []


def test_what_an_encoder_saw_without_labels_is_noted(stars, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fitting, "encoder_of", partial(encoder_of, trusted=True))
    course = Pretraining.of("moco", stars, tmp_path / "image", "image", Alignment(), TRAINING, SPLIT)
    save_model(make_encoders()["image"], tmp_path / "image", course.about())
    check = {"image": tmp_path / "image", "spectrum": make_encoders()["spectrum"]}
    fitting._Fitting(stars, replace(SETTINGS, split=replace(SPLIT, seed=5)), tmp_path / "run", True, {}).check(check)
    assert re.search(r"note: the encoder of 'image' in .* holds out, without labels \(moco, ", capsys.readouterr().err)
