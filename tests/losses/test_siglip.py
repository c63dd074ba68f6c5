"""SigLIP against a slow loop, a closed form and open_clip."""

import math

import pytest
import torch

from astroclip_kit.errors import InputError
from astroclip_kit.losses import SigLIP


def vectors(n=6, d=5):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, d, generator=generator) * 3, torch.randn(n, d, generator=generator)


def slow_siglip(za, zb, scale, bias, groups):
    total = 0.0
    for i in range(len(za)):
        for j in range(len(zb)):
            if i != j and groups[i] == groups[j]:
                continue
            logit = scale * float(torch.cosine_similarity(za[i], zb[j], dim=0)) + bias
            total += math.log1p(math.exp(-logit if i == j else logit))
    return total / len(za)


@pytest.mark.parametrize("groups", [[0, 1, 2, 3, 4, 5], [0, 0, 1, 2, 0, 3]])
def test_equals_a_slow_loop(groups):
    za, zb = vectors()
    loss = SigLIP()(za, zb, 10.0, torch.tensor(groups), logit_bias=-4.0)
    assert float(loss) == pytest.approx(slow_siglip(za, zb, 10.0, -4.0, groups), rel=1e-5)


def test_equals_open_clip():
    from open_clip.loss import SigLipLoss

    za, zb = vectors(32)
    unit = [torch.nn.functional.normalize(z, dim=1) for z in (za, zb)]
    expected = SigLipLoss()(*unit, torch.tensor(10.0), torch.tensor(-10.0))
    torch.testing.assert_close(SigLIP()(za, zb, 10.0, logit_bias=-10.0), expected, rtol=1e-6, atol=1e-6)


def test_closed_form_for_orthogonal_pairs():
    z = torch.eye(4)
    expected = math.log1p(math.exp(-(6.0 - 2.0))) + 3 * math.log1p(math.exp(-2.0))
    assert float(SigLIP()(z, z, 6.0, logit_bias=-2.0)) == pytest.approx(expected, rel=1e-5)


def test_gradient_reaches_vectors_scale_and_bias():
    za, zb = (z.requires_grad_() for z in vectors())
    scale, bias = torch.tensor(10.0, requires_grad=True), torch.tensor(-10.0, requires_grad=True)
    SigLIP()(za, zb, scale, logit_bias=bias).backward()
    assert all(torch.isfinite(x.grad).all() and x.grad.abs().sum() > 0 for x in (za, zb, scale, bias))


def test_refuses_a_single_row():
    with pytest.raises(InputError, match="at least two rows, found 1"):
        SigLIP()(torch.ones(1, 4), torch.ones(1, 4), 1.0)
