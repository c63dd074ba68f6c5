"""What sets a cluster apart: every property, by how differently it is distributed inside and outside.

An effect size says how much, a q value whether it could be chance among so many comparisons.

Sources: Cliff 1993, Psychol. Bull. 114, 494, and Feng & Cliff 2004, J. Mod. Appl. Stat. Methods 3, 322 (delta);
Bergsma 2013, J. Korean Stat. Soc. 42, 323 (V); Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57, 289 (q).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError

__all__ = ["LEAST", "Separation", "Z", "chi_squared", "cliffs_delta", "cramers_v", "distinct", "false_discovery_rate"]
__all__ += ["frequent", "separate", "unbiased_v"]

Z = 1.959963984540054  # of a 95 % interval
MOST_VALUES = 100  # different texts; rarer ones count as one
N_BOOT = 500
LEAST = 3  # known values on each side
SAME = 0.99  # correlation, or share of equal texts, from which two labels say the same
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Separation:
    """How one property sets one cluster apart from all other objects.

    Args:
        cluster: Number of the cluster.
        property: Name of the label.
        effect: "cliffs_delta" of numbers: how much likelier a member has the larger value than the smaller, from -1
            to 1. "cramers_v" of text: association of membership with the classes, from 0 to 1.
        value: Effect size.
        low: Lower end of its 95 % interval.
        high: Upper end of its 95 % interval.
        inside: Median of the members, or the share of them in the class that is the most overrepresented.
        outside: The same of the others.
        level: That class; "" for numbers.
        n_inside: Members with a known value.
        n_outside: Others with a known value.
        missing_inside: Members without.
        missing_outside: Others without.
        p: Probability of such a difference by chance, of this comparison alone.
        q: The same among all comparisons: the false discovery rate at which this one is still found.
    """

    cluster: int
    property: str
    effect: str
    value: float
    low: float
    high: float
    inside: float
    outside: float
    level: str
    n_inside: int
    n_outside: int
    missing_inside: int
    missing_outside: int
    p: float
    q: float = math.nan

    def __str__(self) -> str:
        """In a few words, for a table."""
        if self.level:
            return f"{self.property}={self.level} {self.inside:.0%} (else {self.outside:.0%}) V={self.value:.2f}"
        return f"{self.property} {self.inside:.3g} (else {self.outside:.3g}) d={self.value:+.2f}"


def distinct(labels: Mapping[str, Array], chosen: Sequence[str] | None = None) -> list[str]:
    """The labels without those that repeat another: called like it behind the name of a source, with its values.

    Args:
        labels: Name to values [N], of which NaN or "" are missing.
        chosen: The labels to take instead, repeated or not.

    Raises:
        UsageError: If one that was chosen is no label.
    """
    for name in chosen or ():
        if name not in labels:
            raise UsageError(f"no property {name!r} among the labels: {', '.join(labels) or 'there are none'}.")

    def repeats(name: str, other: str) -> bool:
        if not name.endswith(f"_{other}"):
            return False
        own, its = labels[name], labels[other]
        if own.dtype.kind in "OSU" or its.dtype.kind in "OSU":
            both = (own != "") & (its != "")
            return bool(both.any() and (own[both] == its[both]).mean() > SAME)
        both = np.isfinite(own) & np.isfinite(its)
        varies = both.sum() > 2 and np.std(own[both]) > 0 and np.std(its[both]) > 0
        return bool(varies and np.corrcoef(own[both], its[both])[0, 1] > SAME)

    if chosen is not None:
        return list(chosen)
    return [name for name in labels if not any(repeats(name, other) for other in labels)]


def separate(
    clusters: npt.ArrayLike,
    properties: Mapping[str, Array],
    *,
    groups: npt.ArrayLike | None = None,
    seed: int = 0,
) -> list[Separation]:
    """Which properties set each cluster apart from all other objects, the largest effect first.

    Missing values (NaN, "") are left out and counted; a property known for fewer than three objects on one of the two
    sides is not compared. A cluster with several rows of one object counts the first.

    Args:
        clusters: Cluster of each object int [N]; -1 belongs to none, and is among the others of each.
        properties: Name to values [N], numbers or text.
        groups: Astrophysical object of each row [N].
        seed: Of the intervals of Cramer's V.

    Returns:
        Sorted by cluster, then by falling size of the effect.

    Raises:
        InputError: If a property has another length.
    """
    labels = np.asarray(clusters)
    for name, values in properties.items():
        if np.shape(values) != labels.shape:
            raise InputError(f"property {name!r}: expected {len(labels)} values, found shape {np.shape(values)}.")
    if groups is not None:
        pairs = np.stack([np.unique(np.asarray(groups), return_inverse=True)[1], labels])
        first = np.sort(np.unique(pairs, axis=1, return_index=True)[1])
        labels, properties = labels[first], {name: np.asarray(one)[first] for name, one in properties.items()}
    found = [one for name, values in properties.items() for one in _of(name, np.asarray(values), labels, seed)]
    q = false_discovery_rate(np.array([one.p for one in found]))
    judged = [replace(one, q=float(rate)) for one, rate in zip(found, q, strict=True)]
    return sorted(judged, key=lambda one: (one.cluster, -abs(one.value), one.property))


def _of(name: str, values: Array, labels: Array, seed: int) -> Iterator[Separation]:
    """One property, for each cluster."""
    text = values.dtype.kind in "OSU"
    values = values.astype(str) if text else values.astype(np.float64)
    known = values != "" if text else np.isfinite(values)
    levels, codes = np.unique(values[known], return_inverse=True)
    if text:
        levels, codes = frequent(levels, codes)
    everyone = np.bincount(codes, minlength=len(levels))
    for cluster in np.unique(labels[labels >= 0]).tolist():
        member = labels == cluster
        inside = np.bincount(codes[member[known]], minlength=len(levels))
        outside = everyone - inside
        n, m = int(inside.sum()), int(outside.sum())
        if min(n, m) < LEAST or len(levels) < 2:
            continue
        missing = int(member.sum()) - n, int((~member).sum()) - m
        if text:
            effect, (value, low, high, p) = "cramers_v", cramers_v(inside, outside, seed=seed)
            top = int(np.argmax(inside / n - outside / m))
            about = float(inside[top] / n), float(outside[top] / m), str(levels[top])
        else:
            effect, (value, low, high, p) = "cliffs_delta", cliffs_delta(inside, outside)
            about = _median(levels, inside), _median(levels, outside), ""
        yield Separation(cluster, name, effect, value, low, high, *about, n, m, *missing, p)


def frequent(levels: Array, codes: Array) -> tuple[Array, Array]:
    """The texts and the number of each object's, with the rarest as one where there are more than a hundred."""
    counts = np.bincount(codes)
    if len(levels) <= MOST_VALUES:
        return levels, codes
    kept = np.sort(np.argsort(-counts, kind="stable")[: MOST_VALUES - 1])
    number = np.full(len(levels), len(kept))
    number[kept] = np.arange(len(kept))
    return np.append(levels[kept], "(others)"), number[codes]


