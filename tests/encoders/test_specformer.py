"""SpecFormer against its published layout, and against a slow plain reading of its description."""

import math

import pytest
import torch

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import SpecFormer
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.transforms import Compose, wavelength_grid
from astroclip_kit.types import Modality

SMALL = {"width": 12, "depth": 2, "heads": 3, "section": 6, "max_tokens": 40}


@pytest.fixture
def small():
    torch.manual_seed(0)
    return SpecFormer(**SMALL, preprocess=Compose()).eval()


@pytest.fixture(scope="module")
def published():
    with torch.device("meta"):
        return SpecFormer()


def test_the_published_sizes_have_the_published_parameters_and_keys(published):
    assert sum(weight.numel() for weight in published.parameters()) == 43_177_750
    layers = ("layernorm1", "attention.attention", "attention.projection", "layernorm2", "mlp.encoder", "mlp.decoder")
    names = [f"blocks.{number}.{layer}" for number in range(6) for layer in layers]
    names += ["data_embed", "final_layernorm", "head"]
    keys = published.state_dict()
    expected = {f"{name}.{kind}" for name in names for kind in ("weight", "bias")} | {"position_embed.weight"}
    assert set(keys) == expected and len(keys) == 79
    shapes = {name: tuple(keys[name].shape) for name in ("data_embed.weight", "head.weight", "position_embed.weight")}
    assert shapes == {"data_embed.weight": (768, 22), "head.weight": (22, 768), "position_embed.weight": (800, 768)}
    assert keys["blocks.5.attention.attention.weight"].shape == (2304, 768)


@pytest.mark.parametrize(("pixels", "tokens"), [(7781, 778), (7790, 778), (7791, 779), (3921, 392), (4686, 468)])
def test_the_last_section_is_never_used_not_even_where_it_is_whole(published, pixels, tokens):
    x = torch.randn(2, 1, pixels)
    sections = published.sections(x)
    assert sections.shape == (2, tokens, 22)
    last = 10 * (tokens - 2)
    standardised = (x[:, 0] - x[:, 0].mean(dim=1, keepdim=True)) / x[:, 0].std(dim=1, keepdim=True)
    torch.testing.assert_close(sections[:, -1, 2:], standardised[:, last : last + 20])
    assert last + 30 >= pixels > last + 20  # one more section would start before the overlap of the end


def test_the_first_token_holds_the_statistics_and_sections_are_standardised(published):
    x = 3.0 * torch.randn(4, 7781) + torch.tensor([[0.0], [2.0], [5.0], [9.0]])
    sections = published.sections(x)
    mean, std = x.mean(dim=1), x.std(dim=1)
    torch.testing.assert_close(sections[:, 0, 0], (mean - 2) / 2)
    torch.testing.assert_close(sections[:, 0, 1], (std - 2) / 8)
    assert not sections[:, 0, 2:].any() and not sections[:, 1:, :2].any()
    torch.testing.assert_close(sections[1, 7, 2:], (x[1, 60:80] - mean[1]) / std[1])
    torch.testing.assert_close(sections[1, 7, 12:], sections[1, 8, 2:12])  # they overlap by half
    faint = published.sections(0.01 * x[:1])
    torch.testing.assert_close(faint[0, 0, 1], torch.tensor((0.2 - 2) / 8))  # no faint spectrum is blown up


def slow_tokens(encoder, flux):
    """One spectrum [L] at a time, token by token and head by head, in float64."""
    weights = {name: one.double() for name, one in encoder.state_dict().items()}

    def linear(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdim=True)
        return (
            centred / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt() * weights[f"{name}.weight"]
            + (weights[f"{name}.bias"])
        )

    flux = flux.double()
    mean, std = flux.mean(), flux.std().clamp(min=0.2)
    rows = [[(mean.item() - 2) / 2, (std.item() - 2) / 8] + [0.0] * encoder.section]
    begin, step = 0, encoder.section // 2
    while begin + encoder.section < len(flux):
        rows.append([0.0, 0.0, *((flux[begin : begin + encoder.section] - mean) / std).tolist()])
        begin += step
    tokens = linear(torch.tensor(rows, dtype=torch.float64), "data_embed")
    tokens = tokens + weights["position_embed.weight"][: len(rows)]
    size = encoder.width // encoder.heads
    for number in range(encoder.depth):
        block = f"blocks.{number}"
        mixed = linear(norm(tokens, f"{block}.layernorm1"), f"{block}.attention.attention")
        heads = []
        for head in range(encoder.heads):
            query, key, value = (
                mixed[:, part * encoder.width + head * size : part * encoder.width + (head + 1) * size]
                for part in range(3)
            )
            heads.append((query @ key.T / math.sqrt(size)).softmax(dim=1) @ value)
        tokens = tokens + linear(torch.cat(heads, dim=1), f"{block}.attention.projection")
        hidden = linear(norm(tokens, f"{block}.layernorm2"), f"{block}.mlp.encoder")
        hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
        tokens = tokens + linear(hidden, f"{block}.mlp.decoder")
    return norm(tokens, "final_layernorm")


