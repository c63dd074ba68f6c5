"""Augmentations of images [B, C, H, W] that move pixels: an image turned, resized or shifted shows the same object."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from ..errors import InputError, UsageError
from ..types import Modality
from .image_channels import refuse_ivar
from .images import finite
from .randomness import fork, integers, uniform

__all__ = ["JitterCrop", "RandomRotate", "RandomScale"]


@dataclass(frozen=True)
class RandomRotate:
    """Flips each axis with probability 1/2 and turns by any angle; pixels are interpolated bilinearly.

    What comes into the image from beyond its edges is its own mirror image, so that no corner is black. A central
    crop of 0.7 times the size never shows it. `RandomFlipRotate` interpolates nothing, for images that are not larger
    than their object.

    Example:
        >>> turned = RandomRotate()(torch.ones(2, 3, 32, 32), torch.arange(2))
        >>> bool((turned - 1).abs().max() < 1e-6)
        True
    """

    def check_modality(self, modality: Modality) -> None:
        """Refuses images with inverse variances."""
        refuse_ivar(self, modality)

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Images [B, C, H, W]; a missing pixel counts as 0."""
        draw = uniform(seeds.to(x.device), (3,))
        angle = 2 * math.pi * draw[:, 0]
        flip = 1 - 2 * (draw[:, 1:] < 0.5).to(draw.dtype)
        cos, sin = angle.cos(), angle.sin()
        turn = torch.stack([cos, -sin, sin, cos], dim=1).reshape(-1, 2, 2)
        return _look_up(x, flip[:, :, None] * turn)


@dataclass(frozen=True)
class RandomScale:
    """Makes the object larger or smaller, alike in both axes, in an image of the same size, as from another distance.

    Pixels keep their surface brightness and are interpolated bilinearly; what comes in from beyond the edges when the
    object shrinks is the image's own mirror image.

    Args:
        low: Smallest factor, above 0.
        high: Largest factor.

    Raises:
        UsageError: If the factors are not in order.

    Example:
        >>> RandomScale(0.9, 1.1)(torch.ones(2, 3, 32, 32), torch.arange(2)).shape
        torch.Size([2, 3, 32, 32])
    """

    low: float = 0.9
    high: float = 1.1

    def __post_init__(self) -> None:
        """Refuses factors that are none."""
        if not 0 < self.low <= self.high:
            raise UsageError(f"RandomScale: factors from {self.low} to {self.high}, expected 0 < low <= high.")

    def check_modality(self, modality: Modality) -> None:
        """Refuses images with inverse variances."""
        refuse_ivar(self, modality)

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Images [B, C, H, W]; a missing pixel counts as 0."""
        factor = self.low + (self.high - self.low) * uniform(seeds.to(x.device))
        return _look_up(x, torch.eye(2, device=x.device) / factor[:, None, None])


def _look_up(x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Each pixel at (x, y) from the center takes what is at `matrix` [B, 2, 2] times (x, y)."""
    height, width = x.shape[-2:]
    size = torch.tensor([width, height], dtype=matrix.dtype, device=x.device)
    relative = matrix * size / size[:, None]  # of coordinates from -1 to 1 along each axis
    theta = torch.cat([relative, torch.zeros_like(relative[:, :, :1])], dim=2).to(x.dtype)
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    return functional.grid_sample(finite(x), grid, mode="bilinear", padding_mode="reflection", align_corners=False)


@dataclass(frozen=True)
class JitterCrop:
    """Keeps `size` x `size` pixels around a point near the center, drawn in whole pixels; nothing is interpolated.

    The images become smaller. An encoder that begins with a `CenterCrop` of the same size reads both these and whole
    images.

    Args:
        size: Pixels on a side.
        jitter: Largest shift in x and in y, either way; less where the image is too small for it.

    Raises:
        UsageError: If the size is less than 1 or the jitter negative.

    Example:
        >>> JitterCrop(96)(torch.zeros(2, 3, 152, 152), torch.arange(2)).shape
        torch.Size([2, 3, 96, 96])
    """

    size: int = 96
    jitter: int = 7

    def __post_init__(self) -> None:
        """Refuses a crop that is none."""
        if self.size < 1 or self.jitter < 0:
            raise UsageError(f"JitterCrop: size {self.size} and jitter {self.jitter}, expected at least 1 and 0.")

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Images [B, C, size, size]."""
        if min(x.shape[-2:]) < self.size:
            raise InputError(f"JitterCrop keeps {self.size} pixels on a side, found images of {tuple(x.shape[-2:])}.")
        rows, columns = (self._pixels(fork(seeds.to(x.device), axis), x.shape[axis]) for axis in (2, 3))
        count, channels = x.shape[:2]
        down = x.gather(2, rows[:, None, :, None].expand(count, channels, self.size, x.shape[3]))
        return down.gather(3, columns[:, None, None, :].expand(count, channels, self.size, self.size))

    def _pixels(self, seeds: torch.Tensor, length: int) -> torch.Tensor:
        """Which pixels [B, size] of an axis to keep."""
        start = (length - self.size) // 2
        most = min(self.jitter, start)
        first = start - most + integers(seeds, 2 * most + 1)
        return first[:, None] + torch.arange(self.size, device=seeds.device)
