"""The small convolutional networks: brightness reaches their features, and both learn."""

import numpy as np
import pytest
import torch

from astroclip_kit.encoders import ImageConvNet, SpectrumConvNet
from astroclip_kit.encoders.convnets import APERTURES, _aperture_fluxes
from astroclip_kit.errors import InputError
from astroclip_kit.transforms import Asinh, CenterCrop, Compose, Downsample
from astroclip_kit.types import Modality

IMAGE = Modality("image", "image", ("z", "g"), (2, 64, 64), "nmgy", (0.262,))
SPECTRUM = Modality("spectrum", "spectrum", ("flux", "ivar", "phase_day"), (3, 1200), "", tuple(np.arange(1200.0)))


def test_modalities_size_the_networks():
    image, spectrum = ImageConvNet.for_modality(IMAGE), SpectrumConvNet.for_modality(SPECTRUM, out_features=7)
    assert (image.in_channels, image.image_size) == (2, 32)
    assert image.preprocess.steps[1].scale == [0.018, 0.0035]
    assert (spectrum.length, spectrum.covariates, spectrum.out_features) == (600, 2, 7)


def test_unknown_bands_have_one_scale():
    infrared = Modality("infrared", "image", ("W1", "W2"), (2, 32, 32))
    assert ImageConvNet.for_modality(infrared).preprocess.steps[1].scale == 0.01


def test_the_wrong_kind_is_an_error():
    with pytest.raises(
        InputError, match="ImageConvNet encodes data of kind 'image', and 'spectrum' is of kind 'spectrum'"
    ):
        ImageConvNet.for_modality(SPECTRUM)
    with pytest.raises(
        InputError, match="SpectrumConvNet encodes data of kind 'spectrum', and 'image' is of kind 'image'"
    ):
        SpectrumConvNet.for_modality(IMAGE)


def test_apertures_sum_linear_flux():
    x = torch.rand(3, 2, 32, 32) * 50
    fluxes = (_aperture_fluxes(Asinh(0.1)(x)) + 4.5).sinh().reshape(3, len(APERTURES), 2)
    for number, half in enumerate(APERTURES):
        inner = CenterCrop(2 * half)(x) / 0.1
        torch.testing.assert_close(fluxes[:, number], inner.sum(dim=(2, 3)) / (2 * half), rtol=1e-3, atol=1e-3)


def test_an_image_of_another_size_is_preprocessed_by_the_user():
    encoder = ImageConvNet(2, 48, preprocess=Compose([CenterCrop(48), Asinh(0.01)]))
    assert encoder(encoder.preprocess(torch.zeros(1, 2, 100, 100))).shape == (1, 128)
    assert encoder.convolutions(Downsample(1)(torch.zeros(1, 2, 48, 48))).shape == (1, 128 * 36)


def test_brightness_changes_the_features():
    torch.manual_seed(0)
    image, spectrum = ImageConvNet().eval(), SpectrumConvNet(150).eval()
    cutout, flux = torch.rand(1, 3, 64, 64), torch.rand(1, 2, 1200) + 1
    brighter = flux * torch.tensor([[3.0], [1 / 9]])  # the same signal-to-noise
    with torch.inference_mode():
        assert not torch.allclose(image(image.preprocess(cutout)), image(image.preprocess(3 * cutout)), atol=1e-2)
        one, other = spectrum.preprocess(flux), spectrum.preprocess(brighter)
        torch.testing.assert_close(one[:, :2], other[:, :2])
        assert not torch.allclose(spectrum(one), spectrum(other), atol=1e-2)