def test_tokens_and_features_equal_a_slow_reference(small):
    x = 2 * torch.randn(3, 1, 61) + 1
    with torch.inference_mode():
        expected = torch.stack([slow_tokens(small, one[0]) for one in x])
        torch.testing.assert_close(small.tokens(x).double(), expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(small(x).double(), expected.mean(dim=1), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(small(x[:, 0]), small(x), atol=1e-6, rtol=0)


def test_training_in_bfloat16_computes_the_same_attention(small):
    x = torch.randn(2, 1, 61)
    with torch.autocast("cpu", torch.bfloat16):
        trained = small(x)
        with torch.no_grad():
            torch.testing.assert_close(trained.float(), small(x).float(), atol=0.03, rtol=0.03)


def test_windows_of_the_inverse_variance_are_those_of_the_flux(small):
    pixel = torch.arange(61.0)[None]
    sections, windows = small.sections(pixel), small.windows(pixel)
    mean, std = pixel.mean(), pixel.std()
    torch.testing.assert_close(sections[:, 1:, 2:] * std + mean, windows)


def test_a_checkpoint_gives_the_sizes_and_the_weights(small, tmp_path):
    hyper_parameters = {"input_dim": 8, "embed_dim": 12, "num_layers": 2, "num_heads": 3, "max_len": 40}
    torch.save({"hyper_parameters": hyper_parameters, "state_dict": small.state_dict()}, tmp_path / "specformer.ckpt")
    x = torch.randn(2, 1, 50)
    loaded = SpecFormer.from_checkpoint(tmp_path / "specformer.ckpt").eval()
    assert [getattr(loaded, name) for name in SMALL] == list(SMALL.values())
    given = SpecFormer(**SMALL, checkpoint=str(tmp_path / "specformer.ckpt")).eval()
    assert given.checkpoint is None
    with torch.inference_mode():
        torch.testing.assert_close(loaded(x), small(x), rtol=0, atol=0)
        torch.testing.assert_close(given(x), small(x), rtol=0, atol=0)


def test_another_network_is_refused_by_its_keys(small, tmp_path):
    torch.save({"state_dict": {"conv1.weight": torch.zeros(1)}}, tmp_path / "other.ckpt")
    with pytest.raises(FileError, match=r"has no 'data_embed.weight'.*unexpected 'conv1.weight'"):
        SpecFormer.from_checkpoint(tmp_path / "other.ckpt", **SMALL)


def test_a_longer_grid_gets_more_positions():
    grid = tuple(range(3000, 13000))
    encoder = SpecFormer.for_modality(Modality.spectrum("spectrum", grid), width=4, depth=1, heads=1)
    assert encoder(encoder.preprocess(torch.rand(1, 2, 10000))).shape == (1, 4)


def test_weights_of_desi_get_spectra_on_its_grid():
    boss = Modality.spectrum("spectrum", wavelength_grid("boss"))
    arguments = {"width": 4, "depth": 1, "heads": 1, "grid": "desi"}
    encoder = SpecFormer.for_modality(boss, **arguments)
    assert encoder.preprocess(torch.rand(1, 2, 4686)).shape == (1, 1, 7781)
    with pytest.raises(InputError, match=r"7781 from 3600 to 9824. Build it with SpecFormer.for_modality"):
        SpecFormer(**arguments).check_modality(boss)
    blue = Modality.spectrum("spectrum", wavelength_grid((3500, 6500, 1)))
    with pytest.raises(InputError, match="47% of the 3600 to 9824 that SpecFormer was trained on"):
        SpecFormer.for_modality(blue, **arguments)


def test_weights_of_a_file_are_for_the_grid_of_desi_unless_another_is_said(tmp_path):
    torch.save(SpecFormer(width=6, depth=1, heads=6).state_dict(), tmp_path / "specformer.ckpt")
    file, boss = str(tmp_path / "specformer.ckpt"), Modality.spectrum("spectrum", wavelength_grid("boss"))
    assert SpecFormer(6, 1).grid is None and SpecFormer.from_checkpoint(file, grid="boss").grid == "boss"
    for encoder in (SpecFormer.from_checkpoint(file), SpecFormer(6, 1, checkpoint=file)):
        assert encoder.grid == "desi"
        with pytest.raises(InputError, match=r"has 4686 pixels .* the weights of SpecFormer are for 7781"):
            encoder.check_modality(boss)
        assert encoder.fitted_to(boss).preprocess(torch.rand(1, 2, 4686)).shape == (1, 1, 7781)
        check_encoder(encoder, boss)
    encoder = SpecFormer.for_modality(boss, width=6, depth=1, checkpoint=file)
    assert encoder(encoder.preprocess(torch.rand(1, 2, 4686))).shape == (1, 6)


def test_what_does_not_fit_is_refused(small):
    with pytest.raises(UsageError, match="heads divides width, section is even"):
        SpecFormer(width=10, heads=3)
    with pytest.raises(InputError, match=r"fluxes \[B, 1, L\] with L above 6, found \(2, 2, 50\)"):
        small(torch.zeros(2, 2, 50))
    with pytest.raises(InputError, match="make 66 tokens, and there are max_tokens 40"):
        small(torch.zeros(2, 1, 200))
