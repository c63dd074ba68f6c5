"""Who trains, who validates and who is held out: by hash, so that an object never changes sides.

A side depends on the group's name and the seed alone: adding objects, dropping some or reordering them moves
no other object. Shares are therefore met on average, not to the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .. import storage
from ..errors import InputError, UsageError
from ..settings import Split

__all__ = ["Catalogued", "assign", "check_leaks", "divide", "values"]

SIDES = ("train", "valid", "test")


class Catalogued(Protocol):
    """Whatever knows its objects: `Dataset`, `FeatureSet`, `EmbeddingStore`."""

    @property
    def object_ids(self) -> npt.NDArray[Any]:
        """Row ids [N]."""

    @property
    def groups(self) -> npt.NDArray[Any]:
        """Astrophysical object of each row [N]."""

    @property
    def labels(self) -> Mapping[str, npt.NDArray[Any]]:
        """Property name to values [N]."""


def divide(objects: Catalogued, split: Split) -> npt.NDArray[np.str_]:
    """The side of every row, checked for leaks.

    Args:
        objects: N rows with ids, groups and labels.
        split: How to divide them.

    Returns:
        "train", "valid" or "test" for each row [N].

    Raises:
        UsageError: If the settings make no sense.
        InputError: If a side is empty or a group is on two sides.
    """
    sides = assign(values(objects, split.by), split)
    check_leaks(objects.groups, sides)
    return sides


def values(objects: Catalogued, by: str) -> npt.NDArray[Any]:
    """What rows are divided by [N].

    Args:
        objects: N rows with ids, groups and labels.
        by: "group", "object_id" or the name of a label.

    Raises:
        UsageError: If there is no such label.
    """
    if by == "group":
        return np.asarray(objects.groups)
    if by == "object_id":
        return np.asarray(objects.object_ids)
    if by not in objects.labels:
        known = ", ".join(["group", "object_id", *sorted(objects.labels)])
        raise UsageError(f"split.by: there is no column {by!r}. Choose one of: {known}.")
    return np.asarray(objects.labels[by])


def assign(groups: npt.ArrayLike, split: Split) -> npt.NDArray[np.str_]:
    """The side of every row, from a hash of its group and the seed.

    Args:
        groups: Group of each of N rows (text or numbers); equal values always share a side.
        split: Shares or folds, and the seed. ``split.by`` is not read here: see `values`.

    Returns:
        "train", "valid" or "test" for each row [N].

    Raises:
        UsageError: If a share lies outside 0 .. 1 or the fold does not exist.
        InputError: If a row has no group, or a side that was asked for is empty.

    Example:
        >>> assign(["a", "b", "c", "d"], Split(folds=2, fold=0, valid=0.0, seed=1)).tolist()
        ['test', 'test', 'train', 'train']
    """
    _check(split)
    names, inverse = np.unique(_names(groups), return_inverse=True)
    if not len(names):
        raise InputError("there are no rows to divide into train, valid and test.")
    hashes = storage.hash_ids(names, split.seed)
    first = (hashes >> np.uint64(32)) / 2.0**32  # two independent uniform numbers per group
    second = (hashes & np.uint64(0xFFFFFFFF)) / 2.0**32
    held_out = np.floor(first * split.folds) == split.fold if split.folds else first < split.test
    sides = np.where(held_out, "test", np.where(second < split.valid, "valid", "train"))
    _check_filled(sides, split)
    return sides[inverse.reshape(-1)]


def check_leaks(groups: npt.ArrayLike, sides: npt.ArrayLike) -> None:
    """Makes sure that no group is on two sides.

    Args:
        groups: Group of each of N rows.
        sides: Side of each row [N].

    Raises:
        InputError: If a group is on two sides, or the lengths differ.
    """
    group, side = np.asarray(groups).astype(str), np.asarray(sides).astype(str)
    if group.shape != side.shape:
        raise InputError(f"groups and sides differ in length: {group.shape} and {side.shape}.")
    pairs = np.unique(np.stack([group, side], axis=1), axis=0)
    names, counts = np.unique(pairs[:, 0], return_counts=True)
    leaks = names[counts > 1]
    if len(leaks):
        listed = ", ".join(leaks[:5])
        raise InputError(
            f"{len(leaks)} groups are on more than one side of the split ({listed}). Split by group, or by a column "
            f"that is the same for all rows of a group."
        )


def _names(groups: npt.ArrayLike) -> npt.NDArray[np.str_]:
    array = np.asarray(groups)
    if array.ndim != 1:
        raise InputError(f"groups must be one value per row, found shape {array.shape}.")
    names = array.astype(str)
    missing = np.flatnonzero((names == "") | (names == "nan") | (names == "None"))
    if len(missing):
        raise InputError(
            f"{len(missing)} rows have no value to split by (first: row {missing[0]}). Split by a column without gaps."
        )
    return names


def _check(split: Split) -> None:
    for name, share in (("test", split.test), ("valid", split.valid)):
        if not 0.0 <= share < 1.0:
            raise UsageError(f"split.{name} is {share}, expected a share from 0 to below 1.")
    if split.folds < 0 or split.folds == 1:
        raise UsageError(f"split.folds is {split.folds}, expected 0 (a single split) or at least 2.")
    if not 0 <= split.fold < max(split.folds, 1):
        raise UsageError(
            f"split.fold is {split.fold}, expected 0 .. {max(split.folds, 1) - 1} for {split.folds} folds."
        )


def _check_filled(sides: npt.NDArray[np.str_], split: Split) -> None:
    wanted = {"train": True, "valid": split.valid > 0, "test": split.folds > 0 or split.test > 0}
    for side in SIDES:
        if wanted[side] and side not in sides:
            raise InputError(
                f"no group of {len(sides)} falls on the {side} side. Add objects, change split.seed, "
                f"or change the share of that side."
            )
