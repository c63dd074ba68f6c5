"""Which images are good enough: not spoiled by the edge, by bad pixels, by saturation, and not empty in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..types import Modality

__all__ = ["ImageQuality", "sky"]

Plane = npt.NDArray[np.float32]
SKY_RADIUS = 0.35  # of the side of an image: what is farther from the middle shows the sky


@lru_cache(maxsize=8)
def _around(shape: tuple[int, int], side: int) -> npt.NDArray[np.bool_]:
    """Which places of a plane are around the middle of an image with this shorter side: the same for a whole survey."""
    y, x = (np.arange(axis) - (axis - 1) / 2 for axis in shape)
    return np.asarray(np.hypot(y[:, None], x) > SKY_RADIUS * side)


def sky(flux: Plane, good: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Level and scatter of the pixels around the middle of an image, sources among them left out.

    Args:
        flux: Image [H, W].
        good: Which of its pixels can be used [H, W].

    Returns:
        Median and standard deviation of what is left after three rounds of clipping at 3 sigma (each from the median
        of absolute deviations); NaN where less than ten pixels can be used.
    """
    height, width = flux.shape
    values = flux[good & _around((height, width), min(height, width))].astype(np.float64)
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
        significance: How many standard deviations the flux in the core has to be above that of squares of its size
            around the middle, in one of the bands; 0 for no such demand. The squares differ as much as the noise of
            neighbouring pixels has in common, so that the number means the same whatever the pixels.
        without_sky: Whether the sky has to have been taken off: its level is then at most the scatter of its pixels.
    """

    min_good: float = 0.9
    core: int = 5
    saturation: float | Mapping[str, float] | None = None
    significance: float = 0.0
    without_sky: bool = False

    def spoiled(self, view: Plane, modality: Modality) -> str:
        """What is wrong with an image [C, H, W], in the same words for all that share it; "" if nothing is."""
        channels = modality.channels
        top, left = ((axis - self.core) // 2 for axis in view.shape[1:])
        core = (slice(top, top + self.core), slice(left, left + self.core))
        found: list[float] = []
        for band in modality.image_bands:
            flux = view[channels.index(band)]
            good = np.isfinite(flux) & (flux != 0) & (flux < self._limit(band))
            if (ivar := f"ivar_{band}") in channels:
                good &= view[channels.index(ivar)] > 0
            if good.mean() < self.min_good:
                return f"less than {self.min_good:.0%} of its pixels are good in band {band!r}."
            if self.core and not good[core].all():
                return f"the object itself has a bad or saturated pixel in band {band!r}."
            if self.without_sky and np.greater(*np.abs(sky(flux, good))):
                return f"the sky is still in it, in band {band!r}."
            if self.significance and self.core:
                found.append(_significance(flux, good, self.core))
        if found and np.isnan(found).all():
            return "there are too few good pixels around the middle to tell a source from the sky."
        if found and not np.nanmax(found) >= self.significance:
            return f"no source in the middle: less than {self.significance:g} sigma in every band."
        return ""

    def _limit(self, band: str) -> float:
        limit = self.saturation.get(band) if isinstance(self.saturation, Mapping) else self.saturation
        return np.inf if limit is None else float(limit)


def _significance(flux: Plane, good: npt.NDArray[np.bool_], core: int) -> float:
    """Standard deviations by which the square in the middle is brighter than those around it that are good.

    Returns:
        NaN where less than ten squares can be used.
    """
    level = np.median(flux[good])
    sums = _squares(np.where(good, flux - level, 0), core)
    height, width = sums.shape
    values = sums[_around((height, width), min(flux.shape)) & (_squares(good, core) > core**2 - 0.5)]
    if len(values) < 10:
        return np.nan
    middle = np.median(values)
    rounding = np.finfo(np.float32).eps * abs(level) * core**2  # of images that are constant but for it
    scatter = 1.4826 * np.median(np.abs(values - middle)) + rounding
    top, left = ((axis - core) // 2 for axis in flux.shape)
    excess = float(sums[top, left] - middle)
    return excess / scatter if scatter else np.inf * np.sign(excess) if excess else 0.0


def _squares(values: npt.NDArray[Any], side: int) -> npt.NDArray[np.float64]:
    """Sums of the squares of some pixels along the side [H - side + 1, W - side + 1]."""
    total = np.pad(values.astype(np.float64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    along = total[side:] - total[:-side]
    return np.asarray(along[:, side:] - along[:, :-side])
