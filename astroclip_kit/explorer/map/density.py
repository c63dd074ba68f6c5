"""A picture of how many objects lie where, of their mean value, or of their classes.

Objects are counted in pixels by numpy, which has nothing to compile; datashader makes the counts a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .colours import Colouring
from .plane import Box, Places, Plane
from .shading import Picture, faint, grey, over, shade

__all__ = ["density", "hidden", "warm_up"]

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[Any]


def density(
    plane: Plane,
    box: Box,
    size: tuple[int, int],
    colouring: Colouring,
    shown: Mask | None = None,
    selected: Mask | None = None,
) -> tuple[Picture, int]:
    """The picture of a part of a plane, and how many of the shown objects are in it.

    Args:
        plane: Where the objects are.
        box: Least and greatest x, least and greatest y.
        size: Width and height in pixels.
        colouring: Of the objects.
        shown: Which objects the filter lets through [N]; the others are a faint grey. All by default.
        selected: Which objects are selected [N]; while some are, the others are faint.

    Returns:
        RGBA uint32 [height, width], upwards, and a number.
    """
    counts = _counts(plane, box, size, colouring, shown, selected)
    pictures = [shade(one, colouring) for one in counts[: 1 if selected is None else 2]]
    layers = [] if shown is None else [grey(counts[2])]
    layers += [*(faint(one) for one in pictures[1:]), pictures[0]]
    seen = counts[:2, :1] if colouring.kind == "number" else counts[:2]
    return over(layers), int(seen.sum())


def hidden(plane: Plane, box: Box, size: tuple[int, int], shown: Mask) -> Picture:
    """Where objects are that the filter leaves out: RGBA uint32 [height, width], grey; as of `density`."""
    return grey(_counts(plane, box, size, Colouring(), shown, None)[2])


def warm_up() -> Iterator[None]:
    """Draws three objects in every way, one at a step, so that all is imported that the first page needs."""
    from ..columns import Column

    few = np.array([0.0, 0.5, 1.0])
    plane = Plane("", "", few, few, ("", ""), "")
    number, kind = Column("", "", lambda: few, False), Column("", "", lambda: few.astype(str), True)
    for column in (None, number, kind):
        yield
        density(plane, (-1.0, 2.0, -1.0, 2.0), (8, 8), Colouring(column), few > 0, few > 0.6)


def _counts(
    plane: Plane,
    box: Box,
    size: tuple[int, int],
    colouring: Colouring,
    shown: Mask | None,
    selected: Mask | None,
) -> Counts:
    """Counts [L, K, height, width] of what is strong, of what is not selected, and of what the filter leaves out.

    K are objects; objects, those with a value, and its sum; or those of each class. L ends with the last that there is.
    """
    width, height = size
    pixels, kinds = width * height, len(colouring.palette) if colouring.kind == "class" else 1
    layers = 3 if shown is not None else 2 if selected is not None else 1
    scale = width / (box[1] - box[0]), height / (box[3] - box[2])

    def counted(parts: Iterable[Places]) -> list[npt.NDArray[Any]]:
        objects = np.zeros(layers * kinds * pixels, np.uint32)
        known, total = (np.zeros(len(objects) * (colouring.kind == "number"), kind) for kind in (np.uint32, np.float64))
        for rows, x, y in parts:
            near = np.flatnonzero((x >= box[0]) & (x <= box[1]) & (y >= box[2]) & (y <= box[3]))
            taken = rows.start + near
            column = ((x[near] - box[0]) * scale[0]).astype(np.int64)
            row = ((y[near] - box[2]) * scale[1]).astype(np.int64)
            at = np.minimum(row, height - 1) * width + np.minimum(column, width - 1)
            if selected is not None:
                at += ~selected[taken] * (kinds * pixels)
            if shown is not None:
                at = np.where(shown[taken], at, at % pixels + 2 * kinds * pixels)
            if colouring.kind == "class":
                at += colouring.codes(taken).astype(np.int64) * pixels
            np.add.at(objects, at, np.uint32(1))
            if colouring.kind == "number":
                values = colouring.numbers(taken)
                has = np.flatnonzero(~np.isnan(values))
                np.add.at(known, at[has], np.uint32(1))
                np.add.at(total, at[has], values[has])
        return [objects, known, total]

    found = [sum(one) for one in zip(*plane.walk(counted), strict=True)]
    if colouring.kind != "number":
        return np.asarray(found[0]).reshape(layers, kinds, height, width)
    return np.stack([np.reshape(one, (layers, height, width)) for one in found], axis=1)
