"""The model: missing modalities, frozen parts, ensembles, saving."""

import math

import pytest
import torch
from torch import nn

from astroclip_kit.alignment import ContrastiveModel, Ensemble, ProjectionHead
from astroclip_kit.alignment.heads import Standardise
from astroclip_kit.alignment.trainable import blocks, trained_parts
from astroclip_kit.encoders.layers import feed_forward
from astroclip_kit.errors import UsageError
from astroclip_kit.models import load_model, save_model
from astroclip_kit.types import Batch


def make_heads(out_features=4):
    return {"image": ProjectionHead(6, out_features, (8,)), "spectrum": ProjectionHead(5, out_features)}


def make_batch(images=3, spectra=2):
    generator = torch.Generator().manual_seed(0)
    views = {
        "image": torch.randn(images, 6, generator=generator),
        "spectrum": torch.randn(spectra, 5, generator=generator),
    }
    rows = {"image": torch.arange(images), "spectrum": torch.arange(spectra)}
    return Batch([str(i) for i in range(3)], [str(i) for i in range(3)], views, rows)


class Net(nn.Module):
    """An encoder with batch normalisation, dropout and a preprocessing step."""

    def __init__(self):
        super().__init__()
        self.out_features = 6
        self.stages = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 6))

    def preprocess(self, x):
        return x / 2

    def forward(self, x):
        return self.stages(x)


@pytest.mark.parametrize("hidden", [(), (7,), (16, 8)])
@pytest.mark.parametrize("batch", [1, 5])
def test_head_gives_out_features_with_a_gradient_to_every_weight(hidden, batch):
    head = ProjectionHead(6, 3, hidden, activation="silu", dropout=0.1)
    out = head(torch.randn(batch, 6))
    out.square().sum().backward()
    assert out.shape == (batch, 3)
    assert all(weight.grad is not None and torch.isfinite(weight.grad).all() for weight in head.parameters())


@pytest.mark.parametrize("hidden", [(), (16, 8)])
def test_a_head_in_bfloat16_has_the_numbers_of_plain_layers(hidden):
    head = ProjectionHead(32, 4, hidden, activation="relu")
    plain = feed_forward((32, *hidden, 4), "relu")
    plain.load_state_dict(head.layers.state_dict())
    x, results = torch.randn(24, 32), []
    for layers in (head.layers, plain):
        with torch.autocast("cpu", torch.bfloat16):
            z = layers(x)
        z.float().square().sum().backward()
        results.append([z, *(weight.grad for weight in layers.parameters())])
    assert results[0][0].dtype == torch.bfloat16 and torch.equal(results[0][0], results[1][0])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-2 * float(other.detach().abs().max()))
    assert torch.equal(head(x), plain(x))  # in float32 to the last bit


def test_head_refuses_an_unknown_activation():
    with pytest.raises(UsageError, match="activation is 'swish', expected one of gelu"):
        ProjectionHead(6, 3, activation="swish")


def test_standardise_only_centres_a_constant_feature():
    scaler = Standardise(2)
    scaler.set(torch.tensor([5.0, 1.0]), torch.tensor([0.0, 2.0]))
    torch.testing.assert_close(scaler(torch.tensor([[5.0, 3.0]])), torch.tensor([[0.0, 1.0]]))


def test_forward_gives_unit_vectors_of_the_rows_that_are_there():
    z = ContrastiveModel(make_heads())(make_batch())
    assert {name: tuple(value.shape) for name, value in z.items()} == {"image": (3, 4), "spectrum": (2, 4)}
    torch.testing.assert_close(z["image"].norm(dim=1), torch.ones(3))


@pytest.mark.parametrize("drop", [True, False])
def test_a_modality_without_rows_still_takes_part_in_backward(drop):
    model, batch = ContrastiveModel(make_heads()), make_batch(spectra=0)
    if drop:
        del batch.views["spectrum"]
    z = model(batch)
    assert z["spectrum"].shape == (0, 4)
    (z["image"].sum() + z["spectrum"].sum()).backward()
    assert all(weight.grad is not None for weight in model.heads.parameters())


def test_embed_is_repeatable_for_a_batch_of_one_and_leaves_the_mode():
    heads = {"image": ProjectionHead(6, 4, (8,), dropout=0.5), "spectrum": ProjectionHead(5, 4)}
    model = ContrastiveModel(heads, {"image": Net()}, {"image": "all"})
    one = Batch(["a"], ["a"], {"image": torch.ones(1, 6)}, {"image": torch.tensor([0])})
    first, second = model.embed(one), model.embed(one)
    assert list(first) == ["image"] and first["image"].shape == (1, 4)
    assert torch.equal(first["image"], second["image"]) and not first["image"].requires_grad
    assert model.training and model.encoders["image"].training


def test_the_preprocessing_belongs_to_the_encoder():
    encoder = Net()
    model = ContrastiveModel(make_heads(), {"image": encoder}).eval()
    x = torch.randn(4, 6)
    torch.testing.assert_close(model.encode("image", x), encoder(x / 2))


