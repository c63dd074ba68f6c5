"""One class against the rest at every threshold: the numbers of ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ... import metrics

__all__ = ["Sweep", "sweeps"]

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sweep:
    """One class against the rest, by falling threshold.

    Objects of equal score pass together. The thresholds are sorted once, so that a resample costs one pass.

    Args:
        place: Place of each object's score among the distinct ones, highest first [N].
        own: Whether it is of the class [N].

    Example:
        >>> sweep = Sweep.of([0.9, 0.8, 0.3], [True, False, True])
        >>> sweep.area(), round(sweep.average_precision(), 3)
        (0.5, 0.833)
    """

    place: npt.NDArray[np.int64]
    own: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, score: npt.ArrayLike, own: npt.ArrayLike) -> Sweep:
        """From scores [N] and whether each object is of the class [N]."""
        place = np.unique(-np.asarray(score, dtype=np.float64), return_inverse=True)[1]
        return cls(place, np.asarray(own, dtype=bool))

    def counts(self, rows: npt.NDArray[np.int64] | None = None) -> tuple[Float, Float]:
        """Objects of the class, and others, that pass each threshold; of some rows, with repeats, or of all."""
        place, own = (self.place, self.own) if rows is None else (self.place[rows], self.own[rows])
        size = int(self.place.max()) + 1
        passed = (np.cumsum(np.bincount(place[side], minlength=size)) for side in (own, ~own))
        right, wrong = (one.astype(np.float64) for one in passed)
        return right, wrong

    def area(self, rows: npt.NDArray[np.int64] | None = None) -> float:
        """Area under the ROC curve; NaN where the class, or every other, is absent."""
        right, wrong = self.counts(rows)
        if not right[-1] or not wrong[-1]:
            return float("nan")
        return float(np.trapezoid(np.insert(right, 0, 0) / right[-1], np.insert(wrong, 0, 0) / wrong[-1]))

    def average_precision(self, rows: npt.NDArray[np.int64] | None = None) -> float:
        """Mean precision, each threshold weighted by the recall that it adds; NaN where the class is absent."""
        right, wrong = self.counts(rows)
        if not right[-1]:
            return float("nan")
        return float((np.diff(right, prepend=0) / right[-1] * right / np.maximum(right + wrong, 1)).sum())

    def interval(
        self, name: str, *, groups: npt.NDArray[np.int64] | None, n_boot: int, seed: int
    ) -> tuple[float, float]:
        """Bootstrap interval of "area" or "average_precision", in which whole groups are drawn."""
        rows = np.arange(len(self.place))
        low, high = metrics.bootstrap(getattr(self, name), [rows], n_boot=n_boot, seed=seed, groups=groups)
        return float(low), float(high)


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
