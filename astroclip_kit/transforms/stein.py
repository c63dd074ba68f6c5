"""The augmentations with which the released image encoder of Stein et al. was trained."""

from __future__ import annotations

from collections.abc import Sequence

from .compose import ComposeAugmentations
from .extinction import Extinction
from .geometry import JitterCrop, RandomRotate, RandomScale
from .seeing import PSFBlur, QuadratureNoise

__all__ = ["stein_augmentations"]


def stein_augmentations(
    bands: Sequence[str] = ("g", "r", "z"), size: int = 96, jitter: int = 7, uniform: bool = True
) -> ComposeAugmentations:
    """Dust, rotation, scale, seeing, crop and noise, in this order, for Legacy Survey cutouts in nanomaggies.

    The colour image is left to the encoder's `preprocess`: what comes out has the bands of the input and `size` pixels
    on a side. Cutouts of 152 pixels for a crop of 96 show mirrored pixels only in a corner, where a large shift, a
    small scale and a diagonal angle come together.

    Args:
        bands: Of the channels: of g, r, z, in any order.
        size: Of the crop; that of the images for no shift and no crop.
        jitter: Largest shift of the crop in pixels.
        uniform: Whether dust, seeing and noise are drawn uniformly over wide ranges, as the public training code does
            unless told otherwise, or as they are distributed.

    References:
        Stein et al. 2021, arXiv:2110.13151.

    Example:
        >>> import torch
        >>> stein_augmentations()(torch.zeros(2, 3, 152, 152), torch.arange(2)).shape
        torch.Size([2, 3, 96, 96])
    """
    return ComposeAugmentations(
        (
            Extinction(bands, uniform),
            RandomRotate(),
            RandomScale(),
            PSFBlur(bands, uniform),
            JitterCrop(size, jitter),
            QuadratureNoise(bands, uniform),
        )
    )