@pytest.mark.parametrize(
    ("setting", "trained", "modes"),
    [
        ("frozen", [], [False, False, False, False]),
        ("last:1", ["stages.3.weight", "stages.3.bias"], [False, False, False, True]),
        ("all", None, [True, True, True, True]),
    ],
)
def test_frozen_parts_have_no_gradient_and_stay_in_eval_mode(setting, trained, modes):
    encoder = Net()
    model = ContrastiveModel(make_heads(), {"image": encoder}, {"image": setting}).train()
    expected = [name for name, _ in encoder.named_parameters()] if trained is None else trained
    assert [name for name, weight in encoder.named_parameters() if weight.requires_grad] == expected
    assert [part.training for part in encoder.stages] == modes
    before = encoder.stages[1].running_mean.clone()
    model(make_batch())["image"].sum().backward()
    assert torch.equal(encoder.stages[1].running_mean, before) == (setting != "all")
    assert [name for name, weight in encoder.named_parameters() if weight.grad is not None] == expected


def test_blocks_look_below_a_wrapper():
    encoder = Net()
    assert blocks(encoder) == [encoder.stages[0], encoder.stages[1], encoder.stages[3]]
    linear = nn.Linear(2, 2)
    assert blocks(nn.Sequential(nn.Sequential(linear))) == [linear]
    layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    assert blocks(nn.Sequential(linear, layers)) == [linear, *layers]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("half", "trainable is 'half', expected 'frozen', 'last:N'"),
        ("last:0", "trainable is 'last:0', expected"),
        ("last:9", "trainable is 'last:9', but Net has 3 blocks"),
    ],
)
def test_trained_parts_refuses_what_it_does_not_know(setting, message):
    with pytest.raises(UsageError, match=message):
        trained_parts(Net(), setting)


def test_scales_are_learned_per_pair_and_clamped():
    heads = {**make_heads(), "table": ProjectionHead(2, 4)}
    model = ContrastiveModel(heads, learnable_scale=True)
    assert len(model.pairs) == 3 and model.log_scale.requires_grad
    torch.testing.assert_close(model.scales(), torch.full((3,), 15.5))
    with torch.no_grad():
        model.log_scale[1] = 9.0
    model.clamp_scales()
    torch.testing.assert_close(model.scales(), torch.tensor([15.5, 100.0, 15.5]))


def test_a_fixed_scale_is_not_trained():
    assert not ContrastiveModel(make_heads()).log_scale.requires_grad


def test_saved_model_embeds_the_same(tmp_path):
    model = ContrastiveModel(make_heads(), pairs=[["spectrum", "image"]], learnable_scale=True, logit_bias=-10.0)
    model.scalers["image"].set(torch.full((6,), 3.0), torch.full((6,), 2.0))
    save_model(model, tmp_path / "model", {"seed": 1})
    loaded = load_model(tmp_path / "model")
    assert loaded.pairs == [("spectrum", "image")]
    for name, z in model.embed(make_batch()).items():
        assert torch.equal(loaded.embed(make_batch())[name], z)


def test_ensemble_averages_cosines_and_is_one_model_folder(tmp_path):
    members = [ContrastiveModel(make_heads()), ContrastiveModel(make_heads())]
    ensemble = Ensemble(members)
    save_model(ensemble, tmp_path / "model")
    z = load_model(tmp_path / "model").embed(make_batch())
    assert z["image"].shape == (3, 8) and ensemble.out_features == 8
    torch.testing.assert_close(z["image"].norm(dim=1), torch.ones(3))
    own = [member.embed(make_batch()) for member in members]
    expected = sum(one["image"][:2] @ one["spectrum"].T for one in own) / 2
    torch.testing.assert_close(z["image"][:2] @ z["spectrum"].T, expected)
    torch.testing.assert_close(ensemble(make_batch())["image"], z["image"])


def test_ensemble_refuses_members_of_other_modalities():
    other = ContrastiveModel({"image": ProjectionHead(6, 4), "table": ProjectionHead(5, 4)})
    with pytest.raises(UsageError, match="all of the same modalities"):
        Ensemble([ContrastiveModel(make_heads()), other])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"heads": {"image": ProjectionHead(6, 4)}}, "at least two modalities, found"),
        ({"heads": {"image": ProjectionHead(6, 4), "spectrum": ProjectionHead(5, 3)}}, "same width, found"),
        ({"heads": {"image": nn.ReLU(), "spectrum": ProjectionHead(5, 3)}}, "lacks in_features or out_features"),
        ({"heads": {"a.b": ProjectionHead(6, 4), "spectrum": ProjectionHead(5, 4)}}, "cannot be called 'a.b'"),
        ({"heads": {"type": ProjectionHead(6, 4), "spectrum": ProjectionHead(5, 4)}}, "cannot be called 'type'"),
        ({"encoders": {"radio": Net()}}, "encoders: unknown modality 'radio'"),
        ({"encoders": {"spectrum": Net()}}, "takes 5 features, its encoder gives 6"),
        ({"trainable": {"image": "all"}}, "trainable: unknown modality 'image'"),
        ({"pairs": [["image", "radio"]]}, r"pairs: \['image', 'radio'\] is no pair"),
        ({"pairs": [["image", "image"]]}, "is no pair of two of the modalities"),
        ({"logit_scale": 200.0}, "logit_scale is 200.0"),
    ],
)
def test_the_constructor_says_what_is_wrong(arguments, message):
    with pytest.raises(UsageError, match=message):
        ContrastiveModel(**{"heads": make_heads(), **arguments})


def test_largest_scale_is_that_of_clip():
    assert ContrastiveModel(make_heads(), logit_scale=100.0).log_scale[0].item() == pytest.approx(math.log(100))
