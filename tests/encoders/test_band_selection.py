import pytest
import torch

from astroclip_kit.contracts import check_encoder
from astroclip_kit.encoders import ImageBackbone, ImageConvNet, MocoResNet50
from astroclip_kit.encoders.layers import select_bands
from astroclip_kit.types import Modality

BANDS = Modality("image", "image", ("g", "r", "z"), (3, 64, 64), "nmgy")
WITH_IVAR = Modality("image", "image", ("g", "r", "z", "ivar_g", "ivar_r", "ivar_z"), (6, 64, 64), "nmgy")


def test_image_bands():
    assert WITH_IVAR.image_bands == BANDS.image_bands == BANDS.channels


def test_nothing_to_leave_out():
    assert select_bands(BANDS) == []


@pytest.mark.parametrize(
    "encoder_class", [ImageConvNet, ImageBackbone, pytest.param(MocoResNet50, marks=pytest.mark.slow)]
)
def test_networks_see_the_bands_and_not_their_inverse_variances(encoder_class):
    torch.manual_seed(0)
    plain = encoder_class.for_modality(BANDS).eval()
    encoder = encoder_class.for_modality(WITH_IVAR).eval()
    check_encoder(encoder, WITH_IVAR)
    encoder.load_state_dict(plain.state_dict())
    x = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        expected = plain(plain.preprocess(x))
        for ivar in (torch.zeros_like(x), torch.full_like(x, 1e6)):
            torch.testing.assert_close(encoder(encoder.preprocess(torch.cat([x, ivar], dim=1))), expected)
