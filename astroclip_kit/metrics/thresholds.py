"""One class against the rest at every threshold: the numbers of ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .intervals import weighted_bootstrap

__all__ = ["Sweep", "sweeps"]

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sweep:
    """One class against the rest, by falling threshold.

    Objects of equal score pass together. The thresholds are sorted once for all resamples, which are weights: how
    often each object was drawn.

    Args:
        place: Place of each object's score among the distinct ones, highest first [N].
        own: Whether it is of the class [N].

    Example:
        >>> sweep = Sweep.of([0.9, 0.8, 0.3], [True, False, True])
        >>> float(sweep.area()), round(float(sweep.average_precision()), 3)
        (0.5, 0.833)
        >>> sweep.area([[1, 0], [1, 2], [1, 3]]).tolist()  # all three objects once; two and three times the last ones
        [0.5, 0.0]
    """

    place: npt.NDArray[np.int64]
    own: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, score: npt.ArrayLike, own: npt.ArrayLike) -> Sweep:
        """From scores [N] and whether each object is of the class [N]."""
        place = np.unique(-np.asarray(score, dtype=np.float64), return_inverse=True)[1]
        return cls(place, np.asarray(own, dtype=bool))

    @cached_property
    def _sums(self) -> tuple[Any, Any]:
        """Sparse matrices [P, N] that add up weights at each threshold: of the class, and of the others."""
        from scipy.sparse import csr_array

        shape = int(self.place.max()) + 1, len(self.place)
        rows = (np.flatnonzero(side) for side in (self.own, ~self.own))
        right, wrong = (csr_array((np.ones(len(row)), (self.place[row], row)), shape) for row in rows)
        return right, wrong

    def counts(self, weights: npt.ArrayLike | None = None) -> tuple[Float, Float]:
        """Objects of the class, and others, that pass each threshold [P, ...].

        Args:
            weights: How often each object counts [N] or [N, B]; once by default.
        """
        drawn = np.ones(len(self.place)) if weights is None else np.asarray(weights, dtype=np.float64)
        right, wrong = (np.cumsum(side @ drawn, axis=0) for side in self._sums)
        return right, wrong

    def area(self, weights: npt.ArrayLike | None = None) -> Float:
        """Area under the ROC curve [...]; NaN where the class, or every other, is absent."""
        right, wrong = self.counts(weights)
        nothing = np.zeros((1, *right.shape[1:]))
        middle = right - np.diff(right, axis=0, prepend=nothing) / 2
        area = (middle * np.diff(wrong, axis=0, prepend=nothing)).sum(axis=0)
        return _ratio(area, right[-1] * wrong[-1])

    def average_precision(self, weights: npt.ArrayLike | None = None) -> Float:
        """Mean precision, each threshold weighted by the recall that it adds [...]; NaN where the class is absent."""
        right, wrong = self.counts(weights)
        gained = np.diff(right, axis=0, prepend=np.zeros((1, *right.shape[1:])))
        return _ratio((gained * right / np.maximum(right + wrong, 1)).sum(axis=0), right[-1])

    def interval(
        self, name: str, *, groups: npt.NDArray[np.int64] | None, n_boot: int, seed: int
    ) -> tuple[float, float]:
        """Bootstrap interval of "area" or "average_precision", in which whole groups are drawn."""
        size = len(self.place)
        low, high = weighted_bootstrap(getattr(self, name), size, n_boot=n_boot, seed=seed, groups=groups)
        return float(low), float(high)


def _ratio(part: Float, whole: Float) -> Float:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def sweeps(true: npt.NDArray[np.str_], scores: Float, names: npt.NDArray[np.str_]) -> Iterator[tuple[str, Sweep]]:
    """Each class that occurs, and is not the only one, against the rest.

    Args:
        true: Classes [N].
        scores: Score of every class [N, C].
        names: The classes of the columns [C].
    """
    for column, name in enumerate(names):
        own = true == name
        if own.any() and not own.all():
            yield str(name), Sweep.of(scores[:, column], own)
