"""The simple fusions against what they claim to be."""

import pytest
import torch
from torch import nn

from astroclip_kit.classifiers import EarlyAdd, EarlyConcat, PooledLinear, VGG1DFusion
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import build, describe

BOTH = {"image": 16, "spectrum": 24}
MAKERS = {
    "early_add": lambda: EarlyAdd(BOTH, 3),
    "early_add, hidden": lambda: EarlyAdd(BOTH, 3, (5,), 0.1),
    "early_concat": lambda: EarlyConcat(BOTH, 3),
    "vgg1d": lambda: VGG1DFusion(BOTH, 3, (4, 8), (1, 2)),
    "linear": lambda: PooledLinear({"spectrum": 24}, 3),
}


def make(name):
    torch.manual_seed(0)
    return MAKERS[name]()


def make_tokens(count=3):
    generator = torch.Generator().manual_seed(1)
    return {name: torch.randn(count, 5, width, generator=generator) for name, width in BOTH.items()}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("count", [1, 5])
def test_every_weight_learns_and_the_model_is_built_again(name, count):
    fusion, tokens = make(name), make_tokens(count)
    logits = fusion(tokens)
    assert logits.shape == (count, 3) and torch.isfinite(logits).all()
    (logits * torch.arange(3)).sum().backward()
    assert all(weight.grad is not None for weight in fusion.parameters())
    again = build(describe(fusion)).eval()
    again.load_state_dict(fusion.state_dict())
    assert torch.equal(again(tokens), fusion.eval()(tokens))


def test_what_early_means():
    tokens = make_tokens()
    image, spectrum = (x.mean(dim=1) for x in tokens.values())
    concat, add, one = make("early_concat"), make("early_add"), make("linear")
    torch.testing.assert_close(concat(tokens), concat.head[0](torch.cat([image, spectrum], dim=1)))
    torch.testing.assert_close(add(tokens), add.head[0](add.project[0](image) + spectrum))
    torch.testing.assert_close(one(tokens), one.head[0](spectrum))


def test_the_published_widths_are_added_as_they_are_and_read_by_vgg():
    same = {"image": 512, "spectrum": 512}
    assert [type(part) for part in EarlyAdd(same, 2).project] == [nn.Identity, nn.Identity]
    with torch.device("meta"):
        line = VGG1DFusion(same, 2).convolutions(torch.empty(1, 1, 1024))
    assert line.shape == (1, 512, 32)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="PooledLinear reads one modality, found image, spectrum"):
        PooledLinear(BOTH, 2)
    with pytest.raises(UsageError, match="cannot halve 40 features 6 times: give fewer widths"):
        VGG1DFusion(BOTH, 2, (4,) * 6, (1,) * 6)
    with pytest.raises(InputError, match="there are no tokens of 'image'"):
        make("early_add")({"spectrum": make_tokens()["spectrum"]})
