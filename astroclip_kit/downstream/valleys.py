"""Whether groups are apart: fewer held-out objects between two of them than in either.

Clusters are found in any cloud of points, also in one without any. Here the groups of some objects choose a line
through the space and three windows of equal width on it: one around the middle of each side, and one between. Of any
cloud with a single peak along that line, the window between holds at least as large a share as the emptier of the
others. The counts of other objects, which chose neither line nor windows, therefore test that there is a single peak,
exactly and whatever its shape: by the binomial test of the window between against either, of which the larger p counts.

More than two groups are tested where they join, from the nearest two up to all: one test less than there are groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["SURE", "Valley", "joined", "valleys"]

SURE = 0.05  # q, or p of any property, below which it is told
MOST_AXES = 16  # principal components in which the line is looked for
MEMBERS_PER_AXIS = 8
PLACES = 21  # of the window between that are tried
WIDTH = 1 / 3  # of a window, as a share of the way from the one middle to the other
BINS = 40
Floats = npt.NDArray[np.floating[Any]]
Groups = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Valley:
    """What lies between two groups, or sets of groups, on the line through both.

    Args:
        groups: Numbers of the groups on the one side.
        others: Those on the other.
        n: Objects that were counted: those that did not choose line and windows.
        inside: How many of them are around the middle of the one side.
        between: How many are in the window between.
        beyond: How many are around the middle of the other side.
        windows: Start and end of the three windows on the line, with the middles of the two sides at 0 and 1.
        edges: Of the bins of a histogram of the objects that were counted, without the farthest.
        counts: How many are in each bin.
        p: Probability of so empty a window between by chance, if there is a single peak.
        q: The same for any of the pairs that were tested (Bonferroni).
    """

    groups: list[int]
    others: list[int]
    n: int
    inside: int
    between: int
    beyond: int
    windows: list[list[float]]
    edges: list[float]
    counts: list[int]
    p: float
    q: float = 1.0


def valleys(vectors: npt.ArrayLike, clusters: npt.ArrayLike, fitted: npt.ArrayLike) -> list[Valley]:
    """What lies between the groups, wherever two of them, or sets of them, join.

    Args:
        vectors: [N, D], a row per object.
        clusters: Group of each object that groups were made of int [N]; -1 for none, and anything for the others.
        fitted: Which objects groups were made of, bool [N]; the others are counted.

    Returns:
        One for each two that join, the nearest first; none where there are fewer than two groups.

    Raises:
        InputError: If lengths differ or a vector is not finite.

    Example:
        >>> x = np.r_[np.zeros(40), np.ones(40)][:, None] + np.linspace(0, 0.1, 80)[:, None]
        >>> [one] = valleys(x, x[:, 0] > 0.5, np.arange(80) % 2 == 0)
        >>> one.inside, one.between, one.beyond, one.q < 1e-4
        (20, 0, 20, True)
    """
    x, labels = np.asarray(vectors, dtype=np.float64), np.asarray(clusters).astype(np.int64)
    own = np.asarray(fitted, dtype=bool)
    if x.ndim != 2 or labels.shape != (len(x),) or own.shape != (len(x),) or not np.isfinite(x).all():
        raise InputError(f"vectors: expected finite [N, D] with a cluster each, found {x.shape} and {labels.shape}.")
    sides = list(_joints(x[own], labels[own]))
    found = [_between(x, labels, own, *pair) for pair in sides]
    return [replace(one, q=min(1.0, one.p * len(found))) for one in found]


def joined(clusters: npt.ArrayLike, found: Sequence[Valley]) -> Groups:
    """The groups, with those as one that no valley parts.

    Args:
        clusters: Group of each object int [N]; -1 for none.
        found: What `valleys` gave of them.

    Returns:
        int [N], 0 the largest; all 0 (or -1) where nothing is apart.
    """
    labels = np.asarray(clusters).astype(np.int64)
    name = {group: group for valley in found for group in (*valley.groups, *valley.others)}
    for valley in found:
        below = [one for one in found if {*one.groups, *one.others} <= {*valley.groups, *valley.others}]
        if all(one.q >= SURE for one in below):
            name |= dict.fromkeys((*valley.groups, *valley.others), min(*valley.groups, *valley.others))
    merged = np.array([name.get(one, one) for one in labels.tolist()], dtype=np.int64)
    numbers, counts = np.unique(merged[merged >= 0], return_counts=True)
    rank = {one: place for place, one in enumerate(numbers[np.argsort(-counts, kind="stable")].tolist())}
    return np.array([rank.get(one, -1) for one in merged.tolist()], dtype=np.int64)


def _joints(x: Floats, labels: Groups) -> Iterator[tuple[list[int], list[int]]]:
    """Which groups, or sets of groups, join, by the distances of their means."""
    from scipy.cluster.hierarchy import linkage

    count = int(labels.max(initial=-1)) + 1
    if count < 2:
        return
    sets = [[group] for group in range(count)]
    for one, other, *_ in linkage(np.stack([x[labels == group].mean(axis=0) for group in range(count)]), "average"):
        sets.append(sorted(sets[int(one)] + sets[int(other)]))
        yield sets[int(one)], sets[int(other)]


def _between(x: Floats, labels: Groups, own: npt.NDArray[np.bool_], groups: list[int], others: list[int]) -> Valley:
    from scipy.stats import binom

    sides = [own & np.isin(labels, side) for side in (groups, others)]
    places = x @ _line(x[sides[0]], x[sides[1]], x[own])
    start, end = (float(np.median(places[side])) for side in sides)
    places = (places - start) / (end - start if end != start else np.inf)
    middles = np.linspace(WIDTH, 1 - WIDTH, PLACES)
    emptiest = float(middles[np.argmin([_count(places[own], middle) for middle in middles])])
    rest = places[~own]
    inside, between, beyond = (_count(rest, middle) for middle in (0.0, emptiest, 1.0))
    p = max(float(binom.cdf(between, between + peak, 0.5)) for peak in (inside, beyond))
    low, high = np.quantile(rest, [0.005, 0.995]) if len(rest) else (0.0, 1.0)
    counts, edges = np.histogram(rest, BINS, (min(low, -WIDTH), max(high, 1 + WIDTH)))
    windows = [[middle - WIDTH / 2, middle + WIDTH / 2] for middle in (0.0, emptiest, 1.0)]
    return Valley(
        groups, others, len(rest), inside, between, beyond, windows, edges.tolist(), counts.tolist(), p
    )  # fmt: skip


def _line(one: Floats, other: Floats, everyone: Floats) -> Floats:
    """The direction [D] that tells two sides apart, in the leading principal components of all."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    both = np.concatenate([one, other])
    axes = max(1, min(MOST_AXES, len(both) // MEMBERS_PER_AXIS, everyone.shape[1], len(everyone) - 1))
    components = PCA(axes, svd_solver="covariance_eigh").fit(everyone).components_
    side = np.repeat([0, 1], [len(one), len(other)])
    told = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(both @ components.T, side)
    return np.asarray(told.coef_[0] @ components)


def _count(places: Floats, middle: float) -> int:
    return int((np.abs(places - middle) <= WIDTH / 2).sum())
