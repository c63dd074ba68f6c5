"""Labels that do not fit: an object that is far from its own class and near another, or that models call otherwise.

Sources: Rizhko & Bloom 2025, AJ, doi:10.3847/1538-3881/adcbad (distance to centroids); Wilson 1972, IEEE Trans. SMC 2,
408 (labels against those of the neighbours); Zhu, Dong & Liu 2022, ICML, arXiv:2110.06283 (the same in a space of
learned features).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .centroids import class_sums, directions
from .class_odds import class_factors, class_odds, label_odds
from .knn import vote, weigh
from .oddness import Near, nearest_others

__all__ = ["LabelScores", "class_distances", "label_scores"]

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
        label_odds: Logarithm of the odds of the likeliest other class against the own one, by models that were fitted
            without the object [N], see `class_odds`; NaN for the only object of a class.
        label_centroid: Cosine with the nearest centroid of another class, less that with the own one [N]; from -2 to
            2, above 0 where another class is nearer.
        label_neighbours: Weight of the most frequent other class among the neighbours, less that of the own class
            [N]; from -1 to 1, above 0 where another class has more. Equal ones are told apart by `label_centroid`.
        suggested: The likeliest other class, or that with the nearest centroid where it is not known [N].
        share: Weight of the suggested class among the neighbours [N].
    """

    class_distance: Float
    label_odds: Float
    label_centroid: Float
    label_neighbours: Float
    suggested: Array
    share: Float


def label_scores(
    vectors: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    k: int = 10,
    near: Near | None = None,
    *,
    views: Sequence[npt.ArrayLike] = (),
    seed: int = 0,
) -> LabelScores:
    """Compares each object's label with the classes around it.

    The more frequent a class, the more of its members are anyone's neighbours: by neighbours, objects of rare classes
    score higher.

    Args:
        vectors: Vectors of one modality, or the mean of several [N, D].
        labels: Class of each row [N]; at least two different ones.
        groups: Astrophysical object of each row [N]; its rows are neither its neighbours nor in its centroid.
        k: Number of neighbours, which vote by inverse distance.
        near: The neighbours, where they are known already.
        views: Vectors of each modality [N, D] that the mean is made of, zero where an object lacks it; models judge
            them one by one, and `vectors` by default.
        seed: Of the folds of the models.

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
    own, nearest, farther = class_distances(z, codes, groups, len(names))
    others = votes.copy()
    others[at, codes] = -1
    margin = farther - own
    difference = others.max(axis=1) - votes[at, codes] + TIE * np.nan_to_num(margin)
    odds, likeliest = label_odds(class_odds(class_factors(views or [z], codes, groups, seed), codes), codes)
    suggested = np.where(np.isfinite(odds), likeliest, nearest)
    return LabelScores(1 - own, odds, margin, difference, names[suggested], votes[at, suggested])


def class_distances(z: Array, codes: Array, groups: Array, count: int) -> tuple[Float, Array, Float]:
    """Cosine [N] with the centroid of the own class, the nearest other class [N] and the cosine with it [N].

    Args:
        z: Vectors [N, D].
        codes: Class of each row, from 0 [N].
        groups: Number of the astrophysical object of each row [N]; its rows take no part in its own centroid.
        count: Number of classes.
    """
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
