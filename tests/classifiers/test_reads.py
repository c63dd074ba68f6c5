"""Classifiers with several encoders of one modality."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_stars import ONE_CORE, SPLIT, TRAINING, Patches, make_encoders

from astroclip_kit.classifiers import EarlyConcat, extract_tokens, fit_classifier, token_shape, view_logits
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model
from astroclip_kit.settings import Classification
from astroclip_kit.storage import open_folder

SETTINGS = Classification(method="early_concat", split=SPLIT, encoder_training=TRAINING, training=TRAINING)


class OfImages(Patches):
    """Another encoder of the image."""

    reads = "image"


def both():
    torch.manual_seed(1)
    return {"image": Patches(32), "second": OfImages(64)}


def test_tokens_of_two_encoders_of_one_modality(stars, tmp_path):
    tokens = extract_tokens(stars, both(), tmp_path / "tokens", hardware=ONE_CORE)
    assert token_shape(tokens, "image") == (4, 8) and token_shape(tokens, "second") == (2, 8)
    assert tokens.modalities["second"] == stars.modalities["image"]
    assert load_model(tokens.encoder_folders["second"], trusted=True).reads == "image"
    for wrong, message in (("spectrum", "'spectrum' reads 'image', and 'spectrum' is a modality too"),):
        with pytest.raises(UsageError, match=message):
            extract_tokens(stars, {wrong: OfImages(64)}, tmp_path / "other", hardware=ONE_CORE)


@pytest.mark.parametrize("stages", ["two", "joint"])
def test_a_classifier_of_both_needs_the_one_modality(stars, tmp_path, stages):
    del stars.modalities["spectrum"]
    classifier = fit_classifier(stars, both(), replace(SETTINGS, stages=stages), tmp_path / "run", quiet=True)
    assert classifier.modalities == ("image",) and classifier.fusion.modalities == ("image", "second")
    saved = load_model(tmp_path / "run" / "model", trusted=True)
    rows = np.flatnonzero(stars.present("image"))[:5]
    views = {"image": stars.views("image", rows)}
    np.testing.assert_allclose(saved.predict(views, hardware=ONE_CORE), classifier.predict(views, hardware=ONE_CORE))
    assert view_logits(saved, stars, rows, hardware=ONE_CORE).shape == (5, 2)
    assert set(open_folder(saved.root, "model")["modalities"]) == {"image"}
    with pytest.raises(InputError, match="the classifier reads image; found spectrum, no 'image'"):
        saved.predict({"spectrum": views["image"]})


def test_a_trained_encoder_of_another_name_is_given_by_its_folder(stars, tmp_path, monkeypatch):
    from functools import partial

    from astroclip_kit.classifiers import fitting

    monkeypatch.setattr(fitting, "encoder_of", partial(fitting.encoder_of, trusted=True))
    fit_classifier(stars, both(), SETTINGS, tmp_path / "first", quiet=True)
    given = {"second": tmp_path / "first" / "encoders" / "second", "spectrum": make_encoders()["spectrum"]}
    classifier = fit_classifier(stars, given, SETTINGS, tmp_path / "then", quiet=True)
    assert classifier.modalities == ("image", "spectrum")


def test_a_fusion_whose_encoder_is_missing_is_refused():
    with pytest.raises(UsageError, match="the fusion reads 'second', which has no encoder"):
        from astroclip_kit.classifiers import Classifier

        Classifier({"image": Patches(32)}, EarlyConcat({"image": 8, "second": 8}, 2), ["bhb", "other"])
