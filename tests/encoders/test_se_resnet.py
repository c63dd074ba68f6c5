"""SEResNet against its published layout, and what it makes of bands."""

import pytest
import torch

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import SEResNet
from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.models import load_model, save_model
from astroclip_kit.transforms import Compose, Resize, ScaleImages, SelectChannels
from astroclip_kit.types import Modality

UGRIZ = tuple("ugriz")
SMALL = {"name": "resnet18", "width": 24}


def stars(bands=UGRIZ, side=64):
    return Modality("image", "image", tuple(bands), (len(bands), side, side), "nmgy", (0.396,))


def parameters(module):
    return sum(one.numel() for one in module.parameters())


@pytest.fixture(scope="module")
def published():
    with torch.device("meta"):
        return SEResNet()


def test_the_trunk_of_five_bands_has_the_published_weights(published):
    assert parameters(published.trunk) == 23_514_304  # 23.51 M
    assert parameters(published.excitation) == 2 * (5 * 5 + 5)
    assert parameters(published.projection) == 2048 * 512 + 512 and parameters(published.norm) == 2 * 512
    assert parameters(SEResNet(bands=("g", "r", "z"), **SMALL).trunk) == 11_176_512  # torchvision's, without its end


@pytest.mark.parametrize(("side", "tokens"), [(32, 1), (48, 4), (64, 4), (96, 9), (128, 16)])
def test_a_place_of_32_pixels_is_a_token(published, side, tokens):
    x = torch.zeros(2, 5, side, side, device="meta")
    assert published.tokens(x).shape == (2, tokens, 512) and published(x).shape == (2, 512)


def test_fewer_stages_give_more_tokens_of_small_images():
    for stages, tokens, trunk in ((3, 9, 2_789_056), (2, 36, 689_344), (1, 144, 163_776)):
        encoder = SEResNet(stages=stages, **SMALL)
        assert encoder.tokens(torch.zeros(1, 5, 48, 48)).shape == (1, tokens, 24)
        assert parameters(encoder.trunk) == trunk and not hasattr(encoder.trunk, f"layer{stages + 1}")


