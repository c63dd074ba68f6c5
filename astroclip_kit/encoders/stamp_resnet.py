"""A ResNet for cutouts of few pixels, as those of point sources are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..models import build_for
from ..transforms.compose import Compose, Transform
from ..transforms.images import Asinh
from ..transforms.scaling import ScaleImages
from ..types import Modality
from .layers import MeasuredEncoder, check_kind, select_bands
from .residual import residual_stages

__all__ = ["StampResNet", "image_encoder"]


class StampResNet(MeasuredEncoder):
    """ResNet-18 with a first convolution of three pixels, in steps of one, and without max pooling.

    Args:
        in_channels: Number of bands.
        width: Channels of the first stage; each further one has twice as many and half the pixels.
        stages: Number of stages, 4 in ResNet-18.
        blocks: Residual blocks of each stage.
        out_features: Number of features, of a linear layer on the mean over the pixels.
        preprocess: What is done to images [B, in_channels, H, W] first; by default arcsinh in units of each band's
            noise, then each band standardised, both as `measured_on` finds them.

    Raises:
        UsageError: If a size is below 1.

    References:
        He et al. 2016, arXiv:1512.03385 (section 4.2, for images of 32 pixels).

    Example:
        >>> encoder = StampResNet(5, width=4, out_features=16)
        >>> encoder(encoder.preprocess(torch.rand(2, 5, 32, 32))).shape
        torch.Size([2, 16])
    """

    def __init__(
        self,
        in_channels: int = 5,
        width: int = 64,
        stages: int = 4,
        blocks: int = 2,
        out_features: int = 256,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.width, self.stages, self.blocks = in_channels, width, stages, blocks
        self.out_features = out_features
        if min(in_channels, width, stages, blocks, out_features) < 1:
            sizes = f"{in_channels} bands, {width} channels, {stages} stages, {blocks} blocks, {out_features} features"
            raise UsageError(f"StampResNet needs sizes above 0, found {sizes}.")
        self.preprocess = preprocess if preprocess is not None else Compose((Asinh(None), ScaleImages(quantile=1.0)))
        widths: Sequence[int] = [width * 2**number for number in range(stages)]
        stem = (nn.Conv2d(in_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.layers = nn.Sequential(*stem, *residual_stages(width, widths, blocks))
        self.features = nn.Linear(widths[-1], out_features)
        self.to(memory_format=torch.channels_last)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for the bands of an image modality; inverse variances are left out.

        Args:
            modality: Images of any bands and size.
            arguments: Of the constructor; a `preprocess` of your own must leave as many channels as there are bands.

        Raises:
            InputError: If the modality is of another kind.
        """
        check_kind(modality, "image", cls)
        preprocess = Compose([*select_bands(modality), Asinh(None), ScaleImages(quantile=1.0)])
        return cls(**{"in_channels": len(modality.image_bands), "preprocess": preprocess, **arguments})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of preprocessed images [B, in_channels, H, W]."""
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise InputError(f"StampResNet takes images [B, {self.in_channels}, H, W], found {tuple(x.shape)}.")
        features: torch.Tensor = self.features(self.layers(x).mean(dim=(2, 3)))
        return features


def image_encoder(given: nn.Module | Mapping[str, Any] | None, modality: Modality) -> nn.Module:
    """What encodes the images of a modality for a network that follows.

    Args:
        given: Any encoder, or its ``class_path`` and ``init_args``; None for a `StampResNet`.
        modality: Images of any bands and size.

    Raises:
        UsageError: If the class cannot be imported or does not take the arguments.
        InputError: If the modality is of another kind than the encoder's.
    """
    if given is None:
        return StampResNet.for_modality(modality)
    return given if isinstance(given, nn.Module) else cast(nn.Module, build_for(given, modality))
