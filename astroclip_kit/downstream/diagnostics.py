"""The standard diagnostics of a contrastive space: functions of unit vectors, with no labels needed.

alignment and uniformity: Wang & Isola 2020, ICML (arXiv:2005.10242), Eqs. 1 and 2. Modality gap: Liang et al. 2022,
NeurIPS (arXiv:2203.02053), Sect. 2. Effective rank: Roy & Vetterli 2007, EUSIPCO. Hubness: Radovanovic et al. 2010,
JMLR 11, 2487, Sect. 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..embeddings.index import ExactIndex
from ..errors import InputError
from ..types import Result
from .space import Space

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["alignment", "diagnose", "effective_rank", "hubness", "modality_gap", "uniformity"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Statistic = Callable[[Flags], float]  # of the objects that are kept
MOST = 2000  # rows that are looked at: pairs grow with their square
PARTS = 20  # of the rows, for the intervals
SPARE = 4  # neighbours for each that is needed, so that leaving out a part leaves enough


def _checked(z: npt.ArrayLike, name: str, least: int = 2) -> Floats:
    vectors = np.asarray(z, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) < least or not np.isfinite(vectors).all():
        raise InputError(f"{name}: expected at least {least} vectors [N, D] of finite numbers, found {vectors.shape}.")
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (norm > 0).all():
        raise InputError(f"{name}: vector {int(np.argmin(norm))} is zero. Leave out objects without the modality.")
    return np.asarray(vectors / norm)


def alignment(one: npt.ArrayLike, two: npt.ArrayLike) -> float:
    """Mean squared distance between the two views of an object; 0 is perfect, 2 that of unrelated directions.

    Args:
        one: Vectors [N, D] of one modality.
        two: Vectors [N, D] of the same objects in another.

    Raises:
        InputError: If the shapes differ, or a vector is zero or not finite.

    Example:
        >>> alignment(np.eye(2), np.eye(2)[::-1])
        2.0
    """
    a, b = _checked(one, "one", 1), _checked(two, "two", 1)
    if a.shape != b.shape:
        raise InputError(f"two views of the same objects are needed, found shapes {a.shape} and {b.shape}.")
    return float(((a - b) ** 2).sum(axis=1).mean())


def uniformity(z: npt.ArrayLike, t: float = 2.0) -> float:
    """Logarithm of the mean Gaussian potential of all pairs; the lower, the more evenly the sphere is filled.

    Args:
        z: Vectors [N, D].
        t: Width of the potential exp(-t d^2).

    Raises:
        InputError: If there are fewer than two vectors, or one is zero or not finite.

    Example:
        >>> uniformity([[1.0, 0.0], [-1.0, 0.0]])
        -8.0
    """
    vectors = _checked(z, "z")
    squared = 2 - 2 * (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float(np.log(np.exp(-t * squared).mean()))


def modality_gap(one: npt.ArrayLike, two: npt.ArrayLike) -> float:
    """Distance between the mean vectors of two modalities, from 0 to 2.

    Args:
        one: Vectors [N, D] of one modality.
        two: Vectors [M, D] of another.

    Raises:
        InputError: If the dimensions differ, or a vector is zero or not finite.
    """
    a, b = _checked(one, "one", 1), _checked(two, "two", 1)
    if a.shape[1] != b.shape[1]:
        raise InputError(f"vectors of one space are needed, found {a.shape[1]} and {b.shape[1]} dimensions.")
    return float(np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)))


def effective_rank(z: npt.ArrayLike) -> float:
    """How many dimensions the vectors use: exp of the entropy of their centred singular values, from 1 to D.

    Args:
        z: Vectors [N, D].

    Raises:
        InputError: If there are fewer than two vectors, one is zero or not finite, or all are the same.
    """
    vectors = _checked(z, "z")
    centred = vectors - vectors.mean(axis=0)
    squares = np.linalg.eigvalsh(centred.T @ centred if len(centred) > centred.shape[1] else centred @ centred.T)
    values = np.sqrt(squares.clip(min=0))
    if not values.sum() > 1e-9:
        raise InputError("z: all vectors are the same: the space has collapsed.")
    share = values[values > 0] / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def hubness(queries: npt.ArrayLike, memory: npt.ArrayLike, k: int = 10, *, own: bool = False) -> float:
    """Skewness of how often a row of the memory is among the k nearest; 0 is fair, large means that hubs answer all.

    Args:
        queries: Vectors [Q, D].
        memory: Vectors [M, D].
        k: Number of neighbours.
        own: Whether queries and memory are the same rows; a row is then not its own neighbour.

    Raises:
        InputError: If k does not fit the memory, or vectors are zero or not finite.
    """
    rows, count = _nearest(queries, memory, k, own), len(np.asarray(memory))
    return _skewness(np.bincount(rows.ravel(), minlength=count))


def _nearest(queries: npt.ArrayLike, memory: npt.ArrayLike, k: int, own: bool) -> Rows:
    asked, held = (_checked(z, name).astype(np.float32) for z, name in ((queries, "queries"), (memory, "memory")))
    if not 1 <= k < len(held):
        raise InputError(f"k: expected 1 to {len(held) - 1}, found {k}.")
    ids = np.arange(len(held))
    index = ExactIndex(held, ids) if own else ExactIndex(held)
    return (index.search(asked, k, exclude=ids) if own else index.search(asked, k))[1]


def _skewness(counts: npt.NDArray[np.int64]) -> float:
    spread = counts.std()
    return float(((counts - counts.mean()) ** 3).mean() / spread**3) if spread > 0 else 0.0


def diagnose(space: EmbeddingStore | Space, *, k: int = 10, seed: int = 0) -> list[Result]:
    """All diagnostics of a space, of the held-out objects where there are any.

    Args:
        space: A store, or its vectors.
        k: Neighbours for the hubness.
        seed: Which objects are looked at, of more than 2,000.

    Returns:
        Results of task "space". Intervals are those of a delete-one-part jackknife over 20 parts of the objects
        (whole groups). Where there are fewer than 2 k objects there is nothing; a collapsed space has no effective
        rank, which is then NaN.

    Raises:
        InputError: If a vector is not finite.
    """
    judged = space if isinstance(space, Space) else Space.of(space)
    held_out, rng = bool((judged.split == "test").any()), np.random.default_rng(seed)
    source = {name: judged.source[name] for name in ("seed", "dataset", "origin")}
    results = []
    for query, target in [*((name, name) for name in judged.names), *permutations(judged.names, 2)]:
        asked, held = (judged.rows(name, held_out=held_out) for name in (query, target))
        rows = _some(np.intersect1d(asked, held), rng)
        if len(rows) < 2 * k:
            continue
        a, b = (_checked(judged.vectors[name][rows], name) for name in (query, target))
        part = np.unique(judged.groups[rows], return_inverse=True)[1] % PARTS
        for metric, statistic in _statistics(query, target, a, b, k):
            value, low, high = _jackknife(statistic, part)
            about = "space", query, target, "", metric, value, low, high, len(rows)
            results.append(Result(*about, **source, space=judged.name))
    return results


def _statistics(query: str, target: str, a: Floats, b: Floats, k: int) -> Iterator[tuple[str, Statistic]]:
    """What is measured of one modality, or of two: symmetric numbers once, for the pair in order of its names.

    Each is a function of which objects are kept, with the work that all share done before.
    """
    if query == target:
        potential = np.exp(-4 * (1 - a @ a.T))
        yield "uniformity", lambda keep: _mean_potential(potential, keep)
        yield "effective_rank", lambda keep: effective_rank(a[keep])
    elif query < target:
        squared = ((a - b) ** 2).sum(axis=1)
        yield "alignment", lambda keep: float(squared[keep].mean())
        yield "modality_gap", lambda keep: float(np.linalg.norm((a - b)[keep].mean(axis=0)))
    near = _nearest(a, b, min(SPARE * k, len(b) - 1), query == target)
    yield f"hubness@{k}", lambda keep: _hubness_among(near, k, keep)


def _mean_potential(potential: Floats, keep: Flags) -> float:
    """Logarithm of the mean over pairs, whose potential with themselves is 1."""
    kept = keep.astype(np.float64)
    count = kept.sum()
    return float(np.log((kept @ potential @ kept - count) / (count * (count - 1))))


def _hubness_among(near: Rows, k: int, keep: Flags) -> float:
    """Hubness of the objects that are kept, from more neighbours than are needed."""
    chosen = keep[near] & keep[:, None]
    chosen &= np.cumsum(chosen, axis=1) <= k
    return _skewness(np.bincount(near[chosen], minlength=len(keep))[keep])


def _some(rows: Rows, rng: np.random.Generator) -> Rows:
    return np.sort(rng.choice(rows, MOST, replace=False)) if len(rows) > MOST else rows


def _jackknife(statistic: Statistic, part: Rows) -> tuple[float, float, float]:
    """The value, and its 95 % interval from leaving out one part of the objects after another."""
    try:
        value = statistic(part >= 0)
        left = [statistic(part != out) for out in np.unique(part)]
    except InputError:  # a collapsed space
        return math.nan, math.nan, math.nan
    error = 1.96 * math.sqrt((len(left) - 1) * float(np.var(left)))
    return value, value - error, value + error
