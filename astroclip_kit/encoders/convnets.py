"""Small convolutional networks that learn from a few thousand objects in a minute on a processor.

Images and spectra of one object agree first of all in brightness and colour, so both networks are given these as
numbers beside what their convolutions find: a convolution under group normalisation forgets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import nn

from ..transforms.compose import Compose, Transform
from ..transforms.images import Asinh, Downsample
from ..transforms.spectra import Normalise, Rebin
from ..types import Modality
from .layers import check_kind, feed_forward, select_bands

__all__ = ["ImageConvNet", "SpectrumConvNet"]

LEGACY_SURVEY_NOISE = {"g": 0.0035, "r": 0.0074, "z": 0.018}  # nanomaggies per pixel of 0.262 arcsec
APERTURES = (1, 2, 3, 5, 8, 16)  # half widths in pixels of the preprocessed image


class ImageConvNet(nn.Module):
    """Three strided convolutions of an image, and its fluxes in square apertures.

    Args:
        in_channels: Number of bands.
        image_size: Pixels along the side of the preprocessed image.
        out_features: Number of features.
        channels: Channels of the convolutions, each of which halves the image; divisible by 4.
        hidden_features: Size of the hidden layer.
        dropout: Probability on the features and on the hidden layer.
        preprocess: What is done to images [B, in_channels, H, W] first. It ends in an `Asinh`, whose arguments the
            apertures need in linear units; by default blocks of 2 x 2 pixels in units of the noise of a Legacy
            Survey pixel.

    Example:
        >>> encoder = ImageConvNet()
        >>> encoder(encoder.preprocess(torch.zeros(2, 3, 64, 64))).shape
        torch.Size([2, 128])
    """

    def __init__(
        self,
        in_channels: int = 3,
        image_size: int = 32,
        out_features: int = 128,
        channels: Sequence[int] = (32, 64, 128),
        hidden_features: int = 128,
        dropout: float = 0.1,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.image_size, self.out_features = in_channels, image_size, out_features
        self.channels, self.hidden_features, self.dropout = tuple(channels), hidden_features, dropout
        noise = tuple(LEGACY_SURVEY_NOISE.values()) if in_channels == 3 else 0.01
        self.preprocess = preprocess if preprocess is not None else Compose([Downsample(2), Asinh(noise)])
        layers: list[nn.Module] = []
        sizes = (in_channels, *channels)
        for number in range(len(channels)):
            kernel = 3 if number else 5
            layers.append(nn.Conv2d(sizes[number], sizes[number + 1], kernel, stride=2, padding=kernel // 2))
            last = number == len(channels) - 1  # a norm here would take the brightness out of what the head sees
            layers += [nn.GELU()] if last else [nn.GroupNorm(4, sizes[number + 1]), nn.GELU()]
        self.convolutions = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout))
        side = -(-image_size // 2 ** len(channels))
        in_features = channels[-1] * side**2 + in_channels * len(APERTURES)
        self.head = feed_forward((in_features, hidden_features, out_features), dropout=dropout)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for the bands of an image modality, in units of the Legacy Surveys' noise where all are theirs."""
        check_kind(modality, "image", cls)
        bands = modality.image_bands
        noise = [LEGACY_SURVEY_NOISE[band] for band in bands] if set(bands) <= set(LEGACY_SURVEY_NOISE) else 0.01
        preprocess = Compose([*select_bands(modality), Downsample(2), Asinh(noise)])
        defaults = {"preprocess": preprocess, "image_size": modality.shape[-1] // 2}
        return cls(**{"in_channels": len(bands), **defaults, **arguments})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of preprocessed images [B, in_channels, image_size, image_size]."""
        shapes = self.convolutions(x)
        features: torch.Tensor = self.head(torch.cat([shapes, _aperture_fluxes(x).to(shapes.dtype)], dim=1))
        return features


def _aperture_fluxes(x: torch.Tensor) -> torch.Tensor:
    """Fluxes [B, C * apertures] in units of their noise, stretched to order unity, of images after `Asinh`."""
    exponential, middle = x.float().clamp(-15, 15).exp(), x.shape[-1] // 2
    linear = (exponential - 1 / exponential) / 2  # sinh, seven times faster
    fluxes = []
    for half in APERTURES:
        low, high = max(middle - half, 0), middle + half
        aperture = linear[..., low:high, low:high]
        fluxes.append(aperture.sum(dim=(-2, -1)) / (aperture.shape[-1] * aperture.shape[-2]) ** 0.5)
    return torch.cat(fluxes, dim=1).asinh() - 4.5


class SpectrumConvNet(nn.Module):
    """Three strided convolutions of a spectrum and of its signal-to-noise, and its brightness.

    Positions along the spectrum are kept to the end, because a redshift is a position.

    Args:
        length: Pixels of the preprocessed spectrum.
        covariates: Channels beyond flux and ivar, of which one number per spectrum is read; NaN where unknown.
        out_features: Number of features.
        channels: Channels of the convolutions; divisible by 4. The strides are 2, 4, 2, 2, ...
        hidden_features: Size of the hidden layer.
        dropout: Probability on the features and on the hidden layer.
        preprocess: What is done to spectra [B, C, L] first; by default pixels are joined by 8, and the median is
            divided out and kept as the one covariate.

    Example:
        >>> encoder = SpectrumConvNet(length=500)
        >>> encoder(encoder.preprocess(torch.ones(2, 2, 4000))).shape
        torch.Size([2, 128])
    """

    def __init__(
        self,
        length: int,
        covariates: int = 1,
        out_features: int = 128,
        channels: Sequence[int] = (32, 64, 64),
        hidden_features: int = 128,
        dropout: float = 0.1,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.length, self.covariates, self.out_features = length, covariates, out_features
        self.channels, self.hidden_features, self.dropout = tuple(channels), hidden_features, dropout
        self.preprocess = preprocess if preprocess is not None else Compose([Rebin(8), Normalise("median", True)])
        layers: list[nn.Module] = []
        sizes = (2, *channels)
        for number in range(len(channels)):
            stride, kernel = (4 if number == 1 else 2), (5 if number else 7)
            layers.append(nn.Conv1d(sizes[number], sizes[number + 1], kernel, stride, padding=kernel // 2))
            last = number == len(channels) - 1
            layers += [nn.GELU()] if last else [nn.GroupNorm(4, sizes[number + 1]), nn.GELU()]
            length = -(-length // stride)
        self.convolutions = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout))
        in_features = channels[-1] * length + 2 * covariates
        self.head = feed_forward((in_features, hidden_features, out_features), dropout=dropout)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for a spectrum modality with its covariates."""
        check_kind(modality, "spectrum", cls)
        factor = max(1, modality.shape[1] // 580)
        preprocess = Compose([Rebin(factor), Normalise("median", level=True)])
        defaults = {"length": modality.shape[1] // factor, "covariates": modality.shape[0] - 1}
        return cls(**{**defaults, "preprocess": preprocess, **arguments})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of preprocessed spectra [B, 2 + covariates, length]."""
        flux = (2 * x[:, 0].nan_to_num(0.0)).asinh() - 1.4  # a flux of one median lies at 0
        signal_to_noise = 0.3 * x[:, 1].clamp(min=1e-3).log() - 1  # of one median, roughly
        shapes = self.convolutions(torch.stack([flux, signal_to_noise], dim=1))
        numbers = x[:, 2:, 0]
        numbers = torch.cat([numbers.nan_to_num(0.0), numbers.isnan().to(x.dtype)], dim=1)
        features: torch.Tensor = self.head(torch.cat([shapes, numbers.to(shapes.dtype)], dim=1))
        return features
