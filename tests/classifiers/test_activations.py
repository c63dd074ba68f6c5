import numpy as np
import pytest
import torch
from torch import nn

from astroclip_kit.classifiers import layer_maps, map_layers
from astroclip_kit.encoders import VGG1D, SEResNet, TabularMLP
from astroclip_kit.errors import InputError

RNG = np.random.default_rng(0)
IMAGE = RNG.uniform(0.1, 1, (3, 20, 20)).astype(np.float32)
SPECTRUM = RNG.uniform(0.5, 1, (2, 3522)).astype(np.float32)


@pytest.fixture(scope="module")
def encoder():
    return SEResNet(bands=("g", "r", "z"), name="resnet18", width=8, stages=2)


def test_a_map_is_what_the_layer_gives_and_the_encoder_stays_as_it_was(encoder):
    encoder.train()
    found = layer_maps(encoder, IMAGE, ["trunk.conv1", "trunk.layer1"])
    assert list(found) == ["trunk.conv1", "trunk.layer1"] and encoder.training
    assert not any(module._forward_hooks for module in encoder.modules())
    with torch.inference_mode():
        x = encoder.eval().preprocess(torch.from_numpy(IMAGE)[None])
        expected = encoder.trunk.conv1(x * encoder.excitation(x)[:, :, None, None])[0].numpy()
    np.testing.assert_allclose(found["trunk.conv1"], expected, atol=1e-5)
    assert found["trunk.layer1"].min() >= 0 and found["trunk.layer1"].dtype == np.float32


def test_layers_are_offered_with_their_sizes_and_the_usual_are_one_of_each(encoder):
    offered = map_layers(encoder, IMAGE)
    assert offered["trunk.layer2"] == (128, 16, 16) and "norm" not in offered and "excitation" not in offered
    shapes = [one.shape[1:] for one in layer_maps(encoder, IMAGE).values()]
    assert len(set(shapes)) == len(shapes) == 3 and shapes == sorted(shapes, reverse=True)


def test_layers_along_a_spectrum():
    class Lines(nn.Module):
        out_features = 4

        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv1d(2, 4, 3), nn.Linear(3520, 3520)

        def forward(self, x):
            return self.second(self.first(x)).mean(dim=2)

    assert map_layers(Lines(), SPECTRUM) == {"first": (4, 3520)}  # what a linear layer gives may be tokens
    found = layer_maps(VGG1D(widths=(4, 8), depths=(1, 1)), SPECTRUM)
    assert {one.ndim for one in found.values()} == {2} and list(found.values())[-1].shape[0] == 8


def test_what_has_no_map_or_no_such_layer_is_told(encoder):
    known = r"Maps are given by trunk.conv1, trunk.bn1, .* and \d+ more, see map_layers"
    with pytest.raises(InputError, match=f"layers: SEResNet has no layer 'conv'. {known}"):
        layer_maps(encoder, IMAGE, ["conv"])
    with pytest.raises(InputError, match=r"layers: 'norm' of SEResNet gives \[1, 256, 8\], which is no map"):
        layer_maps(encoder, IMAGE, ["norm"])
    with pytest.raises(InputError, match="no layer of TabularMLP gives a map of pixels"):
        layer_maps(TabularMLP(5, 8), np.ones(5))
    with pytest.raises(InputError, match=r"SEResNet cannot encode a view of shape \(7, 20, 20\)"):
        layer_maps(encoder, np.ones((7, 20, 20)))


def test_a_map_is_what_the_layer_gave_also_where_the_next_one_changes_it_in_place():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True))
    found = layer_maps(nn.Sequential(layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), IMAGE, ["0.0", "0.1"])
    assert found["0.0"].min() < 0 and found["0.1"].min() == 0
