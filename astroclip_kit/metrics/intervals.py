"""How far a number would move with other objects: bootstrap and Wilson intervals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["bootstrap", "error_of_mean", "share_interval", "weighted_bootstrap", "wilson"]

BLOCK_VALUES = 2**21  # weights of resamples that are held at once, 16 MB
Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]


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
    codes = _codes(lengths.pop(), groups, n_boot)
    drawn = _draws(codes, n_boot, np.random.default_rng(seed))
    found = np.asarray([statistic(*(array[rows] for array in arrays)) for rows in drawn], dtype=np.float64)
    low, high = _percentiles(found, level)
    return (float(low), float(high)) if np.ndim(low) == 0 else (low, high)


def weighted_bootstrap(
    statistic: Callable[[Float], Any],
    size: int,
    *,
    n_boot: int = 1000,
    seed: int = 0,
    groups: Array | None = None,
    level: float = 0.95,
) -> tuple[Float, Float]:
    """The interval of `bootstrap`, of a statistic that takes many resamples at once, as weights.

    Args:
        statistic: From how often each row was drawn [N, B] to one number, or several, for each resample [..., B].
        size: Number of rows N.
        n_boot: Number of resamples.
        seed: Of the resampling; the rows that are drawn are those of `bootstrap`.
        groups: Group of each row [N]; whole groups are drawn, because their rows are not independent.
        level: Probability inside the interval.

    Returns:
        Lower and upper end [...]; resamples that give NaN are left out.

    Raises:
        InputError: If the lengths differ, there is no row, or `n_boot` is below 1.

    Example:
        >>> y = np.arange(100.0)
        >>> found = weighted_bootstrap(lambda drawn: y @ drawn / len(y), 100, seed=1)
        >>> np.allclose(found, bootstrap(np.mean, [y], seed=1))
        True
    """
    if size < 1 or (groups is not None and len(groups) != size):
        found = "" if groups is None else f" and {len(groups)} groups"
        raise InputError(f"bootstrap: expected at least one row and a group for each, found {size} rows{found}.")
    codes = _codes(size, groups, n_boot)
    rng, count = np.random.default_rng(seed), int(codes.max()) + 1
    parts: list[Float] = []
    while (left := n_boot - sum(part.shape[-1] for part in parts)) > 0:
        many = min(left, max(1, BLOCK_VALUES // size))
        place = rng.integers(0, count, (many, count)) * many + np.arange(many)[:, None]
        times = np.bincount(place.ravel(), minlength=count * many).reshape(count, many)
        parts.append(np.asarray(statistic(times[codes].astype(np.float64)), dtype=np.float64))
    low, high = _percentiles(np.moveaxis(np.concatenate(parts, axis=-1), -1, 0), level)
    return low, high


def _codes(size: int, groups: Array | None, n_boot: int) -> npt.NDArray[np.int64]:
    """Number of the group of each row [N]."""
    if n_boot < 1:
        raise InputError(f"bootstrap: expected at least one resample, found n_boot = {n_boot}.")
    return np.arange(size) if groups is None else np.unique(groups, return_inverse=True)[1]


def _percentiles(found: Float, level: float) -> tuple[Float, Float]:
    """Of resamples along the first axis; a statistic that is NaN in every resample stays NaN."""
    tail = 100 * (1 - level) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanpercentile(found, [tail, 100 - tail], axis=0)
    return low, high


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


def error_of_mean(values: npt.ArrayLike, test_share: float = 0.0) -> float:
    """Standard error of a mean over folds, or over repeated random splits of the same objects.

    Splits share most of their training objects, so that their values are alike: the variance of the mean is not
    s^2 / J but (1 / J + n_test / n_train) s^2 (Nadeau & Bengio 2003, Machine Learning 52, 239).

    Args:
        values: Of each of J splits.
        test_share: Share of the tested objects among those that train or are tested in each split, from 0 to below 1;
            0 for splits that share none.

    Returns:
        The error; NaN for fewer than two values.

    Raises:
        InputError: If the share is none.

    Example:
        >>> round(error_of_mean([0.92, 0.94, 0.96]), 4), round(error_of_mean([0.92, 0.94, 0.96], 0.25), 4)
        (0.0115, 0.0163)
    """
    if not 0 <= test_share < 1:
        raise InputError(f"test_share: expected a share of the objects from 0 to below 1, found {test_share}.")
    found = np.asarray(values, dtype=np.float64)
    if len(found) < 2:
        return math.nan
    return math.sqrt(found.var(ddof=1) * (1 / len(found) + test_share / (1 - test_share)))


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
