"""InfoNCE against a slow loop, a closed form and open_clip."""

import math

import pytest
import torch

from astroclip_kit.errors import InputError
from astroclip_kit.losses import InfoNCE


def vectors(n=7, d=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator) * 3, torch.randn(n, d, generator=generator)


def slow_infonce(za, zb, scale, groups):
    def one_way(a, b):
        total = 0.0
        for i in range(len(a)):
            s = [scale * float(torch.cosine_similarity(a[i], b[j], dim=0)) for j in range(len(b))]
            kept = [s[j] for j in range(len(b)) if j == i or groups[j] != groups[i]]
            total += math.log(sum(math.exp(value) for value in kept)) - s[i]
        return total / len(a)

    return (one_way(za, zb) + one_way(zb, za)) / 2


@pytest.mark.parametrize("groups", [[0, 1, 2, 3, 4, 5, 6], [0, 0, 1, 2, 0, 3, 3]])
def test_equals_a_slow_loop(groups):
    za, zb = vectors()
    loss = InfoNCE()(za, zb, 15.5, torch.tensor(groups))
    assert float(loss) == pytest.approx(slow_infonce(za, zb, 15.5, groups), rel=1e-5)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("groups", [[0, 1, 2, 3, 4, 5, 6], [0, 0, 1, 2, 0, 3, 3]])
def test_gradient_is_that_of_the_loss(groups, symmetric):
    za, zb = (z.double().requires_grad_() for z in vectors())
    scale, loss = torch.tensor(3.0, dtype=torch.float64, requires_grad=True), InfoNCE(symmetric)
    assert torch.autograd.gradcheck(lambda *one: loss(*one, torch.tensor(groups)), (za, zb, scale))


def test_equals_open_clip():
    from open_clip.loss import ClipLoss

    za, zb = vectors(32, 8)
    unit = [torch.nn.functional.normalize(z, dim=1) for z in (za, zb)]
    expected = ClipLoss()(*unit, torch.tensor(15.5))
    torch.testing.assert_close(InfoNCE()(za, zb, 15.5), expected, rtol=1e-6, atol=1e-6)


def test_closed_form_for_orthogonal_pairs():
    z = torch.eye(6)
    assert float(InfoNCE()(z, 4 * z, 3.0)) == pytest.approx(math.log(1 + 5 * math.exp(-3.0)), rel=1e-5)


def test_identical_vectors_cannot_be_told_apart():
    z = torch.ones(8, 3)
    assert float(InfoNCE()(z, z, 15.5)) == pytest.approx(math.log(8), rel=1e-5)


def test_all_rows_of_one_object_leave_nothing_to_contrast():
    za, zb = vectors()
    assert float(InfoNCE()(za, zb, 15.5, torch.zeros(7, dtype=torch.int64))) == 0.0


def test_is_symmetric_and_ignores_length():
    za, zb = vectors()
    torch.testing.assert_close(InfoNCE()(za, zb, 9.0), InfoNCE()(2 * zb, 0.1 * za, 9.0))


def test_one_way_is_one_half_of_both_ways():
    za, zb = vectors()
    one_way = InfoNCE(symmetric=False)
    assert float(one_way(za, zb, 9.0)) != pytest.approx(float(one_way(zb, za, 9.0)))
    both = (one_way(za, zb, 9.0) + one_way(zb, za, 9.0)) / 2
    torch.testing.assert_close(InfoNCE()(za, zb, 9.0), both)
    logits = 9.0 * torch.cosine_similarity(za[:, None], zb[None], dim=2)
    torch.testing.assert_close(one_way(za, zb, 9.0), -logits.log_softmax(dim=1).diagonal().mean())


def test_gradient_reaches_vectors_and_scale():
    za, zb = (z.requires_grad_() for z in vectors())
    scale = torch.tensor(10.0, requires_grad=True)
    InfoNCE()(za, zb, scale, torch.tensor([0, 0, 1, 2, 3, 4, 5])).backward()
    assert all(torch.isfinite(x.grad).all() and x.grad.abs().sum() > 0 for x in (za, zb, scale))


def test_autocast_does_not_round_the_logits():
    za, zb = vectors(64, 16)
    expected = InfoNCE()(za, zb, 15.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(InfoNCE()(za, zb, 15.5), expected)


def test_refuses_shapes_that_do_not_pair():
    with pytest.raises(InputError, match=r"two tensors \[n, D\], found \[3, 4\] and \[2, 4\]"):
        InfoNCE()(torch.ones(3, 4), torch.ones(2, 4), 1.0)


def test_refuses_a_single_row():
    with pytest.raises(InputError, match="at least two rows, found 1"):
        InfoNCE()(torch.ones(1, 4), torch.ones(1, 4), 1.0)
