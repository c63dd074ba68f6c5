"""Finding an object again: by another view of it (cross-modal) or by another visit (in-modal)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import metrics
from ..errors import InputError

__all__ = ["Ranks", "rank", "recall"]

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranks:
    """Where the first right answer of each query stands.

    Args:
        queries: Row numbers of the queries that have a right answer [Q].
        rank: Rank of the nearest right answer [Q]; 1 is the best, ties count half.
        hits: Number of right answers [Q].
        candidates: Number of rows to choose from [Q].
        left_out: Number of queries without a right answer.

    Example:
        >>> rank([[1.0, 0.0]], [[0.9, 0.1], [0.1, 0.9]], ["M31"], ["M33", "M31"]).rank
        array([2.])
    """

    queries: npt.NDArray[np.int64]
    rank: Float
    hits: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int64]
    left_out: int


def rank(
    query_z: npt.ArrayLike,
    target_z: npt.ArrayLike,
    query_groups: npt.ArrayLike,
    target_groups: npt.ArrayLike,
    *,
    exclude_self: bool = False,
    block_rows: int = 1024,
) -> Ranks:
    """Ranks the targets of every query by cosine similarity; any target of the query's group is right.

    Args:
        query_z: Unit vectors that ask [Q, D].
        target_z: Unit vectors to find [T, D].
        query_groups: Object of each query [Q].
        target_groups: Object of each target [T].
        exclude_self: Whether row i of the queries is row i of the targets (in-modal) and no answer to itself.
        block_rows: Queries per block.

    Returns:
        Ranks of the queries that have a right answer; the others are counted.

    Raises:
        InputError: If lengths or dimensions differ, or no query has a right answer.
    """
    q, t = np.asarray(query_z, np.float32), np.asarray(target_z, np.float32)
    asked, held = np.asarray(query_groups), np.asarray(target_groups)
    if q.ndim != 2 or t.ndim != 2 or q.shape[1] != t.shape[1] or len(q) != len(asked) or len(t) != len(held):
        raise InputError(
            f"queries and targets: expected equal dimensions and one group per row, found vectors {q.shape} and "
            f"{t.shape}, groups {asked.shape} and {held.shape}."
        )
    codes = np.unique(np.concatenate([asked, held]), return_inverse=True)[1]
    asked, held = codes[: len(q)], codes[len(q) :]
    hits = np.bincount(held, minlength=codes.max(initial=0) + 1)[asked] - int(exclude_self)
    queries = np.flatnonzero(hits > 0)
    if not len(queries):
        raise InputError("no query has a right answer among the targets: no group is on both sides.")
    blocks = (queries[i : i + block_rows] for i in range(0, len(queries), block_rows))
    ranks = [_rank(q[rows], t, asked[rows], held, rows if exclude_self else None) for rows in blocks]
    candidates = np.full(len(queries), len(t) - int(exclude_self))
    return Ranks(queries, np.concatenate(ranks), hits[queries], candidates, len(q) - len(queries))


def _rank(q: Array, t: Array, asked: Array, held: Array, own: Array | None) -> Float:
    similarity = q @ t.T
    if own is not None:
        similarity[np.arange(len(q)), own] = -np.inf
    right = asked[:, None] == held[None]
    best = np.where(right, similarity, -np.inf).max(axis=1, keepdims=True)
    ahead = ((similarity > best) & ~right).sum(axis=1)
    level = ((similarity == best) & ~right).sum(axis=1)
    return np.asarray(1 + ahead + level / 2)


def recall(found: Ranks, ks: tuple[int, ...] = (1, 5, 10)) -> dict[str, tuple[float, float]]:
    """Recall@k for every k and the median rank, each beside what guessing reaches.

    Args:
        found: What `rank` gave.
        ks: Numbers of answers that a user looks at.

    Returns:
        "recall@1", ..., "median_rank" to (value, chance).

    Example:
        >>> found = rank(np.eye(4), np.eye(4)[[0, 1, 3, 2]], list("abcd"), list("abcd"))
        >>> recall(found, ks=(1,))
        {'recall@1': (0.5, 0.25), 'median_rank': (2.0, 2.5)}
    """
    numbers = {
        f"recall@{k}": (metrics.recall_at_k(found.rank, k), metrics.chance_recall(found.hits, found.candidates, k))
        for k in ks
    }
    chance = metrics.chance_median_rank(found.hits, found.candidates)
    return {**numbers, "median_rank": (metrics.median_rank(found.rank), chance)}
