"""Differences between models in words: what the seeds tell beyond their scatter, and that one seed tells nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from ..types import Result
from .paired import Paired

__all__ = ["ONE_SEED", "Told", "difference", "mean_f1", "of_all", "of_seeds", "paragraph", "told"]

ONE_SEED = "one seed: no verdict"


class Told(NamedTuple):
    """A difference.

    Args:
        sign: 1 where it is above zero beyond the scatter of the seeds, -1 below, 0 neither; None of one seed.
        text: The difference in words, with interval and p.
    """

    sign: int | None
    text: str


def difference(paired: Paired, a: str, b: str) -> Told | None:
    """Macro F1 of one model less that of another; None where one of them was not run."""
    if paired.compares(a, b):
        return told(*paired.difference(a, b))
    f1 = mean_f1(paired)
    return Told(None, f"{f1[a] - f1[b]:+.4f}") if a in f1 and b in f1 else None


def told(mean: float, low: float, high: float, p: float) -> Told:
    """A difference over several seeds, as `Paired.difference` gives it."""
    if not math.isfinite(p):
        same = round(mean, 12)
        return Told((same > 0) - (same < 0), f"{mean:+.4f} in every seed")
    return Told((low > 0) - (high < 0), f"{mean:+.4f} ({low:+.4f} to {high:+.4f}, p = {p:.2g})")


def mean_f1(paired: Paired) -> dict[str, float]:
    """Task to its mean macro F1, also of one seed."""
    known = of_all(paired.results)
    return {one.task: one.value for one in known if (one.metric, one.property) == (paired.metric, paired.label)}


def of_seeds(results: Iterable[Result], task: str, metric: str) -> dict[int, float]:
    """The number of each seed, by the number of the repetition; of one alone that is -1."""
    found = {one.fold: one.value for one in results if (one.task, one.metric) == (task, metric)}
    several = {fold: value for fold, value in found.items() if fold >= 0}
    return {fold: value for fold, value in (several or found).items() if math.isfinite(value)}


def of_all(results: Iterable[Result]) -> list[Result]:
    """The results of all seeds together, or of one alone."""
    return [one for one in results if one.fold < 0]


def paragraph(sentences: Sequence[str]) -> str:
    """Sentences as HTML."""
    return f"<p>{escape(' '.join(sentences))}</p>" if sentences else ""
