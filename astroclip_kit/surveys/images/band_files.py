"""The files of one band: which they are, whether their headers say so too, and where their inverse variances lie."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ...errors import FileError, UsageError
from ..files.file_lists import find_matching
from .image_files import Tile, open_fits
from .image_units import flux_factor, stated_band
from .sdss_frames import frame_ivar, is_frame

__all__ = ["Band", "Pixels", "find_pattern", "load", "usable"]

IVAR_NAMES = (("-img-", "-invvar-"), ("-image-", "-invvar-"), ("-int-", "-unc-"))  # unWISE, Legacy Survey, AllWISE
PACKINGS = ("", ".gz", ".fz", ".bz2")


def find_pattern(pattern: str | Path) -> Sequence[Path]:
    """The files that a path with wildcards names, sorted.

    Raises:
        FileError: If there are none.
    """
    found = find_matching(str(pattern))
    if not found:
        raise FileError(pattern, "no file has such a name. Check the path and its wildcards.")
    return found


@dataclass(frozen=True)
class Band:
    """One band of a survey of images.

    Args:
        name: Name of the channel.
        files: Path of its files, with wildcards.
        filter: What their headers call it; by default a part of `name`.
        hdu: Number of the image's HDU; by default the first image.
    """

    name: str
    files: str
    filter: str = ""
    hdu: int | None = None

    @classmethod
    def of(cls, name: str, given: str | Mapping[str, Any]) -> Self:
        """From a path, or a mapping of the arguments.

        Raises:
            UsageError: If a key is unknown or the files are not named.
        """
        try:
            return cls(name, **({"files": str(given)} if isinstance(given, (str, Path)) else dict(given)))
        except TypeError as error:
            raise UsageError(
                f"band {name!r}: expected a path with wildcards, or files, filter and hdu, found {given!r}."
            ) from error

    def check(self, tile: Tile) -> None:
        """Compares what the header calls the band with what the user calls it.

        Raises:
            FileError: If they differ.
        """
        found = stated_band(tile.header)
        expected = (
            [self.filter.lower()] if self.filter else [self.name.lower(), *re.split(r"[\W_]+", self.name.lower())]
        )
        if found and found not in expected:
            raise FileError(
                tile.path,
                f"the header says band {found!r}, and the file is given as band {self.name!r}. If the header is wrong, "
                f'or another name for it, give {{"files": ..., "filter": {found!r}}} for this band.',
            )


@dataclass(frozen=True)
class Pixels:
    """An image that is open for cutting.

    Args:
        tile: Where it lies.
        flux: Its pixels [rows, columns], as stored.
        ivar: Their inverse variance; None where it was not asked for.
        factor: From the stored unit to the reader's.
    """

    tile: Tile
    flux: npt.NDArray[Any]
    ivar: npt.NDArray[Any] | None
    factor: float


def ivar_path(tile: Tile, ivar: bool | tuple[str, ...]) -> Path | None:
    """The file of an image's inverse variance; None for an SDSS frame, whose own content gives it.

    Raises:
        FileError: If the file is not there.
        UsageError: If it is not known how the survey calls it.
    """
    name = tile.path.name
    for image, inverse in IVAR_NAMES if isinstance(ivar, bool) else (ivar[:2],):
        if image in name:
            plain = re.sub(r"\.(gz|fz|bz2)$", "", name).replace(image, inverse)
            for packing in PACKINGS:
                if (path := tile.path.with_name(plain + packing)).is_file():
                    return path
            raise FileError(tile.path, f"its inverse variance {plain!r} is not beside it.")
    if ivar is True and is_frame(tile.header):
        return None
    raise UsageError(
        f"{tile.path}: where its inverse variance lies is not known. Give `ivar` as a pair, what stands in the images' "
        f"names and what in those of the inverse variances, or ivar=False."
    )


def load(tile: Tile, ivar: bool | tuple[str, ...], unit: str) -> Pixels:
    """Opens an image and what else is needed of it.

    Raises:
        FileError: If a file is damaged, or its inverse variance has another shape.
        UsageError: If it is not known where the inverse variance lies.
    """
    factor = flux_factor(tile.path, tile.header, unit)
    if not ivar:
        return Pixels(tile, tile.pixels(), None, factor)
    path = ivar_path(tile, ivar)
    if path is None:
        with open_fits(tile.path) as hdus:
            return Pixels(tile, np.asarray(hdus[0].data), frame_ivar(hdus), factor)
    values = Tile.of(path).pixels()
    if values.shape != tile.shape:
        raise FileError(path, f"inverse variance of {values.shape} pixels for an image of {tile.shape}.")
    if IVAR_NAMES[2][1] in path.name:  # AllWISE has standard deviations there
        values = np.divide(1, np.square(values), out=np.zeros(values.shape, np.float32), where=values > 0)
    return Pixels(tile, tile.pixels(), values, factor)


def usable(band: Band, ivar: bool | tuple[str, ...], unit: str) -> Iterator[Tile | FileError]:
    """The images of a band in order of their names; an error in place of one that cannot be used."""
    for path in find_pattern(band.files):
        try:
            tile = Tile.of(path, band.hdu)
            band.check(tile)
            flux_factor(path, tile.header, unit)
            if ivar:
                ivar_path(tile, ivar)
        except FileError as error:
            yield error
        else:
            yield tile
