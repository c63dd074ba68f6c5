"""How well separated the clusters of one or several divisions are: the silhouette, of all divisions in one pass.

Sources: Rousseeuw 1987, J. Comput. Appl. Math. 20, 53; Tibshirani, Walther & Hastie 2001, J. R. Stat. Soc. B 63, 411,
whose reference without clusters (b) is uniform along the principal axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["MOST_PAIRS", "Silhouette", "silhouettes", "without_clusters"]

MOST_PAIRS = 400_000_000  # distances: all of 20,000 objects; of more, those from a sample to everyone
BLOCK_VALUES = 2**22  # distances at once: 16 MB, which stay in the cache's reach
DRAWS, MOST_DRAWN = 3, 2000  # references without clusters, and vectors of each
VARIANCE = 0.9  # share of it along the axes of a reference: the rest is noise, or the bend of a curved sheet
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Silhouette:
    """Mean silhouette of a division: 1 far apart, 0 touching, below 0 wrongly assigned.

    Args:
        value: The mean.
        low: Lower end of its 95 % interval.
        high: Upper end of its 95 % interval.
        n: Number of objects that were averaged.
    """

    value: float
    low: float
    high: float
    n: int


def silhouettes(
    vectors: npt.ArrayLike, divisions: Sequence[npt.ArrayLike], *, pairs: int = MOST_PAIRS, seed: int = 0
) -> list[Silhouette]:
    """Mean silhouettes, by Euclidean distance, of several divisions of the same vectors.

    Distances are computed once for all divisions. Where there are too many, the silhouettes of a sample of objects
    are averaged; each of them is exact, because it takes its distances to all objects.

    Args:
        vectors: [N, D].
        divisions: Each the cluster of every vector [N], with at least two clusters.
        pairs: Most distances to compute.
        seed: Of the sample.

    Returns:
        One for each division, with the normal 95 % interval of the mean; an object alone in its cluster counts 0.

    Raises:
        InputError: If lengths differ, a vector is not finite, or a division has a single cluster.

    Example:
        >>> silhouettes([[0.0], [0.0], [3.0], [3.0]], [[0, 0, 1, 1]])[0].value
        1.0
    """
    x = np.asarray(vectors, dtype=np.float32)
    if x.ndim != 2 or not x.size or not np.isfinite(x).all():
        raise InputError(f"vectors: expected a matrix of finite numbers that is not empty, found shape {x.shape}.")
    coded = [np.unique(np.asarray(one), return_inverse=True) for one in divisions]
    for names, codes in coded:
        if codes.shape != (len(x),) or len(names) < 2:
            raise InputError(
                f"a division needs {len(x)} values and two clusters, found {codes.shape} and {len(names)}."
            )
    x = x - x.mean(axis=0)  # rounding errors grow with the distance from the origin
    rows = np.arange(len(x))
    if len(x) ** 2 > pairs:
        rows = np.sort(np.random.default_rng(seed).choice(len(x), max(2, pairs // len(x)), replace=False))
    sums = _sums(x, rows, np.concatenate([codes[:, None] == np.arange(len(names)) for names, codes in coded], axis=1))
    ends = np.cumsum([len(names) for names, _ in coded])[:-1]
    parts = zip(coded, np.split(sums, ends, axis=1), strict=True)
    return [_mean(_single(part, codes[rows], np.bincount(codes))) for (_, codes), part in parts]


def without_clusters(vectors: npt.ArrayLike, k: int, *, seed: int = 0) -> float:
    """The mean silhouette that k-means reaches on unit vectors without clusters: what a division must surpass.

    It depends on their spread: 0.01 in 128 directions alike, 0.35 on a sphere, 0.6 along an arc.

    Args:
        vectors: Unit vectors [N, D], whose mean, and variance along the axes that matter, the reference has.
        k: Number of clusters.
        seed: Of the reference, and of k-means.
    """
    from sklearn.cluster import KMeans

    x, rng = np.asarray(vectors, dtype=np.float64), np.random.default_rng(seed)
    variance, axes = np.linalg.eigh(np.atleast_2d(np.cov(x.T)))  # the smallest first
    kept = np.cumsum(variance.clip(0)) > (1 - VARIANCE) * variance.clip(0).sum()
    half_width, axes = np.sqrt(3 * variance[kept]), axes[:, kept]
    count, values = min(len(x), MOST_DRAWN), []
    for _ in range(DRAWS):
        drawn = rng.uniform(-half_width, half_width, (count, len(half_width))) @ axes.T + x.mean(axis=0)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        labels = KMeans(min(k, count // 2 + 1), n_init=4, random_state=seed).fit(drawn).labels_
        values.append(silhouettes(drawn, [labels])[0].value)
    return float(np.mean(values))


def _sums(x: Floats, rows: npt.NDArray[np.int64], member: npt.NDArray[np.bool_]) -> Floats:
    """Sum of distances [S, C] of each chosen row to the members of each cluster."""
    squared, weight = np.einsum("ij,ij->i", x, x), member.astype(np.float32)
    sums = np.empty((len(rows), member.shape[1]), np.float32)
    step = max(1, BLOCK_VALUES // len(x))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        distance = x[part] @ x.T
        distance *= -2
        distance += squared[part, None]
        distance += squared
        np.maximum(distance, 0, out=distance)
        distance[np.arange(len(part)), part] = 0
        sums[start : start + step] = np.sqrt(distance, out=distance) @ weight
    return sums


def _single(sums: Floats, own: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Silhouette of each row [S] from its sums of distances to the clusters [S, C]."""
    at = np.arange(len(sums))
    inside = sums[at, own] / np.maximum(counts[own] - 1, 1)
    means = sums / counts
    means[at, own] = np.inf
    outside = means.min(axis=1)
    largest = np.maximum(inside, outside)
    return np.where((counts[own] > 1) & (largest > 0), (outside - inside) / np.where(largest > 0, largest, 1), 0)


def _mean(values: npt.NDArray[np.float64]) -> Silhouette:
    value, half = float(values.mean()), 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values))
    return Silhouette(value, max(-1.0, value - half), min(1.0, value + half), len(values))
