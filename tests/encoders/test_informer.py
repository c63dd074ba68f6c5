"""Informer against its published layout, slow plain readings of its description, and torch's attention."""

import pytest
import torch
from released_astrom3 import write_released
from torch.nn import functional

from astroclip_kit.encoders import Informer
from astroclip_kit.encoders.informer import with_neighbours
from astroclip_kit.encoders.sparse_attention import Attention, SelfAttention
from astroclip_kit.errors import FileError, InputError, UsageError
from astroclip_kit.transforms import LightCurveSteps
from astroclip_kit.transforms.astrom3_columns import PHOTOMETRY
from astroclip_kit.types import LIGHTCURVE_CHANNELS, Modality

SMALL = {"in_channels": 3, "length": 30, "width": 16, "depth": 2}
RELEASED = {"kind": "prob", "mask_padding": False}


def steps(*counts, length=30, channels=3):
    """Random steps, the first so many of each object."""
    x = torch.randn(len(counts), length, channels, generator=torch.Generator().manual_seed(1))
    return x.where((torch.arange(length) < torch.tensor(counts)[:, None])[..., None], torch.nan)


def slow_sparse(attention, x, draws):
    """Sparse attention of one sequence [T, width], query by query, in float64."""
    heads, size = attention.settings.heads, x.shape[1] // attention.settings.heads
    project, out = (
        {name: one.detach().double() for name, one in layer.named_parameters()}
        for layer in (attention.project, attention.out)
    )
    query, key, value = (x.double() @ project["weight"].T + project["bias"]).split(x.shape[1], dim=1)
    mixed = torch.zeros(len(x), x.shape[1], dtype=torch.float64)
    for head in range(heads):
        mine = slice(head * size, (head + 1) * size)
        telling = []
        for step in range(len(x)):
            scores = [query[step, mine] @ key[int(share * len(x)), mine] for share in draws[step]]
            telling.append(max(scores) - sum(scores) / len(x))
        mixed[:, mine] = value[:, mine].mean(dim=0)
        for step in sorted(range(len(x)), key=lambda one: telling[one])[-draws.shape[1] :]:
            weights = (query[step, mine] @ key[:, mine].T / size**0.5).softmax(dim=0)
            mixed[step, mine] = weights @ value[:, mine]
    return mixed @ out["weight"].T + out["bias"]


@pytest.mark.parametrize("factor", [1, 3])
def test_sparse_attention_equals_a_slow_loop_over_what_takes_part(factor):
    settings = Attention("prob", heads=2, factor=factor)
    attention, counts = SelfAttention(8, settings), torch.tensor([30, 11, 1])
    x, draws = torch.randn(3, 30, 8), settings.draws(1, 30, training=False)[0]
    assert draws.shape == (30, 4 * factor)
    found = attention(x, counts, draws)
    for one, row, count in zip(x, found, counts.tolist(), strict=True):
        expected = slow_sparse(attention, one[:count], draws[:count])
        torch.testing.assert_close(row[:count].double(), expected, atol=1e-6, rtol=1e-5)


def test_full_attention_equals_that_of_torch():
    attention, theirs = (
        SelfAttention(8, Attention("full", heads=2)),
        torch.nn.MultiheadAttention(8, 2, batch_first=True),
    )
    theirs.load_state_dict(
        {
            "in_proj_weight": attention.project.weight,
            "in_proj_bias": attention.project.bias,
            "out_proj.weight": attention.out.weight,
            "out_proj.bias": attention.out.bias,
        }
    )
    x, counts = torch.randn(3, 9, 8), torch.tensor([9, 4, 1])
    padding = torch.arange(9) >= counts[:, None]
    expected, _ = theirs(x, x, x, key_padding_mask=padding, need_weights=False)
    torch.testing.assert_close(attention(x, counts)[~padding], expected[~padding])
    with torch.autocast("cpu", torch.bfloat16):  # the gradient is that of plain products there
        torch.testing.assert_close(attention(x, counts)[~padding].float(), expected[~padding], atol=0.03, rtol=0.03)


def test_sparse_attention_of_all_queries_is_full_attention():
    sparse, full = SelfAttention(8, Attention("prob", factor=9)), SelfAttention(8, Attention("full"))
    full.load_state_dict(sparse.state_dict())
    x, counts = torch.randn(2, 20, 8), torch.tensor([20, 20])
    draws = sparse.settings.draws(1, 20, training=False)[0]
    torch.testing.assert_close(sparse(x, counts, draws), full(x, counts))
    gradients = [torch.autograd.grad(one.square().sum(), layer.project.weight) for one, layer in (
        (sparse(x, counts, draws), sparse), (full(x, counts), full)
    )]  # fmt: skip
    torch.testing.assert_close(*gradients, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["prob", "full"])
