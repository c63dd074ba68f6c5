"""The published settings, as the files of the recipe hold them."""

import math
from pathlib import Path

import pytest
import torch
import yaml

from astroclip_kit.alignment import ContrastiveModel
from astroclip_kit.data.splits import assign
from astroclip_kit.models import build, save_model
from astroclip_kit.pipeline.configuration import load_configuration
from astroclip_kit.pipeline.parts import encoder_for, head_for
from astroclip_kit.recipes import find_recipe

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
WIDTHS = {"image": 2048, "spectrum": 256}  # of Stein's ResNet-50 and of what Spender's attention picks out


@pytest.fixture
def thesis():
    return load_configuration(CONFIGS / "astroclip_thesis.yaml")


@pytest.mark.parametrize("name", ["thesis", "v1"])
def test_the_files_beside_the_package_are_those_of_the_recipe(name):
    assert (CONFIGS / f"astroclip_{name}.yaml").read_text() == find_recipe("astroclip").file(name).read_text()


def test_the_heads_have_as_many_weights_as_published():
    unread = ["align.heads.image.init_args={}"]  # the released file is not here
    thesis = load_configuration(CONFIGS / "astroclip_thesis.yaml", unread)
    heads = {name: head_for(one, WIDTHS[name]) for name, one in thesis.sections["align"]["heads"].items()}
    counts = {name: sum(weight.numel() for weight in head.parameters()) for name, head in heads.items()}
    assert counts == {"image": 4_458_624, "spectrum": 230_272}
    model = ContrastiveModel(heads, logit_scale=thesis.sections["align"]["alignment"].objective.logit_scale)
    assert model.scales().tolist() == [pytest.approx(15.5)]


def test_the_encoders_give_the_widths_that_the_heads_take():
    from astroclip_kit.encoders import SpenderEncoder

    encoders = load_configuration(CONFIGS / "astroclip_thesis.yaml").sections["extract"]["encoders"]
    assert {name: one["class_path"].rpartition(".")[2] for name, one in encoders.items()} == {
        "image": "MocoResNet50",
        "spectrum": "SpenderEncoder",
    }
    preprocess = build(encoders["spectrum"]["init_args"]["preprocess"], trusted=True)
    assert SpenderEncoder(preprocess=preprocess).out_features == 256
    flux = preprocess(torch.rand(3, 2, 400) * 50 + 7)
    torch.testing.assert_close(flux.mean(dim=2), torch.zeros(3, 1), atol=1e-4, rtol=0)
    torch.testing.assert_close(flux.square().mean(dim=2), torch.ones(3, 1), atol=1e-3, rtol=0)


@pytest.mark.parametrize("trained", [False, True])
def test_vgg1d_takes_the_place_of_spender_in_one_line(tmp_path, trained):
    from astroclip_kit.contracts import check_encoder
    from astroclip_kit.encoders import VGG1D
    from astroclip_kit.transforms import wavelength_grid
    from astroclip_kit.types import Modality

    sdss, desi = (Modality.spectrum("spectrum", wavelength_grid(name)) for name in ("sdss", "desi"))
    save_model(VGG1D.for_modality(sdss), tmp_path / "encoder")  # as `classify` leaves it
    line = str(tmp_path / "encoder") if trained else "{class_path: astroclip_kit.encoders.VGG1D}"
    changes = [f"extract.encoders.spectrum={line}"]
    changed = load_configuration(CONFIGS / "astroclip_thesis.yaml", changes).sections
    encoder = encoder_for(changed["extract"]["encoders"]["spectrum"], {"spectrum": desi}, "spectrum")
    assert isinstance(encoder, VGG1D)
    check_encoder(encoder, desi)
    head = head_for(changed["align"]["heads"]["spectrum"], encoder.out_features)
    with torch.inference_mode():
        features = encoder.eval()(encoder.preprocess(torch.rand(2, 2, 7781)))
        assert head.eval()(features).shape == (2, 128)


def test_the_thesis_trains_as_it_says(thesis):
    training, split = thesis.sections["align"]["training"], thesis.sections["align"]["split"]
    optimizer, schedule = training.optimizer, training.schedule
    assert (training.epochs, training.batch_size) == (80, 512)
    assert (optimizer.name, optimizer.learning_rate, optimizer.weight_decay) == ("adam", 5e-4, 0.0)
    assert (schedule.name, schedule.factor, schedule.patience) == ("plateau", 0.5, 5)
    assert thesis.sections["extract"]["views"] == 8 and set(thesis.sections["extract"]["augmentations"]) == {"image"}
    sides = assign([f"galaxy {i}" for i in range(40_000)], split)
    shares = [float((sides == side).mean()) for side in ("train", "valid", "test")]
    assert shares == pytest.approx([0.9, 0.05, 0.05], abs=0.004)


def test_the_public_code_s_settings_are_one_change_each(thesis):
    changes = ["align.alignment.objective.logit_scale=2.74", "align.alignment.objective.symmetric=false"]
    changes += ["align.training.optimizer.weight_decay=0.2", "evaluate.settings.protocol=astroclip-k64"]
    changed = load_configuration(CONFIGS / "astroclip_thesis.yaml", changes).sections
    objective = changed["align"]["alignment"].objective
    assert objective.logit_scale == pytest.approx(math.log(15.5), abs=1e-3) and not objective.symmetric
    assert changed["align"]["training"].optimizer.weight_decay == 0.2
    assert changed["evaluate"]["settings"].neighbours == {
        "k": 64,
        "weights": "distance",
        "metric": "euclidean",
        "standardise": True,
    }


def test_the_text_says_how_neighbours_are_found(thesis):
    settings = yaml.safe_load(thesis.text)["evaluate"]["settings"]
    assert {name: settings[name] for name in ("k", "weights", "metric", "standardise")} == {
        "k": 16,
        "weights": "distance",
        "metric": "euclidean",
        "standardise": False,
    }


def test_the_first_version_ends_at_a_tenth_of_its_rate():
    training = load_configuration(CONFIGS / "astroclip_v1.yaml").sections["align"]["training"]
    optimizer, schedule = training.optimizer, training.schedule
    assert (optimizer.name, optimizer.learning_rate, optimizer.weight_decay) == ("adamw", 5e-5, 0.2)
    assert (schedule.name, schedule.floor, training.batch_size) == ("cosine", 0.1, 512)


def test_batmm_is_trained_as_its_paper_and_the_specification_say():
    assert (CONFIGS / "batmm.yaml").read_text() == find_recipe("batmm").file().read_text()
    section = load_configuration(CONFIGS / "batmm.yaml").sections["classify"]
    settings, encoders = section["classification"], section["encoders"]
    encoder, fusion = settings.encoder_training, settings.training
    assert (encoder.optimizer.name, encoder.optimizer.learning_rate) == ("adam", 1e-4)
    assert (fusion.optimizer.name, fusion.optimizer.learning_rate, fusion.optimizer.weight_decay) == (
        "adamw",
        1e-4,
        5e-2,
    )
    for training in (encoder, fusion):
        schedule = training.schedule
        assert (schedule.name, schedule.warmup_epochs, schedule.factor, schedule.patience) == ("plateau", 5, 0.5, 5)
        assert (training.epochs, training.batch_size) == (100, 64)
    sides = assign([f"star {i}" for i in range(40_000)], settings.split)
    shares = [float((sides == side).mean()) for side in ("train", "valid", "test")]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.006)
    assert {name: one["class_path"].rpartition(".")[2] for name, one in encoders.items()} == {
        "image": "SEResNet",
        "spectrum": "VGG1D",
    }
    assert find_recipe("batmm").experiment["seeds"] == 5
