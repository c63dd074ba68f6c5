"""FITS files of ready-made cutouts: a cube of bands per object, or an image per HDU, as stamps of HST are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import FileError, UsageError
from ..types import Drop, Modality, Sample
from .files.file_lists import find_files, find_matching, first_readable
from .files.fits_files import Hdu, read_hdus
from .files.object_tables import read_object_table
from .images.image_files import first_image, open_fits
from .images.image_headers import SCALE_TOLERANCE, centre, pixel_scale_arcsec, stated_position
from .images.image_units import checked_unit, flux_factor

__all__ = ["ImageCubes"]

IVAR_NAMES = ("IVAR", "INVVAR", "WHT", "WEIGHT")
Planes = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Stamp:
    """One image of a file.

    Args:
        hdu: Header of the image.
        flux: Its planes [band, row, column]; NaN is bad.
        ivar: Their inverse variances, if the file has them.
    """

    hdu: Hdu
    flux: Planes
    ivar: Planes | None


class ImageCubes:
    """Reads FITS images that show one object each: a cube of bands per file, or one image per HDU.

    Without a table the id is OBJID of the header, else the file's stem (and the number of the HDU), and the position
    the image's middle by its WCS, else RA and DEC of the header. NaN pixels are 0, and so is their inverse variance.

    Args:
        root: Folder of the files, one file, or a path with wildcards.
        bands: Bands of the samples, in this order: by the names that the header gives its planes (BAND0, BAND1, ... or
            BANDS), else in the order of the file.
        size: Height and width of the samples: larger images are cut around the middle, smaller ones set into zeros;
            by default those of the first readable image.
        hdu: Number of the image's HDU, by default the first image; "each" for files with one object per HDU.
        table: A table with a row per object: its ``path`` and the columns of "id", and where they exist "ra", "dec",
            "group", "file" (name of the file that shows the object; else its stem or OBJID is the id), "hdu"
            (needed for "each"), "variance" (of the noise of a pixel) and "pixel_scale_arcsec".
        ivar: Whether inverse variances follow the bands as ``ivar_BAND``: from the HDU of the same shape that is
            called IVAR, INVVAR, WHT or WEIGHT, or from the "variance" of the table.
        unit: What the pixels are converted to if BUNIT says what they are, and are where it does not.
        name: Name of the modality.

    Raises:
        UsageError: If an argument makes no sense.

    Example:
        >>> ImageCubes("stamps.fits", ["F814W"], size=64, hdu="each")
        ImageCubes('stamps.fits', ('F814W',), size=64)
    """

    def __init__(
        self,
        root: str | Path,
        bands: Sequence[str],
        size: int | None = None,
        hdu: int | Literal["each"] | None = None,
        table: Mapping[str, str] | None = None,
        ivar: bool = False,
        unit: str = "",
        name: str = "image",
    ) -> None:
        self.root, self.bands, self.size, self.hdu = str(root), tuple(bands), size, hdu
        self.table = dict(table) if table else None
        self.ivar, self.unit, self.name = ivar, checked_unit(unit), name
        self._from_variance = "variance" in (self.table or {})
        if not self.bands:
            raise UsageError("bands: name at least one band.")
        if isinstance(hdu, str) and hdu != "each":
            raise UsageError(f"hdu is {hdu!r}, expected a number, 'each' or none.")
        if ivar and hdu == "each" and not self._from_variance:
            raise UsageError("ivar: with hdu='each' it comes from the column `variance` of the table; map that.")

    def __repr__(self) -> str:
        return f"ImageCubes({self.root!r}, {self.bands}, size={self.size})"

    @cached_property
    def modality(self) -> Modality:
        """An image; size and pixel scale are those of the first readable image.

        Raises:
            FileError: If no image can be read.
        """
        return first_readable(self.root, self.files(), self._describe, "no FITS file is there.", "image")

    def _describe(self, path: Path) -> Modality:
        stamp = next(iter(self._stamps(path)))
        scale = round(self._scale(stamp.hdu, self._row(stamp.hdu)), 6)
        height, width = (self.size, self.size) if self.size else stamp.flux.shape[1:]
        channels = (*self.bands, *(f"ivar_{band}" for band in self.bands if self.ivar))
        grid = () if math.isnan(scale) else (scale,)
        return Modality(self.name, "image", channels, (len(channels), height, width), self.unit, grid)

    def files(self) -> Sequence[Path]:
        """The files, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        return (
            find_matching(self.root)
            if any(mark in self.root for mark in "*?[")
            else find_files(self.root, "**/*.fits*")
        )

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of a file; an image that cannot be used is a drop.

        Raises:
            FileError: If the file cannot be read, or its only image cannot be used.
        """
        for stamp in self._stamps(Path(path)):
            try:
                yield self._sample(stamp)
            except FileError as error:
                if self.hdu != "each":
                    raise
                yield Drop(f"{path}: HDU {stamp.hdu.number}", error.problem)

    def _stamps(self, path: Path) -> Iterator[_Stamp]:
        plain = self._plain(path)
        if plain is not None:
            yield _Stamp(plain, self._planes(plain, plain.image()), None)
            return
        with open_fits(path) as hdus:
            if self.hdu == "each":
                chosen = [hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"] >= 2]
            else:
                chosen = [first_image(hdus, self.hdu)]
            if not chosen:
                raise FileError(path, "no HDU holds an image.")
            for image in chosen:
                header = Hdu(path, hdus.index_of(image), dict(image.header), b"")
                inverse = None if self._from_variance or not self.ivar else _inverse(path, hdus, image)
                flux = self._planes(header, image.data)
                yield _Stamp(header, flux, None if inverse is None else self._planes(header, inverse))

    def _plain(self, path: Path) -> Hdu | None:
        """The only image of a file that needs no astropy, which takes eight times as long; else None."""
        if self.hdu == "each" or path.suffix == ".fz" or (self.ivar and not self._from_variance):
            return None
        (hdu,) = read_hdus(path, (self.hdu or 0,))
        image = hdu.header.get("NAXIS", 0) >= 2 and str(hdu.header.get("XTENSION", "IMAGE")).strip() == "IMAGE"
        return hdu if image else None

    def _planes(self, hdu: Hdu, data: Any) -> Planes:
        """The planes of the reader's bands [band, row, column]."""
        cube = np.asarray(data, dtype=np.float32)
        cube = cube[None] if cube.ndim == 2 else cube
        count = len(cube)
        named = [str(hdu.header[f"BAND{plane}"]).strip() for plane in range(count) if f"BAND{plane}" in hdu.header]
        found = named or list(str(hdu.header.get("BANDS", ""))) or list(self.bands)
        if cube.ndim != 3 or len(found) != count or not set(self.bands) <= set(found):
            planes = f"{data.shape} pixels" + (f" of bands {', '.join(found)}" if found != list(self.bands) else "")
            raise FileError(hdu.path, f"HDU {hdu.number} has {planes}, expected the bands {', '.join(self.bands)}.")
        return cube[[found.index(band) for band in self.bands]]

    def _sample(self, stamp: _Stamp) -> Sample:
        path, row, modality = stamp.hdu.path, self._row(stamp.hdu), self.modality
        scale, shape = self._scale(stamp.hdu, row), modality.shape[1:]
        if abs(scale / modality.pixel_scale_arcsec - 1) > SCALE_TOLERANCE:
            raise FileError(path, f"{scale:.4f} arcsec per pixel, expected {modality.pixel_scale_arcsec:.4f}.")
        if not self.size and stamp.flux.shape[1:] != shape:
            raise FileError(path, f"{stamp.flux.shape[1:]} pixels, expected {shape} of the first image. Give a `size`.")
        ivar = self._inverse_variance(stamp, row)
        good = np.isfinite(stamp.flux) & np.isfinite(ivar) & (ivar > 0)
        flux = np.where(good, stamp.flux, 0)
        blank = [band for band, plane in zip(self.bands, flux, strict=True) if not plane.any()]
        if blank:
            raise FileError(path, f"band {blank[0]!r} is blank (0 or bad everywhere).")
        factor = np.float32(flux_factor(path, stamp.hdu.header, self.unit, assumed=True))
        planes = [flux * factor]
        if self.ivar:
            planes.append(np.where(good, ivar / factor**2, np.float32(0)))
        view = _fitted(np.concatenate(planes), shape)
        ra, dec = (row["ra"], row["dec"]) if row else _position(stamp.hdu)
        object_id = row["id"] if row else self._key(stamp.hdu)
        return Sample(object_id, {self.name: view}, ra, dec, group=row.get("group", ""))

    def _inverse_variance(self, stamp: _Stamp, row: Mapping[str, Any]) -> Planes:
        """Of the planes of a stamp; 1 where it is not asked for."""
        if stamp.ivar is not None:
            return stamp.ivar
        variance = row["variance"] if self.ivar else 1.0
        if not variance > 0:
            raise FileError(stamp.hdu.path, f"its variance in the table is {variance}, expected more than 0.")
        return np.full_like(stamp.flux, 1 / variance)

    def _scale(self, hdu: Hdu, row: Mapping[str, Any]) -> float:
        return float(row.get("pixel_scale_arcsec") or pixel_scale_arcsec(hdu))

    def _key(self, hdu: Hdu) -> str:
        stem = str(hdu.header.get("OBJID", hdu.path.name.split(".fits")[0]))
        return f"{stem}-{hdu.number}" if self.hdu == "each" else stem

    def _row(self, hdu: Hdu) -> dict[str, Any]:
        """What the table says of an image; nothing without a table."""
        if self.table is None:
            return {}
        by_file, by_hdu = "file" in self.table, self.hdu == "each"
        key = (hdu.path.name if by_file else "" if by_hdu else self._key(hdu), hdu.number if by_hdu else 0)
        row = self._rows.get(key)
        if row is None:
            raise FileError(hdu.path, f"the table {self.table['path']} has no row for it (looked for {key}).")
        if row["problem"]:
            raise FileError(hdu.path, f"its row of the table {self.table['path']}: {row['problem']}")
        return row

    @cached_property
    def _rows(self) -> dict[tuple[str, int], dict[str, Any]]:
        """File name (or id) and HDU to the row of the table."""
        each = self.hdu == "each"
        optional = ["file", "variance", "pixel_scale_arcsec", *([] if each else ["hdu"])]
        frame = read_object_table(self.table or {}, ["hdu"] if each else [], optional)
        names = frame["file" if "file" in frame else "id"] if "file" in frame or not each else [""] * len(frame)
        numbers = frame["hdu"].fillna(-1).astype(int) if each else [0] * len(frame)
        return dict(zip(zip(names, numbers, strict=True), frame.to_dict("records"), strict=True))


