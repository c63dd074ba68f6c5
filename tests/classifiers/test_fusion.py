"""The fusion against the equations of attention, written out token by token."""

import math

import pytest
import torch
from torch.nn import functional

from astroclip_kit.classifiers import Attention, CrossAttentionFusion
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe

SIZE = Attention(width=8, blocks=2, heads=2, hidden_features=12, dropout=0.1)
BOTH = {"image": 8, "spectrum": 8}


def make(in_features=BOTH, **arguments):
    torch.manual_seed(0)
    fusion = CrossAttentionFusion(in_features, 3, **{"size": SIZE, **arguments}).eval()
    for weight in fusion.parameters():  # biases and norms too, which start as nothing
        torch.nn.init.normal_(weight, std=0.25)
    return fusion


def make_tokens(in_features=BOTH, count=3, places=(4, 5)):
    generator = torch.Generator().manual_seed(1)
    sizes = zip(in_features.items(), places, strict=False)
    return {name: torch.randn(count, place, width, generator=generator) for (name, width), place in sizes}


def linear(layer, vector):
    return torch.stack([row @ vector for row in layer.weight]) + layer.bias


def normalised(layer, vector):
    centred = vector - vector.mean()
    return layer.weight * centred / (centred.square().mean() + layer.eps).sqrt() + layer.bias


def shares(attend, query, memory, head, width):
    """Eqs. 7 and 10: softmax(q k / sqrt(d)) of one head."""
    part = slice(head * width, (head + 1) * width)
    q = linear(attend.query, query)[part]
    keys = [linear(attend.key_value, one)[: len(query)][part] for one in memory]
    scores = [float(q @ key) / math.sqrt(width) for key in keys]
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def attended(attend, query, memory, heads):
    """Eqs. 8, 9, 11 and 12: the heads one after the other, through a matrix."""
    width, found = len(query) // heads, []
    for head in range(heads):
        values = [linear(attend.key_value, one)[len(query) :][head * width : (head + 1) * width] for one in memory]
        given = shares(attend, query, memory, head, width)
        found.append(sum(share * value for share, value in zip(given, values, strict=True)))
    return linear(attend.out, torch.cat(found))


def slow(fusion, tokens):
    """Logits of one object's tokens, [T, D] by modality, one token after the other; and the last block's shares."""
    sequence, owner = [fusion.class_token[0, 0]], [""]
    for number, (name, given) in enumerate(tokens.items()):
        for place, token in enumerate(given):
            token = linear(fusion.project[name], token) if name in fusion.project else token
            token = token if fusion.modality_embed is None else token + fusion.modality_embed[number]
            token = token + fusion.position_embed[name][place] if name in fusion.position_embed else token
            sequence.append(token)
            owner.append(name)
    heads, seen = fusion.size.heads, None
    for block in fusion.blocks:
        if fusion.crosses:
            asked = [token for token, name in zip(sequence, owner, strict=True) if name == fusion.keys]
            asking = [token for token, name in zip(sequence, owner, strict=True) if name == fusion.queries]
            width = fusion.size.width // heads
            rows = [[shares(block.cross, one, asked, head, width) for head in range(heads)] for one in asking]
            seen = torch.tensor(rows).mean(dim=1)
            replaced = iter(
                [normalised(block.cross_norm, one + attended(block.cross, one, asked, heads)) for one in asking]
            )
            sequence = [
                next(replaced) if name == fusion.queries else token for token, name in zip(sequence, owner, strict=True)
            ]
        sequence = [normalised(block.norm, one + attended(block.attend, one, sequence, heads)) for one in sequence]
        first, _, _, second = block.feed_forward
        fed = [linear(second, functional.relu(linear(first, one))) for one in sequence]
        sequence = [normalised(block.feed_forward_norm, one + more) for one, more in zip(sequence, fed, strict=True)]
    return linear(fusion.head, sequence[0]), seen


CASES = {
    "as published": {},
    "without the embedding of the modality": {"semantic": False},
    "without cross-attention": {"cross_attention": False},
    "without either": {"semantic": False, "cross_attention": False},
    "with positions": {"positions": {"image": 4, "spectrum": 5}},
    "one modality": {"in_features": {"spectrum": 8}},
    "other widths": {"in_features": {"image": 6, "spectrum": 10}},
    "the spectrum asks": {"queries": "spectrum", "keys": "image"},
    "three modalities": {"in_features": {"image": 8, "magnitudes": 5, "spectrum": 8}},
}


