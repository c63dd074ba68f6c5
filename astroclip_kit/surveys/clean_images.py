"""Images of any reader without those that are spoiled: by the edge, by bad pixels, by saturation, or show nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..transforms.image_quality import ImageQuality
from ..types import Drop, Modality, Reader, Sample
from .files.coverage import checked_share
from .wrapping import Wrapping

__all__ = ["CleanImages"]


class CleanImages(Wrapping):
    """Reads images as another reader does and leaves out those that a star's class cannot be told from.

    An image is left out, and counted, if in any band too few pixels are good, as `ImageQuality` has it, or one of those
    in the middle, on the object, is not; or if there is nothing in the middle.

    Args:
        reader: Of images.
        min_good: Share of good pixels that is needed in every band.
        core: Pixels along the side of the square in the middle that all have to be good; 0 for no such demand.
        saturation: Flux from which on a pixel is saturated, in the unit of the reader; or band to that flux.
        significance: How many standard deviations the flux in the core has to be above that of squares around it in
            one of the bands, see `ImageQuality`; 0 for no such demand.

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
        significance: float = 0.0,
    ) -> None:
        super().__init__(reader)
        self.min_good, self.core = checked_share("min_good", min_good), core
        self.saturation = dict(saturation) if isinstance(saturation, Mapping) else saturation
        self.significance = significance
        if significance < 0 or (significance and not core):
            raise UsageError(f"significance: expected 0 or more, and a core to look at, found {significance:g} and "
                             f"core={core}.")  # fmt: skip
        if core < 0:
            raise UsageError(f"core: expected 0 or more pixels, found {core}.")

    def __repr__(self) -> str:
        return (
            f"CleanImages({self.reader!r}, min_good={self.min_good}, core={self.core}, "
            f"significance={self.significance})"
        )

    @property
    def image_quality(self) -> dict[str, Any]:
        """What it and its reader ask of images, which a dataset keeps: the arguments of `ImageQuality`."""
        names = ("min_good", "core", "saturation", "significance")
        return {**super().image_quality, **{name: getattr(self, name) for name in names}}

    @cached_property
    def modality(self) -> Modality:
        """That of the reader."""
        modality = self._images
        bands = modality.image_bands
        if isinstance(self.saturation, dict) and (unknown := [band for band in self.saturation if band not in bands]):
            raise UsageError(f"saturation: there is no band {unknown[0]!r}. The bands are {', '.join(bands)}.")
        return modality

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of the reader; a drop for each that is spoiled, with the first band that is.

        Raises:
            FileError: If the whole file cannot be used.
        """
        modality, quality = self.modality, ImageQuality(**self.image_quality)
        name = modality.name
        for item in self.reader.read(path):
            if isinstance(item, Sample) and name in item.views and (why := quality.spoiled(item.views[name], modality)):
                yield Drop(f"{path}: {item.object_id}", why)
            else:
                yield item
