"""Weights that `reproduce` is given: read before anything is ingested, and named in the report."""

import hashlib
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from planned import plan_of
from published_checkpoints import moco_encoder, spender_state, write_moco, write_spender

from astroclip_kit import pipeline
from astroclip_kit.encoders import ImageConvNet, SpectrumConvNet
from astroclip_kit.errors import FileError, FolderError, UsageError
from astroclip_kit.models import save_model
from astroclip_kit.pipeline.given_weights import check_weights, fetch_pretrained
from astroclip_kit.recipes import find_recipe
from astroclip_kit.settings import Material
from astroclip_kit.transforms import wavelength_grid
from astroclip_kit.types import Modality

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The released files, in their layouts: image, spectrum, and a plain ResNet-50 of torchvision."""
    root = tmp_path_factory.mktemp("files")
    encoder = moco_encoder()
    trunk = {name: one for name, one in encoder.state_dict().items() if not name.startswith("fc.")}
    torch.save({**trunk, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}, root / "plain.pth")
    return {
        "image": str(write_moco(root / "resnet50.ckpt", encoder)),
        "spectrum": str(write_spender(root / "spender.pt", spender_state(rest=100))),
        "plain": str(root / "plain.pth"),
    }


def reproduce(tmp_path, **weights):
    (tmp_path / "joint.h5").touch()
    material = Material(str(tmp_path / "joint.h5"), **{f"{name}_weights": one for name, one in weights.items()})
    return pipeline.reproduce("astroclip", tmp_path / "run", material=material)


def checked(tmp_path, configuration="", **weights):
    (tmp_path / "joint.h5").touch()
    material = Material(str(tmp_path / "joint.h5"), **{f"{name}_weights": one for name, one in weights.items()})
    prepared, _ = plan_of(material, tmp_path, configuration)
    check_weights(prepared, ("image", "spectrum"), material.grid)
    return prepared


def test_a_file_that_is_cut_off_ends_the_run_before_it_begins(files, tmp_path):
    path = tmp_path / "cut.ckpt"
    with open(files["image"], "rb") as file:
        path.write_bytes(file.read(1_000_000))
    with pytest.raises(FileError, match=r"cut\.ckpt: is damaged or cut off"):
        reproduce(tmp_path, image=str(path), spectrum=files["spectrum"])
    assert not (tmp_path / "run").exists()


def test_files_that_were_exchanged_are_told_apart(files, tmp_path):
    with pytest.raises(FileError, match=r"spender\.pt: does not fit MocoResNet50: .*a spender encoder"):
        reproduce(tmp_path, image=files["spectrum"], spectrum=files["image"])
    with pytest.raises(FileError, match=r"resnet50\.ckpt: does not fit SpenderEncoder: .*MoCo"):
        reproduce(tmp_path, spectrum=files["image"])
    assert not (tmp_path / "run").exists()


def test_folders_that_were_exchanged_or_hold_no_encoder_are_refused(chain, tmp_path):
    modality = Modality.spectrum("spectrum", wavelength_grid("desi"))
    encoder = SpectrumConvNet.for_modality(modality, out_features=8)
    save_model(encoder, tmp_path / "encoder", {"modalities": {"spectrum": modality.to_dict()}})  # as `pretrain` does
    with pytest.raises(UsageError, match=r"--image-weights .*expected an encoder of kind image, found .* of spectrum"):
        reproduce(tmp_path, image=str(tmp_path / "encoder"))
    with pytest.raises(UsageError, match="model: expected an encoder of kind image, found a model of image and spectr"):
        reproduce(tmp_path, image=str(chain.model))
    save_model(ImageConvNet(), tmp_path / "damaged")
    (tmp_path / "damaged" / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(FolderError, match="damaged: the weights do not fit the model or are damaged"):
        reproduce(tmp_path, image=str(tmp_path / "damaged"))


def test_a_class_that_reads_no_file_is_named(tmp_path, files):
    own, text = tmp_path / "own.yaml", find_recipe("astroclip").file().read_text()
    own.write_text(text.replace("encoders.MocoResNet50", "encoders.ImageConvNet"))
    with pytest.raises(UsageError, match=r"--image-weights .*\.ImageConvNet reads no file of weights\. Give a folder"):
        checked(tmp_path, str(own), image=files["image"])


def test_the_released_files_pass_and_are_named_with_a_checksum(files, tmp_path):
    prepared = checked(tmp_path, image=files["image"], spectrum=files["spectrum"])
    with open(files["image"], "rb") as file:
        digits = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    assert prepared.weights[0] == f"image encoder: resnet50.ckpt (sha256 {digits}...)"
    assert prepared.weights[1].startswith("spectrum encoder: spender.pt (sha256 ")
    assert prepared.content["align"]["heads"]["image"]["init_args"] == {"checkpoint": files["image"]}
    assert not any("head: random" in line for line in prepared.changes)


def test_arguments_that_only_data_can_settle_are_left_to_them(files, tmp_path):
    assert len(checked(tmp_path, "v1", image=files["image"]).weights) == 1  # rgb is for `for_modality`


def test_the_head_begins_at_random_where_the_file_holds_none(files, tmp_path):
    prepared = checked(tmp_path, image=files["plain"])
    assert "checkpoint" not in prepared.content["align"]["heads"]["image"]["init_args"]
    [line] = [line for line in prepared.changes if line.startswith("image head: random weights, since ")]
    assert "plain.pth: holds no head of MoCo v2 (fc.0, fc.2)" in line


def test_encoders_without_weights_are_not_looked_at(tmp_path):
    prepared = checked(tmp_path)
    assert prepared.weights == [] and prepared.remark == "untrained encoders"
    save_model(ImageConvNet(), tmp_path / "image")
    assert checked(tmp_path, image=str(tmp_path / "image")).weights[0].startswith("image encoder: image (sha256 ")


@pytest.mark.parametrize(
    "words",
    [("reproduce", "batmm", "--size", "full"), ("classify", CONFIGS / "batmm.yaml"), ("run", CONFIGS / "batmm.yaml")],
)
def test_public_weights_are_fetched_before_anything_is_made(words, fails, tmp_path, monkeypatch):
    import torchvision

    def offline(name, weights):
        raise URLError("Name or service not known")

    monkeypatch.setattr(torchvision.models, "get_model", offline)
    assert "the ImageNet weights of resnet50 could not be had" in fails(*words, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()
    fetch_pretrained({"extract": {"encoders": {"image": {"class_path": "a.B", "init_args": {"pretrained": True}}}}})
