"""Which images are good enough: not spoiled by the edge, by bad pixels, by saturation, and not empty in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..types import Modality

__all__ = ["ImageQuality", "sky"]

Plane = npt.NDArray[np.float32]
SKY_RADIUS = 0.35  # of the side of an image: what is farther from the middle shows the sky


def sky(flux: Plane, good: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Level and scatter of the pixels around the middle of an image, sources among them left out.

    Args:
        flux: Image [H, W].
        good: Which of its pixels can be used [H, W].

    Returns:
        Median and standard deviation of what is left after three rounds of clipping at 3 sigma (each from the median
        of absolute deviations); NaN where less than ten pixels can be used.
    """
    y, x = (np.arange(axis) - (axis - 1) / 2 for axis in flux.shape)
    values = flux[good & (np.hypot(y[:, None], x) > SKY_RADIUS * min(flux.shape))].astype(np.float64)
    if len(values) < 10:
        return np.nan, np.nan
    for _ in range(3):
        middle = np.median(values)
        scatter = 1.4826 * np.median(np.abs(values - middle))
        values = values[np.abs(values - middle) <= 3 * scatter]
    return float(np.median(values)), float(scatter)


@dataclass(frozen=True)
class ImageQuality:
    """What an image must be like.

    A pixel is good where its flux is finite, is not exactly 0 (as readers fill what the camera did not see, or what
    was bad), has an inverse variance above 0 if there are inverse variances, and is not saturated.

    Args:
        min_good: Share of good pixels that is needed in every band.
        core: Pixels along the side of the square in the middle that all have to be good; 0 for no such demand.
        saturation: Flux from which on a pixel is saturated, in the unit of the image; or band to that flux.
        significance: How many standard deviations of the sky, see `sky`, the flux in the core has to be above it in
            one of the bands; 0 for no such demand. The noise of neighbouring pixels is taken to be independent.
    """

    min_good: float = 0.9
    core: int = 5
    saturation: float | Mapping[str, float] | None = None
    significance: float = 0.0

    def spoiled(self, view: Plane, modality: Modality) -> str:
        """What is wrong with an image [C, H, W], in the same words for all that share it; "" if nothing is."""
        channels = modality.channels
        top, left = ((axis - self.core) // 2 for axis in view.shape[1:])
        core = (slice(top, top + self.core), slice(left, left + self.core))
        empty = self.significance > 0
        for band in modality.image_bands:
            flux = view[channels.index(band)]
            good = np.isfinite(flux) & (flux != 0) & (flux < self._limit(band))
            if (ivar := f"ivar_{band}") in channels:
                good &= view[channels.index(ivar)] > 0
            if good.mean() < self.min_good:
                return f"less than {self.min_good:.0%} of its pixels are good in band {band!r}."
            if self.core and not good[core].all():
                return f"the object itself has a bad or saturated pixel in band {band!r}."
            empty = empty and not self._detected(flux, good, flux[core])
        return f"no source in the middle: less than {self.significance:g} sigma in every band." if empty else ""

    def _detected(self, flux: Plane, good: npt.NDArray[np.bool_], core: Plane) -> bool:
        level, scatter = sky(flux, good)
        return bool((core.astype(np.float64) - level).sum() >= self.significance * scatter * np.sqrt(core.size))

    def _limit(self, band: str) -> float:
        limit = self.saturation.get(band) if isinstance(self.saturation, Mapping) else self.saturation
        return np.inf if limit is None else float(limit)
