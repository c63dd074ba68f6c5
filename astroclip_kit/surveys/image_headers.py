"""What the header of a cutout says of its place: pixel scale and position of its middle."""

from __future__ import annotations

import math

import numpy as np

from ..errors import FileError
from .coordinates import degrees
from .fits_files import Hdu, damaged_header

__all__ = ["centre", "pixel_scale_arcsec", "stated_position"]


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
        cd11, cd12, cd21, cd22 = (float(header.get(name, 0)) for name in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"))
        if "CD1_1" not in header:
            if "CDELT1" not in header:
                return default
            cd11, cd22 = float(header["CDELT1"]), float(header.get("CDELT2", header["CDELT1"]))
        scale = 3600 * math.sqrt(abs(cd11 * cd22 - cd12 * cd21))
    if not 0 < scale < math.inf:
        raise FileError(hdu.path, f"damaged header: {scale} arcsec per pixel.")
    return scale


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

        rest = ("CTYPE1", "CTYPE2", "CD1_1", "CD1_2", "CD2_1", "CD2_2", "CDELT1", "CDELT2")
        wcs = WCS(values | {name: header[name] for name in rest if name in header})
        ra, dec = wcs.wcs_pix2world([middle], 1)[0]
    return float(ra), float(dec)
