"""Classifiers of images that see simulated spectral vectors, which are out of fold for the objects that train them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_stars import ONE_CORE, SPLIT, TRAINING, Patches, Stars
from torch import nn

from astroclip_kit.classifiers import fit_classifier, simulated_stage, view_logits
from astroclip_kit.classifiers.simulated_stage import folds_of
from astroclip_kit.data import splits
from astroclip_kit.errors import InputError, TrainingError, UsageError
from astroclip_kit.features import FeatureSet
from astroclip_kit.features.substitution import substituted
from astroclip_kit.models import load_model, save_model
from astroclip_kit.settings import Alignment, Classification, Head, SpectralGAN
from astroclip_kit.storage import open_folder

STAMPS = {"class_path": "astroclip_kit.encoders.StampResNet", "init_args": {"width": 4, "stages": 1, "blocks": 1}}
SIMULATION = SpectralGAN(folds=3, noise=4, draws=2, generator={"encoder": STAMPS, "hidden_features": [16]})
QUICK = replace(TRAINING, epochs=1, batch_size=64)
SETTINGS = Classification(
    method="concat_mlp",
    stages="simulated",
    encoder_training=QUICK,
    training=QUICK,
    split=SPLIT,
    simulation=SIMULATION,
    simulation_training=QUICK,
    alignment=Alignment(head=Head(out_features=4)),
    alignment_training=QUICK,
)


class Sky(Stars):
    """Stars of which some may be chosen; every fourth is the same object as the one before it."""

    def __init__(self, count=96, seed=0):
        super().__init__(count, seed)
        self.groups = np.array([f"object-{row - (row % 4 == 3)}" for row in range(count)])
        self.labels["class"][3::4] = self.labels["class"][2::4]

    def select(self, rows):
        chosen = Sky(len(self))
        chosen.values = {name: one[rows] for name, one in self.values.items()}
        chosen.presence = {name: one[rows] for name, one in self.presence.items()}
        chosen.object_ids, chosen.groups = self.object_ids[rows], self.groups[rows]
        chosen.ra = chosen.dec = self.ra[rows]
        chosen.labels = {name: one[rows] for name, one in self.labels.items()}
        return chosen


class Pooled(nn.Module):
    """A spectrum's encoder."""

    def __init__(self, out_features=6):
        super().__init__()
        self.out_features = out_features
        self.map = nn.Linear(80, out_features)

    def forward(self, x):
        return self.map(x.flatten(1))


class Numbered(nn.Module):
    """A stand-in for a generator: its vectors are its number, and a little of the image."""

    reads = "image"

    def __init__(self, number, out_features=6):
        super().__init__()
        self.number, self.out_features = number, out_features

    def forward(self, x):
        return self.number + 0 * x.flatten(1)[:, : self.out_features]

    def restore(self, vectors):
        return vectors

    def standardise(self, vectors):
        return vectors


@pytest.fixture
def sky():
    return Sky()


def encoders():
    torch.manual_seed(0)
    return {"image": Patches(32), "spectrum": Pooled()}


def stand_in(seen):
    """For `train_generator`; notes the rows of each generator in the order in which they are trained."""

    def train(dataset, out, *, rows, **_):
        seen.append(rows)
        generator = Numbered(len(seen) - 1)
        save_model(generator, out)
        return generator.eval()

    return train


@pytest.fixture
def trained(monkeypatch):
    """Rows that each stand-in was trained on."""
    seen = []
    monkeypatch.setattr(simulated_stage, "train_generator", stand_in(seen))
    return seen


def test_no_training_vector_comes_from_a_generator_that_saw_the_object(sky, tmp_path, trained):
    fit_classifier(sky, encoders(), SETTINGS, tmp_path / "run", quiet=True)
    tokens = FeatureSet(tmp_path / "run" / "tokens")
    assert tokens.names == ["image", "simulated"] and len(trained) == 1 + SIMULATION.folds
    sides, image = splits.divide(sky, SPLIT), sky.presence["image"]
    whose = tokens.matrix("simulated")[:, 0].astype(int)
    assert set(whose[image & (sides != "train")]) == {0}  # of the one that learned from all training objects
    for row in np.flatnonzero(image & (sides == "train")):
        number = whose[row]
        assert number > 0 and sky.groups[row] not in sky.groups[trained[number]]
    for rows in trained:
        assert (sides[rows] == "train").all()
    assert set(trained[0]) == set(np.flatnonzero(image & (sides == "train")))
    assert open_folder(tokens.root, "features")["out_of_fold"] == {"name": "simulated", "folds": 3}


