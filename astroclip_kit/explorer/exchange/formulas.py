"""Text of a table that a spreadsheet would run as a formula, which somebody may have sent in a catalogue.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["without_formulas"]

BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBER = re.compile(r"[+-][\d.:\s]*(?:[eE][+-]?\d+)?")  # also a sexagesimal one, which calls nothing


def without_formulas(table: Table) -> None:
    """Puts an apostrophe before text, and before names of columns, that would be formulas; numbers stay as they are."""
    for name in table.colnames:
        values = np.asarray(table[name])
        if values.dtype.kind == "U":
            table[name] = _safe(values)
        if _is_formula(name):
            table.rename_column(name, f"'{name}")


def _safe(values: npt.NDArray[np.str_]) -> npt.NDArray[Any]:
    rows = [row for row in np.flatnonzero(np.isin(values.astype("U1"), BEGINNINGS)) if _is_formula(str(values[row]))]
    if not rows:
        return values
    out = values.astype(f"U{values.dtype.itemsize // 4 + 1}")
    out[rows] = [f"'{values[row]}" for row in rows]
    return out


def _is_formula(text: str) -> bool:
    return text.startswith(BEGINNINGS) and not NUMBER.fullmatch(text)