def test_padding_takes_no_part(kind):
    torch.manual_seed(0)
    encoder = Informer(**SMALL, attention=kind).eval()
    x = steps(30, 12, 1, 0)
    with torch.inference_mode():
        tokens = encoder.tokens(x)
        assert tokens.isfinite().all() and not tokens[1, 12:].any() and not tokens[3].any()
        assert tokens[1, :12].any(dim=1).all()
        for number in (1, 2):
            torch.testing.assert_close(tokens[number], encoder.tokens(x[number][None])[0], atol=1e-5, rtol=1e-4)
        assert encoder(x[:0]).shape == (0, 480)
        unpadded = encoder._encoded(x[1:2, :12], torch.tensor([12]))
        torch.testing.assert_close(tokens[1, :12], unpadded[0], atol=1e-5, rtol=1e-4)


def test_the_ends_of_a_light_curve_are_neighbours():
    torch.manual_seed(0)
    encoder, x = Informer(**SMALL), steps(30, 12)
    for one, count in zip(x, (30, 12), strict=True):
        ring = functional.pad(one[:count].T[None], (1, 1), mode="circular")
        expected = functional.conv1d(ring, encoder.embedding.weight)[0].T
        windows = with_neighbours(one[None].nan_to_num(0.0), torch.tensor([count]))
        torch.testing.assert_close((windows @ encoder.embedding.weight.flatten(1).T)[0, :count], expected)


def test_an_answer_is_the_same_in_any_batch_and_training_draws_anew():
    torch.manual_seed(0)
    encoder, x = Informer(**SMALL, dropout=0.0).eval(), steps(*[30, 7, 22] * 30)
    other = Informer(**SMALL, dropout=0.0, attention={"kind": "prob", "seed": 1}).eval()
    other.load_state_dict(encoder.state_dict())
    with torch.inference_mode():
        h = encoder(x)  # more than are encoded at once
        assert torch.equal(h, encoder(x)) and not torch.allclose(h, other(x))
        torch.testing.assert_close(torch.cat([encoder(one) for one in x.split(4)]), h, atol=1e-5, rtol=1e-4)
        trained = encoder.train()(x)
        assert not torch.allclose(trained, h) and not torch.allclose(trained, encoder(x))
        torch.manual_seed(5)
        again = encoder(x)
        torch.manual_seed(5)
        assert torch.equal(encoder(x), again)


def slow_released(state, x, real, draws):
    """Tokens of one light curve [T, 9] by released tensors, of which padding takes part, as their code reads."""
    weights = {name.removeprefix("photometry_encoder."): one for name, one in state.items()}
    embedded = functional.conv1d(
        functional.pad(x.T[None], (1, 1), mode="circular"), weights["enc_embedding.value_embedding.tokenConv.weight"]
    )[0].T
    width = embedded.shape[1]
    x = embedded + weights["enc_embedding.position_embedding.pe"][0, : len(x)]
    for number, drawn in enumerate(draws):
        block = f"encoder.attn_layers.{number}"
        attention = SelfAttention(width, Attention())
        names = [f"{block}.attention.{part}_projection" for part in ("query", "key", "value")]
        attention.project.weight.data = torch.cat([weights[f"{name}.weight"] for name in names])
        attention.project.bias.data = torch.cat([weights[f"{name}.bias"] for name in names])
        attention.out.weight.data = weights[f"{block}.attention.out_projection.weight"]
        attention.out.bias.data = weights[f"{block}.attention.out_projection.bias"]
        attended = slow_sparse(attention, x, drawn).float()

        def norm(x, name):
            return functional.layer_norm(x, (width,), weights[f"{name}.weight"], weights[f"{name}.bias"])

        x = norm(x + attended, f"{block}.norm1")
        hidden = functional.conv1d(x.T, weights[f"{block}.conv1.weight"], weights[f"{block}.conv1.bias"])
        out = functional.conv1d(
            functional.gelu(hidden), weights[f"{block}.conv2.weight"], weights[f"{block}.conv2.bias"]
        )
        x = norm(x + out.T, f"{block}.norm2")
    return norm(x, "encoder.norm") * real[:, None]


