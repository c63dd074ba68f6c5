"""Images of any reader cut in arcseconds and brought to a number of pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Drop, Modality, Reader, Sample
from .images.cutting import cut
from .wrapping import Wrapping

__all__ = ["Resampled"]


class Resampled(Wrapping):
    """Reads images as another reader does and interpolates their middle onto pixels of another size.

    Surveys of different pixels become alike: 50 arcsec are 80 pixels of 0.625 arcsec, from pixels of 1.375 as from
    those of 2.75. Flux per pixel follows the area of the pixel, so that the flux of a source is kept. The size of the
    pixels that were read is kept beside the new one in `Modality.grid`. A pixel that is exactly 0 or has no inverse
    variance is bad: what lies on it is 0, with an inverse variance of 0. Where the quality of images is asked for
    (`CleanImages`), ask for that of the pixels that were read: give `Resampled` that reader.

    `FITSImages` with ``pixel_scale_arcsec=size_arcsec / size`` does the same at the positions of a table.

    Args:
        reader: Of images.
        size: Height and width of the new images in pixels.
        size_arcsec: Their height and width on the sky.

    Raises:
        UsageError: If the reader reads no images or does not know their pixel scale, if its images are smaller than
            `size_arcsec` by more than a pixel, or an argument makes no sense.

    Example:
        >>> from astroclip_kit.surveys import LegacySurveyCutouts
        >>> Resampled(LegacySurveyCutouts("cutouts", bands=("w1", "w2", "w3")), size=80, size_arcsec=50).size
        80
    """

    def __init__(self, reader: Reader, size: int, size_arcsec: float) -> None:
        super().__init__(reader)
        self.size, self.size_arcsec = size, size_arcsec
        if size < 2:
            raise UsageError(f"size: {size} pixels make no image, expected 2 or more.")
        if not size_arcsec > 0:
            raise UsageError(f"size_arcsec: expected more than 0, found {size_arcsec}.")

    def __repr__(self) -> str:
        return f"Resampled({self.reader!r}, size={self.size}, size_arcsec={self.size_arcsec})"

    @cached_property
    def modality(self) -> Modality:
        """That of the reader with the new size and pixel scale, and the old scale beside it."""
        modality = self._images
        source = modality.pixel_scale_arcsec
        if not source > 0:
            raise UsageError(f"Resampled: {self.reader!r} does not know the size of its pixels. Give it.")
        for axis in modality.shape[1:]:
            if (axis + 1) * source < self.size_arcsec:
                raise UsageError(
                    f"images of {axis} pixels of {source:g} arcsec are {axis * source:.4g} arcsec wide, expected "
                    f"size_arcsec={self.size_arcsec:g} or more. Get larger ones, or give a smaller size_arcsec."
                )
        channels = modality.channels
        shape = (len(channels), self.size, self.size)
        grid = (self.size_arcsec / self.size, modality.source_pixel_scale_arcsec)
        return Modality(modality.name, "image", channels, shape, modality.unit, grid)

    @property
    def image_quality(self) -> Mapping[str, Any]:
        """That of the reader, in terms of the new pixels; significance means the same in both."""
        asked = dict(super().image_quality)
        zoom = self._images.pixel_scale_arcsec / self.modality.pixel_scale_arcsec
        if "core" in asked:
            asked["core"] = round(asked["core"] * zoom)
        if isinstance(limit := asked.get("saturation"), Mapping):
            asked["saturation"] = {band: flux / zoom**2 for band, flux in limit.items()}
        elif limit is not None:
            asked["saturation"] = limit / zoom**2
        return asked

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of the reader on the new pixels.

        Raises:
            FileError: If the whole file cannot be used.
        """
        name = self.modality.name
        for item in self.reader.read(path):
            if isinstance(item, Sample) and name in item.views:
                item.views[name] = self._resampled(item.views[name])
            yield item

    @cached_property
    def _nodes(self) -> npt.NDArray[np.float64]:
        """Of the new grid in the pixels of the old one [3, 3, 2], as `cut` takes them."""
        source = self._images
        ratio = self.modality.pixel_scale_arcsec / source.pixel_scale_arcsec
        steps = np.array([-1, 0, 1]) * (self.size - 1) / 2 * ratio
        middle = (np.array(source.shape[:0:-1]) - 1) / 2
        return np.asarray(middle + np.stack(np.meshgrid(steps, steps), axis=-1))

    def _resampled(self, view: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        channels = self.modality.channels
        new = np.zeros(self.modality.shape, dtype=np.float32)
        for band in self.modality.image_bands:
            at, beside = channels.index(band), f"ivar_{band}"
            flux = np.where(view[at] == 0, np.float32(np.nan), view[at])
            ivar = view[channels.index(beside)] if beside in channels else None
            new[at], inverse, _ = cut(flux, ivar, self._nodes, self.size)
            if ivar is not None:
                new[channels.index(beside)] = inverse
        return new
