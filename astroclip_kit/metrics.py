"""Numbers that judge a space or a prediction: pure functions on arrays, with guarded inputs.

Every function refuses arrays of unequal length, empty ones and NaN: what cannot be judged has to be left out
(and counted) by whoever calls, never silently here.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError

__all__ = [
    "accuracy",
    "balanced_accuracy",
    "bootstrap",
    "chance_median_rank",
    "chance_recall",
    "macro_f1",
    "median_rank",
    "nmad",
    "outlier_fraction",
    "per_class",
    "r2",
    "recall_at_k",
    "share_interval",
    "wilson",
]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]


def _ranks(ranks: npt.ArrayLike) -> Float:
    values = np.asarray(ranks, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise InputError(f"ranks: expected at least one rank in one axis, found shape {values.shape}.")
    if not (values >= 1).all():
        raise InputError("ranks start at 1 (the best match); found a smaller rank or NaN.")
    return values


def recall_at_k(ranks: npt.ArrayLike, k: int) -> float:
    """Share of the queries whose first hit is among the top k.

    Args:
        ranks: Rank of the first hit of each query [Q]; 1 is the best.
        k: Number of matches that count.

    Raises:
        InputError: If there are no ranks, a rank is below 1, or k is.
    """
    if k < 1:
        raise InputError(f"k: expected at least 1, found {k}.")
    return float(np.mean(_ranks(ranks) <= k))


def median_rank(ranks: npt.ArrayLike) -> float:
    """Median rank of the first hit [Q].

    Raises:
        InputError: If there are no ranks or a rank is below 1.
    """
    return float(np.median(_ranks(ranks)))


def chance_recall(hits: npt.ArrayLike, candidates: npt.ArrayLike, k: int) -> float:
    """Recall@k of guessing: mean over the queries of 1 - C(n - h, k) / C(n, k).

    Args:
        hits: Right answers per query [Q].
        candidates: Candidates per query [Q].
        k: Number of matches that count.
    """
    h, n = np.asarray(hits, dtype=np.float64), np.asarray(candidates, dtype=np.float64)
    miss = np.ones_like(h)
    for draw in range(k):
        left = n - draw
        miss *= np.clip(left - h, 0, None) / np.maximum(left, 1)
    return float(np.mean(1 - miss))


def chance_median_rank(hits: npt.ArrayLike, candidates: npt.ArrayLike) -> float:
    """Median over the queries of (n + 1) / (h + 1), the expected rank of the first of h hits among n."""
    return float(np.median((np.asarray(candidates) + 1) / (np.asarray(hits) + 1)))


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


def _classes(true: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Array, npt.NDArray[np.int64]]:
    """Names [C] and confusion counts [C, C], true class by predicted class."""
    y, p = np.asarray(true), np.asarray(predicted)
    if y.ndim != 1 or y.shape != p.shape or not y.size:
        raise InputError(f"true and predicted: expected equal lengths above 0, found shapes {y.shape} and {p.shape}.")
    names, codes = np.unique(np.concatenate([y, p]), return_inverse=True)
    size = len(names)
    pairs = codes[: len(y)] * size + codes[len(y) :]
    return names, np.bincount(pairs, minlength=size * size).reshape(size, size)


def accuracy(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Share of the objects whose class is right.

    Args:
        true: Classes [N].
        predicted: Predicted classes [N].

    Raises:
        InputError: If the lengths differ or there is no object.
    """
    counts = _classes(true, predicted)[1]
    return float(np.trace(counts) / counts.sum())


