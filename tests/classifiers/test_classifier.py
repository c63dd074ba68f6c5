"""The whole classifier: from raw views to probabilities, and back from its folder."""

import numpy as np
import pytest
import torch
from small_stars import ONE_CORE, SIZE, Patches, make_encoders
from torch import nn

from astroclip_kit.classifiers import Classifier, CrossAttentionFusion, EarlyConcat
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model, save_model
from astroclip_kit.settings import Hardware

BOTH = {"image": 8, "spectrum": 8}


def make(temperature=1.0, fusion=None):
    encoders = make_encoders()
    fusion = fusion or CrossAttentionFusion(BOTH, 2, size=SIZE)
    return Classifier(encoders, fusion, ["bhb", "other"], "class", temperature).eval()


def views_of(stars, count=5):
    rows = np.flatnonzero(stars.presence["image"])[:count]
    return {name: stars.views(name, rows) for name in BOTH}


def tensors(views):
    return {name: torch.from_numpy(x) for name, x in views.items()}


def test_probabilities_are_those_of_the_logits_over_the_temperature(stars):
    views, cold, warm = views_of(stars), make(), make(4.0)
    warm.load_state_dict(cold.state_dict())
    tokens = {name: cold.encoders[name].tokens(x) for name, x in tensors(views).items()}
    logits = cold.fusion(tokens)
    torch.testing.assert_close(warm(tensors(views)), logits / 4)
    given = warm.predict(views, hardware=ONE_CORE, batch_size=2)
    np.testing.assert_allclose(given, (logits / 4).softmax(dim=1).detach().numpy(), rtol=1e-5)
    assert given.dtype == np.float64 and np.allclose(given.sum(axis=1), 1)


def test_it_comes_back_from_its_folder_with_its_names_and_temperature(stars, tmp_path):
    classifier = make(1.7)
    save_model(classifier, tmp_path / "model")
    again = load_model(tmp_path / "model", trusted=True)
    assert (again.classes, again.label, again.temperature) == (("bhb", "other"), "class", 1.7)
    assert np.array_equal(again.predict(views_of(stars)), classifier.predict(views_of(stars)))


def test_one_object_is_classified_as_among_others_and_none_gives_none(stars):
    views, classifier = views_of(stars), make()
    alone = classifier.predict({name: x[:1] for name, x in views.items()}, hardware=ONE_CORE)
    np.testing.assert_allclose(alone, classifier.predict(views, hardware=ONE_CORE)[:1], rtol=1e-5)
    assert classifier.predict({name: x[:0] for name, x in views.items()}).shape == (0, 2)


class Preprocessed(Patches):
    """Notes how it is called."""

    def preprocess(self, x):
        self.seen = (x.dtype, torch.is_autocast_enabled("cpu"))
        return 57000 + x

    def tokens(self, x):
        self.inner = (torch.is_autocast_enabled("cpu"), x.dtype, x.is_contiguous(memory_format=torch.channels_last))
        self.no_gradient = torch.is_inference_mode_enabled()
        return super().tokens(x)


def test_inference_runs_in_the_precision_asked_for_but_preprocesses_in_float32(stars):
    encoders = {**make_encoders(), "image": Preprocessed(32)}
    classifier = Classifier(encoders, EarlyConcat(BOTH, 2), ["bhb", "other"])
    classifier.train().predict(views_of(stars), hardware=Hardware("cpu", "bfloat16", threads=1))
    assert encoders["image"].seen == (torch.float32, False)
    assert encoders["image"].inner == (True, torch.float32, True) and encoders["image"].no_gradient
    assert classifier.training and classifier.fusion.training


def test_attention_says_where_each_part_of_an_image_looks(stars):
    views, classifier = tensors(views_of(stars)), make()
    weights = classifier.attention(views)
    assert weights.shape == (5, 4, 5)
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(5, 4))
    with pytest.raises(UsageError, match="EarlyConcat has no attention to show"):
        make(fusion=EarlyConcat(BOTH, 2)).attention(views)


def test_what_does_not_fit_is_refused(stars):
    views = views_of(stars)
    with pytest.raises(InputError, match="the classifier reads image, spectrum; found image, no 'spectrum'"):
        make().predict({"image": views["image"]})
    with pytest.raises(InputError, match=r"equally many views of each modality, found .*'image': 4, 'spectrum': 5"):
        make().predict({**views, "image": views["image"][:4]})
    with pytest.raises(UsageError, match="the fusion reads 'spectrum', which has no encoder"):
        Classifier({"image": nn.Identity()}, EarlyConcat(BOTH, 2), ["a", "b"])
    with pytest.raises(UsageError, match="temperature is 0, expected a number above 0"):
        make(0)
