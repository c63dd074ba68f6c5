"""Views onto a fixed range: a spectrum by its own extremes, images by numbers measured on those that train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch

from ..errors import InputError, UsageError
from .images import MOST_MEASURED, finite, per_channel
from .spectra import observed, with_flux

__all__ = ["IMAGENET_GREY", "MinMax", "ScaleImages"]

IMAGENET_GREY = (0.449, 0.226)  # mean and standard deviation of the three colours together, after 0 .. 1


@dataclass(frozen=True)
class MinMax:
    """Takes the flux of each spectrum [B, C, L] to 0 .. 1 by its lowest and its highest observed value.

    The ivar is scaled along. A spectrum of one value alone becomes 0.

    References:
        Wei, Jiang & Zhang 2023 (BATMM), eq. 16.

    Example:
        >>> MinMax()(torch.tensor([[[2.0, 3.0, 6.0], [1.0, 1.0, 1.0]]]))[0]
        tensor([[ 0.0000,  0.2500,  1.0000],
                [16.0000, 16.0000, 16.0000]])
    """

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L]; what was not observed may lie outside 0 .. 1."""
        seen = observed(x)
        low = x[:, 0].where(seen, torch.inf).amin(dim=1, keepdim=True)
        span = x[:, 0].where(seen, -torch.inf).amax(dim=1, keepdim=True) - low
        usable = span.isfinite() & (span > 0)
        low, span = low.where(low.isfinite(), 0.0), span.where(usable, 1.0)
        return with_flux(x, (x[:, 0] - low) / span, x[:, 1] * span.square() if x.shape[1] > 1 else None)


@dataclass(frozen=True)
class ScaleImages:
    """Takes images [B, C, H, W] to 0 .. 1 by one range for all of them, then standardises each band.

    Numbers that are None are measured by `measured_on`; until then each image has its own range, and the mean and the
    standard deviation of ImageNet. A missing pixel counts as 0 flux.

    Args:
        low: What becomes 0; fainter pixels do too.
        high: What becomes 1; brighter pixels do too.
        mean: Of each band after that, or one number; `IMAGENET_GREY` has that of ImageNet.
        scale: Standard deviation of each band, or one number.
        quantile: Share of the pixels of all bands that is to lie below `high`, and above `low`: the very highest may
            be a saturated star.

    References:
        Wei, Jiang & Zhang 2023 (BATMM), eqs. 14 and 15.

    Example:
        >>> ScaleImages(low=0.0, high=4.0, mean=0.5, scale=0.25)(torch.full((1, 5, 1, 1), 3.0)).flatten()
        tensor([1., 1., 1., 1., 1.])
    """

    low: float | None = None
    high: float | None = None
    mean: float | Sequence[float] | None = None
    scale: float | Sequence[float] | None = None
    quantile: float = 0.999

    def __post_init__(self) -> None:
        """Refuses what is no share of the pixels."""
        if not 0.5 < self.quantile <= 1:
            raise UsageError(f"ScaleImages quantile is {self.quantile}, expected a share above 0.5 and at most 1.")

    def measured_on(self, x: torch.Tensor) -> Self:
        """The same with the numbers that it lacks, from images [n, C, H, W]; give it training images only.

        Raises:
            InputError: If there is no pixel to measure on.
        """
        if None not in (self.low, self.high, self.mean, self.scale):
            return self
        pixels = x[x.isfinite()]
        if not len(pixels):
            raise InputError("the images to measure the range on have no finite pixel.")
        low, high = (
            _quantile(pixels, share) if given is None else given
            for given, share in ((self.low, 1 - self.quantile), (self.high, self.quantile))
        )
        ranged = replace(self, low=low, high=high if high > low else low + 1)
        unit = ranged._in_range(x).transpose(0, 1).flatten(1)
        mean, scale = unit.mean(dim=1), unit.std(dim=1, unbiased=False)
        return replace(
            ranged,
            mean=tuple(mean.tolist()) if self.mean is None else self.mean,
            scale=tuple(scale.where(scale > 0, 1.0).tolist()) if self.scale is None else self.scale,
        )

    def _in_range(self, x: torch.Tensor) -> torch.Tensor:
        """Images in 0 .. 1."""
        x = finite(x)
        low = x.flatten(1).amin(dim=1) if self.low is None else x.new_full((len(x),), self.low)
        high = x.flatten(1).amax(dim=1) if self.high is None else x.new_full((len(x),), self.high)
        span = (high - low).where(high > low, 1.0)
        return ((x - low[:, None, None, None]) / span[:, None, None, None]).clamp(0, 1)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Images [B, C, H, W]."""
        pairs = zip((self.mean, self.scale), IMAGENET_GREY, strict=True)
        mean, scale = (per_channel(grey if given is None else given, x) for given, grey in pairs)
        return (self._in_range(x) - mean) / scale


def _quantile(pixels: torch.Tensor, share: float) -> float:
    """The value below which a share of the pixels [n] lies."""
    if share in (0, 1):
        return float(pixels.amax() if share else pixels.amin())
    pixels = pixels[:: -(-len(pixels) // MOST_MEASURED)]
    return float(pixels.kthvalue(1 + round(share * (len(pixels) - 1))).values)