def balanced_accuracy(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean recall of the classes that occur in `true` [N]; 1 / C for whoever always says the same."""
    counts = _classes(true, predicted)[1]
    found = counts.sum(axis=1) > 0
    return float(np.mean(np.diag(counts)[found] / counts.sum(axis=1)[found]))


def macro_f1(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Mean F1 of the classes that occur in `true` or `predicted` [N]; a class never found counts 0."""
    counts = _classes(true, predicted)[1]
    return float(np.mean(2 * np.diag(counts) / (counts.sum(axis=0) + counts.sum(axis=1))))


def per_class(true: npt.ArrayLike, predicted: npt.ArrayLike) -> dict[str, dict[str, float]]:
    """Precision, recall, F1, one-vs-rest accuracy and count of every class.

    Args:
        true: Classes [N].
        predicted: Predicted classes [N].

    Returns:
        Class to its numbers; a precision or recall of 0 / 0 is 0.
    """
    names, counts = _classes(true, predicted)
    right, said, real = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    columns = {
        "precision": right / np.maximum(said, 1),
        "recall": right / np.maximum(real, 1),
        "f1": 2 * right / (said + real),
        "accuracy": 1 - (said + real - 2 * right) / counts.sum(),
        "n": real,
    }
    return {str(name): {key: float(column[i]) for key, column in columns.items()} for i, name in enumerate(names)}


def bootstrap(
    statistic: Callable[..., Any],
    arrays: Sequence[Array],
    *,
    n_boot: int = 1000,
    seed: int = 0,
    groups: Array | None = None,
    level: float = 0.95,
) -> tuple[Any, Any]:
    """Percentile interval of a statistic over resampled objects (Efron 1979).

    Args:
        statistic: Function of the arrays that gives a number, or an array of numbers.
        arrays: Arrays of equal length N, resampled together along their first axis.
        n_boot: Number of resamples.
        seed: Of the resampling.
        groups: Group of each row [N]; whole groups are drawn, because their rows are not independent.
        level: Probability inside the interval.

    Returns:
        Lower and upper end, each of the shape that `statistic` gives; resamples that give NaN are left out.

    Raises:
        InputError: If the lengths differ, there is no row, or `n_boot` is below 1.

    Example:
        >>> low, high = bootstrap(np.mean, [np.arange(100.0)], seed=1)
        >>> low < 49.5 < high
        True
    """
    lengths = {len(array) for array in arrays} | ({len(groups)} if groups is not None else set())
    if len(lengths) != 1 or 0 in lengths:
        raise InputError(f"bootstrap: expected arrays of one length above 0, found lengths {sorted(lengths)}.")
    if n_boot < 1:
        raise InputError(f"bootstrap: expected at least one resample, found n_boot = {n_boot}.")
    codes = np.arange(lengths.pop()) if groups is None else np.unique(groups, return_inverse=True)[1]
    drawn = _draws(codes, n_boot, np.random.default_rng(seed))
    found = np.asarray([statistic(*(array[rows] for array in arrays)) for rows in drawn], dtype=np.float64)
    tail = 100 * (1 - level) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a statistic that is NaN in every resample stays NaN
        low, high = np.nanpercentile(found, [tail, 100 - tail], axis=0)
    return (float(low), float(high)) if np.ndim(low) == 0 else (low, high)


def _draws(codes: npt.NDArray[np.int64], n_boot: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of as many groups as there are, drawn with replacement, each with all its rows."""
    order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes)
    first = np.cumsum(sizes) - sizes
    for _ in range(n_boot):
        drawn = rng.integers(0, len(sizes), len(sizes))
        if len(sizes) == len(codes):
            yield drawn
            continue
        many = sizes[drawn]
        yield order[np.repeat(first[drawn] - np.cumsum(many) + many, many) + np.arange(many.sum())]


def wilson(share: float, trials: float) -> tuple[float, float]:
    """95 % interval of a share of independent trials (Wilson 1927, JASA 22, 209).

    Example:
        >>> [round(end, 3) for end in wilson(0.0, 50)]
        [0.0, 0.071]
    """
    z = 1.959964
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def share_interval(share: float, low: float, high: float, trials: float) -> tuple[float, float]:
    """The interval of a share: that of a bootstrap, or Wilson's where resamples of nothing, or all, cannot differ.

    Args:
        share: What was found; 0 or 1 is where a bootstrap may have no width.
        low: Lower end of the bootstrap.
        high: Upper end of the bootstrap.
        trials: Number of independent objects, not of rows.

    Example:
        >>> share_interval(0.5, 0.4, 0.6, 100), share_interval(1.0, 1.0, 1.0, 100)[1]
        ((0.4, 0.6), 1.0)
    """
    return wilson(share, trials) if low == high and share in (0, 1) else (low, high)
