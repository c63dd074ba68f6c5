"""Dropout by bytes against torch's: the same shares, scale and gradient, from torch's generator."""

import pytest
import torch

from astroclip_kit.encoders import GalSpecNet, Informer, MetadataMLP
from astroclip_kit.encoders.dropout import Dropout
from astroclip_kit.errors import UsageError


@pytest.mark.parametrize("p", [2.0, -0.1, float("nan")])
@pytest.mark.parametrize("encoder", [GalSpecNet, Informer, MetadataMLP])
def test_a_probability_that_is_none_is_refused(encoder, p):
    with pytest.raises(UsageError, match=rf"dropout is {p}, expected a probability from 0 to 1"):
        encoder(dropout=p)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.245107, 0.8])
def test_share_scale_and_gradient(p, dtype):
    torch.manual_seed(0)
    x = torch.ones(999, 91, 11, dtype=dtype, requires_grad=True)
    y = Dropout(p)(x)
    kept = 1 - round(p * 256) / 256
    assert sorted(y.unique().tolist()) == pytest.approx([0.0, 1 / kept], rel=0.005)
    assert (y > 0).float().mean().item() == pytest.approx(kept, abs=0.002)
    assert (y > 0).float().mean(dim=(0, 1)).tolist() == pytest.approx([kept] * 11, abs=0.01)
    y.float().sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_it_follows_from_torch_s_generator_and_rests_in_eval_mode():
    x, layer = torch.rand(3, 5), Dropout(0.5)
    torch.manual_seed(1)
    first, second = layer(x), layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first) and not torch.equal(first, second)
    assert torch.equal(layer.eval()(x), x)
    for p, expected in ((0.0, x), (1.0, 0 * x), (0.001, None)):  # those that no byte stands for
        found = Dropout(p)(x)
        assert expected is None or torch.equal(found, expected)
