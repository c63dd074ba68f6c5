"""Where north and east are on an image, as its header says, and how it is turned so that north is up."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..files.fits_files import Hdu

__all__ = ["NORTH", "turned"]

NORTH = "north_deg"  # label: where north is, counter-clockwise from up in degrees; east is 90 degrees further
TURNED = 0.01  # of a pixel per pixel, by which an image may be turned against north
AXES = ("1_1", "1_2", "2_1", "2_2")
CARDS = (
    *(f"{name}{axis}" for name in ("CTYPE", "CUNIT", "CRPIX", "CRVAL", "CDELT", "CROTA") for axis in (1, 2)),
    *(f"{name}{axes}" for name in ("CD", "PC") for axes in AXES),
    *("LONPOLE", "LATPOLE", "RADESYS", "RADECSYS", "EQUINOX"),
)
SYSTEMS = ("", "ICRS", "FK5")
Image = npt.NDArray[np.float32]


def turned(image: Image, hdu: Hdu) -> tuple[Image, float]:
    """An image with east 90 degrees to the left of north, and north as near to up as its pixels allow.

    It is mirrored and turned by quarters, which changes no value; by 90 degrees only where it is a square.

    Args:
        image: Planes [C, H, W] of the HDU, all of it.
        hdu: Whose header says where north is.

    Returns:
        The image, and where its north is: degrees counter-clockwise from up, 0 where that is less than half a degree;
        NaN where the header says nothing.
    """
    angle, is_mirrored = _north(hdu.header)
    if math.isnan(angle):
        return image, angle
    if is_mirrored:
        image, angle = image[:, :, ::-1], -angle
    quarters = round(angle / 90) if image.shape[1] == image.shape[2] else 2 * round(angle / 180)
    image, angle = np.rot90(image, quarters, axes=(1, 2)), angle - 90 * quarters
    return image, 0.0 if abs(math.sin(math.radians(angle))) <= TURNED and abs(angle) < 90 else round(angle, 2)


def _north(header: Mapping[str, Any]) -> tuple[float, bool]:
    """Degrees from up to the north, counter-clockwise, and whether east is clockwise of it; NaN where unknown."""
    cards = {name: header[name] for name in CARDS if name in header}
    if not str(cards.get("CTYPE1", "")) or "NAXIS1" not in header:
        return math.nan, False
    x, y = ((float(header[f"NAXIS{axis}"]) + 1) / 2 for axis in (1, 2))
    if "LONPOLE" not in cards and (cards.get("CRPIX1"), cards.get("CRPIX2")) == (x, y):
        cards |= {"CRVAL1": 0.0, "CRVAL2": 0.0}  # at the reference point it is the same anywhere on the sky
    return _measured(tuple(cards.items()), x, y)


@lru_cache(maxsize=256)
def _measured(cards: tuple[tuple[str, Any], ...], x: float, y: float) -> tuple[float, bool]:
    """The same from the WCS, at a pixel counted from 1."""
    from astropy.wcs import WCS

    with warnings.catch_warnings(action="ignore"):  # old keywords, which astropy mends
        try:
            wcs = WCS(dict(cards))
            if wcs.wcs.lngtyp != "RA" or str(wcs.wcs.radesys) not in SYSTEMS:
                return math.nan, False
            world = np.radians(wcs.wcs_pix2world([[x, y], [x + 1, y], [x, y + 1]], 1))
        except (ValueError, TypeError, MemoryError):  # those of wcslib are ValueErrors
            return math.nan, False
    ra, dec = world[:, wcs.wcs.lng], world[:, wcs.wcs.lat]
    places = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    east = np.array([-np.sin(ra[0]), np.cos(ra[0]), 0])
    across, up = ((east @ step, np.cross(places[0], east) @ step) for step in places[1:] - places[0])
    lengths = math.hypot(*across), math.hypot(*up)
    if not (min(lengths) > 0 and math.isfinite(sum(lengths))):
        return math.nan, False
    (x_east, x_north), (y_east, y_north) = (
        [one / length for one in step] for step, length in zip((across, up), lengths, strict=True)
    )
    if abs(x_east * y_east + x_north * y_north) > TURNED:  # sheared: north and east are no directions of one angle
        return math.nan, False
    return math.degrees(math.atan2(-x_north, y_north)), x_east * y_north - x_north * y_east > 0
