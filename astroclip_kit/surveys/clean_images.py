"""Images of any reader without those that are spoiled: by the edge, by bad pixels, by saturation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Drop, Modality, Reader, Sample
from .files.coverage import checked_share
from .wrapping import Wrapping

__all__ = ["CleanImages"]


class CleanImages(Wrapping):
    """Reads images as another reader does and leaves out those that a star's class cannot be told from.

    A pixel is good where its flux is finite, is not exactly 0 (as readers fill what the camera did not see, or what
    was bad), has an inverse variance above 0 if there are inverse variances, and is not saturated. An image is left
    out, and counted, if in any band too few pixels are good, or one of those in the middle, on the object, is not.

    Args:
        reader: Of images.
        min_good: Share of good pixels that is needed in every band.
        core: Pixels along the side of the square in the middle that all have to be good; 0 for no such demand.
        saturation: Flux from which on a pixel is saturated, in the unit of the reader; or band to that flux.

    Raises:
        UsageError: If the reader reads no images, or a number makes no sense.

    Example:
        >>> from astroclip_kit.surveys import LegacySurveyCutouts
        >>> CleanImages(LegacySurveyCutouts("cutouts"), min_good=0.95).min_good
        0.95
    """

    def __init__(
        self,
        reader: Reader,
        min_good: float = 0.9,
        core: int = 5,
        saturation: float | Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(reader)
        self.min_good, self.core = checked_share("min_good", min_good), core
        self.saturation = dict(saturation) if isinstance(saturation, Mapping) else saturation
        if core < 0:
            raise UsageError(f"core: expected 0 or more pixels, found {core}.")

    def __repr__(self) -> str:
        return f"CleanImages({self.reader!r}, min_good={self.min_good}, core={self.core})"

    @cached_property
    def modality(self) -> Modality:
        """That of the reader."""
        modality = self.reader.modality
        if modality is None or modality.kind != "image":
            raise UsageError(f"CleanImages: {self.reader!r} reads no images.")
        bands = modality.image_bands
        if isinstance(self.saturation, dict) and (unknown := [band for band in self.saturation if band not in bands]):
            raise UsageError(f"saturation: there is no band {unknown[0]!r}. The bands are {', '.join(bands)}.")
        return modality

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of the reader; a drop for each that is spoiled, with the first band that is.

        Raises:
            FileError: If the whole file cannot be used.
        """
        name = self.modality.name
        for item in self.reader.read(path):
            spoiled = self._spoiled(item.views[name]) if isinstance(item, Sample) and name in item.views else ""
            yield Drop(f"{path}: {item.object_id}", spoiled) if spoiled and isinstance(item, Sample) else item

    def _spoiled(self, view: npt.NDArray[np.float32]) -> str:
        """What is wrong with an image, in the same words for all that share it; "" if nothing is."""
        bands, channels = self.modality.image_bands, self.modality.channels
        top, left = ((axis - self.core) // 2 for axis in view.shape[1:])
        for band in bands:
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
        limit = self.saturation.get(band) if isinstance(self.saturation, dict) else self.saturation
        return np.inf if limit is None else float(limit)
