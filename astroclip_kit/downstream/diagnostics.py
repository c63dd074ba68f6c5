"""The standard diagnostics of a contrastive space: functions of unit vectors, with no labels needed.

alignment and uniformity: Wang & Isola 2020, ICML (arXiv:2005.10242), Eqs. 1 and 2. Modality gap: Liang et al. 2022,
NeurIPS (arXiv:2203.02053), Sect. 2. Effective rank: Roy & Vetterli 2007, EUSIPCO. Hubness: Radovanovic et al. 2010,
JMLR 11, 2487, Sect. 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..embeddings.index import ExactIndex
from ..errors import InputError
from ..types import Result

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["alignment", "diagnose", "effective_rank", "hubness", "modality_gap", "uniformity"]

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats, Floats], float]
MOST = 2000  # rows that are looked at: pairs grow with their square
PARTS = 20  # of the rows, for the intervals


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
    values = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
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
    asked, held = (_checked(z, name).astype(np.float32) for z, name in ((queries, "queries"), (memory, "memory")))
    if not 1 <= k < len(held):
        raise InputError(f"k: expected 1 to {len(held) - 1}, found {k}.")
    ids = np.arange(len(held))
    index = ExactIndex(held, ids) if own else ExactIndex(held)
    _, rows = index.search(asked, k, exclude=ids) if own else index.search(asked, k)
    counts = np.bincount(rows.ravel(), minlength=len(held)).astype(np.float64)
    spread = counts.std()
    return float(((counts - counts.mean()) ** 3).mean() / spread**3) if spread > 0 else 0.0


def diagnose(store: EmbeddingStore, *, k: int = 10, seed: int = 0) -> list[Result]:
    """All diagnostics of a store, of the held-out objects where there are any.

    Args:
        store: The space.
        k: Neighbours for the hubness.
        seed: Which objects are looked at, of more than 2,000.

    Returns:
        Results of task "space". Intervals are those of a delete-one-part jackknife over 20 parts of the objects.

    Raises:
        InputError: If a modality has too few objects.
    """
    chosen = (store.split == "test") if (store.split == "test").any() else np.ones(len(store), dtype=bool)
    rng = np.random.default_rng(seed)
    source = {name: store.manifest[name] for name in ("dataset", "origin")}
    results = []
    for query, target in [*((name, name) for name in store.names), *permutations(store.names, 2)]:
        rows = _some(store.present(query) & store.present(target) & chosen, rng)
        a, b = (_checked(store.vectors(name)[rows], name) for name in (query, target))
        for metric, statistic in _statistics(query, target, k).items():
            value, low, high = _jackknife(statistic, a, b)
            results.append(Result("space", query, target, "", metric, value, low, high, len(rows), seed, **source))
    return results


def _statistics(query: str, target: str, k: int) -> dict[str, Statistic]:
    """What is measured of one modality, or of two: symmetric numbers once, for the pair in order of its names."""
    if query == target:
        return {
            "uniformity": lambda a, _: uniformity(a),
            "effective_rank": lambda a, _: effective_rank(a),
            f"hubness@{k}": lambda a, _: hubness(a, a, k, own=True),
        }
    directed: dict[str, Statistic] = {f"hubness@{k}": lambda a, b: hubness(a, b, k)}
    return {"alignment": alignment, "modality_gap": modality_gap, **directed} if query < target else directed


def _some(mask: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    rows = np.flatnonzero(mask)
    return np.sort(rng.choice(rows, MOST, replace=False)) if len(rows) > MOST else rows


def _jackknife(statistic: Statistic, a: Floats, b: Floats) -> tuple[float, float, float]:
    """The value, and its 95 % interval from leaving out one part of the objects after another."""
    value, part = statistic(a, b), np.arange(len(a)) % min(PARTS, len(a))
    left = [statistic(a[part != out], b[part != out]) for out in range(part.max() + 1)]
    error = 1.96 * math.sqrt(part.max() * float(np.var(left)))
    return value, value - error, value + error
