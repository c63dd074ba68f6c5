"""How far up the right answer stands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["chance_median_rank", "chance_recall", "median_rank", "recall_at_k"]

Float = npt.NDArray[np.float64]


def _ranks(ranks: npt.ArrayLike) -> Float:
    values = np.asarray(ranks, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise InputError(f"ranks: expected at least one rank in one axis, found shape {values.shape}.")
    if not (values >= 1).all():
        raise InputError("ranks start at 1 (the best match); found a smaller rank or NaN.")
    return values


def recall_at_k(ranks: npt.ArrayLike, k: int) -> float:
    """Share of the queries whose first hit is among the top k.

    Args:
        ranks: Rank of the first hit of each query [Q]; 1 is the best.
        k: Number of matches that count.

    Raises:
        InputError: If there are no ranks, a rank is below 1, or k is.
    """
    if k < 1:
        raise InputError(f"k: expected at least 1, found {k}.")
    return float(np.mean(_ranks(ranks) <= k))


def median_rank(ranks: npt.ArrayLike) -> float:
    """Median rank of the first hit [Q].

    Raises:
        InputError: If there are no ranks or a rank is below 1.
    """
    return float(np.median(_ranks(ranks)))


def chance_recall(hits: npt.ArrayLike, candidates: npt.ArrayLike, k: int) -> float:
    """Recall@k of guessing: mean over the queries of 1 - C(n - h, k) / C(n, k).

    Args:
        hits: Right answers per query [Q].
        candidates: Candidates per query [Q].
        k: Number of matches that count.
    """
    h, n = np.asarray(hits, dtype=np.float64), np.asarray(candidates, dtype=np.float64)
    miss = np.ones_like(h)
    for draw in range(k):
        left = n - draw
        miss *= np.clip(left - h, 0, None) / np.maximum(left, 1)
    return float(np.mean(1 - miss))


def chance_median_rank(hits: npt.ArrayLike, candidates: npt.ArrayLike) -> float:
    """Median over the queries of (n + 1) / (h + 1), the expected rank of the first of h hits among n."""
    return float(np.median((np.asarray(candidates) + 1) / (np.asarray(hits) + 1)))
