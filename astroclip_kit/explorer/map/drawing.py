"""What the map shows of a part of a plane: few objects as points, many as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...errors import KitError
from .colours import Colouring
from .density import density, hidden, warm_up
from .plane import Box, Plane
from .regions import rows_in_box
from .shading import Picture

__all__ = ["Drawn", "draw", "prepare"]

if TYPE_CHECKING:
    from ..space import Space

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Drawn:
    """What is to be shown.

    Args:
        plane: Where the objects are.
        box: The part that was asked for: least and greatest x, least and greatest y.
        colouring: Of the objects.
        picture: Pixels; None where there are only points.
        rows: Rows that are points; None where all are in the picture.
        count: How many of the objects that the filter lets through are in the box.
        told: What is seen, in words.
        ids: Of the rows that are points, once `Points.named` has read them.
    """

    plane: Plane
    box: Box
    colouring: Colouring
    picture: Picture | None
    rows: npt.NDArray[np.int64] | None
    count: int
    told: str
    ids: tuple[str, ...] = ()


def draw(
    plane: Plane,
    box: Box,
    size: tuple[int, int],
    colouring: Colouring,
    shown: Mask | None = None,
    selected: Mask | None = None,
    most: int = 10_000,
) -> Drawn:
    """Draws a part of a plane; see `density.density`.

    Args:
        plane: Where the objects are.
        box: Least and greatest x, least and greatest y.
        size: Width and height in pixels.
        colouring: Of the objects.
        shown: Which objects the filter lets through [N]; all by default.
        selected: Which objects are selected [N].
        most: How many objects are points.
    """
    picture, rows = None, rows_in_box(plane, box, shown, most)
    if rows is None:
        colouring = colouring.of_pixels
        picture, count = density(plane, box, size, colouring, shown, selected)
    else:
        count = len(rows)
        picture = None if shown is None else hidden(plane, box, size, shown)
    colouring.measure()
    return Drawn(plane, box, colouring, picture, rows, count, _told(plane, colouring, count, rows is None, shown))


def prepare(space: Space) -> Iterator[None]:
    """Does before the first page, step by step, what each would wait for: its plane, and for many what draws them."""
    if len(space) > space.points:
        yield from warm_up()
    with suppress(KitError):  # which the page says
        plane = space.planes.open(space.planes.default, space.columns)
        yield
        _ = plane.frame


def _told(plane: Plane, colouring: Colouring, count: int, is_picture: bool, shown: Mask | None) -> str:
    parts = [f"{count:,} of {len(plane):,} objects in view"]
    parts[0] += ", as a picture of their density: zoom in to see each" if is_picture else ""
    if not count:
        is_filtered = shown is not None and not shown.any()
        parts[0] += ": " + (
            "none fulfils the conditions" if is_filtered else "the round arrow beside the map shows all"
        )
    if plane.missing:
        parts.append(f"{plane.missing:,} {'object has' if plane.missing == 1 else 'objects have'} no {plane.lacks}")
    if colouring.missing:
        parts.append(f"{colouring.missing:,} without {colouring.name} are grey")
    return " · ".join(parts)
