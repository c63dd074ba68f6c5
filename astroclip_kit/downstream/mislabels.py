"""Labels that do not fit: an object that is far from its own class and near another.

Sources: Wilson 1972, IEEE Trans. SMC 2, 408 (labels against those of the neighbours); Zhu, Dong & Liu 2022, ICML,
arXiv:2110.06283 (the same in a space of learned features).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .centroids import class_sums, directions
from .knn import vote, weigh
from .oddness import Near, nearest_others

__all__ = ["LabelScores", "label_scores"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
TIE = 1e-3  # of the difference between centroids: it orders those whose neighbours are unanimous
ROWS = 8192  # per block


@dataclass(frozen=True)
class LabelScores:
    """How badly the label of each object fits; larger is worse.

    Args:
        class_distance: 1 - cosine with the centroid of the own class, without the own group [N]; NaN for the only
            object of a class.
        label_centroid: Cosine with the nearest centroid of another class, less that with the own one [N]; from -2 to
            2, above 0 where another class is nearer.
        label_neighbours: Weight of the most frequent other class among the neighbours, less that of the own class
            [N]; from -1 to 1, above 0 where another class has more. Equal ones are told apart by `label_centroid`.
        suggested: The other class with the most weight among the neighbours; the nearest where all neighbours are of
            the own class [N].
        share: Weight of the suggested class among the neighbours [N].
    """

    class_distance: Float
    label_centroid: Float
    label_neighbours: Float
    suggested: Array
    share: Float


def label_scores(
    vectors: npt.ArrayLike, labels: npt.ArrayLike, groups: npt.ArrayLike, k: int = 10, near: Near | None = None
) -> LabelScores:
    """Compares each object's label with the classes around it.

    The more frequent a class, the more of its members are anyone's neighbours: objects of rare classes score higher.

    Args:
        vectors: Vectors of one modality [N, D].
        labels: Class of each row [N]; at least two different ones.
        groups: Astrophysical object of each row [N]; its rows are neither its neighbours nor in its centroid.
        k: Number of neighbours, which vote by inverse distance.
        near: The neighbours, where they are known already.

    Raises:
        InputError: If there is one class only, k is larger than the number of others, or a vector is zero or NaN.

    Example:
        >>> found = label_scores([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1]], list("aabbb"), list("12345"), k=2)
        >>> int(found.label_neighbours.argmax()), str(found.suggested[2])
        (2, 'a')
    """
    z, groups = np.asarray(vectors, np.float32), np.unique(np.asarray(groups), return_inverse=True)[1]
    names, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    if len(names) < 2:
        raise InputError(f"labels: expected at least two classes, found {len(names)}. Nothing can be mislabelled.")
    rows, distance = near or nearest_others(z, groups, k)
    votes = vote(codes[rows], weigh(distance, "distance"), np.arange(len(names)))[2]
    at = np.arange(len(z))
    own, nearest, farther = _centroids(z, codes, groups, len(names))
    others = votes.copy()
    others[at, codes] = -1
    suggested = np.where(others.max(axis=1) > 0, others.argmax(axis=1), nearest)
    margin = farther - own
    difference = others.max(axis=1) - votes[at, codes] + TIE * np.nan_to_num(margin)
    return LabelScores(1 - own, margin, difference, names[suggested], votes[at, suggested])


def _centroids(z: Array, codes: Array, groups: Array, count: int) -> tuple[Float, Array, Float]:
    """Cosine [N] with the centroid of the own class, the nearest other class [N] and the cosine with it [N]."""
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    sums = class_sums(unit, codes, count)
    pairs = np.unique(groups * count + codes, return_inverse=True)[1]
    alone = class_sums(unit, pairs, int(pairs.max()) + 1)
    centres = directions(sums)
    own, nearest, similarity = np.empty(len(z)), np.empty(len(z), np.int64), np.empty(len(z))
    for start in range(0, len(z), ROWS):
        part = slice(start, start + ROWS)
        rest = directions(sums[codes[part]] - alone[pairs[part]])
        own[part] = np.einsum("ij,ij->i", unit[part], rest)
        cosine = np.nan_to_num(unit[part] @ centres.T, nan=-1.0)
        cosine[np.arange(len(cosine)), codes[part]] = -np.inf
        nearest[part], similarity[part] = cosine.argmax(axis=1), cosine.max(axis=1)
    return own, nearest, similarity
