"""AstroM3 as it was released: parameters, what its weights give, and what is refused."""

import math

import pytest
import torch
from released_astrom3 import PARTS, write_released

from astroclip_kit.alignment import astrom3_modalities, astrom3_model
from astroclip_kit.contracts import check_encoder, random_views
from astroclip_kit.errors import FileError
from astroclip_kit.transforms.astrom3_columns import METADATA, PHOTOMETRY
from astroclip_kit.types import Batch

SMALL = {"width": 8, "depth": 1, "channels": (4, 4, 4, 4), "hidden": 6, "out": 5}
SCALING = {name: (0.5, 2.0) for name in (*PHOTOMETRY, *METADATA)}


@pytest.fixture
def released(tmp_path):
    torch.manual_seed(0)
    return tmp_path / "model.safetensors", write_released(tmp_path / "model.safetensors", **SMALL)


def batch(modalities):
    views = {name: random_views(one, 3) for name, one in modalities.items()}
    return Batch(["a", "b", "c"], ["a", "b", "c"], views, dict.fromkeys(views, torch.arange(3)))


def test_the_published_parameters():
    with torch.device("meta"):
        model = astrom3_model()
    assert [sum(one.numel() for one in part.parameters()) for part in model.heads.values()] == [
        13_107_712, 606_720, 262_656,
    ]  # fmt: skip
    assert sum(one.numel() for one in model.encoders.parameters()) == 1_589_888 + 22_272 + 280_576
    assert sum(one.numel() for one in model.parameters()) == 15_869_827
    assert sum(one.numel() for one in model.encoders.buffers()) == 640_000
    assert model.log_scale.shape == (3,) and model.log_scale.requires_grad


def test_released_weights_give_what_their_code_gives(released):
    path, state = released
    model, modalities = astrom3_model(path), astrom3_modalities()
    views = batch(modalities)
    found = model.embed(views)
    for name, part in zip(modalities, PARTS, strict=True):
        check_encoder(model.encoders[name], modalities[name])
        with torch.no_grad():
            h = model.encode(name, views.views[name])
        z = h @ state[f"{part}_proj.weight"].T + state[f"{part}_proj.bias"]
        torch.testing.assert_close(found[name], z / z.norm(dim=1, keepdim=True), atol=1e-6, rtol=1e-5)
    assert model.pairs == [("lightcurve", "spectrum"), ("spectrum", "metadata"), ("metadata", "lightcurve")]
    torch.testing.assert_close(model.scales(), torch.tensor([4.0, 3.0, 2.0]).exp())
    assert not model.encoders["lightcurve"].attention["mask_padding"]


def test_a_survey_of_its_own_is_scaled_as_those_that_were_trained_on(released):
    model, modalities = astrom3_model(released[0], SCALING), astrom3_modalities(SCALING)
    assert modalities["lightcurve"].covariates == PHOTOMETRY and modalities["metadata"].channels == METADATA
    views = batch(modalities).views
    steps = model.encoders["lightcurve"].preprocess(views["lightcurve"])
    numbers = views["lightcurve"][0, 0, 4:].clone()
    numbers[1] = math.log10(numbers[1])
    torch.testing.assert_close(steps[0, 0, 3:7], (numbers - 0.5) / 2)
    columns = model.encoders["metadata"].preprocess(views["metadata"])
    ruwe = METADATA.index("ruwe")
    torch.testing.assert_close(columns[:, ruwe], (views["metadata"][:, ruwe] - 0.5) / 2)


def test_scaled_numbers_stay_as_they_are(released):
    views = batch(astrom3_modalities()).views
    model = astrom3_model(released[0])
    steps = model.encoders["lightcurve"].preprocess(views["lightcurve"])
    torch.testing.assert_close(steps[:, 0, 3:7], views["lightcurve"][:, 0, 4:])
    torch.testing.assert_close(model.encoders["metadata"].preprocess(views["metadata"]), views["metadata"])


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"gate.weight": torch.ones(2)}, "it has an unexpected 'gate.weight'"),
        ({"logit_scale_ps": torch.tensor(torch.nan)}, "'logit_scale_ps' holds numbers that are not finite"),
        ({"metadata_encoder.model.0.weight": torch.ones(6, 30)}, r"is \(6, 30\), expected one that takes 34 numbers"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, released, changed, problem):
    torch.save({**released[1], **changed}, tmp_path / "changed.pt")
    with pytest.raises(FileError, match=problem):
        astrom3_model(tmp_path / "changed.pt")
    torch.save({**released[1], "fc.weight": torch.ones(10, 5), "fc.bias": torch.ones(10)}, tmp_path / "classifier.pt")
    assert astrom3_model(tmp_path / "classifier.pt").out_features == 5


@pytest.mark.parametrize("part", PARTS)
def test_the_classifier_of_one_modality_is_no_space(tmp_path, part):
    write_released(tmp_path / "model.safetensors", part, **SMALL)
    with pytest.raises(FileError, match=r"is no AstroM3 of three modalities: it has no 'photometry_proj.weight'"):
        astrom3_model(tmp_path / "model.safetensors")
