"""Two coordinates of each object, which are read in parts where they are many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.pool import ThreadPool
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCK", "SAMPLE", "Box", "Places", "Plane", "blocks"]

BLOCK = 1 << 20  # rows at once
PART = 1 << 16  # of them while each is worked on: their places stay in the cache of a processor
THREADS = min(4, os.cpu_count() or 1)
SAMPLE = 100_000  # objects that tell where most are
TAIL = 0.001  # share of the objects at either end that must not squeeze all others
Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]  # least and greatest x, least and greatest y
Places = tuple[slice, Floats, Floats]  # rows and their coordinates
T = TypeVar("T")


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
        cut: Where the circle of right ascensions is cut: those beyond are given less 360 degrees.
    """

    key: str
    title: str
    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    axes: tuple[str, str]
    lacks: str
    sky: bool = False
    cut: float = 360.0

    def __len__(self) -> int:
        return len(self.x)

    def at(self, rows: Any) -> tuple[Floats, Floats]:
        """Coordinates of some rows, as numpy indexes."""
        x, y = np.asarray(self.x[rows], dtype=np.float64), np.asarray(self.y[rows], dtype=np.float64)
        return (np.where(x > self.cut, x - 360, x) if self.sky and self.cut < 360 else x), y

    def walk(self, work: Callable[[Iterable[Places]], T]) -> list[T]:
        """What comes out of a work on all objects, some at a time, once for each of the threads that share them."""
        starts = range(0, len(self), PART)

        def places(some: range) -> Iterator[Places]:
            for start in some:
                rows = slice(start, min(start + PART, len(self)))
                yield rows, *self.at(rows)

        if len(starts) <= THREADS:
            return [work(places(starts))]
        with ThreadPool(THREADS) as pool:
            return pool.map(lambda first: work(places(starts[first::THREADS])), range(THREADS))

    @cached_property
    def _survey(self) -> tuple[int, Box]:
        """How many objects have a place, and the box of all of them."""
        found = self.walk(_surveyed)
        low, high = np.min([one for _, one, _ in found], axis=0), np.max([one for _, _, one in found], axis=0)
        return sum(placed for placed, _, _ in found), (low[0], high[0], low[1], high[1])

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


def _surveyed(parts: Iterable[Places]) -> tuple[int, Floats, Floats]:
    """How many objects of some parts have a place, and the least and greatest coordinates of these."""
    placed, low, high = 0, np.full(2, np.inf), np.full(2, -np.inf)
    for _, *xy in parts:
        known = np.isfinite(xy[0]) & np.isfinite(xy[1])
        places = [one if known.all() else one[known] for one in xy]
        placed += len(places[0])
        low = np.minimum(low, [one.min(initial=np.inf) for one in places])
        high = np.maximum(high, [one.max(initial=-np.inf) for one in places])
    return placed, low, high
