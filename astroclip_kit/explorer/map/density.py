"""A picture of how many objects lie where, of their mean value, or of their classes, made by datashader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .colours import Colouring
from .plane import Box, Plane, blocks
from .shading import Picture, faint, grey, over, shade

__all__ = ["density", "hidden", "warm_up"]

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.float64]


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
    canvas = _canvas(box, size)
    layers, parts = [], [shown]
    if shown is not None:
        layers.append(hidden(plane, box, size, shown))
    if selected is not None:
        parts = [~selected, selected] if shown is None else [shown & ~selected, shown & selected]
    counts = [_counts(canvas, plane, colouring, part) for part in parts]
    pictures = [shade(one, colouring) for one in counts]
    layers += [*(faint(one) for one in pictures[:-1]), pictures[-1]]
    return over(layers), int(sum(one[:1].sum() if colouring.kind == "number" else one.sum() for one in counts))


def hidden(plane: Plane, box: Box, size: tuple[int, int], shown: Mask) -> Picture:
    """Where objects are that the filter leaves out: RGBA uint32 [height, width], grey; as of `density`."""
    return grey(_counts(_canvas(box, size), plane, Colouring(), ~shown))


def warm_up() -> None:
    """Draws three objects in every way, so that numba has compiled what the first page needs."""
    from ..columns import Column

    few = np.array([0.0, 0.5, 1.0])
    plane = Plane("", "", few, few, ("", ""), "")
    number, kind = Column("", "", lambda: few, False), Column("", "", lambda: few.astype(str), True)
    for column in (None, number, kind):
        density(plane, (-1.0, 2.0, -1.0, 2.0), (8, 8), Colouring(column), few > 0, few > 0.6)


def _canvas(box: Box, size: tuple[int, int]) -> Any:
    import datashader

    return datashader.Canvas(*size, x_range=box[:2], y_range=box[2:])


def _counts(canvas: Any, plane: Plane, colouring: Colouring, rows: Mask | None) -> Counts:
    """Counts [K, height, width]: of objects; of objects, of those with a value, and its sum; or of each class."""
    import datashader as ds
    import pandas as pd

    if colouring.kind == "class":
        names = [str(number) for number in range(len(colouring.palette))]

        def codes(taken: Any) -> dict[str, Any]:
            return {"v": pd.Categorical.from_codes(colouring.codes(taken), names)}

        return np.moveaxis(_add_up(canvas, plane, rows, ds.by("v", ds.count()), codes)[0], -1, 0)
    if colouring.kind == "plain":
        return np.stack(_add_up(canvas, plane, rows, ds.count(), lambda taken: {}))
    how = ds.summary(a_objects=ds.count(), b_known=ds.count("v"), c_sum=ds.sum("v"))  # which it sorts by name
    return np.stack(_add_up(canvas, plane, rows, how, lambda taken: {"v": colouring.numbers(taken)}))


def _add_up(
    canvas: Any, plane: Plane, rows: Mask | None, how: Any, more: Callable[[Any], dict[str, Any]]
) -> list[Counts]:
    """What datashader finds in each block of rows, added up.

    Args:
        canvas: The pixels.
        plane: Where the objects are.
        rows: Which are counted [N].
        how: What is found in each pixel.
        more: Gives the columns besides x and y of some rows.
    """
    import pandas as pd

    total: list[Counts] = []
    for part in blocks(len(plane)):
        taken: Any = part if rows is None else part.start + np.flatnonzero(rows[part])
        x, y = plane.at(taken)
        found = canvas.points(pd.DataFrame({"x": x, "y": y, **more(taken)}), "x", "y", agg=how)
        arrays = [found[name] for name in sorted(found)] if hasattr(found, "data_vars") else [found]
        numbers = [np.nan_to_num(one.values.astype(np.float64)) for one in arrays]
        total = [a + b for a, b in zip(total, numbers, strict=True)] if total else numbers
    return total
