"""Legacy Survey cutouts: one FITS cube of bands per object, read and written.

The layout is that of the survey's cutout service: the primary HDU is a float32 cube [band, y, x] in nanomaggies
(AB magnitude = 22.5 - 2.5 log10 flux) with its bands in BAND0, BAND1, ... and a tangent-plane WCS, 0.262 arcsec
per pixel by default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import FileError, InputError
from ..types import Modality, Sample
from .coordinates import degrees, in_range
from .fits_files import Hdu, damaged_header, find_files, read_hdus
from .fits_headers import Card, header_block, padded, write_blocks

__all__ = ["LegacySurveyCutouts", "write_legacysurvey_cutout"]

PIXEL_SCALE_ARCSEC = 0.262
SCALE_TOLERANCE = 0.01  # relative


class LegacySurveyCutouts:
    """Reads Legacy Survey cutouts, one object per file, as images in nanomaggies.

    The object's id is OBJID of the header, else the file's stem; its position RA and DEC of the header, else the
    image centre by the WCS. NaN pixels become 0, the sky level.

    Args:
        root: Folder of the files, or one file.
        pattern: Which files under it.
        bands: Bands of the samples, in this order; the files may hold more.
        size: Height and width of the samples, cut around the centre; by default those of the first readable file.
        name: Name of the modality.

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
    ) -> None:
        self.root = str(root)
        self.pattern = pattern
        self.bands = tuple(bands)
        self.size = size
        self.name = name

    def __repr__(self) -> str:
        return f"LegacySurveyCutouts({self.root!r}, {self.pattern!r}, bands={self.bands}, size={self.size})"

    @cached_property
    def modality(self) -> Modality:
        """An image; size and pixel scale are those of the first readable file.

        Raises:
            FileError: If no file can be read.
        """
        problem = f"no file matches {self.pattern!r}."
        for path in self.files():
            try:
                hdu, cube = self._cube(path)
            except FileError as error:
                problem = f"no cutout can be read; the last problem: {error}"
                continue
            scale = float(np.round(_pixel_scale_arcsec(hdu), 6))
            shape = (len(self.bands), *((self.size, self.size) if self.size else cube.shape[1:]))
            return Modality(self.name, "image", self.bands, shape, "nmgy", (scale,))
        raise FileError(self.root, problem)

    def files(self) -> Sequence[Path]:
        """The files that match, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        return find_files(self.root, self.pattern)

    def read(self, path: Path) -> list[Sample]:
        """The one sample of a file.

        Raises:
            FileError: If the file is no whole cutout, lacks a band, is blank in one, is smaller than `size` or of
                another size or pixel scale than the first, or its coordinates are out of range.
        """
        hdu, cube = self._cube(path)
        shape, scale = self.modality.shape, _pixel_scale_arcsec(hdu)
        if abs(scale / self.modality.pixel_scale_arcsec - 1) > SCALE_TOLERANCE:
            raise FileError(path, f"{scale:.4f} arcsec per pixel, expected {self.modality.pixel_scale_arcsec:.4f}.")
        if cube.shape != shape:
            raise FileError(path, f"{cube.shape[1:]} pixels, expected {shape[1:]} of the first file. Give a `size`.")
        ra, dec = _position(hdu)
        if not (np.isnan(ra) or in_range(ra, dec)):
            raise FileError(path, f"coordinates out of range: ra {ra}, dec {dec} degrees.")
        object_id = str(hdu.header.get("OBJID", path.name.split(".fits")[0]))
        return [Sample(object_id, {self.name: cube}, ra, dec)]

    def _cube(self, path: Path) -> tuple[Hdu, npt.NDArray[np.float32]]:
        (hdu,) = read_hdus(path, (0,))
        cube = hdu.image()
        if cube.ndim != 3:
            raise FileError(path, f"HDU 0 has {cube.ndim} axes, expected a cube of bands, rows and columns.")
        cube = cube[self._planes(hdu, len(cube))]
        blank = [band for band, plane in zip(self.bands, cube, strict=True) if not np.nan_to_num(plane).any()]
        if blank:
            raise FileError(path, f"band {blank[0]!r} is blank (0 or NaN everywhere): outside of the survey?")
        size = self.size or 0
        if size > min(cube.shape[1:]):
            raise FileError(path, f"{cube.shape[1:]} pixels, fewer than size={size}.")
        if size:
            top, left = ((axis - size) // 2 for axis in cube.shape[1:])
            cube = cube[:, top : top + size, left : left + size]
        return hdu, np.ascontiguousarray(np.nan_to_num(cube, nan=0.0, posinf=0.0, neginf=0.0))

    def _planes(self, hdu: Hdu, count: int) -> list[int]:
        named = [str(hdu.header[f"BAND{plane}"]) for plane in range(count) if f"BAND{plane}" in hdu.header]
        found = named or list(str(hdu.header.get("BANDS", "")))
        missing = [band for band in self.bands if band not in found]
        if missing or len(found) != count:
            raise FileError(
                hdu.path, f"band {(missing or self.bands)[0]!r} is missing: {count} planes, named {found or 'nowhere'}."
            )
        return [found.index(band) for band in self.bands]


def _pixel_scale_arcsec(hdu: Hdu) -> float:
    """Square root of the pixel's area; the survey's own scale where the header does not say."""
    with damaged_header(hdu.path):
        cd11, cd12, cd21, cd22 = (float(hdu.header.get(name, 0)) for name in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"))
        if "CD1_1" not in hdu.header:
            cd11 = cd22 = float(hdu.header.get("CDELT1", PIXEL_SCALE_ARCSEC / 3600))
        scale = 3600 * math.sqrt(abs(cd11 * cd22 - cd12 * cd21))
    if not 0 < scale < math.inf:
        raise FileError(hdu.path, f"damaged header: {scale} arcsec per pixel.")
    return scale


def _position(hdu: Hdu) -> tuple[float, float]:
    """Position of the object, or of the image centre, in degrees; NaN where the header does not say."""
    header = hdu.header
    if "RA" in header and "DEC" in header:
        return float(degrees([header["RA"]], hours=True)[0]), float(degrees([header["DEC"]])[0])
    if "CRVAL1" not in header:
        return np.nan, np.nan
    with damaged_header(hdu.path):
        values = {name: float(header[name]) for name in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")}
        centre = [(header["NAXIS1"] + 1) / 2, (header["NAXIS2"] + 1) / 2]
        if [values["CRPIX1"], values["CRPIX2"]] == centre:
            return values["CRVAL1"], values["CRVAL2"]
        from astropy.wcs import WCS  # rare: a cutout is centred on its reference pixel

        rest = ("CTYPE1", "CTYPE2", "CD1_1", "CD1_2", "CD2_1", "CD2_2", "CDELT1", "CDELT2")
        wcs = WCS(values | {name: header[name] for name in rest if name in header})
        ra, dec = wcs.wcs_pix2world([centre], 1)[0]
    return float(ra), float(dec)


def write_legacysurvey_cutout(
    path: str | Path,
    image: npt.ArrayLike,
    ra: float,
    dec: float,
    *,
    object_id: str = "",
    bands: Sequence[str] = ("g", "r", "z"),
    pixel_scale_arcsec: float = PIXEL_SCALE_ARCSEC,
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

    Raises:
        InputError: If the cube does not have one plane per band.
        OutputError: If the disk is full or the folder may not be written.
    """
    cube = np.asarray(image, dtype=">f4")
    if cube.ndim != 3 or len(cube) != len(bands):
        raise InputError(f"{path}: a cutout of {len(bands)} bands cannot have shape {cube.shape}.")
    planes, height, width = cube.shape
    scale = pixel_scale_arcsec / 3600
    cards: list[Card] = [
        ("SIMPLE", True, "file does conform to FITS standard"),
        ("BITPIX", -32, "number of bits per data pixel"),
        ("NAXIS", 3, "number of data axes"),
        ("NAXIS1", width, "length of data axis 1"),
        ("NAXIS2", height, "length of data axis 2"),
        ("NAXIS3", planes, "length of data axis 3"),
        ("EXTEND", True, "FITS dataset may contain extensions"),
        ("SURVEY", "DECaLS", ""),
        ("IMAGETYP", "image", ""),
        ("BUNIT", "nanomaggy", "AB mag = 22.5 - 2.5*log10(nanomaggy)"),
        ("BANDS", "".join(bands), ""),
        *((f"BAND{number}", band, "") for number, band in enumerate(bands)),
        ("CTYPE1", "RA---TAN", "TANgent plane"),
        ("CTYPE2", "DEC--TAN", "TANgent plane"),
        ("CRVAL1", float(ra), "Reference RA"),
        ("CRVAL2", float(dec), "Reference Dec"),
        ("CRPIX1", (width + 1) / 2, "Reference x"),
        ("CRPIX2", (height + 1) / 2, "Reference y"),
        ("CD1_1", -scale, "CD matrix"),
        ("CD1_2", 0.0, "CD matrix"),
        ("CD2_1", 0.0, "CD matrix"),
        ("CD2_2", scale, "CD matrix"),
        ("IMAGEW", float(width), "Image width"),
        ("IMAGEH", float(height), "Image height"),
    ]
    if object_id:
        cards.append(("OBJID", object_id, "Object id"))
    write_blocks(path, [header_block(cards), padded(cube.tobytes())])
