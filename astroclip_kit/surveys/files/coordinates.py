"""Right ascension and declination as catalogues write them: degrees, or sexagesimal hours and degrees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["degrees", "in_range", "lost"]

SEXAGESIMAL = r"^\s*([+-]?)(\d+)\s*[:hd°\s]\s*(\d+)\s*[:m'\s]?\s*(\d*\.?\d*)\s*[s\"]?\s*$"


def degrees(values: npt.ArrayLike, hours: bool = False) -> npt.NDArray[np.float64]:
    """Angles in degrees; NaN where nothing is given or it cannot be read.

    Args:
        values: Numbers in degrees, or text: decimal degrees, or sexagesimal ("16:16:34.06", "16h16m34.06s").
        hours: Whether sexagesimal text counts hours (right ascension) rather than degrees.

    Returns:
        Degrees, same length.

    Example:
        >>> degrees(["06:00:00", "12.5"], hours=True).tolist()
        [90.0, 12.5]
    """
    text = pd.Series(np.asarray(values).ravel())
    number: npt.NDArray[np.float64] = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    left = np.isnan(number) & text.notna().to_numpy()
    if left.any():
        parts = text[left].astype(str).str.extract(SEXAGESIMAL)
        units = parts[[1, 2, 3]].replace("", "0").apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
        size = units @ np.array([1, 1 / 60, 1 / 3600])
        size[(units[:, 1:] >= 60).any(axis=1)] = np.nan
        number[left] = np.where(parts[0] == "-", -size, size) * (15 if hours else 1)
    return number


def in_range(ra: npt.ArrayLike, dec: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether coordinates in degrees are on the sphere (0 <= ra <= 360, -90 <= dec <= 90)."""
    ra, dec = np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64)
    return np.asarray((ra >= 0) & (ra <= 360) & (np.abs(dec) <= 90))


def lost(given: pd.DataFrame, ra: npt.ArrayLike, dec: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether coordinates are given that cannot be read or are not on the sphere; none at all is no fault.

    Args:
        given: The columns of coordinates as they were read [N, any]; missing where nothing is given.
        ra: What became of them, in degrees [N].
        dec: The same of the declination [N].
    """
    return np.asarray(given.notna().any(axis=1).to_numpy() & ~in_range(ra, dec), dtype=bool)
