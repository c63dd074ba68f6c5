"""Fusions learn from cached tokens, or with their encoders, on the training side alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_stars import ONE_CORE, SIZE, SPLIT, TRAINING, Stars, make_encoders
from torch import nn

from astroclip_kit.classifiers import (
    Classifier,
    CrossAttentionFusion,
    EarlyConcat,
    EncoderClassifier,
    PooledLinear,
    encoder_logits,
    extract_tokens,
    token_logits,
    tokens_of,
    train_fusion,
    train_joint,
    view_logits,
)
from astroclip_kit.data import splits
from astroclip_kit.errors import FolderError, InputError, TrainingError, UsageError
from astroclip_kit.models import load_model
from astroclip_kit.settings import Classification
from astroclip_kit.storage import open_folder
from astroclip_kit.training import checkpoint

SETTINGS = Classification(training=TRAINING, split=SPLIT)
BOTH = {"image": 8, "spectrum": 8}


def make_fusion(in_features=BOTH):
    torch.manual_seed(0)
    return CrossAttentionFusion(in_features, 2, size=SIZE)


@pytest.fixture
def tokens(stars, tmp_path):
    return extract_tokens(stars, make_encoders(), tmp_path / "tokens", hardware=ONE_CORE)


def sides_of(stars):
    return splits.divide(stars, SPLIT)


def test_a_fusion_learns_and_is_saved_with_what_it_was_made_of(stars, tokens, tmp_path):
    untrained = make_fusion()
    before = {name: weight.clone() for name, weight in untrained.state_dict().items()}
    longer = replace(TRAINING, epochs=16, optimizer=replace(TRAINING.optimizer, learning_rate=0.01))
    settings = replace(SETTINGS, training=longer)
    fusion = train_fusion(tokens, tmp_path / "fusion", fusion=untrained, settings=settings)
    assert all(torch.equal(weight, before[name]) for name, weight in untrained.state_dict().items())
    about = open_folder(tmp_path / "fusion", "model")
    assert len(about["history"]) == longer.epochs
    test = np.flatnonzero((sides_of(stars) == "test") & stars.presence["image"] & (stars.labels["class"] != ""))
    logits = token_logits(fusion, tokens, test, hardware=ONE_CORE)
    right = np.array(about["label"]["classes"])[logits.argmax(axis=1)] == stars.labels["class"][test]
    assert right.mean() > 0.85
    again = load_model(tmp_path / "fusion")
    assert np.array_equal(token_logits(again, tokens, test, hardware=ONE_CORE), logits)
    assert not list(tmp_path.glob(".fusion.training"))


def test_objects_without_a_modality_or_a_class_are_left_out_and_counted(stars, tokens, tmp_path):
    train_fusion(tokens, tmp_path / "fusion", fusion=make_fusion(), settings=SETTINGS)
    about, here = open_folder(tmp_path / "fusion", "model"), sides_of(stars) != "test"
    known = stars.labels["class"] != ""
    assert about["left_out"] == {
        "no class": int((here & ~known).sum()),
        "no image": int((here & known & ~stars.presence["image"]).sum()),
        "no spectrum": 0,
    }
    assert sum(about["counts"].values()) == int((here & known & stars.presence["image"]).sum())


def test_the_fusion_of_one_modality_keeps_the_objects_that_lack_the_other(stars, tokens, tmp_path):
    for name, fusion in (("cls", make_fusion({"spectrum": 8})), ("linear", PooledLinear({"spectrum": 8}, 2))):
        trained = train_fusion(tokens, tmp_path / name, fusion=fusion, settings=SETTINGS)
        assert open_folder(tmp_path / name, "model")["left_out"]["no spectrum"] == 0
        assert token_logits(trained, tokens, np.arange(5), hardware=ONE_CORE).shape == (5, 2)


def test_the_best_epoch_is_kept(stars, tokens, tmp_path):
    wild = replace(TRAINING, epochs=6, optimizer=replace(TRAINING.optimizer, learning_rate=0.3))
    fusion = EarlyConcat(BOTH, 2)
    trained = train_fusion(tokens, tmp_path / "fusion", fusion=fusion, settings=replace(SETTINGS, training=wild))
    about = open_folder(tmp_path / "fusion", "model")
    valid = np.flatnonzero((sides_of(stars) == "valid") & stars.presence["image"] & (stars.labels["class"] != ""))
    codes = torch.from_numpy(np.searchsorted(about["label"]["classes"], stars.labels["class"][valid]))
    logits = torch.from_numpy(token_logits(trained, tokens, valid, hardware=ONE_CORE))
    best = min(row["val_loss"] for row in about["history"])
    assert float(nn.functional.cross_entropy(logits, codes)) == pytest.approx(best, abs=1e-5)


def test_labels_of_the_held_out_side_change_nothing(stars, tmp_path):
    models = []
    for number in range(2):
        one = Stars()
        if number:
            one.labels["class"] = np.where(sides_of(one) == "test", "bhb", one.labels["class"])
        features = extract_tokens(one, make_encoders(), tmp_path / f"tokens-{number}", hardware=ONE_CORE)
        models.append(train_fusion(features, tmp_path / f"fusion-{number}", fusion=make_fusion(), settings=SETTINGS))
    assert all(torch.equal(*pair) for pair in zip(*(one.state_dict().values() for one in models), strict=True))


def test_balanced_weights_change_what_is_learned(tokens, tmp_path):
    trained = [
        train_fusion(tokens, tmp_path / f"one-{one.class_weights}", fusion=make_fusion(), settings=one)
        for one in (SETTINGS, replace(SETTINGS, class_weights="balanced"))
    ]
    assert not torch.equal(trained[0].head.weight, trained[1].head.weight)
    assert open_folder(tmp_path / "one-", "model")["class_weights"] is None
    assert len(open_folder(tmp_path / "one-balanced", "model")["class_weights"]) == 2


class PowerCutError(BaseException):
    """What no code may catch."""


def interrupted(monkeypatch, train, writes):
    """Runs a training that is cut off when it writes a checkpoint, as often as is said, and then whole."""
    publish = checkpoint.publish
    for count in writes:
        left = count

        def crashing(path, write):
            nonlocal left
            left -= 1
            if not left:
                raise PowerCutError
            return publish(path, write)

        monkeypatch.setattr(checkpoint, "publish", crashing)
        with pytest.raises(PowerCutError):
            train()
    monkeypatch.setattr(checkpoint, "publish", publish)
    return train()


def often(training):
    return replace(training, hardware=replace(ONE_CORE, checkpoint_seconds=0))


def test_an_interrupted_training_of_a_fusion_ends_as_one_that_was_not(tokens, tmp_path, monkeypatch):
    arguments = {"settings": replace(SETTINGS, training=often(TRAINING)), "fusion": make_fusion()}
    whole = train_fusion(tokens, tmp_path / "whole", **arguments)
    cut = interrupted(monkeypatch, lambda: train_fusion(tokens, tmp_path / "cut", **arguments), (3, 5))
    assert all(torch.equal(*pair) for pair in zip(whole.state_dict().values(), cut.state_dict().values(), strict=True))


def joint(stars, out, **settings):
    settings = replace(SETTINGS, **settings)
    return train_joint(stars, out, encoders=make_encoders(), fusion=make_fusion(), settings=settings)


def test_encoders_and_fusion_learn_together_the_encoders_more_slowly(stars, tmp_path):
    encoders = make_encoders()
    slow = joint(stars, tmp_path / "slow")
    still = joint(stars, tmp_path / "still", encoder_rate=0.0)
    fast = joint(stars, tmp_path / "fast", encoder_rate=1.0)
    start = encoders["image"].map.weight
    moved = [float((one.encoders["image"].map.weight - start).detach().norm()) for one in (still, slow, fast)]
    assert moved[0] == 0 and 0 < 3 * moved[1] < moved[2]
    assert isinstance(slow, Classifier) and slow.classes == ("bhb", "other")
    again = load_model(tmp_path / "slow", trusted=True)
    rows = np.flatnonzero(stars.presence["image"])[:7]
    assert np.array_equal(
        view_logits(again, stars, rows, hardware=ONE_CORE), view_logits(slow, stars, rows, hardware=ONE_CORE)
    )


def test_an_interrupted_joint_training_ends_as_one_that_was_not(stars, tmp_path, monkeypatch):
    whole = joint(stars, tmp_path / "whole", training=often(TRAINING))
    cut = interrupted(monkeypatch, lambda: joint(stars, tmp_path / "cut", training=often(TRAINING)), (4,))
    assert all(torch.equal(*pair) for pair in zip(whole.state_dict().values(), cut.state_dict().values(), strict=True))


def test_joint_training_never_asks_for_the_held_out_side_and_augments_the_training_side(stars, tmp_path):
    seen = []

    class Brighter:
        def __call__(self, x, seeds):
            seen.append(len(x))
            return x + 0.01 * (seeds % 7).to(x.dtype)[:, None, None, None]

    joint(stars, tmp_path / "joint", augmentations={"image": Brighter()})
    assert not {row for row in stars.asked if sides_of(stars)[row] == "test"}
    counts = open_folder(tmp_path / "joint", "model")["counts"]
    assert sum(seen) == TRAINING.epochs * counts["train"] + 2  # two views are tried first


def test_what_cannot_be_trained_is_refused(stars, tokens, tmp_path):
    with pytest.raises(InputError, match="Linear is no fusion: its attribute `modalities` must name"):
        train_fusion(tokens, tmp_path / "a", fusion=nn.Linear(2, 2), settings=SETTINGS)
    with pytest.raises(UsageError, match="there is no modality 'photo' in the data; they have image, spectrum"):
        train_fusion(tokens, tmp_path / "a", fusion=PooledLinear({"photo": 8}, 2), settings=SETTINGS)
    with pytest.raises(InputError, match=r"16 of the objects have no 'image' \(first: row 0\)\. Leave them out"):
        token_logits(make_fusion(), tokens, np.arange(160))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(FolderError, match="was not written by astroclip_kit"):
        train_fusion(tokens, tmp_path / "mine", fusion=make_fusion(), settings=SETTINGS)
    stars.presence["image"][:] = False
    with pytest.raises(TrainingError, match="no training object has image and spectrum"):
        joint(stars, tmp_path / "b")


def test_tokens_are_read_as_they_were_asked_for(tokens):
    rows = np.array([5, 1])
    both = tokens_of(tokens, "spectrum", rows)
    assert torch.equal(both[1], tokens_of(tokens, "spectrum", rows[1:])[0])


def test_an_encoder_with_its_head_says_of_objects_what_it_says_of_their_views(stars):
    trained = EncoderClassifier(make_encoders()["image"], ("bhb", "other")).eval()
    rows = np.flatnonzero(stars.presence["image"])[[2, 0]]
    with torch.inference_mode():
        expected = trained(torch.from_numpy(stars.views("image", rows)))
    found = encoder_logits(trained, "image", stars, rows, hardware=ONE_CORE, batch_size=1)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="of the objects have no 'image'"):
        encoder_logits(trained, "image", stars, np.arange(len(stars.presence["image"])), hardware=ONE_CORE)
