"""IICNet against the published counts, its blocks against their equations, and what it refuses."""

import pytest
import torch
from torch import nn

from astroclip_kit.classifiers import EncoderClassifier
from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import IICNet
from astroclip_kit.encoders.attention_blocks import CBAM, RFB
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model, save_model
from astroclip_kit.transforms import Asinh, Resize, ScaleImages, SelectChannels
from astroclip_kit.types import Modality

CLASSES = ("galaxy", "qso", "star")
WISE = ("W1", "W2", "W3", "W4")


def wise(bands=WISE, side=36):
    return Modality("image", "image", tuple(bands), (len(bands), side, side), "mJy", (1.375,))


def parameters(module):
    return sum(one.numel() for one in module.parameters())


@pytest.mark.parametrize("configuration, weights", [("default", 1_744_623), ("closest", 1_749_531),
                                                    ("macs", 1_752_379), ("powers_of_two", 1_729_499)])  # fmt: skip
def test_each_configuration_has_the_weights_of_its_row(configuration, weights):
    with torch.device("meta"):
        network = EncoderClassifier(IICNet(configuration), CLASSES)
    assert parameters(network) == weights
    assert network.encoder.out_features == {"default": 512, "closest": 256, "macs": 128, "powers_of_two": 256}[
        configuration
    ]  # fmt: skip


@pytest.mark.parametrize("bands", [3, 4])
@pytest.mark.parametrize("size", [64, 80, 128])
@pytest.mark.parametrize("stem", [3, 5])
def test_bands_size_and_stem_are_arguments(bands, size, stem):
    with torch.device("meta"):
        encoder = IICNet(bands=bands, size=size, stem=stem)
    assert parameters(encoder) == 1_744_623 - 1539 + 16 * (bands * stem**2 - 3 * 25)
    assert encoder(torch.zeros(2, bands, size, size, device="meta")).shape == (2, 512)
    assert encoder.preprocess.steps[-1] == Resize(size)


def test_a_receptive_field_block_sees_15_pixels():
    torch.manual_seed(0)
    block = RFB(4, 6, 2).eval()
    x = torch.zeros(1, 4, 31, 31, requires_grad=True)
    block(x + torch.rand(1, 4, 31, 31))[0, :, 15, 15].sum().backward()
    rows = x.grad.abs().sum(dim=(0, 1, 3)).nonzero()[:, 0]
    assert (rows.min(), rows.max()) == (15 - 7, 15 + 7)  # two of 3 pixels, then one of 3 that are 5 apart