def test_the_classifier_needs_images_alone_and_nothing_is_done_twice(sky, tmp_path, trained):
    first = fit_classifier(sky, encoders(), SETTINGS, tmp_path / "run", quiet=True)
    assert first.modalities == ("image",) and set(first.reads) == {"image", "simulated"}
    assert first.encoders["simulated"].number == 0
    rows = np.flatnonzero(sky.presence["image"])[:7]
    said = first.predict({"image": sky.views("image", rows)}, hardware=ONE_CORE)
    saved = load_model(tmp_path / "run" / "model", trusted=True)
    np.testing.assert_array_equal(saved.predict({"image": sky.views("image", rows)}, hardware=ONE_CORE), said)
    before = len(trained)
    again = fit_classifier(sky, encoders(), SETTINGS, tmp_path / "run", quiet=True)
    assert len(trained) == before and again.temperature == first.temperature
    more = replace(SETTINGS, simulation_training=replace(QUICK, epochs=3))
    fit_classifier(sky, encoders(), more, tmp_path / "run", quiet=True)
    assert len(trained) == 2 * before


class PowerCutError(BaseException):
    """What no code may catch."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A classifier whose training was not cut off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated_stage, "train_generator", stand_in([]))
        return fit_classifier(Sky(), encoders(), SETTINGS, tmp_path_factory.mktemp("finished") / "run", quiet=True)


@pytest.mark.parametrize(("step", "call"), [("train_generator", 2), ("extract_tokens", 1), ("substituted", 0)])
def test_what_was_cut_off_at_any_step_goes_on(sky, tmp_path, trained, monkeypatch, finished, step, call):
    calls, function = [], getattr(simulated_stage, step)

    def cut(*arguments, **named):
        if len(calls) == call:
            raise PowerCutError
        calls.append(step)
        return function(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(simulated_stage, step, cut)
        with pytest.raises(PowerCutError):
            fit_classifier(sky, encoders(), SETTINGS, tmp_path / "run", quiet=True)
    ended = fit_classifier(sky, encoders(), SETTINGS, tmp_path / "run", quiet=True)
    assert len(trained) == 1 + SIMULATION.folds and ended.temperature == finished.temperature
    pairs = zip(ended.state_dict().values(), finished.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize("source", ["gan", "retrieved"])
def test_generators_are_trained_by_their_source_and_stay_encoders(sky, tmp_path, source):
    settings = replace(SETTINGS, simulation=replace(SIMULATION, source=source, neighbours=5, folds=2))
    classifier = fit_classifier(sky, encoders(), settings, tmp_path / "run", quiet=True)
    rows = np.flatnonzero(sky.presence["image"])
    logits = view_logits(classifier, sky, rows, hardware=ONE_CORE)
    assert np.isfinite(logits).all()
    generator = classifier.encoders["simulated"]
    kept = load_model(tmp_path / "run" / "simulation" / "whole")
    assert kept.reads == "image" and kept.out_features == 6 and type(kept) is type(generator)
    train = (splits.divide(sky, SPLIT) == "train") & sky.presence["image"]
    if source == "retrieved":
        assert kept.memory == train.sum() and kept.neighbours == 5
        memories = [load_model(tmp_path / "run" / "simulation" / f"fold-{fold}").memory for fold in range(2)]
        assert sum(memories) == kept.memory  # two folds, each of which answers the other
    about = open_folder(tmp_path / "run" / "model", "model")
    assert about["settings"]["simulation"]["source"] == source and set(about["modalities"]) == {"image"}


@pytest.mark.parametrize(
    ("settings", "given", "message"),
    [
        ({}, {"image": Patches(32)}, "takes an encoder for image and spectrum each, found image. Name them in"),
        ({"source": "guess"}, {}, "simulation.source is 'guess', expected one of gan, retrieved"),
        ({"folds": 1}, {}, "simulation.folds is 1, expected 2 or more"),
        ({"neighbours": 0}, {}, "simulation.neighbours is 0, expected at least 1"),
        ({"ema": 1.5}, {}, "simulation.ema is 1.5, expected 0 to below 1"),
    ],
)
def test_what_cannot_be_simulated_is_refused(sky, tmp_path, settings, given, message):
    changed = replace(
        SETTINGS, simulation=replace(SIMULATION, **settings), encoder_training=replace(TRAINING, epochs=1)
    )
    with pytest.raises(UsageError, match=message):
        fit_classifier(sky, given or encoders(), changed, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()  # refused before anything is trained


def test_a_modality_of_the_name_of_the_vector_is_refused(sky, tmp_path):
    sky.modalities["simulated"] = sky.modalities["image"]
    with pytest.raises(UsageError, match="a modality is called 'simulated', as the simulated vector is"):
        fit_classifier(sky, encoders(), SETTINGS, tmp_path / "run", quiet=True)


def test_retrieved_spectra_need_objects_of_the_training_side(sky, tmp_path):
    from astroclip_kit.classifiers import train_retriever

    settings = replace(SETTINGS, simulation=replace(SIMULATION, classes=0.0))
    with pytest.raises(UsageError, match=r"rows: \d+ of 96 are not of the training side of the split"):
        train_retriever(sky, tmp_path / "run", target=Pooled(), settings=settings, rows=np.arange(96))
    sky.presence["spectrum"] = ~sky.presence["image"]
    with pytest.raises(TrainingError, match="no training object has image and spectrum"):
        train_retriever(sky, tmp_path / "run", target=Pooled(), settings=settings)


def test_folds_keep_objects_whole_and_are_of_one_size():
    groups = np.array([f"g{number // 2}" for number in range(60)])
    folds = folds_of(groups, np.arange(50), 4, seed=1)
    assert (folds[50:] == -1).all() and (folds[0:50:2] == folds[1:50:2]).all()
    counts = np.bincount(folds[:50])
    assert counts.max() - counts.min() <= 2 and len(counts) == 4
    assert (folds_of(groups[::-1], np.arange(10, 60), 4, seed=1)[::-1][:50] == folds[:50]).all()
    assert (folds_of(groups, np.arange(50), 4, seed=2) != folds).any()
    with pytest.raises(UsageError, match=r"simulation\.folds is 26, expected 2 to 25, the number of training"):
        folds_of(groups, np.arange(50), 26)


def test_features_of_some_rows_are_replaced_and_kept(sky, tmp_path):
    from astroclip_kit.features import extract

    features = extract(sky, {"image": Patches(128), "spectrum": Pooled()}, tmp_path / "a", hardware=ONE_CORE)
    rows, values = np.array([3, 1]), np.arange(16, dtype=np.float32).reshape(2, 8)
    other = substituted(features, "image", rows, values, tmp_path / "b", {"why": "test"})
    np.testing.assert_allclose(other.matrix("image")[rows], values)
    np.testing.assert_array_equal(
        np.delete(other.matrix("image"), rows, 0), np.delete(features.matrix("image"), rows, 0)
    )
    np.testing.assert_array_equal(other.matrix("spectrum"), features.matrix("spectrum"))
    assert other.data_hash("image") != features.data_hash("image") and other.manifest["why"] == "test"
    assert {load_model(one, trusted=True).out_features for one in other.encoder_folders.values()} == {8, 6}
    changed = (tmp_path / "b" / "manifest.json").stat().st_mtime_ns
    substituted(features, "image", rows, values, tmp_path / "b", {"why": "test"})
    assert (tmp_path / "b" / "manifest.json").stat().st_mtime_ns == changed
    with pytest.raises(InputError, match=r"1 views and new features of \(2, 7\), expected 1 and \(2, 8\)"):
        substituted(features, "image", rows, values[:, :7], tmp_path / "c")
    for bad in ((rows, values * np.nan), (np.array([0, 1]), values)):  # row 0 lacks its image
        with pytest.raises(InputError, match="new features of 'image' are not finite, or of rows that have none"):
            substituted(features, "image", *bad, tmp_path / "c")
