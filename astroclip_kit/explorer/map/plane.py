"""Two coordinates of each object, which are read in parts where they are many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK", "Box", "Plane", "blocks"]

BLOCK = 1 << 20  # rows at once
SAMPLE = 100_000  # objects that tell where most are
TAIL = 0.001  # share of the objects at either end that must not squeeze all others
Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]  # least and greatest x, least and greatest y


def blocks(count: int) -> Iterator[slice]:
    """Rows in parts that fit the memory."""
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


@dataclass(frozen=True)
class Plane:
    """Two coordinates of each object.

    Args:
        key: What `State.plane` calls it.
        title: What a reader calls it.
        x: Coordinates [N]; those that are not finite have no place.
        y: As x.
        axes: Titles of both.
        lacks: What an object without a place does not have.
        sky: Whether x is a right ascension, which grows to the left.
    """

    key: str
    title: str
    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    axes: tuple[str, str]
    lacks: str
    sky: bool = False

    def __len__(self) -> int:
        return len(self.x)

    def at(self, rows: Any) -> tuple[Floats, Floats]:
        """Coordinates of some rows, as numpy indexes."""
        return np.asarray(self.x[rows], dtype=np.float64), np.asarray(self.y[rows], dtype=np.float64)

    @cached_property
    def _survey(self) -> tuple[int, Box]:
        """How many objects have a place, and the box of all of them."""
        placed, low, high = 0, np.full(2, np.inf), np.full(2, -np.inf)
        for part in blocks(len(self)):
            places = np.stack(self.at(part))
            places = places[:, np.isfinite(places).all(axis=0)]
            placed += places.shape[1]
            low = np.minimum(low, places.min(axis=1, initial=np.inf))
            high = np.maximum(high, places.max(axis=1, initial=-np.inf))
        return placed, (low[0], high[0], low[1], high[1])

    @property
    def missing(self) -> int:
        """How many objects have no place."""
        return len(self) - self._survey[0]

    @cached_property
    def frame(self) -> Box:
        """The box that is shown first: of all objects, but where a few are far out, of the others."""
        placed, box = self._survey
        if not placed:
            return (0.0, 1.0, 0.0, 1.0)
        edges: list[float] = []
        few = np.stack(self.at(slice(None, None, -(-len(self) // SAMPLE))))
        few = few[:, np.isfinite(few).all(axis=0)]
        for values, low, high in zip(few, box[::2], box[1::2], strict=True):
            first, last = np.quantile(values, (TAIL, 1 - TAIL)) if len(values) else (low, high)
            if margin := 0.75 * (last - first):
                low, high = max(low, first - margin), min(high, last + margin)
            pad = 0.03 * (high - low) or 0.5
            edges += [float(low - pad), float(high + pad)]
        return (edges[0], edges[1], edges[2], edges[3])