class PublishedBlock(nn.Module):
    """Branch by branch as in the public code of RFBNet, with other dilations."""

    def __init__(self, c, out, q):
        super().__init__()

        def layer(a, b, kernel=1, dilation=1, relu=True):
            conv = nn.Conv2d(a, b, kernel, padding=dilation * (kernel // 2), dilation=dilation, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(b), nn.ReLU() if relu else nn.Identity())

        half = 3 * q // 2
        self.branches = nn.ModuleList([
            nn.Sequential(layer(c, 2 * q), layer(2 * q, 2 * q, 3, 1, False)),
            nn.Sequential(layer(c, q), layer(q, 2 * q, 3), layer(2 * q, 2 * q, 3, 3, False)),
            nn.Sequential(layer(c, q), layer(q, half, 3), layer(half, 2 * q, 3), layer(2 * q, 2 * q, 3, 5, False)),
        ])  # fmt: skip
        self.linear, self.shortcut = layer(6 * q, out, relu=False), layer(c, out, relu=False)

    def forward(self, x):
        joined = self.linear(torch.cat([branch(x) for branch in self.branches], dim=1))
        return (joined * 0.1 + self.shortcut(x)).relu()


def test_a_receptive_field_block_computes_what_its_public_code_computes():
    torch.manual_seed(0)
    published, block = PublishedBlock(16, 32, 2), RFB(16, 32, 2)
    near, middle, far = published.branches
    parts = [(block.begin[0], [one[0][0] for one in published.branches]), (block.near, [near[1][0]]),
             (block.middle[0][0], [middle[1][0]]), (block.middle[1], [middle[2][0]]),
             (block.far[0][0], [far[1][0]]), (block.far[1][0], [far[2][0]]), (block.far[2], [far[3][0]]),
             (block.join[0], [published.linear[0]]), (block.shortcut[0], [published.shortcut[0]])]  # fmt: skip
    with torch.no_grad():
        for ours, theirs in parts:
            ours.weight.copy_(torch.cat([one.weight for one in theirs]))
    assert parameters(block) == parameters(published) == 1880
    x = torch.randn(4, 16, 12, 12)
    torch.testing.assert_close(block(x), published(x))  # training: normalised by the batch
    torch.testing.assert_close(block.eval()(x), published.eval()(x))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_attention_follows_its_equations(layout):
    torch.manual_seed(0)
    module, x = CBAM(8, reduction=4, kernel=3), torch.randn(2, 8, 5, 6).contiguous(memory_format=layout)
    first, _, second = module.channel.layers
    hidden = [(one @ first.weight.T).clamp(min=0) @ second.weight.T for one in (x.mean(dim=(2, 3)), x.amax(dim=(2, 3)))]
    channels = (hidden[0] + hidden[1]).sigmoid()
    weighed = x * channels[:, :, None, None]
    pooled = torch.stack([weighed.mean(dim=1), weighed.amax(dim=1)], dim=1)
    places = nn.functional.conv2d(pooled, module.spatial.layer.weight, padding=1).sigmoid()
    torch.testing.assert_close(module.channel(x)[:, :, 0, 0], channels)
    torch.testing.assert_close(module(x), weighed * places)
    assert parameters(CBAM(512)) == 2 * 512 * 32 + 2 * 49


def test_its_attention_is_a_map_for_each_image():
    encoder, x = IICNet(size=40).eval(), torch.rand(2, 3, 40, 40)
    with torch.inference_mode():
        maps, features = encoder.attention_maps(x), encoder(x)
        near, far = maps["attention1"], maps["attention2"]
        seen = encoder.rfb(encoder.conv1(x))
        weighed = seen * encoder.attention1.channel(seen)
        torch.testing.assert_close(encoder.attention1(seen), weighed * near[:, None])
    assert near.shape == (2, 40, 40) and far.shape == (2, 5, 5)
    assert 0 < near.min() and near.max() < 1
    torch.testing.assert_close(encoder(x), features)  # no hook is left behind
    assert not encoder.attention1.spatial._forward_hooks


def test_its_layers_can_be_looked_into_by_their_names():
    encoder, shapes = IICNet().eval(), {}
    for name in ("conv1", "rfb", "attention1", "conv2", "conv3", "conv4", "conv5", "attention2"):
        keep = lambda _module, _x, y, name=name: shapes.update({name: tuple(y.shape[1:])})  # noqa: E731
        encoder.get_submodule(name).register_forward_hook(keep)
    with torch.inference_mode():
        encoder(torch.zeros(1, 3, 80, 80))
    assert shapes == {
        "conv1": (16, 80, 80), "rfb": (32, 80, 80), "attention1": (32, 80, 80), "conv2": (32, 40, 40),
        "conv3": (128, 20, 20), "conv4": (288, 10, 10), "conv5": (512, 10, 10), "attention2": (512, 10, 10),
    }  # fmt: skip


def test_it_takes_the_bands_that_are_asked_for():
    with_ivar = wise((*WISE, *(f"ivar_{band}" for band in WISE)))
    assert IICNet.for_modality(with_ivar).preprocess.steps[0] == SelectChannels([0, 1, 2, 3])
    for bands in (3, ["W1", "W2", "W3"]):
        encoder = IICNet.for_modality(wise(), bands=bands, size=64)
        assert encoder.bands == 3 and encoder.preprocess(torch.rand(2, 4, 36, 36)).shape == (2, 3, 64, 64)
        check_encoder(encoder, wise())
    three = IICNet.for_modality(wise(WISE[:3], side=80))
    assert three.preprocess.steps == (Asinh(None), ScaleImages(quantile=1.0), Resize(80))


def test_pixels_are_scaled_by_what_was_measured_on_training_objects(tmp_path):
    torch.manual_seed(0)
    x = torch.randn(20, 3, 36, 36) * torch.tensor([1.0, 5.0, 400.0])[:, None, None]
    x[:, :, 16:20, 16:20] += 1e4
    encoder = IICNet.for_modality(wise(WISE[:3]), size=32).measured_on(x)
    stretch, scale, _ = encoder.preprocess.steps
    assert stretch.scale == pytest.approx((1, 5, 400), rel=0.05) and len(scale.mean) == 3
    x[0, 0, 3, 3] = torch.nan
    assert encoder.preprocess(x).isfinite().all() and encoder.preprocess(x).abs().max() < 15
    save_model(encoder, tmp_path / "encoder")
    torch.testing.assert_close(load_model(tmp_path / "encoder").preprocess(x), encoder.preprocess(x))
    own = IICNet(preprocess=Resize(32))
    assert own.measured_on(x).preprocess == Resize(32)  # nothing to measure


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="IICNet has no configuration 'wide', only default, closest, macs, powers_of"):
        IICNet("wide")
    for arguments in ({"bands": 0}, {"size": 31}, {"stem": 4}, {"stem": -1}):
        with pytest.raises(
            UsageError, match="IICNet needs at least 1 band, images of at least 32 pixels and a stem of"
        ):
            IICNet(**arguments)
    with pytest.raises(InputError, match="IICNet encodes data of kind 'image', and 'flux' is of kind 'spectrum'"):
        IICNet.for_modality(Modality.spectrum("flux", [4000.0, 4001.0]))
    with pytest.raises(InputError, match=r"'image' has no band 'W5': it has W1, W2, W3, W4. Change bands"):
        IICNet.for_modality(wise(), bands=["W1", "W5"])
    with pytest.raises(InputError, match=r"'image' has 4 bands, not 5. Change bands"):
        IICNet.for_modality(wise(), bands=5)


def test_images_that_it_cannot_take_are_refused():
    encoder = IICNet(bands=3).eval()
    for shape in ((2, 4, 80, 80), (2, 3, 31, 80), (3, 80, 80)):
        with pytest.raises(InputError, match=r"IICNet takes images \[B, 3, H, W\] with at least 32 x 32 pixels, found"):
            encoder(torch.zeros(shape))
    for value in (torch.nan, torch.inf):
        x = torch.zeros(1, 3, 32, 32)
        x[0, 1, 5, 5] = value
        with pytest.raises(InputError, match="IICNet takes finite images, and a pixel is NaN or infinite: let `prep"):
            encoder(x)
