"""Legacy Survey cutouts: one FITS cube of bands per object, read and written.

The layout is that of the survey's cutout service: the primary HDU is a float32 cube [band, y, x] in nanomaggies
(AB magnitude = 22.5 - 2.5 log10 flux) with its bands in BAND0, BAND1, ... and a tangent-plane WCS, 0.262 arcsec
per pixel by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy.typing as npt

from ..errors import InputError
from .fits_files import Card, big_endian, header_block, padded, write_blocks

__all__ = ["write_legacysurvey_cutout"]

PIXEL_SCALE_ARCSEC = 0.262


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
    cube = big_endian(image)
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
