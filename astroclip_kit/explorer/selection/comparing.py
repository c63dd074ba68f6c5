"""How a property is distributed inside a selection and outside of it: counts for histograms, and which differ most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...downstream.separation import Separation, distinct, separate
from ..columns import Column
from ..objects.bookkeeping import is_bookkeeping
from .samples import drawn

__all__ = ["Compared", "Sides", "compare", "most_different"]

MOST = 2_000_000  # objects on each side that are counted
RANKED = 20_000  # objects on each side by which properties are ranked
LONG = 5_000_000  # objects of which text of many classes is not compared: it is read from all over the file
BINS = 30
SHOWN = (0.5, 99.5)  # per cent of either side that the axis holds
CLASSES = 8
Mask = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sides:
    """The objects by which a selection is compared with the rest; drawn once for all properties.

    Args:
        counted: Rows of the selection and of the rest.
        ranked: Some of each, by which properties are ranked.
        count: Objects of the space.
    """

    counted: tuple[Rows, Rows]
    ranked: tuple[Rows, Rows]
    count: int

    @classmethod
    def of(cls, selection: Mask, seed: int = 0) -> Sides:
        """The sides of a selection [N]: two million random objects on each, where there are more."""
        rng = np.random.default_rng(seed)
        inside, outside = drawn(selection, MOST, seed), drawn(~selection, MOST, seed)
        ranked = [
            one if len(one) <= RANKED else np.sort(rng.choice(one, RANKED, replace=False, shuffle=False))
            for one in (inside, outside)
        ]
        return cls((inside, outside), (ranked[0], ranked[1]), len(selection))


@dataclass(frozen=True)
class Compared:
    """A property on both sides; of each pair, the first is of the selection and the second of the rest.

    Args:
        column: The property.
        edges: Of the bins [B + 1]; of classes, 0 to B.
        classes: Names of the bins where they are classes, else none.
        shares: Per cent of the known values of each side in each bin [2, B].
        known: Values that are known.
        missing: Values that are not.
        outside: Values beyond the bins.
        sampled: Whether these are random objects, because there are too many.
    """

    column: Column
    edges: Float
    classes: tuple[str, ...]
    shares: Float
    known: tuple[int, int]
    missing: tuple[int, int]
    outside: tuple[int, int]
    sampled: bool


def compare(column: Column, between: Sides) -> Compared:
    """Counts a property on both sides.

    Args:
        column: The property.
        between: The selection and the rest.
    """
    sides = between.counted
    sampled = sum(map(len, sides)) < between.count
    if column.is_class:
        return _classes(column, sides, sampled)
    values = [np.asarray(column.values[rows], dtype=np.float64) for rows in sides]
    known = [one[np.isfinite(one)] for one in values]
    edges = _edges(known)
    counts = np.stack([np.histogram(one, edges)[0] for one in known])
    return Compared(
        column,
        edges,
        (),
        _shares(counts, [len(one) for one in known]),
        (len(known[0]), len(known[1])),
        (len(values[0]) - len(known[0]), len(values[1]) - len(known[1])),
        (len(known[0]) - int(counts[0].sum()), len(known[1]) - int(counts[1].sum())),
        sampled,
    )


def _edges(known: list[Float]) -> Float:
    """Bins that hold nearly all of both sides, as wide as they differ."""
    ends = [np.percentile(one, SHOWN) for one in known if len(one)]
    low, high = (min(one[0] for one in ends), max(one[1] for one in ends)) if ends else (0.0, 1.0)
    half = 0 if high > low else max(0.5, abs(low) * 1e-6)
    return np.linspace(low - half, high + half, BINS + 1)


def _classes(column: Column, sides: tuple[Rows, Rows], sampled: bool) -> Compared:
    """Classes that are frequent on either side, and all others as one."""
    codes = [column.codes[rows] for rows in sides]
    counts = np.stack([np.bincount(one[one >= 0], minlength=len(column.classes)) for one in codes])
    known = [int(one.sum()) for one in counts]
    shares = _shares(counts, known)
    order = np.argsort(-shares.max(axis=0), kind="stable")
    kept = np.sort(order[: CLASSES if len(order) <= CLASSES else CLASSES - 1])
    names = tuple(column.classes[one] for one in kept)
    left = np.setdiff1d(order, kept)
    if len(left):
        names, shares = (*names, f"{len(left):,} others"), np.column_stack([shares[:, kept], shares[:, left].sum(1)])
    missing = len(codes[0]) - known[0], len(codes[1]) - known[1]
    edges = np.arange(len(names) + 1, dtype=np.float64)
    return Compared(column, edges, names, shares, (known[0], known[1]), missing, (0, 0), sampled)


def _shares(counts: npt.NDArray[np.int64], known: list[int]) -> Float:
    return 100 * counts / np.maximum(known, 1)[:, None]


def most_different(columns: Mapping[str, Column], between: Sides, seed: int = 0) -> list[Separation]:
    """Properties by how differently they are distributed on both sides, see `downstream.separation.separate`.

    Flags are left out: a selection that was saved differs from all others by definition. What tells how objects were
    observed, such as a plate or an error, comes last.

    Args:
        columns: Name to column.
        between: The selection and the rest.
        seed: Of the intervals.
    """
    rows, inside = np.concatenate(between.ranked), np.repeat([0, -1], [len(one) for one in between.ranked])
    usable = {name: one for name, one in columns.items() if one.is_quick or between.count <= LONG}
    values = {name: one.some(rows) for name, one in usable.items() if one.kind != "flag"}
    found = separate(inside, {name: values[name] for name in distinct(values)}, seed=seed)
    return sorted(found, key=lambda one: is_bookkeeping(one.property, values[one.property]))