@pytest.mark.parametrize("part", ["", "photometry"])
def test_released_weights_give_what_their_code_gives(tmp_path, part):
    torch.manual_seed(0)
    state = write_released(tmp_path / "model.safetensors", part, width=8, depth=2, channels=(4,) * 4, hidden=8, out=4)
    encoder = Informer.from_checkpoint(tmp_path / "model.safetensors", length=20).eval()
    assert (encoder.in_channels, encoder.width, encoder.depth, encoder.attention) == (9, 8, 2, RELEASED)
    x = steps(20, 8, length=20, channels=9)
    draws = Attention().draws(2, 20, training=False)
    with torch.inference_mode():
        for one, tokens in zip(x, encoder.tokens(x), strict=True):
            expected = slow_released(state, one.nan_to_num(0.0), ~one[:, 0].isnan(), draws)
            torch.testing.assert_close(tokens, expected, atol=1e-5, rtol=1e-4)
        given = Informer(length=20, width=8, depth=2, checkpoint=str(tmp_path / "model.safetensors")).eval()
        assert given.attention == RELEASED and torch.equal(given(x), encoder(x))


def test_the_published_sizes_have_the_published_parameters():
    with torch.device("meta"):
        encoder = Informer()
    assert sum(weight.numel() for weight in encoder.parameters()) == 1_589_888
    assert sum(values.numel() for values in encoder.buffers()) == 640_000
    assert encoder.out_features == 25_600 and encoder.attention == "prob"


def test_light_curves_of_any_bands_and_covariates():
    bands = Modality("lightcurve", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", (), ("g", "r"))
    encoder = Informer.for_modality(bands, length=12, width=8, depth=1)
    assert encoder.in_channels == 7 and encoder.preprocess == LightCurveSteps(12, (), (), 2)
    assert Informer.for_modality(bands, width=8, preprocess=LightCurveSteps(), in_channels=3).in_channels == 3


def test_released_weights_take_scaled_covariates(tmp_path):
    torch.manual_seed(0)
    file = tmp_path / "model.safetensors"
    write_released(file, "photometry", width=8, depth=1, channels=(4,) * 4)
    scaled, plain = (
        Modality(
            "lightcurve", "lightcurve", (*LIGHTCURVE_CHANNELS, *(mark + name for name in PHOTOMETRY)), (-1, 8),
            bands=("V",),
        )
        for mark in ("scaled_", "")
    )  # fmt: skip
    sizes = {"width": 8, "depth": 1, "checkpoint": str(file)}
    encoder = Informer.for_modality(scaled, **sizes)
    assert encoder.preprocess.covariates == scaled.covariates and encoder.weights_from == "model.safetensors"
    with pytest.raises(InputError, match=r"number 1 of 'lightcurve' is amplitude, and .* take scaled_amplitude there"):
        Informer.for_modality(plain, **sizes)
    known = LightCurveSteps(mean=(0.0,) * 4, std=(1.0,) * 4)
    assert Informer.for_modality(plain, **sizes, preprocess=known).preprocess == known
    with pytest.raises(FileError, match=r"does not fit Informer: its 'positions' is \(5000, 8\)"):
        Informer.for_modality(scaled, checkpoint=str(file), width=16, depth=1)
    broken = write_released(file, "photometry", width=8, depth=1, channels=(4,) * 4)
    torch.save({name: one for name, one in broken.items() if not name.endswith("norm1.bias")}, tmp_path / "short.pt")
    with pytest.raises(FileError, match=r"has no 'layers.0.norm1.bias'"):
        Informer.from_checkpoint(tmp_path / "short.pt")
    for part in ("query", "key"):
        short = {name: one for name, one in broken.items() if f"0.attention.{part}_projection.weight" not in name}
        torch.save(short, tmp_path / "short.pt")
        with pytest.raises(FileError, match=rf"fit Informer: it has no 'layers.0.attention.{part}_projection.weight'"):
            Informer.from_checkpoint(tmp_path / "short.pt")


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match=r"width is a multiple of twice the heads and all sizes are above 0.*width 12"):
        Informer(width=12)
    with pytest.raises(UsageError, match=r"kind is one of prob, full, heads and factor are at least 1; found .*'some'"):
        Informer(attention="some")
    with pytest.raises(UsageError, match="attention has no 'head'; it has kind, heads, factor, seed, mask_padding"):
        Informer(attention={"kind": "full", "head": 2})
    with pytest.raises(InputError, match=r"Informer takes steps \[B, 30, 3\], found \(2, 30, 4\)"):
        Informer(**SMALL)(torch.zeros(2, 30, 4))
    with pytest.raises(InputError, match="Informer encodes data of kind 'lightcurve', and 'table' is of kind 'table'"):
        Informer.for_modality(Modality("table", "table", ("u",), (1,)))
