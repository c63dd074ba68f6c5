"""Networks of torchvision and timm by name: all those that IICnet was compared with open for any number of bands."""

import pytest
import torch

from astroclip_kit.encoders import ImageBackbone
from astroclip_kit.encoders.named_networks import named_network, set_in_channels
from astroclip_kit.errors import FileError, UsageError

NETWORKS = {
    "vgg16": 4096, "googlenet": 1024, "resnet34": 512, "mobilenetv1_100": 1024, "efficientnet_v2_s": 1280,
    "repvgg_a2": 1408, "inception_v3": 2048,
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_each_opens_for_images_of_80_pixels_in_four_bands(name):
    with torch.device("meta"):
        encoder = ImageBackbone(name, in_channels=4)
        features = encoder(torch.zeros(2, 4, 80, 80))
    assert encoder.out_features == NETWORKS[name] and features.shape == (2, NETWORKS[name])


def test_all_convolutions_of_the_image_itself_take_more_bands():
    torch.manual_seed(0)
    network = named_network("repvgg_a0").eval()
    stem, grey = network.stem, torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        before = stem(grey.expand(1, 3, 32, 32))
        set_in_channels(network, 5)
        torch.testing.assert_close(stem(grey.expand(1, 5, 32, 32)), before)
    assert stem.conv_kxk.conv.in_channels == stem.conv_1x1.conv.in_channels == 5


def test_weights_of_timm_that_cannot_be_downloaded_say_what_to_do(monkeypatch):
    import timm

    def offline(name, pretrained):
        raise OSError("no route to host")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(
        FileError, match=r"the ImageNet weights of repvgg_a0 could not be had \(no route to host\). Run"
    ):
        ImageBackbone("repvgg_a0", pretrained=True)


def test_trained_weights_say_where_they_are_from(monkeypatch):
    import timm
    from torchvision import models

    network = torch.nn.Sequential(torch.nn.Linear(2, 2))
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: network)
    assert named_network("repvgg_a0", pretrained=True).weights_from == "timm, ImageNet"
    monkeypatch.setattr(models, "get_model", lambda name, weights, aux_logits, init_weights: network)
    assert named_network("googlenet", pretrained=True).weights_from == "torchvision, ImageNet"
    assert network.transform_input is False


def test_a_name_that_neither_knows_is_refused():
    with pytest.raises(UsageError, match=r"torchvision and timm have no image network .repvgg_a22.\. Did you mean"):
        named_network("repvgg_a22")
