"""Whether the probabilities of classes can be believed: Brier score and expected calibration error."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = [
    "bin_of",
    "binned_error",
    "brier",
    "calibration_error",
    "calibration_interval",
    "confidence",
    "expected_calibration_error",
]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
BINS = 15


def _checked(probabilities: npt.ArrayLike, classes: Array, true: Array) -> tuple[Float, Array]:
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape != (len(true), len(classes)) or not p.size:
        raise InputError(f"probabilities: expected {(len(true), len(classes))} (objects, classes), found {p.shape}.")
    if not (np.isfinite(p).all() and (p >= 0).all() and np.allclose(p.sum(axis=1), 1, atol=1e-3)):
        raise InputError("probabilities: expected numbers from 0 that add up to 1 for each object.")
    return p, np.asarray(true)[:, None] == np.asarray(classes)


def brier(probabilities: npt.ArrayLike, classes: Array, true: Array) -> Float:
    """Squared error of the probabilities of all classes, per object [N]; its mean is the Brier score.

    0 is perfect, 2 is certain of a wrong class (Brier 1950, Mon. Weather Rev. 78, 1, Eq. 2).

    Args:
        probabilities: Of each class [N, C].
        classes: Their names [C].
        true: Class of each object [N]; one that is not among `classes` was given the probability 0.

    Raises:
        InputError: If the lengths do not fit or rows are no probabilities.

    Example:
        >>> brier([[0.8, 0.2], [0.8, 0.2]], np.array(["QSO", "STAR"]), np.array(["QSO", "STAR"])).round(2)
        array([0.08, 1.28])
    """
    p, right = _checked(probabilities, classes, true)
    return np.asarray(((p - right) ** 2).sum(axis=1) + ~right.any(axis=1))


def confidence(probabilities: npt.ArrayLike, classes: Array, true: Array) -> tuple[Float, npt.NDArray[np.bool_]]:
    """Probability of the most probable class [N], and whether it is the true one [N].

    Args:
        probabilities: Of each class [N, C].
        classes: Their names [C].
        true: Class of each object [N].

    Raises:
        InputError: If the lengths do not fit or rows are no probabilities.
    """
    p, right = _checked(probabilities, classes, true)
    said = p.argmax(axis=1)
    rows = np.arange(len(p))
    return p[rows, said], right[rows, said]


def calibration_error(sure: Float, right: Array, groups: Array | None = None) -> float:
    """The expected calibration error without what the noise of few objects adds, see `calibration_interval`.

    Args:
        sure: Probability of the class that was named [N].
        right: Whether it is the true one [N].
        groups: Object of each row [N]; each its own by default.
    """
    return calibration_interval(sure, right, groups)[0]


def calibration_interval(
    sure: Float, right: Array, groups: Array | None = None, half_width: float = 0.0
) -> tuple[float, float, float]:
    """The expected calibration error without what the noise of few objects adds, and its interval.

    The sum of |accuracy - confidence| over bins is never below that of perfect probabilities drawn as often. Taken is
    the one distance between accuracy and confidence, the same in all bins, at which that sum is expected to be what it
    is: the mean of a folded normal distribution in each bin (Leone et al. 1961, Technometrics 3, 543); 0 where the sum
    is as small as noise alone makes it.

    Args:
        sure: Probability of the class that was named [N].
        right: Whether it is the true one [N].
        groups: Object of each row [N], whose rows are not independent; each its own by default.
        half_width: Of the interval of the sum, as a bootstrap gives it.

    Returns:
        Value, low and high, of which none is below 0.
    """
    from scipy.special import erf

    place, off = bin_of(sure), right - sure
    owner = np.arange(len(off)) if groups is None else np.unique(groups, return_inverse=True)[1]
    cell, at = np.unique(owner * BINS + place, return_inverse=True)
    variance = np.bincount(cell % BINS, np.bincount(at, off) ** 2, BINS)
    noise = np.sqrt(variance).clip(min=1e-9) / len(off)
    gap = np.linspace(0, 1, 1001)
    mean = gap[:, None] * np.bincount(place, minlength=BINS) / len(off)
    folded = noise * np.sqrt(2 / np.pi) * np.exp(-((mean / noise) ** 2) / 2) + mean * erf(mean / noise / np.sqrt(2))
    found = binned_error(sure, right) + np.array([0, -1, 1]) * half_width
    value, low, high = np.interp(found, folded.sum(axis=1), gap)
    return float(value), float(low), float(high)


def bin_of(sure: Float) -> npt.NDArray[np.int64]:
    """Which of 15 equally wide bins each probability [N] falls into."""
    return np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)


def binned_error(sure: Float, right: Array) -> float:
    """Mean over the objects of |accuracy - confidence| of their bin, of 15 equally wide ones.

    Args:
        sure: Probability of the class that was named [N].
        right: Whether it is the true one [N].
    """
    return float(np.abs(np.bincount(bin_of(sure), right - sure, BINS)).sum() / len(sure))


def expected_calibration_error(probabilities: npt.ArrayLike, classes: Array, true: Array) -> float:
    """Expected calibration error (Guo et al. 2017, ICML, arXiv:1706.04599, Eq. 3): 0 is perfect, 1 the worst.

    Few objects make it too large, even of perfect probabilities: `calibration_interval` takes that away.

    Args:
        probabilities: Of each class [N, C].
        classes: Their names [C].
        true: Class of each object [N].

    Raises:
        InputError: If the lengths do not fit or rows are no probabilities.

    Example:
        >>> true = np.array(["a"] * 7 + ["b"] * 3)
        >>> round(expected_calibration_error([[0.9, 0.1]] * 10, np.array(["a", "b"]), true), 3)
        0.2
    """
    return binned_error(*confidence(probabilities, classes, true))
