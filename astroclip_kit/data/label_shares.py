"""A share of the labels, as if the others had never been given."""

from __future__ import annotations

from typing import get_args, get_type_hints

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..settings import LabelShare
from ..storage import hash_ids
from .splits import SIDES

__all__ = ["check_share", "class_cap", "label_share"]


def class_cap(counts: npt.ArrayLike, goal: int, smallest_whole: bool = False) -> int:
    """The size to which the largest classes are cut so that about as many objects are left as wanted.

    Classes are filled like glasses of different height, up to one level.

    Args:
        counts: Objects of each class [C].
        goal: Objects to keep.
        smallest_whole: Whether the smallest class counts as whole even where it is cut as well, as in the code of
            AstroM3: fewer objects are then left than wanted.

    Returns:
        The cap, at least 1.

    Example:
        >>> train = [4890, 3647, 2343, 1886, 1571, 1454, 624, 226, 216, 206]  # Rizhko & Bloom 2025, AJ 170, 28
        >>> [class_cap(train, sum(train) // factor) for factor in (2, 4, 10)]
        [1209, 516, 170]
        >>> class_cap(train, sum(train) // 10, smallest_whole=True)
        166
    """
    n = np.sort(np.asarray(counts, dtype=np.int64))
    whole = np.cumsum(n) - n  # if the 0, 1, 2, ... smallest are kept whole
    levels = (goal - whole) // np.arange(len(n), 0, -1)
    return max(1, int(levels[int(smallest_whole and len(n) > 1) :].max()))


def label_share(
    codes: npt.ArrayLike, sides: npt.ArrayLike, share: LabelShare, seed: int = 0, ids: npt.ArrayLike | None = None
) -> npt.NDArray[np.bool_]:
    """Whose labels are kept; a smaller share of the same seed is part of a larger one.

    Args:
        codes: Number of the class of each object [N], -1 where unknown.
        sides: "train", "valid" or "test" [N].
        share: How many, and of which sides.
        seed: Of the draw.
        ids: What the draw goes by [N], so that another order of the objects changes nothing; by default their order.

    Returns:
        Bool [N]; False where the class is unknown.

    Raises:
        UsageError: If a setting is out of range.
        InputError: If the lengths differ.

    Example:
        >>> codes = np.repeat([0, 1], [90, 10])
        >>> kept = label_share(codes, ["train"] * 100, LabelShare(0.5))
        >>> np.bincount(codes[kept])
        array([40, 10])
    """
    y, side = np.asarray(codes), np.asarray(sides).astype(str)
    check_share(share)
    names = np.arange(len(y)) if ids is None else np.asarray(ids)
    if not y.shape == side.shape == names.shape:
        raise InputError(f"codes, sides and ids differ in length: {y.shape}, {side.shape} and {names.shape}.")
    kept = y >= 0
    if share.fraction == 1:
        return kept
    drawn = hash_ids([f"label of {name}" for name in names.tolist()], seed)  # independent of that of the split
    for one in share.sides:
        rows = np.flatnonzero(kept & (side == one))
        goal = int(share.fraction * len(rows) + 1e-9)
        own = np.zeros(len(rows), dtype=np.int64) if share.by == "random" else y[rows]
        most = class_cap(np.unique(own, return_counts=True)[1], goal, share.by == "capped") if len(rows) else 0
        order = np.lexsort((drawn[rows], own))
        first = np.searchsorted(own[order], own[order])  # where each class begins
        kept[rows[order[np.arange(len(rows)) - first >= most]]] = False
    return kept


def check_share(share: LabelShare) -> None:
    """Refuses a share of labels that makes no sense.

    Raises:
        UsageError: If a setting is out of range.
    """
    if not 0 < share.fraction <= 1:
        raise UsageError(f"labelled.fraction is {share.fraction}, expected a share above 0 and at most 1.")
    known = get_args(get_type_hints(LabelShare)["by"])
    if share.by not in known:
        raise UsageError(f"labelled.by is {share.by!r}, expected one of {', '.join(known)}.")
    if unknown := [one for one in share.sides if one not in SIDES]:
        raise UsageError(f"labelled.sides: there is no side {unknown[0]!r}; there are {', '.join(SIDES)}.")
