"""A few of many rows, at random and yet the same every time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["drawn"]


def drawn(mask: npt.NDArray[np.bool_], count: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Rows that are flagged, in rising order: all of them, or that many at random.

    Args:
        mask: Flags [N].
        count: The most that are drawn.
        seed: Of what is drawn.

    Example:
        >>> drawn(np.array([True, False, True]), 5)
        array([0, 2])
    """
    rows = np.flatnonzero(mask)
    if len(rows) <= count:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False, shuffle=False)
    return np.asarray(rows[np.sort(chosen)])
