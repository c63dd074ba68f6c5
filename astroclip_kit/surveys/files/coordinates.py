"""Right ascension and declination as catalogues write them: degrees, or sexagesimal hours and degrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...errors import FileError

__all__ = ["angles", "degrees", "in_range", "lost", "wrapped"]

SEXAGESIMAL = r"^\s*([+-]?)(\d+)\s*[:hd°\s]\s*(\d+)\s*[:m'\s]?\s*(\d*\.?\d*)\s*[s\"]?\s*$"
HOURS = ("h", "hr", "hour", "hours")


def angles(path: str | Path, frame: pd.DataFrame, column: str, hours: bool = False) -> npt.NDArray[np.float64]:
    """A column of coordinates in degrees, from the unit that its table states; NaN where there is no column.

    Args:
        path: The table, named in the error.
        frame: What `read_columns` gave.
        column: Its name; "" for none.
        hours: Whether it is a right ascension, see `degrees`.

    Returns:
        Degrees [N]; of a right ascension from 0 to 360, also where the table counts from -180 to 180.

    Raises:
        FileError: If the column holds numbers in a unit that is none of an angle.
    """
    if not column:
        return np.full(len(frame), np.nan)
    unit = frame.attrs.get("units", {}).get(column, "")
    written = pd.api.types.is_numeric_dtype(frame[column])
    found = degrees(frame[column], hours, _factor(path, column, unit, hours) if unit and written else 1.0)
    return wrapped(found) if hours else found


def wrapped(ra: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Right ascensions in degrees [N] that are counted from -180 to 180, as 0 to 360; others as they are.

    Beside one above 180, those below 0 stand for what is missing, and stay.

    Example:
        >>> wrapped(np.array([-10.0, 5.0])).tolist(), wrapped(np.array([-1.0, 200.0])).tolist()
        ([350.0, 5.0], [-1.0, 200.0])
    """
    below = (ra >= -180) & (ra < 0)
    return np.where(below, ra + 360, ra) if below.any() and not (ra > 180).any() else ra


def _factor(path: str | Path, column: str, unit: str, hours: bool) -> float:
    """From a unit to degrees. Surveys write "deg", "DEGREES", "Angle[deg]"; hours of right ascension are of angle."""
    if "deg" in unit.lower() and not unit[:1].isdigit():  # "15 deg" is how a VOTable writes an hour
        return 1.0
    if hours and unit.lower() in HOURS:
        return 15.0
    from astropy.units import Unit

    try:
        return float(Unit(unit, parse_strict="silent").to("deg"))
    except (ValueError, TypeError) as error:
        raise FileError(path, f"column {column!r} is in {unit!r}, expected an angle such as 'deg'.") from error


def degrees(values: npt.ArrayLike, hours: bool = False, factor: float = 1.0) -> npt.NDArray[np.float64]:
    """Angles in degrees; NaN where nothing is given or it cannot be read.

    Args:
        values: Numbers in degrees, or text: decimal degrees, or sexagesimal ("16:16:34.06", "16h16m34.06s").
        hours: Whether sexagesimal text counts hours (right ascension) rather than degrees.
        factor: What plain numbers are multiplied by, where they are in another unit.

    Returns:
        Degrees, same length.

    Example:
        >>> degrees(["06:00:00", "12.5"], hours=True).tolist()
        [90.0, 12.5]
    """
    text = pd.Series(np.asarray(values).ravel())
    number: npt.NDArray[np.float64] = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    number *= factor
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
