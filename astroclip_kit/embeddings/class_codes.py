"""Text as numbers of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["by_count", "encode", "missing"]

Array = npt.NDArray[Any]
PART = 1 << 20  # rows at once


def missing(values: Array) -> npt.NDArray[np.bool_]:
    """Which values [N] are none: NaN, or text without a letter."""
    return np.asarray(values == "" if values.dtype.kind in "UO" else np.isnan(values))


def encode(values: npt.ArrayLike) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Number of each value's class int32 [N], -1 where it is missing, and the classes, the most frequent first."""
    found, codes = np.unique(np.asarray(values), return_inverse=True)
    return by_count(codes, np.where(missing(found), "", found.astype(str)))


def by_count(codes: npt.NDArray[Any], classes: Array) -> tuple[npt.NDArray[np.int32], list[str]]:
    """The same of numbers [N] of classes in any order, of which some may be ""; numbers below 0 are missing."""
    size = max(PART, len(classes))  # no copy of all is made
    parts = [slice(start, start + size) for start in range(0, len(codes), size)]
    counts = np.zeros(len(classes) + 1, np.int64)
    for part in parts:
        counts += np.bincount(codes[part].astype(np.intp) + 1, minlength=len(counts))
    counts = counts[1:]
    order = np.lexsort((classes, -counts))
    order = order[(counts[order] > 0) & (classes[order] != "")]
    place = np.full(len(classes) + 1, -1, np.int32)  # the last one is for code -1
    place[order] = np.arange(len(order))
    found = np.empty(len(codes), np.int32)
    for part in parts:
        found[part] = place[codes[part]]
    return found, classes[order].tolist()
