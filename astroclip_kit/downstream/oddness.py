"""How odd each vector is among all others, with no label; larger is odder.

Sources: Ramaswamy et al. 2000, SIGMOD (distance to neighbours); Liu, Ting & Zhou 2008, ICDM (isolation forest).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .centring import centre
from .knn import neighbours

__all__ = ["Near", "disagreement", "isolation", "nearest_others", "tails"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Near = tuple[npt.NDArray[np.int64], Float]
TREES = 200
MOST = 10_000  # objects that the own counterpart is compared with: its rank is then known to 0.5 %
BLOCK_VALUES = 2**23


def nearest_others(vectors: npt.ArrayLike, groups: npt.ArrayLike, k: int = 10) -> Near:
    """Rows of the k nearest vectors of other objects and their distances (1 - cosine), both [N, k], nearest first.

    Args:
        vectors: Vectors of one modality [N, D].
        groups: Astrophysical object of each row [N]; its other rows are no neighbours.
        k: Number of neighbours.

    Raises:
        InputError: If k is larger than the number of others, or a vector is zero or NaN.

    Example:
        >>> nearest_others([[1, 0], [1, 0.1], [0, 1]], ["a", "b", "c"], k=1)[0].ravel()
        array([1, 0, 1])
    """
    z, codes = np.asarray(vectors, np.float32), np.unique(np.asarray(groups), return_inverse=True)[1]
    return neighbours(z, z, k, "cosine", codes, codes)


def isolation(vectors: npt.ArrayLike, seed: int = 0) -> Float:
    """Anomaly score [N] of an isolation forest: 0 to 1, about 0.5 for what is no different from the others.

    Args:
        vectors: Vectors of one modality [N, D].
        seed: Of the trees.
    """
    from sklearn.ensemble import IsolationForest

    z = np.asarray(vectors, np.float32)
    return np.asarray(-IsolationForest(n_estimators=TREES, random_state=seed).fit(z).score_samples(z), dtype=np.float64)


def disagreement(one: npt.ArrayLike, other: npt.ArrayLike, groups: npt.ArrayLike, seed: int = 0) -> tuple[Float, Float]:
    """How far two modalities of the same object are from each other.

    The mean of each modality is removed first: the gap between two modalities is no disagreement.

    Args:
        one: Vectors of the modality that asks [N, D].
        other: Vectors of the same objects in another modality [N, D].
        groups: Astrophysical object of each row [N].
        seed: Of the objects that the own counterpart is compared with, where there are more than 10,000.

    Returns:
        1 - cosine of the two [N]; and the share of other objects whose counterpart is nearer than the own one [N],
        0 where an object finds itself, 0.5 where it guesses.

    Raises:
        InputError: If there are fewer than two objects, or a vector is the mean of all.
    """
    groups = np.asarray(groups)
    if len(np.unique(groups)) < 2:
        raise InputError(f"disagreement: expected at least 2 objects that have both modalities, found {len(groups)}.")
    everyone = np.ones(len(groups), dtype=bool)
    a, b = (centre(vectors, everyone, everyone) for vectors in (one, other))
    own = np.einsum("ij,ij->i", a, b)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(b))[:MOST])
    codes = np.unique(groups, return_inverse=True)[1]
    rank = np.empty(len(a))
    step = max(1, BLOCK_VALUES // len(drawn))
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        similarity = a[part] @ b[drawn].T
        foreign = codes[part, None] != codes[drawn]
        nearer = (foreign & (similarity > own[part, None])).sum(axis=1)
        rank[part] = nearer / np.maximum(foreign.sum(axis=1), 1)
    return 1 - own.astype(np.float64), rank


def tails(score: Float) -> Float:
    """Share of the objects [N] whose score is at least as large, ties shared; NaN where there is none.

    Args:
        score: Of each object [N].

    Example:
        >>> tails(np.array([1.0, 3.0, 2.0, np.nan])).round(2).tolist()
        [0.83, 0.17, 0.5, nan]
    """
    from scipy.stats import rankdata

    known = np.isfinite(score)
    share = np.full(len(score), np.nan)
    share[known] = (rankdata(-score[known]) - 0.5) / max(1, known.sum())
    return share
