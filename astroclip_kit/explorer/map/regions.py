"""Which objects lie within a lasso or a box, exactly, and quickly for a hundred million of them.

A grid of cells covers the lasso. A cell that no side of the lasso comes near is within it or outside as a whole; only
objects in the other cells, some per cent, are compared with the outline itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from matplotlib.path import Path

from ..columns import LARGEST
from .plane import Box, Places, Plane

__all__ = ["nearest", "rows_in_box", "rows_within", "within_box"]

CELLS = 256  # along each side of the box around a lasso
OUTSIDE, INSIDE, BORDER = 0, 1, 2
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def rows_within(plane: Plane, outline: npt.ArrayLike, shown: Mask | None = None) -> Mask:
    """Flags [N] of the objects within a closed outline; where it crosses itself, by the even-odd rule.

    Args:
        plane: Where the objects are.
        outline: Corners [K, 2] in order.
        shown: Which objects may be taken [N]; all by default.
    """
    corners = np.asarray(outline, dtype=np.float64).reshape(-1, 2)
    found = np.zeros(len(plane), dtype=bool)
    if len(corners) < 3 or not (np.abs(corners) < LARGEST).all() or not np.ptp(corners, axis=0).all():
        return found
    path, low = Path(np.vstack([corners, corners[:1]])), corners.min(axis=0)
    step = np.ptp(corners, axis=0) / CELLS
    cells = _cells((corners - low) / step)
    box = low[0], low[0] + CELLS * step[0], low[1], low[1] + CELLS * step[1]

    def take(parts: Iterable[Places]) -> None:
        for rows, x, y in parts:
            near = np.flatnonzero(_in_box(x, y, box))
            x, y = x[near], y[near]
            column, row = (((values - least) / size).astype(np.int32).clip(max=CELLS - 1)
                           for values, least, size in zip((x, y), low, step, strict=True))  # fmt: skip
            kind = cells[row, column]
            taken = kind == INSIDE
            doubtful = np.flatnonzero(kind == BORDER)
            taken[doubtful] = path.contains_points(np.stack([x[doubtful], y[doubtful]], axis=1))
            found[rows][near] = taken if shown is None else taken & shown[rows][near]

    plane.walk(take)
    return found


def _cells(corners: Floats) -> npt.NDArray[np.uint8]:
    """Whether each cell [row, column] is within an outline, given in cells, outside, or may hold a piece of a side.

    Each side is walked in steps of at most half a cell, so that no point of it is more than one cell from a step.
    """
    after = np.roll(corners, -1, axis=0)
    steps = np.ceil(2 * np.abs(after - corners).max(axis=1)).astype(np.int64) + 1
    side = np.repeat(np.arange(len(corners)), steps)
    way = (np.arange(len(side)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[side]
    column, row = (corners[side] + way[:, None] * (after - corners)[side]).astype(np.int64).clip(0, CELLS - 1).T
    border = np.zeros((CELLS + 2, CELLS + 2), dtype=bool)
    for down in range(3):
        for right in range(3):
            border[row + down, column + right] = True
    middle = np.stack(np.meshgrid(np.arange(CELLS), np.arange(CELLS)), axis=-1).reshape(-1, 2) + 0.5
    within = Path(np.vstack([corners, corners[:1]])).contains_points(middle).reshape(CELLS, CELLS)
    kinds: npt.NDArray[np.uint8] = np.where(border[1:-1, 1:-1], BORDER, within * INSIDE).astype(np.uint8)
    return kinds


def _in_box(x: Floats, y: Floats, box: Box) -> Mask:
    return (x >= box[0]) & (x <= box[1]) & (y >= box[2]) & (y <= box[3])


def within_box(plane: Plane, box: Box, shown: Mask | None = None) -> Mask:
    """Flags [N] of the objects in a box, its edges included.

    Args:
        plane: Where the objects are.
        box: Least and greatest x, least and greatest y.
        shown: Which objects may be taken [N]; all by default.
    """
    found = np.zeros(len(plane), dtype=bool)

    def take(parts: Iterable[Places]) -> None:
        for rows, x, y in parts:
            found[rows] = _in_box(x, y, box)

    plane.walk(take)
    return found if shown is None else found & shown


def rows_in_box(plane: Plane, box: Box, shown: Mask | None = None, most: int | None = None) -> Rows | None:
    """Rows in a box, None as soon as there are more than wanted.

    Args:
        plane: Where the objects are.
        box: Least and greatest x, least and greatest y.
        shown: Which objects may be taken [N]; all by default.
        most: How many are wanted; any number by default.
    """
    counts = [0]

    def look(parts: Iterable[Places]) -> list[Rows]:
        found = [np.empty(0, np.int64)]
        for part, x, y in parts:
            inside = _in_box(x, y, box)
            found.append(part.start + np.flatnonzero(inside if shown is None else inside & shown[part]))
            counts.append(len(found[-1]))
            if most is not None and sum(counts) > most:
                break
        return found

    rows = np.concatenate([one for some in plane.walk(look) for one in some])
    return None if most is not None and len(rows) > most else np.sort(rows)


def nearest(plane: Plane, x: float, y: float, reach: tuple[float, float], shown: Mask | None = None) -> int:
    """Row of the object nearest to a place, -1 where none is near.

    Args:
        plane: Where the objects are.
        x: Place.
        y: Place.
        reach: How far away an object may be along each axis: the same number of pixels.
        shown: Which objects may be taken [N]; all by default.
    """
    rows = rows_in_box(plane, (x - reach[0], x + reach[0], y - reach[1], y + reach[1]), shown)
    if rows is None or not len(rows):
        return -1
    across, up = plane.at(rows)
    return int(rows[np.argmin(np.hypot((across - x) / reach[0], (up - y) / reach[1]))])
