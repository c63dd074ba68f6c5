"""How far clusters agree with a class that is known: adjusted mutual information and adjusted Rand index.

Sources: Vinh, Epps & Bailey 2010, JMLR 11, 2837 (AMI); Hubert & Arabie 1985, J. Classif. 2, 193 (ARI).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["agreement"]

Floats = npt.NDArray[np.float64]


def agreement(
    clusters: npt.ArrayLike,
    classes: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    n_boot: int = 500,
    seed: int = 0,
) -> dict[str, tuple[float, float, float]]:
    """AMI and ARI of two divisions of the same objects, with 95 % intervals: 1 the same, 0 as by chance.

    Resampling adds agreement of its own, as a small sample does; the intervals are those of the resampled numbers
    around their mean, put around the number that was measured.

    Args:
        clusters: [N].
        classes: [N].
        groups: Astrophysical object of each row [N]; whole objects are drawn.
        n_boot: Number of resamples.
        seed: Of the resampling.

    Returns:
        "ami" and "ari" to value, low and high.

    Raises:
        InputError: If the lengths differ or there is no object.

    Example:
        >>> agreement([0, 0, 1, 1], ["a", "a", "b", "b"])["ari"][0]
        1.0
    """
    one, two = (np.unique(np.asarray(part), return_inverse=True)[1] for part in (clusters, classes))
    if one.shape != two.shape or not one.size:
        raise InputError(f"clusters and classes: expected equal lengths above 0, found {one.shape} and {two.shape}.")
    shape = int(one.max()) + 1, int(two.max()) + 1
    cells = one * shape[1] + two
    owner = np.arange(len(cells)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    table = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(1, *shape)
    expected = _expected(table[0])
    drawn = _resampled(table, cells, owner, n_boot, np.random.default_rng(seed))
    numbers = {}
    for name, measure in {"ami": lambda tables: _ami(tables, expected), "ari": _ari}.items():
        value, others = float(measure(table)[0]), measure(drawn)
        low, high = value + np.percentile(others, [2.5, 97.5]) - others.mean()
        numbers[name] = value, float(low), min(1.0, float(high))
    return numbers


def _expected(table: npt.NDArray[np.int64]) -> float:
    """Mutual information that the margins give by chance; a resample's margins hardly differ."""
    from sklearn.metrics.cluster import expected_mutual_information

    return float(expected_mutual_information(table.astype(np.int64), int(table.sum())))


def _resampled(table: Any, cells: Any, owner: Any, n_boot: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Tables [B, R, C] of drawn objects, each object with all its rows."""
    count = int(owner.max()) + 1
    if count == len(cells):
        return rng.multinomial(count, table.ravel() / count, n_boot).reshape(n_boot, *table.shape[1:])
    weights = (np.bincount(rng.integers(0, count, count), minlength=count)[owner] for _ in range(n_boot))
    tables = [np.bincount(cells, weights=weight, minlength=table.size) for weight in weights]
    return np.asarray(tables, dtype=np.int64).reshape(n_boot, *table.shape[1:])


def _entropy(counts: Any, axes: tuple[int, ...]) -> Floats:
    share = counts / counts.sum(axis=axes, keepdims=True)
    return np.asarray(-(share * np.log(np.where(share > 0, share, 1))).sum(axis=axes))


def _ami(tables: npt.NDArray[np.int64], expected: float) -> Floats:
    """Of tables [B, R, C]; two divisions into a single part agree."""
    rows, columns = _entropy(tables.sum(axis=2), (1,)), _entropy(tables.sum(axis=1), (1,))
    shared = rows + columns - _entropy(tables, (1, 2))
    room = (rows + columns) / 2 - expected
    return np.where(np.abs(room) > 1e-12, (shared - expected) / np.where(np.abs(room) > 1e-12, room, 1), 1.0)


def _ari(tables: npt.NDArray[np.int64]) -> Floats:
    """Of tables [B, R, C]; two divisions into a single part agree."""
    pairs = [(part * (part - 1.0) / 2).sum(axis=-1) for part in (tables.sum(axis=2), tables.sum(axis=1))]
    both = (tables * (tables - 1.0) / 2).sum(axis=(1, 2))
    count = tables.sum(axis=(1, 2)).astype(np.float64)
    chance = pairs[0] * pairs[1] / np.maximum(count * (count - 1) / 2, 1)
    room = (pairs[0] + pairs[1]) / 2 - chance
    return np.where(room > 0, (both - chance) / np.where(room > 0, room, 1), 1.0)
