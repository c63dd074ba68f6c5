"""What lies near positions on the sky, of objects that are too many for a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...surveys.files.coordinates import in_range

if TYPE_CHECKING:
    from ..space import Space

__all__ = ["angle", "has_positions", "near", "near_any", "separations"]

FIRST_STRIP = 1 / 60  # degrees on either side
CELL = 0.05  # degrees, the smallest cell of the sky
FEWEST = 12  # cells of a strip around a pole; where there are fewer, the strip is one
BLOCK = 4_000_000  # objects at a time
Float = npt.NDArray[np.float64]


def has_positions(space: Space) -> bool:
    """Whether any object has coordinates on the sky; those of surveys that have none may be -999."""
    if not {"ra", "dec"} <= set(space.columns):
        return False
    ra, dec = space.store.ra, space.store.dec
    return any(in_range(ra[at : at + BLOCK], dec[at : at + BLOCK]).any() for at in range(0, len(space), BLOCK))


def near(ra: Float, dec: Float, at_ra: float, at_dec: float, radius: float) -> tuple[npt.NDArray[np.int64], Float]:
    """Objects within a radius of one position, or else the nearest one; without a tree, so that 1e8 need no memory.

    Args:
        ra: Right ascensions [N] in degrees; what is no position is not found.
        dec: Declinations [N] in degrees.
        at_ra: Right ascension of the position.
        at_dec: Its declination.
        radius: In degrees.

    Returns:
        Rows and their separations in degrees [n], the nearest first; none where no row has a position.
    """
    width, best, rows, apart = max(radius, FIRST_STRIP), np.inf, np.empty(0, np.int64), np.empty(0)
    while best > width / 8 and width / 8 < 180:  # an object in a strip is the nearest if it is nearer than its edge
        rows = np.flatnonzero(np.abs(dec - at_dec) <= width)
        rows = rows[in_range(ra[rows], dec[rows])]
        apart = separations(ra[rows], dec[rows], at_ra, at_dec)
        best, width = apart.min(initial=np.inf), width * 8
    order = np.argsort(apart, kind="stable")
    order = order[: max(int((apart <= radius).sum()), min(1, len(order)))]
    return rows[order], apart[order]


def near_any(ra: Float, dec: Float, at_ra: Float, at_dec: Float, radius: float) -> npt.NDArray[np.int64]:
    """Rows of objects in the cells around some positions: all that lie within a radius of one, and few others.

    Args:
        ra: Right ascensions [N] in degrees; what is no position is left out.
        dec: Declinations [N] in degrees.
        at_ra: Right ascensions of the positions [M].
        at_dec: Their declinations [M].
        radius: In degrees.
    """
    size = max(radius, CELL)
    edges = np.minimum(np.arange(int(np.ceil(180 / size)) + 1) * size - 90, 90)
    farthest = np.maximum(np.abs(edges[:-1]), np.abs(edges[1:]))
    counts = np.floor(360 * np.cos(np.radians(farthest)) / (1.1 * size)).astype(np.int64)
    counts[counts < FEWEST] = 1
    starts = np.cumsum(counts) - counts
    marked = np.zeros(int(counts.sum()), dtype=bool)
    strip = _strip(at_dec, size, len(counts))
    for other in (strip - 1, strip, strip + 1):
        which = other.clip(0, len(counts) - 1)
        cell = np.floor(at_ra / 360 * counts[which]).astype(np.int64)
        for shift in (-1, 0, 1):
            marked[starts[which] + (cell + shift) % counts[which]] = True
    found = []
    for start in range(0, len(ra), BLOCK):
        rows = start + np.flatnonzero(in_range(ra[start : start + BLOCK], dec[start : start + BLOCK]))
        which = _strip(dec[rows], size, len(counts))
        cell = np.floor(ra[rows] / 360 * counts[which]).astype(np.int64) % counts[which]
        found.append(rows[marked[starts[which] + cell]])
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _strip(dec: Float, size: float, count: int) -> npt.NDArray[np.int64]:
    return np.floor((dec + 90) / size).astype(np.int64).clip(0, count - 1)


def separations(ra: Float, dec: Float, at_ra: float, at_dec: float) -> Float:
    """Angles in degrees between positions [n] and one, by the haversine formula, which is exact for small ones."""
    alpha, delta, ra0, dec0 = np.radians(ra), np.radians(dec), np.radians(at_ra), np.radians(at_dec)
    half = np.sin((delta - dec0) / 2) ** 2 + np.cos(delta) * np.cos(dec0) * np.sin((alpha - ra0) / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))))


def angle(degrees: float) -> str:
    """An angle in the unit that suits it.

    Example:
        >>> angle(0.0001), angle(0.1), angle(12.34)
        ('0.36 arcsec', '6 arcmin', '12.3 degrees')
    """
    for unit, many in (("arcsec", 3600), ("arcmin", 60), ("degrees", 1)):
        if degrees * many < 60 or unit == "degrees":
            break
    return f"{degrees * many:.3g} {unit}" if degrees * 3600 >= 0.01 else "less than 0.01 arcsec"
