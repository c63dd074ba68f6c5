"""A few of many rows, at random and yet the same every time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..map.plane import blocks

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
    parts = list(blocks(len(mask)))
    counts = np.array([np.count_nonzero(mask[part]) for part in parts], dtype=np.int64)
    ends = np.cumsum(counts)
    total = int(counts.sum())
    if total <= count:
        return np.flatnonzero(mask)
    chosen = np.sort(np.random.default_rng(seed).choice(total, count, replace=False, shuffle=False))
    cuts = np.append(0, np.searchsorted(chosen, ends))  # no number of every flagged row is made
    rows = [
        part.start + np.flatnonzero(mask[part])[chosen[cuts[at] : cuts[at + 1]] - (ends[at] - counts[at])]
        for at, part in enumerate(parts)
        if cuts[at + 1] > cuts[at]
    ]
    return np.concatenate(rows)
