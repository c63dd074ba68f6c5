"""Encoders that were trained before and lie in a folder of their own."""

import numpy as np
import torch

from astroclip_kit import cli, run
from astroclip_kit.encoders import ImageConvNet
from astroclip_kit.features import FeatureSet
from astroclip_kit.models import load_model, save_model

CONFIG = """
ingest:
  images: {survey}/cutouts
extract:
  encoders: {{image: {encoder}}}
"""


def saved(folder):
    torch.manual_seed(5)
    save_model(ImageConvNet(out_features=8), folder)
    return folder


def test_a_folder_stands_for_its_encoder_on_the_command_line_and_in_a_file(chain, tmp_path, capsys):
    encoder = saved(tmp_path / "encoder")
    assert cli.main(["extract", str(chain.data), "--encoders.image", str(encoder), "--out", str(tmp_path / "a")]) == 0
    (tmp_path / "run.yaml").write_text(CONFIG.format(survey=chain.survey, encoder=encoder))
    run(tmp_path / "run.yaml", tmp_path / "b")
    features = FeatureSet(tmp_path / "a")
    assert features.encoders["image"]["init_args"]["out_features"] == 8
    np.testing.assert_array_equal(features.matrix("image"), FeatureSet(tmp_path / "b" / "features").matrix("image"))
    assert "random weights" not in capsys.readouterr().err


def test_a_folder_that_is_no_encoder_is_refused(chain, tmp_path, fails):
    words = ["extract", chain.data, "--encoders.image", chain.data, "--out", tmp_path / "a"]
    assert "dataset" in fails(*words)


def test_a_class_is_named_word_by_word(chain, tmp_path):
    words = ["--encoders.image.class_path", "astroclip_kit.encoders.ImageConvNet"]
    words += ["--encoders.image.init_args.out_features", "4", "--encoders.image.init_args.channels=[4, 8]"]
    assert cli.main(["extract", str(chain.data), *words, "--out", str(tmp_path / "a")]) == 0
    described = FeatureSet(tmp_path / "a").encoders["image"]["init_args"]
    assert (described["out_features"], described["channels"]) == (4, [4, 8])


def test_heads_are_named_word_by_word_too(chain, tmp_path):
    head = ["--heads.image.class_path", "astroclip_kit.alignment.ProjectionHead"]
    head += ["--heads.image.init_args", '{"out_features": 128, "activation": "relu"}', "--epochs", "1"]
    assert cli.main(["align", str(chain.features), *head, "--out", str(tmp_path / "model")]) == 0
    assert load_model(tmp_path / "model").heads["image"].activation == "relu"
