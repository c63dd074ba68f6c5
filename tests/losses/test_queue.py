"""InfoNCE against a queue: a slow loop, a closed form, and what is refused."""

import math

import pytest
import torch

from astroclip_kit.errors import InputError
from astroclip_kit.losses import InfoNCE, QueueInfoNCE


def vectors(n=5, length=7, d=4):
    generator = torch.Generator().manual_seed(2)
    return (torch.randn(count, d, generator=generator) * 3 for count in (n, n, length))


def slow(queries, keys, queue, scale, same):
    total = 0.0
    for i, query in enumerate(queries):
        good = math.exp(scale * float(torch.cosine_similarity(query, keys[i], dim=0)))
        bad = [math.exp(scale * float(torch.cosine_similarity(query, one, dim=0))) for one in queue]
        total -= math.log(good / (good + sum(value for j, value in enumerate(bad) if not same[i][j])))
    return total / len(queries)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_equals_a_slow_loop(share):
    queries, keys, queue = vectors()
    same = torch.rand(5, 7, generator=torch.Generator().manual_seed(0)) < share
    loss = QueueInfoNCE()(queries, keys, queue, 5.0, same)
    assert float(loss) == pytest.approx(slow(queries, keys, queue, 5.0, same.tolist()), rel=1e-5)


def test_equals_one_direction_of_infonce_where_the_queue_is_the_batch():
    queries, keys, _ = vectors()
    with_itself = QueueInfoNCE()(queries, keys, keys, 5.0, torch.eye(5, dtype=torch.bool))
    torch.testing.assert_close(with_itself, InfoNCE(symmetric=False)(queries, keys, 5.0))


def test_closed_form_for_orthogonal_vectors():
    z = torch.eye(6)
    assert float(QueueInfoNCE()(z[:2], z[:2], z[2:], 3.0)) == pytest.approx(math.log1p(4 * math.exp(-3.0)), rel=1e-5)


def test_a_queue_of_nothing_but_the_object_itself_says_nothing():
    queries, keys, queue = vectors()
    assert float(QueueInfoNCE()(queries, keys, queue, 5.0, torch.ones(5, 7, dtype=torch.bool))) == 0.0


def test_is_computed_in_float32_under_autocast():
    queries, keys, queue = vectors()
    expected = QueueInfoNCE()(queries, keys, queue, 5.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(QueueInfoNCE()(queries, keys, queue, 5.0), expected)


def test_refuses_shapes_that_do_not_fit():
    with pytest.raises(InputError, match=r"found \[2, 4\], \[2, 4\], \[7, 3\]"):
        QueueInfoNCE()(torch.ones(2, 4), torch.ones(2, 4), torch.ones(7, 3), 1.0)
