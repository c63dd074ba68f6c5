"""How the values of a column are distributed: ends of a slider, and its histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..columns import LARGEST

__all__ = ["Spread"]

BINS = 50
ROBUST = (0.5, 99.5)  # per cent of the values that the slider spans
TINY = 1e-300  # of a range that is none
SAMPLE = 2_000_000  # values that tell the histogram well enough
Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How the values of a column are distributed.

    Args:
        low: The smallest value, NaN where none is known.
        high: The largest.
        start: Left end of the slider, a round number near which the first of the values lie.
        end: Its right end.
        step: Of the slider.
        missing: Objects without a value.
    """

    low: float
    high: float
    start: float
    end: float
    step: float
    missing: int

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> Spread:
        """The spread of values [N]."""
        known = _usable(values)
        if not len(known):
            return cls(np.nan, np.nan, 0.0, 1.0, 1.0, len(values))
        first, last = np.percentile(_sample(known), ROBUST)
        is_wide = last - first > TINY
        size = 10.0 ** np.floor(np.log10((last - first) / 100)) if is_wide else max(1.0, abs(first) * 1e-6)
        step = float(size * next(many for many in (1, 2, 5, 10) if many * size * 200 >= last - first))
        start, end = np.floor(first / step) * step, np.ceil(last / step) * step
        end = end if end > start else start + step
        low, high = float(known.min()), float(known.max())
        return cls(low, high, float(start), float(end), step, len(values) - len(known))

    def bins(self, values: npt.NDArray[Any]) -> tuple[Float, Float]:
        """Edges [B + 1] and how many values each bin holds [B]; the outer ones hold what lies beyond, too."""
        some = np.asarray(_sample(values), dtype=np.float64)
        edges = np.linspace(self.start, self.end, BINS + 1)
        counts = np.histogram(np.clip(_usable(some), self.start, self.end), edges)[0]
        return edges, counts * (len(values) / max(len(some), 1))


def _sample(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """All values, or every so many of very many."""
    return values[:: len(values) // SAMPLE + 1]


def _usable(values: npt.NDArray[Any]) -> Float:
    """Values that are known, without those whose squares no number holds."""
    found = np.asarray(values, dtype=np.float64)
    return found[np.abs(found) < LARGEST]
