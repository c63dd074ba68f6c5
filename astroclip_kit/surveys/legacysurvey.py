"""Legacy Survey cutouts: one FITS cube of bands per object, read and written.

The layout is that of the survey's cutout service: the primary HDU is a float32 cube [band, y, x] in nanomaggies
(AB magnitude = 22.5 - 2.5 log10 flux), or one plane [y, x], with its bands in BAND0, BAND1, ... and a tangent-plane
WCS, 0.262 arcsec per pixel by default. With the service's option ``invvar`` the next HDU, of IMAGETYP INVVAR, holds the
inverse variances in the same order (source: ``write_cutout`` in map/views.py of github.com/legacysurvey/imagine).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FileError, InputError
from ..types import Modality, Sample
from .files.coordinates import in_range
from .files.file_lists import find_files, first_readable
from .files.fits_files import Hdu, read_hdus
from .files.fits_headers import Card, header_block, padded, write_blocks
from .files.stated_units import rescaled, unit_factor
from .images.image_headers import SCALE_TOLERANCE, centre, pixel_scale_arcsec, stated_position
from .images.orientation import NORTH, turned

__all__ = ["LegacySurveyCutouts", "write_legacysurvey_cutout"]

PIXEL_SCALE_ARCSEC = 0.262
SURVEYS = {"u": "SDSS", "w1": "AllWISE"}  # by a band that no other has


class LegacySurveyCutouts:
    """Reads Legacy Survey cutouts, one object per file, as images in nanomaggies.

    The object's id is OBJID of the header, else the file's stem; its position RA and DEC of the header, else the
    image centre by the WCS. NaN pixels become 0, the sky level. Images that their headers say are mirrored or turned
    by quarters are turned back, so that north is up; the label ``north_deg`` says where it is, if the header does.

    Args:
        root: Folder of the files, or one file.
        pattern: Which files under it.
        bands: Bands of the samples, in this order; the files may hold more.
        size: Height and width of the samples, cut around the centre; by default those of the first readable file.
        name: Name of the modality.
        ivar: Whether the inverse variances follow the bands as ``ivar_BAND``; 0 where a pixel is not known. The files
            have them if they were downloaded with the option ``invvar``.

    Example:
        >>> LegacySurveyCutouts("cutouts", size=64).bands
        ('g', 'r', 'z')
    """

    def __init__(
        self,
        root: str | Path,
        pattern: str = "**/*.fits*",
        bands: Sequence[str] = ("g", "r", "z"),
        size: int | None = None,
        name: str = "image",
        ivar: bool = False,
    ) -> None:
        self.root = str(root)
        self.pattern = pattern
        self.bands = tuple(bands)
        self.size = size
        self.name = name
        self.ivar = ivar

    def __repr__(self) -> str:
        return f"LegacySurveyCutouts({self.root!r}, {self.pattern!r}, bands={self.bands}, size={self.size})"

    @cached_property
    def modality(self) -> Modality:
        """An image; size and pixel scale are those of the first readable file.

        Raises:
            FileError: If no file can be read.
        """
        hdu, cube, _ = first_readable(
            self.root, self.files(), self._cube, f"no file matches {self.pattern!r}.", "cutout"
        )
        scale = float(np.round(pixel_scale_arcsec(hdu, PIXEL_SCALE_ARCSEC), 6))
        channels = (*self.bands, *(f"ivar_{band}" for band in self.bands if self.ivar))
        return Modality(self.name, "image", channels, cube.shape, "nmgy", (scale,))

    @property
    def unread(self) -> tuple[str, ...]:
        """Bands of the first readable file that are not read.

        Raises:
            FileError: If no file can be read.
        """
        hdu, _, _ = first_readable(self.root, self.files(), self._cube, f"no file matches {self.pattern!r}.", "cutout")
        return tuple(band for band in _bands_of(hdu) if band not in self.bands)

    def label_units(self) -> dict[str, str]:
        """The unit of where north is."""
        return {NORTH: "deg"}

    def files(self) -> Sequence[Path]:
        """The files that match, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        return find_files(self.root, self.pattern)

    def read(self, path: Path) -> list[Sample]:
        """The one sample of a file.

        Raises:
            FileError: If the file is no whole cutout, lacks a band or the inverse variance, is blank in a band, is
                smaller than `size`, in a unit of another kind, or of another size or pixel scale than the first, or its
                coordinates are out of range.
        """
        hdu, cube, north = self._cube(path)
        shape, scale = self.modality.shape, pixel_scale_arcsec(hdu, PIXEL_SCALE_ARCSEC)
        if abs(scale / self.modality.pixel_scale_arcsec - 1) > SCALE_TOLERANCE:
            raise FileError(path, f"{scale:.4f} arcsec per pixel, expected {self.modality.pixel_scale_arcsec:.4f}.")
        if cube.shape != shape:
            raise FileError(path, f"{cube.shape[1:]} pixels, expected {shape[1:]} of the first file. Give a `size`.")
        ra, dec = stated_position(hdu)
        if np.isnan(ra):
            ra, dec = centre(hdu)
        if not (np.isnan(ra) or in_range(ra, dec)):
            raise FileError(path, f"coordinates out of range: ra {ra}, dec {dec} degrees.")
        object_id = str(hdu.header.get("OBJID", path.name.split(".fits")[0]))
        factor = unit_factor(path, "the image", str(hdu.header.get("BUNIT", "")), "nmgy")
        labels: dict[str, float | str] = {} if np.isnan(north) else {NORTH: north}
        return [Sample(object_id, {self.name: rescaled(cube, self.modality, factor)}, ra, dec, labels)]

    def _cube(self, path: Path) -> tuple[Hdu, npt.NDArray[np.float32], float]:
        hdu, *rest = self._hdus(path)
        cube = _planes(hdu)
        order = self._order(hdu, len(cube))
        cube = cube[order]
        blank = [band for band, plane in zip(self.bands, cube, strict=True) if not (np.abs(plane) > 0).any()]
        if blank:
            raise FileError(path, f"band {blank[0]!r} is blank (0 or NaN everywhere): outside of the survey?")
        if rest:
            ivar = _planes(rest[0])
            if ivar[order].shape != cube.shape:
                raise FileError(path, f"inverse variance of {ivar.shape} pixels for an image of {cube.shape}.")
            cube = np.concatenate([cube, np.where(np.isfinite(cube), ivar[order].clip(min=0), 0)])
        cube, north = turned(cube, hdu)
        size = self.size or 0
        if size > min(cube.shape[1:]):
            raise FileError(path, f"{cube.shape[1:]} pixels, fewer than size={size}.")
        if size:
            top, left = ((axis - size) // 2 for axis in cube.shape[1:])
            cube = cube[:, top : top + size, left : left + size]
        return hdu, np.where(np.isfinite(cube), cube, np.float32(0)), north

    def _hdus(self, path: Path) -> list[Hdu]:
        if path.suffix == ".fz":
            return _unpacked(path, self.ivar)
        if not self.ivar:
            return read_hdus(path, (0,))
        hint = "Download it with the option invvar, or read it with ivar=False."
        try:
            image, ivar = read_hdus(path, (0, 1))
        except FileError as error:
            raise FileError(path, f"{error.problem} HDU 1 should hold the inverse variance. {hint}") from error
        if _image_type(ivar.header) != "INVVAR":
            raise FileError(path, f"HDU 1 holds {ivar.header.get('IMAGETYP')!r}, expected the inverse variance. {hint}")
        return [image, ivar]

    def _order(self, hdu: Hdu, count: int) -> list[int]:
        found = _bands_of(hdu)
        missing = [band for band in self.bands if band not in found]
        if missing or len(found) != count:
            raise FileError(
                hdu.path, f"band {(missing or self.bands)[0]!r} is missing: {count} planes, named {found or 'nowhere'}."
            )
        return [found.index(band) for band in self.bands]


def _bands_of(hdu: Hdu) -> list[str]:
    """The bands that a header names, by plane."""
    keys = [f"BAND{plane}" for plane in range(int(hdu.header.get("NAXIS3", 1)))]
    return [str(hdu.header[key]) for key in keys if key in hdu.header] or list(str(hdu.header.get("BANDS", "")))


def _image_type(header: Mapping[str, Any]) -> str:
    return str(header.get("IMAGETYP", "")).upper()


def _unpacked(path: Path, ivar: bool) -> list[Hdu]:
    """The image and, where it is asked for, the inverse variance of a tile-compressed file."""
    from .images.image_files import open_fits

    with open_fits(path) as hdus:
        images = [hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"] >= 2]
        found = [hdu for hdu in images if (_image_type(hdu.header) == "INVVAR")][:1] if ivar else []
        if not images or len(found) != ivar:
            raise FileError(path, f"no HDU holds {'the inverse variance' if images else 'an image'}.")
        plain = {"XTENSION": "IMAGE", "BITPIX": -32, "BSCALE": 1, "BZERO": 0}
        return [
            Hdu(path, hdus.index_of(hdu), dict(hdu.header) | plain, np.asarray(hdu.data, dtype=">f4").tobytes())
            for hdu in (images[0], *found)
        ]


def _planes(hdu: Hdu) -> npt.NDArray[np.float32]:
    """The planes [band, row, column] of an HDU; the service writes a single band as a plain image."""
    image = hdu.image()
    if image.ndim == 2 and "BAND0" in hdu.header:
        return image[None]
    if image.ndim != 3:
        raise FileError(
            hdu.path, f"HDU {hdu.number} has {image.ndim} axes, expected a cube of bands, rows and columns."
        )
    return image


def write_legacysurvey_cutout(
    path: str | Path,
    image: npt.ArrayLike,
    ra: float,
    dec: float,
    *,
    object_id: str = "",
    bands: Sequence[str] = ("g", "r", "z"),
    pixel_scale_arcsec: float = PIXEL_SCALE_ARCSEC,
    ivar: npt.ArrayLike | None = None,
) -> None:
    """Writes one cutout with the header of the survey's cutout service; the same input gives the same bytes.

    Args:
        path: The file. Replaced if it exists.
        image: Cube [len(bands), H, W] in nanomaggies; north is up (rows), east is left (columns).
        ra: Right ascension of the image centre in degrees.
        dec: Declination of the image centre in degrees.
        object_id: Written as OBJID where given; the reader uses it, else the file's stem.
        bands: Names of the bands, in the order of the cube.
        pixel_scale_arcsec: Size of a pixel.
        ivar: Inverse variance of the cube, of the same shape; written as the service's option ``invvar`` does.

    Raises:
        InputError: If the cube does not have one plane per band, or the inverse variance is of another shape.
        OutputError: If the disk is full or the folder may not be written.
    """
    cube = np.asarray(image, dtype=">f4")
    if cube.ndim != 3 or len(cube) != len(bands):
        raise InputError(f"{path}: a cutout of {len(bands)} bands cannot have shape {cube.shape}.")
    inverse = None if ivar is None else np.asarray(ivar, dtype=">f4")
    if inverse is not None and inverse.shape != cube.shape:
        raise InputError(f"{path}: an inverse variance of shape {inverse.shape} for a cutout of {cube.shape}.")
    axes, sky = _axis_cards(cube.shape), _sky_cards(cube.shape, bands, (ra, dec), pixel_scale_arcsec / 3600)
    first: list[Card] = [
        ("SIMPLE", True, "file does conform to FITS standard"),
        *axes,
        ("EXTEND", True, "FITS dataset may contain extensions"),
        ("SURVEY", next((name for band, name in SURVEYS.items() if band in bands), "DECaLS"), ""),
        ("IMAGETYP", "image", ""),
        ("BUNIT", "nanomaggy", "AB mag = 22.5 - 2.5*log10(nanomaggy)"),
        *sky,
    ]
    if object_id:
        first.append(("OBJID", object_id, "Object id"))
    blocks = [header_block(first), padded(cube.tobytes())]
    if inverse is not None:
        extension: list[Card] = [("XTENSION", "IMAGE", "image extension"), *axes]
        extension += [("PCOUNT", 0, ""), ("GCOUNT", 1, ""), ("IMAGETYP", "invvar", ""), *sky]
        blocks += [header_block(extension), padded(inverse.tobytes())]
    write_blocks(path, blocks)


def _axis_cards(shape: Sequence[int]) -> list[Card]:
    axes: list[Card] = [
        (f"NAXIS{number}", length, f"length of data axis {number}")
        for number, length in enumerate(shape[::-1], start=1)
    ]
    return [("BITPIX", -32, "number of bits per data pixel"), ("NAXIS", 3, "number of data axes"), *axes]


def _sky_cards(
    shape: Sequence[int], bands: Sequence[str], position: tuple[float, float], scale_deg: float
) -> list[Card]:
    _, height, width = shape
    return [
        ("BANDS", "".join(bands), ""),
        *((f"BAND{number}", band, "") for number, band in enumerate(bands)),
        ("CTYPE1", "RA---TAN", "TANgent plane"),
        ("CTYPE2", "DEC--TAN", "TANgent plane"),
        ("CRVAL1", float(position[0]), "Reference RA"),
        ("CRVAL2", float(position[1]), "Reference Dec"),
        ("CRPIX1", (width + 1) / 2, "Reference x"),
        ("CRPIX2", (height + 1) / 2, "Reference y"),
        ("CD1_1", -scale_deg, "CD matrix"),
        ("CD1_2", 0.0, "CD matrix"),
        ("CD2_1", 0.0, "CD matrix"),
        ("CD2_2", scale_deg, "CD matrix"),
        ("IMAGEW", float(width), "Image width"),
        ("IMAGEH", float(height), "Image height"),
    ]
