"""Classes that were said beside those that are true, counted in all resamples at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..metrics import class_scores
from .calibration import BINS, bin_of

__all__ = ["Tally", "binned_errors"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """What was said of the classes of objects, ready to be counted.

    Args:
        true: Number of the class of each object [N].
        said: Number of the class that was said [N].
        size: Number of classes C.

    Example:
        >>> tally = Tally(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
        >>> tally.scores(np.array([[1, 3], [1, 0], [1, 1]]))["accuracy"].round(2)  # all once; three times the first
        array([0.67, 1.  ])
    """

    true: Codes
    said: Codes
    size: int

    @cached_property
    def _cells(self) -> Any:
        return _adding(self.true * self.size + self.said, self.size**2)

    def counts(self, drawn: Float) -> Float:
        """True by predicted class in each resample [B, C, C].

        Args:
            drawn: How often each object was drawn [N, B].
        """
        return np.asarray((self._cells @ drawn).T.reshape(-1, self.size, self.size))

    def scores(self, drawn: Float) -> dict[str, Float]:
        """What `class_scores` makes of the counts [B], of each class [B, C]."""
        return class_scores(self.counts(drawn))


def binned_errors(sure: Float, right: Array, drawn: Float) -> Float:
    """`calibration.binned_error` of each resample [B].

    Args:
        sure: Probability of the class that was named [N].
        right: Whether it is the true one [N].
        drawn: How often each object was drawn [N, B].
    """
    off = _adding(bin_of(sure), BINS, right - sure) @ drawn
    return np.asarray(np.abs(off).sum(axis=0) / drawn.sum(axis=0))


def _adding(place: Codes, size: int, values: Array | None = None) -> Any:
    """A sparse matrix [size, N] that adds up what is in each place."""
    from scipy.sparse import csr_array

    given = np.ones(len(place)) if values is None else values
    return csr_array((given, (place, np.arange(len(place)))), (size, len(place)))