def test_it_computes_what_torchvision_computes_after_weighing_the_bands():
    from torchvision.models import resnet18

    torch.manual_seed(0)
    encoder, reference = SEResNet(bands=("g", "r", "z"), **SMALL).eval(), resnet18(weights=None).eval()
    weights = {name: one for name, one in reference.state_dict().items() if not name.startswith("fc.")}
    encoder.trunk.load_state_dict(weights)
    reference.fc = torch.nn.Identity()
    x = torch.rand(2, 3, 64, 64)
    first, _, second, _ = encoder.excitation.layers
    hidden = (x.mean(dim=(2, 3)) @ first.weight.T + first.bias).clamp(min=0)
    shares = 1 / (1 + (-(hidden @ second.weight.T + second.bias)).exp())
    with torch.inference_mode():
        pooled = reference(x * shares[:, :, None, None])
        encoder.norm = torch.nn.Identity()  # before it, the mean of the tokens is linear in the pooled features
        expected = pooled @ encoder.projection.weight[:, :, 0, 0].T + encoder.projection.bias
        torch.testing.assert_close(encoder(x), expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(encoder.shares(x), shares / shares.sum(dim=1, keepdim=True))


def test_the_bands_have_shares_that_add_up_to_1():
    encoder = SEResNet(**SMALL)
    x = torch.randn(3, 5, 32, 32)
    torch.testing.assert_close(encoder.shares(x).sum(dim=1), torch.ones(3))
    assert encoder.share_names == UGRIZ
    plain = SEResNet(squeeze_excitation=False, **SMALL)
    torch.testing.assert_close(plain.shares(x), torch.full((3, 5), 0.2))
    assert parameters(encoder) - parameters(plain) == 60


def test_imagenet_weights_are_averaged_over_colours_and_repeated(tmp_path):
    from safetensors.torch import save_file
    from torchvision.models import resnet18

    reference = resnet18(weights=None)
    save_file(dict(reference.state_dict()), tmp_path / "resnet18.safetensors")
    encoder = SEResNet(checkpoint=str(tmp_path / "resnet18.safetensors"), **SMALL)
    kernel = reference.conv1.weight.detach()
    torch.testing.assert_close(encoder.trunk.conv1.weight, kernel.mean(dim=1, keepdim=True).repeat(1, 5, 1, 1) * 3 / 5)
    grey = torch.rand(1, 1, 32, 32)  # an image that is the same in all bands looks the same to it
    torch.testing.assert_close(encoder.trunk.conv1(grey.repeat(1, 5, 1, 1)), reference.conv1(grey.repeat(1, 3, 1, 1)))
    torch.testing.assert_close(encoder.trunk.layer4[1].conv2.weight, reference.layer4[1].conv2.weight)
    assert encoder.checkpoint is None


def test_it_takes_the_bands_that_are_asked_for():
    with_ivar = stars((*UGRIZ, "ivar_u", "ivar_g", "ivar_r", "ivar_i", "ivar_z"))
    encoder = SEResNet.for_modality(with_ivar, **SMALL)
    assert encoder.bands == UGRIZ and encoder.preprocess(torch.rand(2, 10, 64, 64)).shape == (2, 5, 128, 128)
    two = SEResNet.for_modality(stars(), size=0, bands=["z", "g"], **SMALL)
    assert two.preprocess.steps[0] == SelectChannels([4, 1]) and two.share_names == ("z", "g")
    assert two.preprocess(torch.rand(1, 5, 64, 64)).shape == (1, 2, 64, 64)
    with pytest.raises(InputError, match=r"'image' has no band 'y': it has u, g, r, i, z. Change bands"):
        SEResNet.for_modality(stars(), bands=["g", "y"], **SMALL)


def test_other_bands_than_those_of_the_weights_are_refused():
    encoder = SEResNet.for_modality(stars(), **SMALL)
    for other in ("grizy", "zirgu", "ugri"):
        with pytest.raises(InputError, match=r"'image' has the bands .* where SEResNet expects u, g, r, i, z"):
            check_encoder(encoder, stars(other))
    own = SEResNet(preprocess=torch.nn.ReLU(), **SMALL)
    check_encoder(own, stars("zirgu"))  # a preprocessing of one's own may order them


def test_another_network_is_refused():
    with pytest.raises(UsageError, match="SEResNet is made of a ResNet, and 'mobilenet_v3_small' is none"):
        SEResNet(name="mobilenet_v3_small")
    with pytest.raises(UsageError, match="SEResNet has 1 to 4 stages, found 5"):
        SEResNet(stages=5, **SMALL)
    with pytest.raises(UsageError, match="no image network 'resnet19'"):
        SEResNet(name="resnet19")
    with pytest.raises(InputError, match="SEResNet encodes data of kind 'image', and 'flux' is of kind 'spectrum'"):
        SEResNet.for_modality(Modality.spectrum("flux", [4000.0, 4001.0]))


def test_what_was_measured_is_saved_with_it(tmp_path):
    x = torch.randn(40, 5, 32, 32).exp()
    encoder = SEResNet.for_modality(stars(side=32), size=0, **SMALL).measured_on(x)
    assert isinstance(encoder.preprocess.steps[0], ScaleImages) and len(encoder.preprocess.steps[0].mean) == 5
    save_model(encoder, tmp_path / "encoder")
    loaded = load_model(tmp_path / "encoder")
    torch.testing.assert_close(loaded.preprocess(x), encoder.preprocess(x))
    assert loaded.measured_on(9 * x).preprocess.steps[0].high == encoder.preprocess.steps[0].high
    assert SEResNet(preprocess=Resize(32), **SMALL).measured_on(x).preprocess == Resize(32)  # nothing to measure


def test_the_default_preprocessing_brings_cutouts_to_128_pixels():
    assert SEResNet.for_modality(stars(), **SMALL).preprocess == Compose((ScaleImages(), Resize(128)))
    assert SEResNet.for_modality(stars(), size=0, **SMALL).preprocess == Compose((ScaleImages(),))
