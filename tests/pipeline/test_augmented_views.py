"""Cached augmented views, from the command line to training."""

import json

import numpy as np
import pytest

from astroclip_kit import cli, pipeline
from astroclip_kit.data import Dataset
from astroclip_kit.data.splits import divide
from astroclip_kit.features import FeatureSet
from astroclip_kit.settings import Split, Training

HALF = Split(test=0.5, valid=0.0)
STEIN = {"class_path": "astroclip_kit.transforms.stein_augmentations", "init_args": {"size": 48}}
WARP = {"class_path": "astroclip_kit.transforms.ContinuumWarp", "init_args": {"amplitude": 0.2}}


@pytest.mark.slow
def test_the_training_side_is_augmented_by_the_command_and_a_model_trains_on_it(chain, tmp_path):
    encoder = {
        "class_path": "astroclip_kit.encoders.MocoResNet50",
        "init_args": {
            "preprocess": {
                "class_path": "astroclip_kit.transforms.Compose",
                "init_args": {
                    "steps": [
                        {"class_path": "astroclip_kit.transforms.CenterCrop", "init_args": {"size": 48}},
                        {"class_path": "astroclip_kit.transforms.ToRGB"},
                    ]
                },
            }
        },
    }
    words = ["--encoders", json.dumps({"image": encoder, "spectrum": chain.encoders["spectrum"]})]
    words += ["--augmentations", json.dumps({"image": STEIN, "spectrum": WARP}), "--views", 3]
    words += ["--augmented", '{"test": 0.5, "valid": 0}', "--out", tmp_path / "features"]
    assert cli.main(["extract", *map(str, [chain.data, *words])]) == 0
    features, dataset = FeatureSet(tmp_path / "features"), Dataset(chain.data)
    train = divide(dataset, HALF) == "train"
    for name in ("image", "spectrum"):
        present, observed = features.present(name), features.matrix(name)
        for view in (1, 2):
            changed = (features.matrix(name, view) != observed).any(axis=1)
            np.testing.assert_array_equal(changed, present & train)
    assert json.loads((features.root / "manifest.json").read_text())["augmented"]["test"] == 0.5
    model = pipeline.align(features.root, tmp_path / "model", training=Training(epochs=1, batch_size=16), split=HALF)
    assert model.names == ["image", "spectrum"]


@pytest.mark.parametrize(
    "part, message",
    [
        ({"class_path": "astroclip_kit.transforms.Extinction", "init_args": {"bands": ["r", "g", "z"]}},
         "has the channels g, r, z, and Extinction is for r, g, z. Give it bands as the images have them"),
        ({"class_path": "astroclip_kit.transforms.stein_augmentations"},
         "cannot augment 'image': JitterCrop keeps 96 pixels on a side, found images of (64, 64)"),
        ({"class_path": "astroclip_kit.transforms.PSFBlur", "init_args": {"bands": ["g", "r", "y"]}},
         "PSFBlur knows the distribution in g, r, z and not in 'y'"),
    ],
)  # fmt: skip
def test_an_augmentation_that_does_not_fit_is_one_clear_line(chain, tmp_path, fails, part, message):
    words = ["--encoders", json.dumps(chain.encoders), "--augmentations", json.dumps({"image": part}), "--views", 2]
    assert message in fails("extract", chain.data, "--out", tmp_path / "out", *words)
