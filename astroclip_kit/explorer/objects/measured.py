"""The measurements of a light curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...transforms.bands import LIMIT

__all__ = ["LIMIT", "Measured", "measured"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """The measurements of one object.

    Args:
        time: Days since the first [T].
        value: In the unit of the modality [T].
        error: Its standard deviation [T]; NaN where not given.
        band: Index into the bands of the modality [T].
        first: Days from the view's time zero to the first.
    """

    time: Array
    value: Array
    error: Array
    band: npt.NDArray[np.int64]
    first: float = 0.0

    def phase(self, period: float) -> Array:
        """Phase from 0 to 1 [T] for a period in days."""
        return np.asarray(self.time / period % 1)


def measured(view: npt.NDArray[np.float32]) -> Measured:
    """The rows of a light curve [T, C] that hold a measurement."""
    rows = view[np.isfinite(view[:, :2]).all(axis=1) & np.isfinite(view[:, 3]), :4].astype(np.float64)
    first = float(rows[:, 0].min()) if len(rows) else 0.0
    return Measured(rows[:, 0] - first, rows[:, 1], rows[:, 2], rows[:, 3].astype(np.int64), first)
