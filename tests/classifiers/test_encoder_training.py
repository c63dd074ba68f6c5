"""Stage 1: an encoder learns classes from raw views, with a head that is kept beside it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from blue_stars import BlueStars

from astroclip_kit.alignment import align
from astroclip_kit.classifiers import EncoderClassifier, train_encoder
from astroclip_kit.contracts import check_encoder
from astroclip_kit.data import splits
from astroclip_kit.encoders import VGG1D, ImageConvNet, SEResNet
from astroclip_kit.errors import FolderError, InputError, TrainingError, UsageError
from astroclip_kit.features import extract
from astroclip_kit.models import load_model
from astroclip_kit.pipeline.parts import encoder_for
from astroclip_kit.pretraining import pretrain_autoencoder, pretrain_masked_spectra, pretrain_moco
from astroclip_kit.settings import Alignment, Classification, Hardware, MoCo, Optimizer, Split, Training
from astroclip_kit.storage import open_folder
from astroclip_kit.training import fit
from astroclip_kit.transforms import GaussianNoise, RandomFlipRotate, ScaleImages

FLOAT32 = Hardware("cpu", "float32")
QUICK = Training(4, 32, optimizer=Optimizer("adam", 3e-3, 0.0), hardware=FLOAT32)
SPLIT = Split(test=0.1, valid=0.2)
SETTINGS = Classification(encoder_training=QUICK, split=SPLIT)
NARROW = {"widths": (8, 8, 16), "depths": (1, 1, 1)}


@pytest.fixture
def stars():
    return BlueStars()


def conv(stars):
    torch.manual_seed(0)
    sizes = {"channels": (8, 8), "hidden_features": 16, "out_features": 16}
    return ImageConvNet.for_modality(stars.modalities["image"], dropout=0.0, **sizes)


def vgg(stars):
    torch.manual_seed(0)
    return VGG1D.for_modality(stars.modalities["spectrum"], **NARROW)


def train(stars, out, modality="image", *, encoder=None, **settings):
    encoder = encoder or {"image": conv, "spectrum": vgg}[modality](stars)
    settings = replace(SETTINGS, **settings)
    return train_encoder(stars, out, modality=modality, encoder=encoder, settings=settings, quiet=True)


def accuracy(stars, classifier, modality, side="test"):
    rows = np.flatnonzero((splits.divide(stars, SPLIT) == side) & (stars.labels["class"] != ""))
    with torch.inference_mode():
        guessed = classifier(torch.from_numpy(stars.values[modality][rows])).argmax(dim=1).numpy()
    return np.mean(np.array(classifier.classes)[guessed] == stars.labels["class"][rows])


@pytest.mark.parametrize("modality", ["image", "spectrum"])
def test_it_learns_and_ends_in_a_folder_with_the_encoder_inside(stars, tmp_path, modality):
    out, training = tmp_path / "classifier", replace(QUICK, epochs=12)
    classifier = train(stars, out, modality, encoder_training=training)
    assert classifier.classes == ("bhb", "other") and not classifier.training
    assert accuracy(stars, classifier, modality) > 0.9
    manifest, inside = open_folder(out, "model"), open_folder(out / "encoder", "model")
    assert manifest["method"] == inside["method"] == "supervised"
    missing = manifest["label"]["missing"]
    assert manifest["label"]["name"] == "class" and manifest["label"]["classes"] == ["bhb", "other"] and missing
    best = min(manifest["history"], key=lambda row: row["val_loss"])
    assert best["val_loss"] < 0.6 * manifest["history"][0]["val_loss"]
    x = torch.from_numpy(stars.values[modality][:5])
    loaded, encoder = load_model(out), load_model(out / "encoder")
    with torch.inference_mode():
        torch.testing.assert_close(loaded(x), classifier(x))
        torch.testing.assert_close(loaded.head(encoder(encoder.preprocess(x))), loaded(x))


def test_an_encoder_may_ask_for_an_activation_before_the_linear_layer(stars):
    encoder = vgg(stars)
    encoder.head_activation = "relu"
    classifier, plain = EncoderClassifier(encoder, ("bhb", "other")), EncoderClassifier(vgg(stars), ("bhb", "other"))
    h = torch.randn(9, 16)
    torch.testing.assert_close(classifier.classify(h), classifier.head(h.clamp(min=0)))
    torch.testing.assert_close(plain.classify(h), plain.head(h))
    assert classifier.state_dict().keys() == plain.state_dict().keys()


def test_the_epoch_that_validates_best_is_kept(stars, tmp_path):
    classifier = train(stars, tmp_path / "out", encoder_training=replace(QUICK, epochs=6))
    history = open_folder(tmp_path / "out", "model")["history"]
    rows = np.flatnonzero((splits.divide(stars, SPLIT) == "valid") & (stars.labels["class"] != ""))
    codes = torch.from_numpy((stars.labels["class"][rows] == "other").astype(int))
    with torch.inference_mode():
        loss = torch.nn.functional.cross_entropy(classifier(torch.from_numpy(stars.values["image"][rows])), codes)
    assert loss.item() == pytest.approx(min(row["val_loss"] for row in history), rel=1e-4)


def test_held_out_and_unlabelled_objects_are_never_asked_for(stars, tmp_path):
    train(stars, tmp_path / "out")
    asked = np.array(sorted(stars.asked))
    assert not (splits.divide(stars, SPLIT)[asked] == "test").any() and (stars.labels["class"][asked] != "").all()
    assert open_folder(tmp_path / "out", "model")["counts"]["train"] < len(asked)


def test_what_an_encoder_lacks_is_measured_on_training_objects_alone(stars, tmp_path):
    given = SEResNet.for_modality(stars.modalities["image"], size=0, name="resnet18", stages=1, width=8)
    sides = splits.divide(stars, SPLIT)
    stars.values["image"][sides != "train"] *= 1000
    classifier = train(stars, tmp_path / "out", encoder=given, encoder_training=replace(QUICK, epochs=1))
    scale = classifier.encoder.preprocess.steps[0]
    rows = (sides == "train") & (stars.labels["class"] != "")
    assert scale == ScaleImages().measured_on(torch.from_numpy(stars.values["image"][rows]))
    assert given.preprocess.steps[0] == ScaleImages()  # left as it is
    assert load_model(tmp_path / "out" / "encoder").preprocess.steps[0].high == scale.high
    assert classifier.encoder.trunk.conv1.weight.is_contiguous(memory_format=torch.channels_last)


def test_an_interrupted_training_goes_on(stars, tmp_path, monkeypatch):
    whole = train(stars, tmp_path / "whole")
    hardware = replace(FLOAT32, checkpoint_seconds=0.0)

    def stopped(module, data, loss, *arguments, **more):
        steps = []

        def until(model, batch):
            steps.append(batch)
            if len(steps) > 9:
                raise KeyboardInterrupt
            return loss(model, batch)

        return fit(module, data, until, *arguments, **more)

    training = replace(QUICK, hardware=hardware)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("astroclip_kit.pretraining.course.fit", stopped)
        train(stars, tmp_path / "parts", encoder_training=training)
    with pytest.raises(FolderError, match="training data"):
        train(stars, tmp_path / "parts", encoder_training=training, class_weights="balanced")
    resumed = train(stars, tmp_path / "parts", encoder_training=training)
    for name, weight in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], weight), name


def test_the_folder_serves_where_encoders_are_asked_for(stars, tmp_path):
    for modality in stars.modalities:
        train(stars, tmp_path / modality, modality, encoder_training=replace(QUICK, epochs=1))
    folders = {name: str(tmp_path / name / "encoder") for name in stars.modalities}
    encoders = {name: encoder_for(path, stars.modalities, name) for name, path in folders.items()}
    features = extract(stars, encoders, tmp_path / "features", hardware=FLOAT32)
    assert {name: features.matrix(name).shape for name in encoders} == {"image": (240, 16), "spectrum": (240, 16)}
    model = align(features, tmp_path / "aligned", alignment=Alignment(), training=replace(QUICK, epochs=1), split=SPLIT)
    assert set(model.heads) == {"image", "spectrum"}
    logits = extract(stars, {"image": load_model(tmp_path / "image")}, tmp_path / "logits", hardware=FLOAT32)
    assert logits.matrix("image").shape == (240, 2)  # the classifier is an encoder as well


def test_balanced_weights_count_each_class_alike(stars, tmp_path):
    rare = np.flatnonzero(stars.labels["class"] == "bhb")
    stars.labels["class"][rare[12:]] = ""
    noise = np.random.default_rng(0).normal(size=stars.values["image"].shape).astype(np.float32)
    stars.values["image"] = noise  # nothing to learn but the frequencies
    shares = {}
    for weights in ("", "balanced"):
        training = replace(QUICK, epochs=3)
        classifier = train(stars, tmp_path / (weights or "plain"), class_weights=weights, encoder_training=training)
        with torch.inference_mode():
            shares[weights] = classifier(torch.from_numpy(noise)).softmax(dim=1)[:, 0].mean().item()
    assert shares[""] < 0.25 < 0.4 < shares["balanced"] < 0.6
    with pytest.raises(UsageError, match="class_weights is 'equal', expected '' or 'balanced'"):
        train(stars, tmp_path / "equal", class_weights="equal")


def test_augmentations_change_what_is_trained_on(stars, tmp_path):
    turned = {"class_path": "astroclip_kit.transforms.RandomFlipRotate"}
    as_part = train(stars, tmp_path / "part", augmentations={"image": turned})
    as_object = train(stars, tmp_path / "object", augmentations={"image": RandomFlipRotate()})
    plain = train(stars, tmp_path / "plain")
    same, other = (
        all(torch.equal(one, two) for one, two in zip(as_part.parameters(), them.parameters(), strict=True))
        for them in (as_object, plain)
    )
    assert same and not other
    kept = open_folder(tmp_path / "object", "model")["settings"]["augmentation"]
    assert kept["class_path"] == "astroclip_kit.transforms.images.RandomFlipRotate"
    with pytest.raises(InputError, match="GaussianNoise cannot augment 'image'"):
        train(stars, tmp_path / "wrong", augmentations={"image": GaussianNoise([1.0, 2.0])})


def test_without_validation_objects_the_last_epoch_is_kept(stars, tmp_path):
    train(stars, tmp_path / "out", split=Split(test=0.1, valid=0.0))
    assert "val_loss" not in open_folder(tmp_path / "out", "model")["history"][-1]


def test_what_cannot_be_learned_is_refused(stars, tmp_path):
    with pytest.raises(UsageError, match="label: there is no 'kind' in the data; it has class, z"):
        train(stars, tmp_path / "out", label="kind")
    with pytest.raises(UsageError, match="label: 'z' is a measurement, not a class"):
        train(stars, tmp_path / "out", label="z")
    with pytest.raises(UsageError, match="there is no 'lightcurve' in the data"):
        train(stars, tmp_path / "out", "lightcurve", encoder=conv(stars))
    with pytest.raises(InputError, match="'spectrum' has the bands flux, ivar where SEResNet"):
        train(stars, tmp_path / "out", "spectrum", encoder=SEResNet(name="resnet18", stages=1, width=8))
    stars.labels["class"][:] = "bhb"
    with pytest.raises(InputError, match="all labelled objects are of the class 'bhb'"):
        train(stars, tmp_path / "out")
    stars.labels["class"][:] = ""
    with pytest.raises(InputError, match="none of the 240 objects has a class"):
        train(stars, tmp_path / "out")
    stars.present = lambda name: np.zeros(len(stars), dtype=bool)
    with pytest.raises(TrainingError, match="no training object has the modality 'image'"):
        train(stars, tmp_path / "out")


def test_a_classifier_takes_raw_views_under_any_precision(stars):
    classifier = EncoderClassifier(vgg(stars), ["a", "b", "c"]).eval()
    check_encoder(classifier, stars.modalities["spectrum"])
    assert classifier.classes == ("a", "b", "c") and classifier.out_features == 3
    x = torch.from_numpy(stars.values["spectrum"][:4])
    seen = []
    classifier.encoder.convolutions.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        rounded = classifier(x).float()
    with torch.inference_mode():
        torch.testing.assert_close(classifier(x), rounded, atol=0.05, rtol=0.05)
    with pytest.raises(InputError, match="cannot encode 'image'"):
        check_encoder(classifier, stars.modalities["image"])


def test_vgg1d_is_no_spender_and_no_specformer_but_contrasts(stars, tmp_path):
    for function, wanted in ((pretrain_autoencoder, "SpenderEncoder"), (pretrain_masked_spectra, "SpecFormer")):
        with pytest.raises(UsageError, match=f"a {wanted}, found an encoder VGG1D"):
            function(stars, tmp_path / "out", modality="spectrum", encoder=vgg(stars), training=QUICK, split=SPLIT)
    noise = {"class_path": "astroclip_kit.transforms.IvarNoise"}
    settings, training = MoCo(queue=64, norm_groups=2, out_features=8, augmentation=noise), replace(QUICK, epochs=1)
    given = {"settings": settings, "training": training, "split": SPLIT, "quiet": True}
    encoder = pretrain_moco(stars, tmp_path / "moco", modality="spectrum", encoder=vgg(stars), **given)
    check_encoder(encoder, stars.modalities["spectrum"])
    given["settings"] = replace(settings, augmentation={})
    small = SEResNet.for_modality(stars.modalities["image"], size=0, name="resnet18", stages=1, width=8)
    trained = pretrain_moco(stars, tmp_path / "images", modality="image", encoder=small, **given)
    assert trained.preprocess.steps[0].high is not None and small.preprocess.steps[0].high is None


@pytest.mark.slow
def test_two_processes_train_the_same_classifier_as_one(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from astroclip_kit.settings import Optimizer\n"
        "from test_encoder_training import QUICK, BlueStars, train\n"
        "training = replace(QUICK, optimizer=Optimizer('sgd', 0.03, 0.0))  # Adam makes steps of roundings\n"
        "train(BlueStars(), Path(sys.argv[2]), class_weights='balanced', encoder_training=training)\n"
    )
    several = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    for name, start in (("one", []), ("two", several)):
        command = [sys.executable, *start, str(script), str(Path(__file__).parent), str(tmp_path / name)]
        subprocess.run(command, check=True, timeout=300)
    one, two = (load_model(tmp_path / name).state_dict() for name in ("one", "two"))
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=1e-3, atol=1e-4)
