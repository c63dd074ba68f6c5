"""How close predicted numbers are to measured ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["nmad", "outlier_fraction", "r2"]

Float = npt.NDArray[np.float64]


def _numbers(true: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Float, Float]:
    y, p = np.asarray(true, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape or not y.size:
        raise InputError(f"true and predicted: expected equal lengths above 0, found shapes {y.shape} and {p.shape}.")
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise InputError("true and predicted: found NaN or infinity. Leave out what is missing first.")
    return y, p


def r2(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Coefficient of determination: 1 - sum (y - p)^2 / sum (y - mean y)^2; NaN where all y are equal.

    Args:
        true: Measured values [N].
        predicted: Predicted values [N].

    Raises:
        InputError: If the lengths differ, or a value is not finite.
    """
    y, p = _numbers(true, predicted)
    total = np.sum((y - y.mean()) ** 2)
    return float(1 - np.sum((y - p) ** 2) / total) if total > 0 else float("nan")


def _residual(true: npt.ArrayLike, predicted: npt.ArrayLike, redshift: bool) -> Float:
    y, p = _numbers(true, predicted)
    return (p - y) / (1 + y) if redshift else p - y


def nmad(true: npt.ArrayLike, predicted: npt.ArrayLike, *, redshift: bool = False) -> float:
    """Normalised median absolute deviation: 1.4826 median |d - median d|.

    Args:
        true: Measured values [N].
        predicted: Predicted values [N].
        redshift: Whether d is (p - z) / (1 + z) instead of p - y (Brammer et al. 2008, ApJ 686, 1503).
    """
    d = _residual(true, predicted, redshift)
    return float(1.4826 * np.median(np.abs(d - np.median(d))))


def outlier_fraction(true: npt.ArrayLike, predicted: npt.ArrayLike, *, threshold: float = 0.15) -> float:
    """Share of redshifts with |p - z| / (1 + z) above the threshold (Hildebrandt et al. 2010, A&A 523, A31).

    Args:
        true: Measured redshifts [N].
        predicted: Predicted redshifts [N].
        threshold: Largest deviation that is no outlier.
    """
    return float(np.mean(np.abs(_residual(true, predicted, redshift=True)) > threshold))
