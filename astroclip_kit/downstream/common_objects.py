"""What two stores have in common: the same objects, divided in the same way, with the same labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .properties import Property
from .space import Space

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["common_spaces"]

Array = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]


def common_spaces(
    one: EmbeddingStore, two: EmbeddingStore, properties: Sequence[str] = (), *, common: bool = False
) -> tuple[Space, Space]:
    """Two spaces of the same rows, which differ in their vectors alone.

    Args:
        one: A store.
        two: Another of the same objects.
        properties: Labels that have to be the same in both.
        common: Whether to take what both have in common where they differ in objects, split or labels.

    Returns:
        The spaces: "test" in their split is who is held out in both, "train" who is in neither; all others, and
        training objects of which another observation is held out, have no modality.

    Raises:
        InputError: If they differ and `common` is not set, if there is nothing to compare, or a vector is not finite.
        UsageError: If a property is no label of both.
    """
    ids, a, b = np.intersect1d(one.object_ids, two.object_ids, return_indices=True)
    names = [name for name in one.names if name in two.names]
    if not names or not len(ids):
        what = "modality" if len(ids) else "object"
        raise InputError(f"{one.root} and {two.root} have no {what} in common, so there is nothing to compare.")
    only = len(one) - len(ids), len(two) - len(ids)
    if any(only) and not common:
        raise InputError(
            f"{one.root} and {two.root} hold different objects: {len(ids)} are in both, {only[0]} and {only[1]} in one "
            f"only. Compare what they have in common with --common, or embed the same objects."
        )
    held, trained = _sides(one.split[a], two.split[b], one, two, common)
    groups = one.groups[a]
    trained &= ~np.isin(groups, groups[held]) & ~np.isin(two.groups[b], two.groups[b][held])
    _check_labels(one, two, a, b, properties, common)
    split = np.where(held, "test", "train")
    shared = {name: one.present(name)[a] & two.present(name)[b] & (held | trained) for name in names}
    labels = {name: column[a] for name, column in one.labels.items() if name in two.labels}
    about = {"seed": 0, "dataset": one.manifest["dataset"], "origin": one.manifest["origin"]}

    def space(store: EmbeddingStore, rows: Array) -> Space:
        for name in names:
            store.check_finite(name, rows)
        vectors = {name: np.asarray(store.vectors(name)[rows]) for name in names}
        return Space("aligned", vectors, shared, groups, split, labels, about)

    return space(one, a), space(two, b)


def _sides(first: Array, second: Array, one: EmbeddingStore, two: EmbeddingStore, common: bool) -> tuple[Flags, Flags]:
    """Who is held out in both, and who in neither."""
    held = first == "test", second == "test"
    differ = int((held[0] != held[1]).sum())
    if differ and not common:
        raise InputError(
            f"{one.root} and {two.root} have different splits: {differ} objects are held out in one only. "
            f"Compare those that both hold out with --common, or train both with the same split."
        )
    both, neither = held[0] & held[1], ~held[0] & ~held[1]
    if not both.any() or not neither.any():
        raise InputError(
            f"{int(both.sum())} objects are held out in both {one.root} and {two.root}, and {int(neither.sum())} in "
            f"neither. Both kinds are needed: embed with a split."
        )
    return both, neither


def _check_labels(
    one: EmbeddingStore, two: EmbeddingStore, a: Array, b: Array, properties: Sequence[str], common: bool
) -> None:
    for wanted in properties:
        of = Property.parse(wanted)
        first, second = of.values(one.labels)[a], of.values(two.labels)[b]
        same = first.dtype.kind == second.dtype.kind
        if not common and not (same and np.array_equal(first, second, equal_nan=first.dtype.kind != "U")):
            raise InputError(
                f"{one.root} and {two.root} know different values of {wanted}: they were not made of the same data. "
                f"Take those of the first with --common."
            )
