"""Groups of vectors that nobody labelled: k-means, HDBSCAN and DBSCAN, behind one description of what was found.

HDBSCAN is that of the `hdbscan` package, not scikit-learn's: on a map its dual trees take O(N log N) where
scikit-learn's takes O(N^2) (benchmarks/downstream.py). Neither is quick in many dimensions, so methods by density
work on a map where there are many objects.

Sources: Campello, Moulavi & Sander 2013, PAKDD (HDBSCAN); Ester et al. 1996, KDD (DBSCAN).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from .silhouette import Silhouette, silhouettes

__all__ = ["Division", "Grouping", "divide"]

Floats = npt.NDArray[np.floating[Any]]
MOST_K = 12  # clusters that are tried
MINI_BATCH_ABOVE = 50_000  # vectors: k-means by mini-batches
MOST_IN_MANY_DIMENSIONS = 30_000  # vectors, for the methods by density
MANY_DIMENSIONS = 10
MOST_NEIGHBOURS = 500_000_000  # pairs within the radius of DBSCAN, 8 bytes each
SAMPLE = 1000  # points that are asked for their neighbours beforehand
CORE = 10  # neighbours that make a place dense


@dataclass(frozen=True)
class Grouping:
    """How groups are looked for.

    Args:
        method: "kmeans" on vectors; "hdbscan" or "dbscan" on a map, or on vectors; by default "hdbscan" on a map,
            else "kmeans".
        k: Number of clusters of k-means; 0 takes, of 2 to 12, the number with the largest silhouette.
        min_size: Fewest members of a cluster of HDBSCAN; 0 for one in a hundred, at least 5. Of DBSCAN: how many
            points within the radius, the point itself among them, make a place dense; 0 for 11.
        radius: How near neighbours are, for DBSCAN; 0 for the bend in the sorted distances to the 10th neighbour.
    """

    method: str = ""
    k: int = 0
    min_size: int = 0
    radius: float = 0.0


@dataclass(frozen=True)
class Division:
    """What was found.

    Args:
        labels: Cluster of each point int64 [N], 0 the largest; -1 for none.
        strength: Strength of membership float32 [N]: of HDBSCAN's, from 0 to 1; else 1 for members and 0 for none.
        parameters: How it was found.
        silhouettes: By number of clusters; without the points in no cluster.
    """

    labels: npt.NDArray[np.int64]
    strength: npt.NDArray[np.float32]
    parameters: dict[str, Any]
    silhouettes: dict[int, Silhouette] = field(default_factory=dict)


def divide(
    points: npt.ArrayLike, grouping: Grouping = Grouping(), *, vectors: npt.ArrayLike | None = None, seed: int = 0
) -> Division:
    """Groups of points.

    Args:
        points: Vectors [N, D], or places on a map [N, 2].
        grouping: How.
        vectors: Of the same objects [N, D'], where HDBSCAN and DBSCAN work on a map: their silhouette is then that of
            the vectors, as a map sets apart what is not.
        seed: Of k-means and of the silhouette's sample.

    Returns:
        The clusters, numbered by falling size, and their silhouette. HDBSCAN and DBSCAN may find none.

    Raises:
        InputError: If there are too few points, all are the same, or one is not finite.
        UsageError: If there is no such method or a number is out of range.

    Example:
        >>> divide([[0, 0], [0, 1], [9, 9], [9, 8], [8, 9]], Grouping("kmeans", k=2)).labels.tolist()
        [1, 1, 0, 0, 0]
    """
    x = np.asarray(points, dtype=np.float32)
    if x.ndim != 2 or len(x) < 3 or not np.isfinite(x).all():
        raise InputError(f"points: expected at least 3 of finite coordinates [N, D], found shape {x.shape}.")
    if (x == x[0]).all():
        raise InputError("points: all are the same, so there are no clusters. The space has collapsed.")
    if grouping.method not in METHODS:
        raise UsageError(f"no method {grouping.method!r} of clustering; there is: {', '.join(METHODS)}.")
    if grouping.k < 0 or grouping.min_size < 0 or not grouping.radius >= 0 or seed < 0:
        raise UsageError("k, min_size, radius and seed: expected 0 or more.")
    found = METHODS[grouping.method](x, grouping, seed)
    count, inside = int(found.labels.max()) + 1, found.labels >= 0
    if found.silhouettes or count < 2:
        return found
    judged = x if vectors is None else np.asarray(vectors, dtype=np.float32)
    [one] = silhouettes(judged[inside], [found.labels[inside]], seed=seed)
    return replace(found, silhouettes={count: one})


def _kmeans(x: Floats, grouping: Grouping, seed: int) -> Division:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    if grouping.k == 1 or grouping.k >= len(x):
        raise UsageError(f"k: expected 2 to {len(x) - 1} (fewer than the {len(x)} objects), found {grouping.k}.")
    kind = KMeans if len(x) <= MINI_BATCH_ABOVE else MiniBatchKMeans
    more = {} if kind is KMeans else {"batch_size": 8192}
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer distinct points than clusters: seen below
        for k in [grouping.k] if grouping.k else range(2, min(MOST_K, len(x) - 1) + 1):
            labels = kind(k, n_init=4, random_state=seed, **more).fit(x).labels_
            if len(np.unique(labels)) == k:
                found[k] = _by_size(labels)
    if not found:
        raise InputError(f"k: no {grouping.k or 2} clusters: so many of the {len(x)} points are the same. Use less.")
    scores = dict(zip(found, silhouettes(x, list(found.values()), seed=seed), strict=True))
    best = max(scores, key=lambda k: scores[k].value)
    parameters = {"k": best, "k_chosen_by": "user" if grouping.k else "silhouette", "kind": kind.__name__}
    return Division(found[best], np.ones(len(x), np.float32), parameters, scores)


def _hdbscan(x: Floats, grouping: Grouping, seed: int) -> Division:
    import hdbscan

    size = grouping.min_size or max(5, len(x) // 100)
    _refuse(x, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # between hdbscan and scikit-learn
        found = hdbscan.HDBSCAN(size, min_samples=min(size, CORE), core_dist_n_jobs=1).fit(x.astype(np.float64))
    parameters = {"min_size": size, "min_samples": min(size, CORE)}
    return Division(_by_size(found.labels_), np.asarray(found.probabilities_, dtype=np.float32), parameters)


def _dbscan(x: Floats, grouping: Grouping, seed: int) -> Division:
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    core = grouping.min_size - 1 if grouping.min_size else min(CORE, len(x) - 1)
    _refuse(x, core)
    tree = NearestNeighbors().fit(x)
    radius = grouping.radius or _bend(np.sort(tree.kneighbors(n_neighbors=core)[0][:, -1]))
    some = x[:: max(1, len(x) // SAMPLE)]
    pairs = np.mean([len(near) for near in tree.radius_neighbors(some, radius, False)]) * len(x)
    if pairs > MOST_NEIGHBOURS:
        raise InputError(
            f"radius: {radius:.3g} reaches {pairs / len(x):,.0f} neighbours of each of {len(x):,} objects, too many to "
            f"hold. Use a smaller radius, or hdbscan."
        )
    labels = DBSCAN(eps=radius, min_samples=core + 1).fit(x).labels_
    parameters = {"radius": float(radius), "min_samples": core + 1}
    return Division(_by_size(labels), (labels >= 0).astype(np.float32), parameters)


def _refuse(x: Floats, size: int) -> None:
    """Says what methods by density cannot do."""
    if not 2 <= size < len(x):
        raise InputError(f"min_size: expected 2 to {len(x) - 1} (fewer than the {len(x)} objects), found {size}.")
    if x.shape[1] > MANY_DIMENSIONS and len(x) > MOST_IN_MANY_DIMENSIONS:
        raise InputError(
            f"{len(x):,} vectors of {x.shape[1]} dimensions are too many for a method by density (at most "
            f"{MOST_IN_MANY_DIMENSIONS:,}). Make a map with project and give it with --map, or use kmeans."
        )


def _bend(rising: Floats) -> float:
    """Where a rising curve is farthest below its chord; of equal distances the distance itself."""
    across = np.linspace(0, 1, len(rising))
    height = (rising - rising[0]) / max(float(rising[-1] - rising[0]), 1e-12)
    bend = float(rising[int(np.argmax(across - height))])
    return bend if bend > 0 else float(rising[rising > 0][0]) if (rising > 0).any() else 1e-6


def _by_size(labels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The same clusters, numbered by falling size; equal ones in the order of their first members."""
    names, first, codes, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    clusters = np.flatnonzero(names >= 0)
    number = np.full(len(names), -1)
    number[clusters[np.lexsort((first[clusters], -counts[clusters]))]] = np.arange(len(clusters))
    return number[codes]


METHODS = {"kmeans": _kmeans, "hdbscan": _hdbscan, "dbscan": _dbscan}
