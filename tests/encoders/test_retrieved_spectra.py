"""The vector of an image is that of the spectra nearest to it."""

import pytest
import torch
from torch import nn

from astroclip_kit.encoders import RetrievedSpectra
from astroclip_kit.errors import InputError, UsageError


class Own(nn.Module):
    """An image encoder whose features are the first pixels."""

    out_features = 3

    def forward(self, x):
        return x.flatten(1)[:, :3]


def remembering(neighbours, **arguments):
    encoder = RetrievedSpectra(Own(), memory=4, out_features=2, neighbours=neighbours, **arguments)
    keys = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0.6, 0.8, 0]])
    encoder.remember(keys, torch.tensor([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0], [6.0, 5.0]]))
    return encoder


def test_the_mean_is_of_the_nearest_weighted_by_their_likeness():
    x = torch.tensor([[3.0, 0.1, 0.0], [0.5, 9.0, 0.0]])
    torch.testing.assert_close(remembering(1).restore(remembering(1)(x)), torch.tensor([[0.0, 5.0], [2.0, 5.0]]))
    both = remembering(2, sharpness=2.0)
    place = nn.functional.normalize(x[:1], dim=1)
    weights = (2.0 * torch.stack([place @ both.keys[0], place @ both.keys[3]])).softmax(dim=0)
    torch.testing.assert_close(both.restore(both(x))[0, 0], (weights * torch.tensor([[0.0], [6.0]])).sum())
    torch.testing.assert_close(remembering(9)(x), remembering(4)(x))  # no more than there are


def test_vectors_are_standardised_and_restored():
    encoder = remembering(1)
    torch.testing.assert_close(encoder.vectors.mean(dim=0), torch.zeros(2))
    torch.testing.assert_close(encoder.vectors[:, 0].std(unbiased=False), torch.tensor(1.0))
    vectors = torch.rand(5, 2)
    vectors[:, 1] = 5.0  # what is the same in all of the memory stays so
    torch.testing.assert_close(encoder.restore(encoder.standardise(vectors)), vectors)


def test_a_head_and_a_scaler_lead_to_the_space():
    scaler, head = nn.Linear(3, 3, bias=False), nn.Linear(3, 4, bias=False)
    head.out_features = 4
    encoder = RetrievedSpectra(Own(), head, scaler, memory=2, out_features=2, neighbours=1)
    assert encoder.keys.shape == (2, 4)
    x = torch.rand(3, 3)
    torch.testing.assert_close(encoder(x), encoder.nearest(head(scaler(x))))


@pytest.mark.parametrize("sizes", [{"memory": 0}, {"out_features": 0}, {"neighbours": 0}])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(UsageError, match="needs a memory, a vector and neighbours of at least 1, found"):
        RetrievedSpectra(Own(), **sizes)


def test_memories_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"vectors have shape \(4, 3\), expected \(4, 2\)"):
        remembering(1).remember(torch.eye(4)[:, :3], torch.zeros(4, 3))
