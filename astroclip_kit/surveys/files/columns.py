"""Columns as a user asks for them: a name, or a name with its unit, its markers of missing values, and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import FileError, UsageError

__all__ = ["AB_ZERO_POINT_JY", "Column", "ColumnSpec", "convert", "is_magnitude", "parse_column"]

ColumnSpec = str | Mapping[str, Any]
Floats = npt.NDArray[np.float64]
AB_ZERO_POINT_JY = 3631.0  # Oke & Gunn 1983, ApJ 266, 713
MISSING = (99.0, -9999.0)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        column: Its name.
        unit: What its values are wanted in (table), or are in where the table states nothing (light curve).
        missing: Markers that mean "no value".
        values: How many values a row holds.
        offset: Added to a time in days: 2450000 for HJD - 2450000.
    """

    column: str
    unit: str = ""
    missing: Sequence[float] = MISSING
    values: int = 1
    offset: float = 0.0


def parse_column(role: str, spec: ColumnSpec, keys: Sequence[str] = ("unit", "missing")) -> Column:
    """The column that a name, or a mapping with a "column", describes.

    Args:
        role: What it is for; named in the error.
        spec: ``"mag"`` or ``{"column": "mag", "unit": "mag", "missing": [99.99]}``.
        keys: What the mapping may hold besides "column".

    Raises:
        UsageError: If the mapping has no "column" or a key that is not among `keys`.
    """
    full: dict[str, Any] = {"column": spec} if isinstance(spec, str) else dict(spec)
    if "column" not in full or set(full) - {"column", *keys}:
        raise UsageError(f"{role}: expected a column, or {{column: ...}} with {', '.join(keys)}, found {spec!r}.")
    known = {field.name: full[field.name] for field in fields(Column) if field.name in full}
    return Column(**known)


def is_magnitude(unit: str) -> bool:
    """Whether values count magnitudes: "mag", "mag(AB)" or "ABmag"."""
    return unit.strip() in ("mag", "mag(AB)", "ABmag")


def convert(path: Path, column: str, values: Floats, stated: str, wanted: str) -> Floats:
    """Values in another unit; as they are where one of the units is not stated.

    Magnitudes are AB where they meet a flux density; a flux that is not positive has none (NaN).

    Args:
        path: The table, named in the error.
        column: The column, named in the error.
        values: Any shape.
        stated: Their unit.
        wanted: The unit of the result.

    Raises:
        FileError: If the stated unit is not convertible.
        UsageError: If the wanted unit is none that astropy knows.

    Example:
        >>> convert(Path("a.csv"), "mag", np.array([23.9]), "mag", "uJy").round(3)
        array([1.])
    """
    if not (stated and wanted) or stated == wanted or (is_magnitude(stated) and is_magnitude(wanted)):
        return values
    from astropy import units

    try:
        target = units.Unit("Jy" if is_magnitude(wanted) else wanted)
    except ValueError as error:
        raise UsageError(
            f"unit {wanted!r} is none that astropy knows. Write it as astropy does, e.g. 'uJy'."
        ) from error
    source = units.Unit("Jy" if is_magnitude(stated) else stated, parse_strict="silent")
    try:
        factor = source.to(target, equivalencies=units.zero_point_flux(AB_ZERO_POINT_JY * units.Jy))
    except (units.UnitConversionError, TypeError) as error:
        raise FileError(path, f"column {column!r} is in {stated!r}, which does not convert to {wanted!r}.") from error
    with np.errstate(invalid="ignore", divide="ignore"):
        flux = factor * (AB_ZERO_POINT_JY * 10 ** (-0.4 * values) if is_magnitude(stated) else values)
        if not is_magnitude(wanted):
            return np.asarray(flux, dtype=np.float64)
        return np.where(flux > 0, -2.5 * np.log10(flux / AB_ZERO_POINT_JY), np.nan)
