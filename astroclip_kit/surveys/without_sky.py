"""Images of any reader without the level of the sky, for surveys whose images still have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..transforms.image_quality import sky
from ..types import Drop, Modality, Sample
from .wrapping import Wrapping

__all__ = ["WithoutSky"]


class WithoutSky(Wrapping):
    """Reads images as another reader does and subtracts the sky of every band: its level around the middle.

    Those of the AllWISE Image Atlas need it; SDSS frames, unWISE and the Legacy Survey are free of it already. Pixels
    of exactly 0 or without inverse variance, which are bad, stay as they are.

    Args:
        reader: Of images.

    Raises:
        UsageError: If the reader reads no images.

    Example:
        >>> from astroclip_kit.surveys import LegacySurveyCutouts
        >>> WithoutSky(LegacySurveyCutouts("cutouts")).reader.bands
        ('g', 'r', 'z')
    """

    def __repr__(self) -> str:
        return f"WithoutSky({self.reader!r})"

    @property
    def image_quality(self) -> Mapping[str, Any]:
        """That of the reader, and that the sky is gone: a model refuses new images that still have it."""
        return {"min_good": 0.0, "core": 0, **super().image_quality, "without_sky": True}

    @cached_property
    def modality(self) -> Modality:
        """That of the reader."""
        return self._images

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of the reader without their sky; a drop where a band has too few good pixels to know it.

        Raises:
            FileError: If the whole file cannot be used.
        """
        modality = self.modality
        for item in self.reader.read(path):
            if isinstance(item, Drop) or modality.name not in item.views:
                yield item
                continue
            view = item.views[modality.name].copy()
            unknown = [band for band in modality.image_bands if not _subtract(view, band, modality)]
            if unknown:
                yield Drop(f"{path}: {item.object_id}", f"too few good pixels to know the sky in band {unknown[0]!r}.")
            else:
                item.views[modality.name] = view
                yield item


def _subtract(view: np.ndarray, band: str, modality: Modality) -> bool:
    """Takes the sky off one band of a view in place; False where it cannot be known."""
    flux = view[modality.channels.index(band)]
    good = flux != 0
    if f"ivar_{band}" in modality.channels:
        good &= view[modality.channels.index(f"ivar_{band}")] > 0
    level, _ = sky(flux, good)
    flux[good] -= np.float32(level)
    return bool(np.isfinite(level))
