"""Columns that hold several values per row: as arrays (FITS, Parquet) or as text ("(1.0, 2.0)", "[1.0, null]")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import FileError

__all__ = ["stacked"]

BRACKETS = str.maketrans("", "", "()[]{}\"' ")
NOTHING = ("", "null", "none", "nan", "masked", "--")


def stacked(path: Path, name: str, column: Any, count: int) -> npt.NDArray[np.float64]:
    """The values of a column, one row each.

    Args:
        path: The table, named in the error.
        name: The column, named in the error.
        column: N arrays, lists or texts; None, NaN or "" where a row has none.
        count: How many values each row holds.

    Returns:
        Values [N, count]; NaN where missing or masked.

    Raises:
        FileError: If a row holds another number of values, or something that is no number.

    Example:
        >>> stacked(Path("a.csv"), "flux", ["(1.0, 2.0)", "[3, null]", None], 2).tolist()
        [[1.0, 2.0], [3.0, nan], [nan, nan]]
    """
    rows = list(column)
    given = np.array([isinstance(row, (str, bytes)) or np.ndim(row) > 0 for row in rows], dtype=bool)
    lists = [_numbers(path, name, row) for row, there in zip(rows, given, strict=True) if there]
    wrong = [len(values) for values in lists if values.shape != (count,)]
    if wrong:
        raise FileError(path, f"column {name!r} holds {wrong[0]} values in a row, expected {count}.")
    out = np.full((len(rows), count), np.nan)
    out[given] = np.array(lists).reshape(-1, count)
    return out


def _numbers(path: Path, name: str, row: Any) -> npt.NDArray[np.float64]:
    written = row.decode("ascii", "replace") if isinstance(row, bytes) else row
    parts = written.translate(BRACKETS).split(",") if isinstance(written, str) else written
    try:
        return np.asarray(parts, dtype=np.float64)
    except ValueError:
        try:
            return np.array([np.nan if str(part).lower() in NOTHING else float(part) for part in parts])
        except ValueError as error:
            raise FileError(path, f"column {name!r} holds {str(row)[:40]!r}, expected a list of numbers.") from error
