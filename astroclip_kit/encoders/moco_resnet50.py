"""The image encoder of Stein et al. (2021), which AstroCLIP freezes: MoCo v2 on Legacy Survey cutouts."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import nn

from ..transforms.compose import Compose, Transform
from ..transforms.images import CenterCrop, ToRGB
from ..types import Modality
from .layers import check_kind, select_bands

__all__ = ["MocoResNet50"]


class MocoResNet50(nn.Module):
    """ResNet-50 of torchvision with the projection head of MoCo v2, in the layout of the released weights.

    The keys are torchvision's, and ``fc.0``, ``fc.2`` for the head: 23,508,032 parameters in the trunk and
    4,458,624 in the head. Stein et al. use the 2048 features of the trunk; AstroCLIP uses the 128 of the head.

    Args:
        head: Whether the projection head follows the trunk.
        preprocess: What is done to cutouts in nanomaggies [B, 3, H, W] of g, r, z before they are encoded; by
            default the crop of 96 pixels and the colour image (z, r, g) that the released weights were trained on.

    References:
        Stein et al. 2021, arXiv:2110.13151; Chen et al. 2020, arXiv:2003.04297.

    Example:
        >>> encoder = MocoResNet50().eval()
        >>> encoder(encoder.preprocess(torch.zeros(1, 3, 152, 152))).shape
        torch.Size([1, 2048])
    """

    def __init__(self, head: bool = False, preprocess: Transform | None = None) -> None:
        super().__init__()
        from torchvision.models import resnet50

        self.head = head
        self.preprocess = preprocess if preprocess is not None else Compose((CenterCrop(96), ToRGB("stein")))
        self.out_features = 128 if head else 2048
        for name, layer in resnet50(weights=None).named_children():
            self.add_module(name, layer)  # under torchvision's names, so that the released weights fit
        projection = nn.Sequential(nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 128))
        self.fc = projection if head else nn.Identity()

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for an image modality: crops to at most 96 pixels and orders its bands, without inverse variances."""
        check_kind(modality, "image", cls)
        crop = CenterCrop(min(96, *modality.shape[1:]))
        steps: list[Transform] = [*select_bands(modality), crop, ToRGB("stein", modality.image_bands)]
        return cls(**{"preprocess": Compose(steps), **arguments})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of colour images [B, 3, H, W] of any size."""
        *trunk, head = (layer for name, layer in self.named_children() if name != "preprocess")
        for layer in trunk:
            x = layer(x)
        features: torch.Tensor = head(torch.flatten(x, 1))
        return features
