"""IICNet beside a small network on colours, both before one linear layer to the classes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from infrared_sources import InfraredSources
from small_stars import ONE_CORE, SPLIT

from astroclip_kit.classifiers import fit_classifier
from astroclip_kit.data import splits
from astroclip_kit.encoders import IICNet, TabularMLP
from astroclip_kit.models import load_model
from astroclip_kit.settings import Classification, Optimizer, Schedule, Training

TRAINING = Training(5, 8, optimizer=Optimizer("adam", 2e-3, 0.0), schedule=Schedule("constant"), hardware=ONE_CORE)
BRIEF = replace(TRAINING, epochs=2)
SETTINGS = Classification(method="concat_linear", encoder_training=TRAINING, training=TRAINING, split=SPLIT)


@pytest.fixture(scope="module")
def sources():
    return InfraredSources()


def encoders(sources):
    torch.manual_seed(0)
    return {
        "image": IICNet.for_modality(sources.modalities["image"], size=32),
        "colours": TabularMLP.for_modality(sources.modalities["colours"], hidden_features=[32], out_features=64),
    }


def accuracy(sources, classifier):
    rows = np.flatnonzero(splits.divide(sources, SPLIT) == "test")
    views = {name: torch.from_numpy(sources.values[name][rows]) for name in sources.modalities}
    with torch.inference_mode():
        logits = classifier(views)
    assert logits.isfinite().all()  # also where colours are missing
    return np.mean(np.array(classifier.classes)[logits.argmax(dim=1)] == sources.labels["class"][rows])


@pytest.mark.slow
def test_colours_are_joined_to_the_image_before_the_last_layer(sources, tmp_path):
    two = fit_classifier(sources, encoders(sources), SETTINGS, tmp_path / "two", quiet=True)
    trained = {name: tmp_path / "two" / "encoders" / name for name in sources.modalities}
    joint = fit_classifier(
        sources, trained, replace(SETTINGS, stages="joint", training=BRIEF), tmp_path / "joint", quiet=True
    )
    for classifier, folder in ((two, "two"), (joint, "joint")):
        (last,) = (one for one in classifier.fusion.modules() if isinstance(one, torch.nn.Linear))
        assert (last.in_features, last.out_features) == (512 + 64, 3)
        known = accuracy(sources, classifier)
        assert known > 0.8  # either alone: two thirds
        assert accuracy(sources, load_model(tmp_path / folder / "model")) == known
    moved = [(joint.encoders[name].state_dict(), two.encoders[name].state_dict()) for name in trained]
    assert all(any(not torch.equal(one[key], other[key]) for key in one) for one, other in moved)