def _median(levels: Array, counts: Array) -> float:
    places = np.searchsorted(np.cumsum(counts), [(counts.sum() + 1) // 2, counts.sum() // 2 + 1])
    return float(levels[places].mean())


def cliffs_delta(inside: npt.ArrayLike, outside: npt.ArrayLike) -> tuple[float, float, float, float]:
    """Cliff's delta, its 95 % interval, and p of the Mann-Whitney test, from how often each value occurs.

    Args:
        inside: Members with each of the distinct values, in rising order [U].
        outside: The others [U].

    Returns:
        P(member > other) - P(member < other); low, high; p.

    Example:
        >>> round(cliffs_delta([0, 2, 2], [2, 2, 0])[0], 2)
        0.75
    """
    a, b = np.asarray(inside, dtype=np.float64), np.asarray(outside, dtype=np.float64)
    n, m = a.sum(), b.sum()
    over_b = (2 * np.cumsum(b) - b - m) / m  # of a member with each value: share of others below minus above
    over_a = (n - 2 * np.cumsum(a) + a) / n  # of another with each value: share of members above minus below
    delta = float((a * over_b).sum() / n)
    ties = float((a * b).sum() / (n * m))
    spread = m**2 * (a * (over_b - delta) ** 2).sum() + n**2 * (b * (over_a - delta) ** 2).sum()
    variance = max((spread - n * m * (1 - ties - delta**2)) / (n * m * (n - 1) * (m - 1)), 0.0)
    variance = max(variance, (1 - delta**2) / (n * m - 1))
    if 1 - abs(delta) < 1e-12:  # no overlap: Cliff 1993, as if the next member of the smaller side overlapped
        bound = (min(n, m) - Z**2) / (min(n, m) + Z**2)
        low, high = (bound, 1.0) if delta > 0 else (-1.0, -bound)
    else:
        below = 1 - delta**2 + Z**2 * variance
        half = Z * math.sqrt(variance) * math.sqrt((1 - delta**2) ** 2 + Z**2 * variance)
        low, high = ((delta - delta**3 + sign * half) / below for sign in (-1, 1))
    return delta, max(-1.0, float(low)), min(1.0, float(high)), _mann_whitney(delta, a + b, float(n), float(m))


def _mann_whitney(delta: float, counts: npt.NDArray[np.float64], n: float, m: float) -> float:
    """Two-sided p of no difference, by the normal approximation with ties."""
    total = n + m
    tied = float((counts**3 - counts).sum()) / (total * (total - 1))
    variance = (total + 1 - tied) / (3 * n * m)
    return math.erfc(abs(delta) / math.sqrt(2 * variance)) if variance > 0 else 1.0


def cramers_v(inside: npt.ArrayLike, outside: npt.ArrayLike, *, seed: int = 0) -> tuple[float, float, float, float]:
    """Cramer's V without its bias, its 95 % interval by bootstrap, and p of the chi-squared test.

    Args:
        inside: Members of each class [C].
        outside: The others [C].
        seed: Of the bootstrap.

    Returns:
        V, low, high, p. Many rare classes give no V by chance, as they do without the correction.

    Example:
        >>> round(cramers_v([50, 0], [0, 50])[0], 2)
        1.0
    """
    from scipy.stats import chi2

    table = np.stack([np.asarray(inside), np.asarray(outside)]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    count = int(table.sum())
    drawn = np.random.default_rng(seed).multinomial(count, table.ravel() / count, N_BOOT).reshape(-1, *table.shape)
    squared = float(chi_squared(table[None])[0])
    free = table.shape[1] - 1
    others = chi_squared(drawn.astype(np.float64))
    ends = (squared + np.percentile(others, [2.5, 97.5]) - others.mean()).tolist()
    value, low, high = (unbiased_v(one, count, free) for one in (squared, *ends))
    return value, low, high, float(chi2.sf(squared * count, free)) if free else 1.0


def unbiased_v(squared: float, count: int, free: int) -> float:
    """Cramer's V from chi squared by number of objects, without what chance alone adds to it.

    Args:
        squared: As `chi_squared` gives it.
        count: Number of objects.
        free: Degrees of freedom: classes less one.
    """
    room = min(1.0, free - free**2 / (count - 1), 1 - 1 / (count - 1))  # the largest that the correction leaves
    return math.sqrt(min(max((squared - free / (count - 1)) / max(room, 1e-12), 0.0), 1.0))


def chi_squared(tables: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Chi squared by number of objects [B], of tables [B, 2, C]."""
    rows, columns = tables.sum(axis=2, keepdims=True), tables.sum(axis=1, keepdims=True)
    count = tables.sum(axis=(1, 2), keepdims=True)
    expected = rows * columns / count
    return np.asarray(
        ((tables - expected) ** 2 / np.where(expected > 0, expected, 1)).sum(axis=(1, 2)) / count[:, 0, 0]
    )


def false_discovery_rate(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Smallest false discovery rate at which each of several comparisons is found (Benjamini-Hochberg).

    Args:
        p: Probability of each by chance, of that comparison alone.

    Example:
        >>> false_discovery_rate(np.array([0.01, 0.04, 0.5])).round(2).tolist()
        [0.03, 0.06, 0.5]
    """
    order = np.argsort(p)[::-1]
    rates = np.minimum.accumulate(p[order] * len(p) / np.arange(len(p), 0, -1))
    q = np.empty_like(p)
    q[order] = np.minimum(rates, 1)
    return q
