"""What the header of a cutout says of its place: pixel scale and position of its middle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import FileError
from ..files.coordinates import degrees
from ..files.fits_files import Hdu, damaged_header

__all__ = ["SCALE_TOLERANCE", "centre", "pixel_scale_arcsec", "stated_position"]

SCALE_TOLERANCE = 0.01  # relative: pixels that differ by less are of one size


def pixel_scale_arcsec(hdu: Hdu, default: float = math.nan) -> float:
    """Square root of the pixel's area.

    Args:
        hdu: Of the image.
        default: What it is where the header does not say.

    Raises:
        FileError: If the header says something that is no size.
    """
    header = hdu.header
    with damaged_header(hdu.path):
        if "CD1_1" in header:
            area = _determinant(header, "CD", 0)
        elif "CDELT1" in header:
            area = (
                _determinant(header, "PC", 1) * float(header["CDELT1"]) * float(header.get("CDELT2", header["CDELT1"]))
            )
        else:
            return default
        scale = 3600 * math.sqrt(abs(area))
    if not 0 < scale < math.inf:
        raise FileError(hdu.path, f"damaged header: {scale} arcsec per pixel.")
    return scale


def _determinant(header: Mapping[str, Any], name: str, diagonal: float) -> float:
    """Of the matrix PC or CD."""
    m11, m12, m21, m22 = (
        float(header.get(f"{name}{axes}", default))
        for axes, default in (("1_1", diagonal), ("1_2", 0), ("2_1", 0), ("2_2", diagonal))
    )
    return m11 * m22 - m12 * m21


def stated_position(hdu: Hdu) -> tuple[float, float]:
    """RA and DEC of the header in degrees: of the object, or of where the telescope pointed; NaN where unknown."""
    header = hdu.header
    if "RA" not in header or "DEC" not in header:
        return np.nan, np.nan
    return float(degrees([header["RA"]], hours=True)[0]), float(degrees([header["DEC"]])[0])


def centre(hdu: Hdu) -> tuple[float, float]:
    """Position of the image's middle by the WCS in degrees; NaN where there is none.

    Raises:
        FileError: If a value of the WCS is missing or no number.
    """
    header = hdu.header
    if "CRVAL1" not in header or not str(header.get("CTYPE1", "RA")).startswith("RA"):
        return np.nan, np.nan
    with damaged_header(hdu.path):
        values = {name: float(header[name]) for name in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")}
        middle = [(header["NAXIS1"] + 1) / 2, (header["NAXIS2"] + 1) / 2]
        if [values["CRPIX1"], values["CRPIX2"]] == middle:
            return values["CRVAL1"], values["CRVAL2"]
        from astropy.wcs import WCS  # rare: a cutout is centred on its reference pixel

        matrix = [f"{name}{axes}" for name in ("CD", "PC") for axes in ("1_1", "1_2", "2_1", "2_2")]
        rest = ("CTYPE1", "CTYPE2", *matrix, "CDELT1", "CDELT2")
        wcs = WCS(values | {name: header[name] for name in rest if name in header})
        ra, dec = wcs.wcs_pix2world([middle], 1)[0]
    return float(ra), float(dec)
