"""How properties are read off neighbours."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError

__all__ = ["Prediction"]


@dataclass(frozen=True)
class Prediction:
    """How properties are read off neighbours.

    Args:
        k: Number of neighbours; rows of the object's own group are never among them.
        weights: "distance" or "uniform".
        coverage: How often the interval, or set of classes, is to hold the truth, from 0.5 to below 1; 0 for
            none.
        calibration: Share of the memory's objects that is set apart to calibrate intervals.
        least_support: Percentile of what is usual in the memory below which a prediction is not supported: that of its
            support, and that of how familiar its input looks. Each leaves out about as many honest objects.
        seed: Which objects calibrate.

    Raises:
        UsageError: If a number is out of its range, or the weights are unknown.

    Example:
        >>> Prediction(coverage=0.9).calibration  # a fifth of the objects says how far predictions are off
        0.2
    """

    k: int = 16
    weights: str = "distance"
    coverage: float = 0.0
    calibration: float = 0.2
    least_support: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what means nothing."""
        if self.weights not in ("distance", "uniform"):
            raise UsageError(f"expected weights distance or uniform, found {self.weights}.")
        if self.coverage and not 0.5 <= self.coverage < 1:
            raise UsageError(f"coverage is {self.coverage}, expected 0.5 to below 1, e.g. 0.9, or 0 for no intervals.")
        if not 0 < self.calibration < 1:
            raise UsageError(f"calibration is {self.calibration}, expected a share above 0 and below 1.")
        if not 0 <= self.least_support <= 100:
            raise UsageError(f"least_support is {self.least_support}, expected a percentile from 0 to 100.")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}, expected 0 or more.")
