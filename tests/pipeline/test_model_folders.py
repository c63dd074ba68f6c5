"""What info says of networks: where their weights come from, and what is done to views before they see them."""

import pytest
import torch

import astroclip_kit as ak
from astroclip_kit.encoders import ImageBackbone, ImageConvNet, MocoResNet50
from astroclip_kit.encoders.checkpoints import fill
from astroclip_kit.features import fingerprint
from astroclip_kit.models import load_model, save_model, weights_origins
from astroclip_kit.pipeline.model_folders import _value
from astroclip_kit.storage import open_folder
from astroclip_kit.transforms import CenterCrop, Compose, ToRGB

SHAPE = {"class_path": "astroclip_kit.encoders.SpectralShape"}
MOCO = {"method": "moco", "counts": {"train": 4000, "valid": 444}, "settings": {"queue": 4096}}


@pytest.fixture
def checkpoint(tmp_path):
    """A file of weights of a small network."""
    path = tmp_path / "small.pt"
    torch.save(ImageConvNet(out_features=8).state_dict(), path)
    return path


def loaded(checkpoint):
    encoder = ImageConvNet(out_features=8)
    fill(encoder, torch.load(checkpoint), checkpoint)
    return encoder


def test_an_encoder_says_where_its_weights_come_from(tmp_path, checkpoint):
    save_model(ImageConvNet(out_features=8), tmp_path / "a")
    assert "  weights: not pretrained, by what is known here" in ak.info(tmp_path / "a")
    save_model(loaded(checkpoint), tmp_path / "b")
    assert "  weights: small.pt\n" in ak.info(tmp_path / "b")
    save_model(load_model(tmp_path / "b"), tmp_path / "c", MOCO)
    text = ak.info(tmp_path / "c")
    assert "  weights: moco on 4,000 objects, begun from small.pt\n" in text
    assert "method: moco" in text and "queue: 4096" in text and "train: 4000" in text
    again = load_model(tmp_path / "c")
    assert again.weights_from == "moco on 4,000 objects, begun from small.pt"
    save_model(again, tmp_path / "d", {"converted_from": "other.ckpt"})
    assert "  weights: other.ckpt\n" in ak.info(tmp_path / "d")


def test_where_weights_come_from_changes_no_features(tmp_path, checkpoint):
    encoder = loaded(checkpoint)
    before = fingerprint(encoder)
    encoder.weights_from = "elsewhere"
    assert fingerprint(encoder) == before
    save_model(encoder, tmp_path / "a")
    assert fingerprint(load_model(tmp_path / "a")) == before


def test_an_origin_of_a_part_that_the_model_lacks_is_left_out(tmp_path):
    save_model(ImageConvNet(out_features=8), tmp_path / "a", {"weights_from": {"gone": "x.pt", "": "y.pt"}})
    assert weights_origins(open_folder(tmp_path / "a", "model")) == {"gone": "x.pt", "": "y.pt"}
    assert load_model(tmp_path / "a").weights_from == "y.pt"


def test_every_step_of_the_preprocessing_is_shown_with_its_arguments(tmp_path):
    steps = Compose((CenterCrop(64), ToRGB("viewer", ("g", "r", "z"))))
    save_model(MocoResNet50(preprocess=steps), tmp_path / "a")
    text = ak.info(tmp_path / "a")
    assert "MocoResNet50, 23,5" in text and "  arguments: head=False" in text
    assert "  preprocessing\n    1. CenterCrop(size=64)\n    2. ToRGB(" in text and "'viewer'" in text
    save_model(ImageBackbone("resnet18"), tmp_path / "b")
    assert "name='resnet18'" in ak.info(tmp_path / "b") and "    1. Asinh(" in ak.info(tmp_path / "b")


def test_long_lists_are_shown_by_their_beginning(tmp_path):
    assert _value(list(range(20))) == "[0, 1, 2, 3, 4, 5, 6, 7, ... 20 values]"
    assert _value([1, {"function": "a.b.f"}]) == "[1, f]"


def test_features_and_models_show_their_encoders(chain, tmp_path, checkpoint):
    encoders = {
        "image": loaded(checkpoint),
        "spectrum": SHAPE,
    }
    features = ak.extract(chain.data, encoders, tmp_path / "features")
    text = ak.info(tmp_path / "features")
    assert "by ImageConvNet\n    weights: small.pt\n" in text and "weights: none, it computes" in text
    ak.align(features, tmp_path / "model", training=ak.Training(epochs=1))
    text = ak.info(tmp_path / "model")
    assert "  encoder of image: ImageConvNet\n    weights: small.pt\n" in text and "counts" in text
    assert "  encoder of spectrum: SpectralShape\n    weights: none, it computes\n" in text


def test_encoders_that_are_trained_with_the_space_say_so(chain, tmp_path, checkpoint):
    encoders = {
        "image": loaded(checkpoint),
        "spectrum": SHAPE,
    }
    learn = ak.Alignment(trainable={"image": "all"})
    ak.align(chain.data, tmp_path / "model", encoders=encoders, alignment=learn, training=ak.Training(epochs=1))
    assert "    weights: small.pt trained here (all)\n" in ak.info(tmp_path / "model")


def test_the_heads_that_were_given_are_shown_and_not_the_settings_of_others(chain, tmp_path):
    head = {
        "class_path": "astroclip_kit.alignment.ProjectionHead",
        "init_args": {"out_features": 16, "hidden_features": [32], "activation": "relu", "dropout": 0.1},
    }
    other = {"class_path": "astroclip_kit.alignment.MocoHead", "init_args": {"out_features": 16}}
    given, short = {"image": head, "spectrum": other}, ak.Training(epochs=1)
    ak.align(chain.features, tmp_path / "model", heads=given, training=short)
    text = ak.info(tmp_path / "model")
    assert (
        "  head of image: ProjectionHead(in_features=8, out_features=16, hidden_features=[32], activation='relu'"
        in text
    )
    assert f"dropout=0.1), {8 * 32 + 32 + 32 * 16 + 16} weights" in text and "gelu" not in text
    assert "  head of spectrum: MocoHead(in_features=8, out_features=16, hidden_features=[2048])" in text
    ak.align(chain.features, tmp_path / "two", alignment=ak.Alignment(members=2), training=short)
    assert "  head of image: ProjectionHead(in_features=8, out_features=128, " in ak.info(tmp_path / "two")


def test_features_say_by_what_views_differ_and_whose(chain, tmp_path):
    turn = {"image": {"class_path": "astroclip_kit.transforms.RandomFlipRotate"}}
    ak.extract(chain.data, chain.encoders, tmp_path / "a", augmentations=turn, views=3)
    text = ak.info(tmp_path / "a")
    shown = "    views: 1 as observed, 2 augmented with seed 0, of {}\n      1. RandomFlipRotate()"
    assert shown.format("every object") in text and text.count("as observed") == 1
    half = ak.Split(test=0.5, valid=0.0)
    ak.extract(chain.data, chain.encoders, tmp_path / "a", augmentations=turn, views=3, augmented=half)
    text = ak.info(tmp_path / "a")
    assert (
        "with seed 0, of the training side of " in text and "test=0.5" in text and "; of the others as observed" in text
    )
    ak.extract(chain.data, chain.encoders, tmp_path / "b")
    assert "as observed" not in ak.info(tmp_path / "b")