def _inverse(path: Path, hdus: Any, image: Any) -> Any:
    for hdu in hdus:
        named = {str(hdu.header.get(key, "")).strip().upper() for key in ("EXTNAME", "IMAGETYP")}
        if hdu.is_image and not named.isdisjoint(IVAR_NAMES):
            if hdu.data.shape != image.data.shape:
                raise FileError(
                    path, f"inverse variance of {hdu.data.shape} pixels for an image of {image.data.shape}."
                )
            return hdu.data
    raise FileError(path, f"no HDU is called {', '.join(IVAR_NAMES)}: no inverse variance. Read it with ivar=False.")


def _position(hdu: Hdu) -> tuple[float, float]:
    ra, dec = centre(hdu)
    return (ra, dec) if np.isfinite(ra) else stated_position(hdu)


def _fitted(cube: Planes, shape: Sequence[int]) -> Planes:
    """Planes cut around their middle, or set into zeros."""
    fitted = np.zeros((len(cube), *shape), dtype=np.float32)
    sources, targets = [], []
    for have, want in zip(cube.shape[1:], shape, strict=True):
        length, skip = min(have, want), (have - want) // 2
        sources.append(slice(max(skip, 0), max(skip, 0) + length))
        targets.append(slice(max(-skip, 0), max(-skip, 0) + length))
    fitted[:, targets[0], targets[1]] = cube[:, sources[0], sources[1]]
    return fitted