@pytest.mark.parametrize("case", CASES)
def test_the_fusion_equals_the_equations(case):
    fusion = make(**CASES[case])
    tokens = make_tokens(fusion.in_features, places=(4, 5, 1))
    with torch.no_grad():
        given = fusion(tokens)
        for row in range(len(given)):
            logits, seen = slow(fusion, {name: x[row] for name, x in tokens.items()})
            torch.testing.assert_close(given[row], logits, rtol=1e-4, atol=1e-5)
            if seen is not None:
                torch.testing.assert_close(fusion.attention(tokens)[row], seen, rtol=1e-4, atol=1e-6)


def test_the_class_token_is_not_asked_for_in_the_cross_attention():
    fusion = make(size=Attention(8, 1, 2, 12))
    block, tokens = fusion.blocks[0], make_tokens()
    torch.nn.init.zeros_(block.attend.out.weight)
    torch.nn.init.zeros_(block.attend.out.bias)
    other = {**tokens, "spectrum": tokens["spectrum"] + 1}
    assert torch.equal(fusion(tokens), fusion(other))  # what tokens tell it comes through the self-attention alone


def test_eight_blocks_of_512_have_33_6_million_weights():
    with torch.device("meta"):
        fusion = CrossAttentionFusion({"image": 512, "spectrum": 512}, 2)
    assert sum(weight.numel() for weight in fusion.blocks.parameters()) == 33_632_256
    assert not fusion.project and fusion(
        {name: torch.empty(2, count, 512, device="meta") for name, count in (("image", 16), ("spectrum", 15))}
    ).shape == (2, 2)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("count", [1, 5])
def test_every_weight_learns_and_the_model_is_built_again(case, count):
    fusion = make(**CASES[case])
    tokens = make_tokens(fusion.in_features, count, (4, 5, 1))
    fusion.train()(tokens).square().sum().backward()
    dead = [name for name, weight in fusion.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not [name for name in dead if not name.endswith("key_value.bias")]
    again = build(describe(fusion)).eval()
    again.load_state_dict(fusion.state_dict())
    assert torch.equal(again(tokens), fusion.eval()(tokens)) and torch.isfinite(again(tokens)).all()


def test_float16_tokens_give_what_float32_ones_give():
    fusion = make({"image": 6, "spectrum": 8})
    tokens = make_tokens(fusion.in_features)
    halved = {name: x.half() for name, x in tokens.items()}
    same = {name: x.half().float() for name, x in tokens.items()}
    assert torch.equal(fusion(halved), fusion(same))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_features": {}}, "needs a modality and two classes, found 0 and 3"),
        ({"queries": "photo"}, "queries: there is no modality 'photo'; there are image, spectrum"),
        ({"keys": "image"}, "queries and keys are both 'image', expected two modalities"),
        ({"positions": {"x": 3}}, "positions: there is no modality 'x'; there are image, spectrum"),
        ({"size": {"width": 9, "heads": 2}}, "a width that heads divides, found .*'width': 9"),
        ({"size": {"dropout": 1.0}}, "size: dropout is 1.0, expected a share"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        make(**arguments)


def test_without_cross_attention_there_is_nothing_to_show():
    with pytest.raises(UsageError, match="no cross-attention to show"):
        make(cross_attention=False).attention(make_tokens())


def test_training_in_bfloat16_gives_about_the_gradients_of_float32():
    fusion, tokens, found = make(size=Attention(8, 2, 2, 12, 0.0)), make_tokens(), []
    for enabled in (False, True):
        fusion.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            logits = fusion(tokens)
        logits.float().square().sum().backward()
        found.append(torch.cat([weight.grad.flatten() for weight in fusion.parameters()]))
    assert torch.nn.functional.cosine_similarity(*found, dim=0) > 0.99


def test_tokens_that_do_not_fit_are_refused():
    fusion, tokens = make(), make_tokens()
    with pytest.raises(InputError, match="there are no tokens of 'spectrum', expected image, spectrum"):
        fusion({"image": tokens["image"]})
    with pytest.raises(InputError, match=r"tokens of 'image' have shape \(3, 4, 6\), expected \(objects, tokens, 8\)"):
        fusion({**tokens, "image": tokens["image"][..., :6]})
