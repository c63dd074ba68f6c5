"""What chance gives where groups are compared by many properties: the same comparisons of permuted groups.

Groups are exchanged among the objects, every property is compared again, and the smallest p of all comparisons is
kept. As an object keeps its properties, those that say the same are not counted twice. The groups are taken as given:
where a space made them out of some of the properties, these separate them because of that, however small p is.

Source: Westfall & Young 1993, Resampling-Based Multiple Testing (the method of the smallest p).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .separation import LEAST, Separation, chi_squared, frequent, unbiased_v

__all__ = ["Ranked", "ranked"]

DRAWS = 999
BLOCK = 111  # permutations at once
SURE = 0.05
Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """How one property separates groups, and what chance gives.

    Args:
        separation: The group that it sets apart most clearly, and how.
        chance: Size of its effect that would be as unlikely as the least likely one of all properties and groups in
            5 % of the permutations.
        p: Share of the permutations in which some property separates some group as clearly; at least 1 in 1,000.
    """

    separation: Separation
    chance: float
    p: float


def ranked(
    separations: Sequence[Separation], labels: npt.ArrayLike, properties: Mapping[str, Array], *, seed: int = 0
) -> list[Ranked]:
    """The properties in the order in which they separate groups, each once, against permuted groups.

    Args:
        separations: What `separate` gave of the groups and properties.
        labels: Group of each object int [N], from 0.
        properties: Name to values [N], numbers with NaN or text with "" where missing.
        seed: Of the permutations.

    Returns:
        The largest effect first.
    """
    if not separations:
        return []
    groups, rng = np.asarray(labels, dtype=np.int64), np.random.default_rng(seed)
    names = dict.fromkeys(one.property for one in separations)
    columns = {name: _column(np.asarray(properties[name])) for name in names}
    smallest = np.ones(DRAWS)
    for start in range(0, DRAWS, BLOCK):
        permuted = np.stack([rng.permutation(groups) for _ in range(BLOCK)])
        for number in range(int(groups.max()) + 1):
            member = (permuted == number).astype(np.float64)
            for column in columns.values():
                part = smallest[start : start + BLOCK]
                np.minimum(part, column.p(member), out=part)
    critical = float(np.quantile(smallest, SURE))
    found = []
    for name, column in columns.items():
        best = min((one for one in separations if one.property == name), key=lambda one: (one.p, -abs(one.value)))
        found.append(Ranked(best, column.effect(critical, best), (1 + int((smallest <= best.p).sum())) / (1 + DRAWS)))
    return sorted(found, key=lambda one: (-abs(one.separation.value), one.separation.property))


@dataclass(frozen=True)
class _Numbers:
    """A property of numbers: ranks among those that are known, 0 for the others."""

    ranks: Floats
    known: Floats
    tied: float  # what ties take from the variance of the ranks

    def p(self, member: Floats) -> Floats:
        """Of the Mann-Whitney test, for memberships [B, N]."""
        from scipy.special import erfc

        n, total = member @ self.known, self.known.sum()
        m = total - n
        enough = np.minimum(n, m) >= LEAST
        n, m = np.where(enough, n, 1), np.where(enough, m, 1)
        delta = (2 * (member @ self.ranks) - n * (n + 1)) / (n * m) - 1
        p = erfc(np.abs(delta) / np.sqrt(2 * self._variance(n, m)))
        return np.asarray(np.where(enough, p, 1.0))

    def effect(self, p: float, one: Separation) -> float:
        """Cliff's delta of that p."""
        from scipy.special import erfcinv

        return min(1.0, float(erfcinv(p)) * math.sqrt(2 * float(self._variance(one.n_inside, one.n_outside))))

    def _variance(self, n: Any, m: Any) -> Any:
        return (self.known.sum() + 1 - self.tied) / (3 * n * m)


@dataclass(frozen=True)
class _Texts:
    """A property of text: which of the classes each object is of [N, C]."""

    classes: Floats

    def p(self, member: Floats) -> Floats:
        """Of the chi-squared test, for memberships [B, N]."""
        from scipy.stats import chi2

        inside = member @ self.classes
        tables = np.stack([inside, self.classes.sum(axis=0) - inside], axis=1)
        enough = tables.sum(axis=2).min(axis=1) >= LEAST
        p = chi2.sf(chi_squared(tables) * self.classes.sum(), self.classes.shape[1] - 1)
        return np.asarray(np.where(enough, p, 1.0))

    def effect(self, p: float, one: Separation) -> float:
        """Cramer's V of that p."""
        from scipy.stats import chi2

        free, count = self.classes.shape[1] - 1, int(self.classes.sum())
        return unbiased_v(float(chi2.isf(p, free)) / count, count, free)


def _column(values: Array) -> _Numbers | _Texts:
    from scipy.stats import rankdata

    if values.dtype.kind in "OSU":
        texts = values.astype(str)
        known = texts != ""
        levels, codes = frequent(*np.unique(texts[known], return_inverse=True))
        classes = np.zeros((len(texts), len(levels)))
        classes[np.flatnonzero(known), codes] = 1
        return _Texts(classes)
    known = np.isfinite(values.astype(np.float64))
    ranks = np.zeros(len(values))
    ranks[known] = rankdata(values[known])
    total, counts = int(known.sum()), np.unique(values[known], return_counts=True)[1].astype(np.float64)
    return _Numbers(ranks, known.astype(np.float64), float((counts**3 - counts).sum()) / (total * (total - 1)))
