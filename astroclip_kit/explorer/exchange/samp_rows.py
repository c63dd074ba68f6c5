"""Rows that another program names in a message."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..texts import cut

__all__ = ["place_of", "places_of"]

LONGEST = 80  # letters of what was sent that are shown


def place_of(text: Any) -> int:
    """The number of a row, counted from 0.

    Raises:
        InputError: If it is none.
    """
    try:
        return int(text)
    except (TypeError, ValueError) as error:
        told = cut(str(text), LONGEST)
        raise InputError(f"another program named the row {told!r} by SAMP, expected a whole number.") from error


def places_of(listed: Any, count: int) -> npt.NDArray[np.int64]:
    """The numbers of several rows, without those that a table of `count` rows does not have.

    Raises:
        InputError: If it is no list, or one of them is no number.
    """
    if not isinstance(listed, list):
        raise InputError(f"another program named the rows {cut(str(listed), LONGEST)!r} by SAMP, expected a list.")
    return np.array([place for place in map(place_of, listed) if 0 <= place < count], dtype=np.int64)
