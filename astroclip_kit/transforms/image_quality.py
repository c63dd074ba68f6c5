"""Which images are good enough: not spoiled by the edge, by bad pixels, by saturation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..types import Modality

__all__ = ["ImageQuality"]


@dataclass(frozen=True)
class ImageQuality:
    """What an image must be like.

    A pixel is good where its flux is finite, is not exactly 0 (as readers fill what the camera did not see, or what
    was bad), has an inverse variance above 0 if there are inverse variances, and is not saturated.

    Args:
        min_good: Share of good pixels that is needed in every band.
        core: Pixels along the side of the square in the middle that all have to be good; 0 for no such demand.
        saturation: Flux from which on a pixel is saturated, in the unit of the image; or band to that flux.
    """

    min_good: float = 0.9
    core: int = 5
    saturation: float | Mapping[str, float] | None = None

    def spoiled(self, view: npt.NDArray[np.float32], modality: Modality) -> str:
        """What is wrong with an image [C, H, W], in the same words for all that share it; "" if nothing is."""
        channels = modality.channels
        top, left = ((axis - self.core) // 2 for axis in view.shape[1:])
        for band in modality.image_bands:
            flux = view[channels.index(band)]
            good = np.isfinite(flux) & (flux != 0) & (flux < self._limit(band))
            if (ivar := f"ivar_{band}") in channels:
                good &= view[channels.index(ivar)] > 0
            if good.mean() < self.min_good:
                return f"less than {self.min_good:.0%} of its pixels are good in band {band!r}."
            if self.core and not good[top : top + self.core, left : left + self.core].all():
                return f"the object itself has a bad or saturated pixel in band {band!r}."
        return ""

    def _limit(self, band: str) -> float:
        limit = self.saturation.get(band) if isinstance(self.saturation, Mapping) else self.saturation
        return np.inf if limit is None else float(limit)
