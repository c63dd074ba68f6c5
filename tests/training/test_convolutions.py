"""Thin convolutions are trained without the fault of the library that computes them."""

import copy
import multiprocessing

import pytest
import torch
from thin_cases import train
from torch import nn

from astroclip_kit.convolutions import sampled_convolutions


def test_a_thin_network_is_trained_in_several_threads(tmp_path):
    """In a process of its own: without the other way it ends by a signal, here or in a later test."""
    process = multiprocessing.get_context("forkserver").Process(target=train, args=(str(tmp_path),))
    process.start()
    process.join()
    assert process.exitcode == 0 and (tmp_path / "log.csv").read_text().count("\n") == 4


@pytest.mark.parametrize("shape", [(3, 4, 9, 10), (4, 9, 10)])
@pytest.mark.parametrize("settings", [{"stride": 2}, {"stride": (1, 3)}, {"stride": 2, "groups": 2, "bias": False}])
def test_it_is_the_same_convolution(shape, settings):
    torch.manual_seed(0)
    one = nn.Conv2d(4, 8, 1, **settings).double()
    other, x = copy.deepcopy(one), torch.randn(shape, dtype=torch.float64)
    expected = other(x)
    expected.square().sum().backward()
    with sampled_convolutions(one):
        assert type(one) is not nn.Conv2d
        found = one(x)
        found.square().sum().backward()
    torch.testing.assert_close(found, expected)
    for parameter, reference in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, reference.grad)


@pytest.mark.parametrize(
    ("layer", "taken"),
    [
        (nn.Conv2d(15, 8, 1, stride=2), True),
        (nn.Conv2d(4, 8, 1, stride=2, padding="valid"), True),
        (nn.Conv2d(32, 8, 1, stride=2, groups=4), True),
        (nn.Conv2d(16, 8, 1, stride=2), False),
        (nn.Conv2d(4, 8, 1), False),
        (nn.Conv2d(4, 8, (1, 3), stride=2), False),
        (nn.Conv2d(4, 8, 1, stride=2, padding=1), False),
        (nn.LazyConv2d(8, 1, stride=2), False),
    ],
)
def test_which_are_computed_otherwise_and_only_meanwhile(layer, taken):
    network = nn.Sequential(nn.Identity(), nn.Sequential(layer))
    before, names = type(layer), [*network.state_dict()]
    with pytest.raises(ValueError, match="within"), sampled_convolutions(network):
        assert (type(layer) is not before) == taken and [*network.state_dict()] == names
        raise ValueError("within")
    assert type(layer) is before
