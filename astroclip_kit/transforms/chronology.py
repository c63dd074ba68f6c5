"""The points of light curves in order of time: what duplicates are, where a window lies, and how it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ..errors import InputError, UsageError
from .lightcurves import is_padding
from .randomness import uniform

__all__ = ["Chronology", "RandomWindow", "chronology", "parts"]

TIME, VALUE, ERROR, BAND = range(4)
AT_ONCE = 2**21  # points whose copies are in memory at the same time


def parts(x: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
    """Some light curves at a time, few where they are long: which, and they without the rows that none of them has."""
    count = max(1, AT_ONCE // max(1, x.shape[1]))
    for first in range(0, len(x), count) if x.shape[1] else ():
        part = x[first : first + count]
        used = (~is_padding(part)).any(dim=0).nonzero()
        yield slice(first, first + count), part[:, : int(used[-1]) + 1 if len(used) else 1]


@dataclass(frozen=True)
class Chronology:
    """Where the points of B light curves [B, T] are.

    Args:
        order: Rows in order of time, int64 [B, T]; what is no point, or a duplicate, comes last.
        points: Which rows count, bool [B, T].
        count: Number of points, int64 [B, 1].
        shift: Which point in order of time the first row is, int64 [B, 1]; 0 where the rows are in no order.
    """

    order: torch.Tensor
    points: torch.Tensor
    count: torch.Tensor
    shift: torch.Tensor

    def window(self, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows int64 [B, length] of the middle window, in order of time, and which of them are points."""
        excess = (self.count - length).clamp(min=0)
        start = ((excess // 2 + self.shift) % self.count.clamp(min=1)).where(excess > 0, 0)
        place = torch.minimum(start, excess) + torch.arange(length, device=self.order.device)
        inside = place < self.count
        return self.order.gather(1, place.where(inside, 0)), inside


def chronology(x: torch.Tensor) -> Chronology:
    """Finds the points of light curves [B, T, 4 + C], T at least 1.

    Of measurements that are the same in time, value, error and band one counts; measurements of the same time stay in
    the order in which they are. Rows that are in order of time but for one cyclic shift are what `RandomWindow` makes
    of a light curve.
    """
    points = ~is_padding(x)
    time = x[..., TIME].masked_fill(~points, torch.inf)
    order = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
    shift = torch.zeros(len(x), 1, dtype=torch.int64, device=x.device)
    sorts = bool((time[:, 1:] < time[:, :-1]).any())
    ordered = time
    if sorts:
        ordered, order = time.sort(dim=1, stable=True)
    ties = ((ordered[:, 1:] == ordered[:, :-1]) & ordered[:, 1:].isfinite()).any(dim=1)
    if ties.any():
        points = points.clone()
        points[ties] &= ~_repeated(x[ties], points[ties])
        order = x[..., TIME].masked_fill(~points, torch.inf).argsort(dim=1, stable=True)
    count = points.sum(dim=1, keepdim=True)
    return Chronology(order, points, count, _shift(x[..., TIME], points, count) if sorts else shift)


def _repeated(x: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Which points [B, T] were there before."""
    keys = x[..., : BAND + 1].nan_to_num(0.0)
    order = torch.arange(x.shape[1], device=x.device).expand(points.shape)
    for column in (BAND, ERROR, VALUE, TIME):
        key = keys[..., column].masked_fill(~points, torch.inf)
        order = order.gather(1, key.gather(1, order).argsort(dim=1, stable=True))
    rows = keys.gather(1, order[..., None].expand_as(keys))
    same = (rows[:, 1:] == rows[:, :-1]).all(dim=2) & points.gather(1, order)[:, 1:]
    return torch.zeros_like(points).scatter(1, order[:, 1:], same)


def _shift(time: torch.Tensor, points: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Which point in order of time comes first [B, 1], where the points are in order but for a cyclic shift; else 0."""
    numbers = torch.arange(time.shape[1], device=time.device).where(points, -1)
    before = numbers.cummax(dim=1).values[:, :-1]
    falls = points[:, 1:] & (before >= 0) & (time[:, 1:] < time.gather(1, before.clamp(min=0)))
    rank = points.cumsum(dim=1)[:, 1:] - 1
    lowest = (rank * falls).sum(dim=1, keepdim=True)
    first, last = points.float().argmax(dim=1, keepdim=True), numbers.argmax(dim=1, keepdim=True)
    turned = (falls.sum(dim=1, keepdim=True) == 1) & (time.gather(1, last) <= time.gather(1, first))
    return (count - lowest).where(turned, 0)


@dataclass(frozen=True)
class RandomWindow:
    """Draws which part of a long light curve an encoder sees that cuts the middle, as `LightCurveSteps` does.

    The points are sorted and rolled cyclically until the drawn window lies in the middle; each window, the first and
    the last included, is as likely. All points remain, so what is taken from the whole light curve (its mean, its
    scatter, its duration) stays as it is. A light curve that is not longer than a window is sorted only.

    Args:
        length: Points of a window.

    Raises:
        UsageError: If the window has no point.

    Example:
        >>> curve = torch.stack([torch.arange(5.0), torch.ones(5), torch.ones(5), torch.zeros(5)], dim=1)[None]
        >>> RandomWindow(3)(curve, torch.tensor([1]))[0, 1:4, 0].diff()
        tensor([1., 1.])
    """

    length: int = 200

    def __post_init__(self) -> None:
        """Refuses a window without a point."""
        if self.length < 1:
            raise UsageError(f"RandomWindow length is {self.length}, expected at least 1 point.")

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Light curves [B, T, 4 + C], NaN behind the last point of each; duplicates are left out."""
        if x.ndim != 3 or x.shape[2] <= BAND:
            raise InputError(f"RandomWindow takes light curves [B, T, 4 or more], found {tuple(x.shape)}.")
        out = torch.full_like(x, torch.nan)
        for rows, part in parts(x):
            out[rows, : part.shape[1]] = self._rolled(part, seeds[rows].to(x.device))
        return out

    def _rolled(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        found = chronology(x)
        excess = (found.count - self.length).clamp(min=0)
        start = (uniform(seeds, (1,)) * (excess + 1)).long()
        place = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
        inside = place < found.count
        rolled = (place + start - excess // 2) % found.count.clamp(min=1)
        rows = found.order.gather(1, rolled.where(inside, place))
        return x.gather(1, rows[..., None].expand_as(x)).where(inside[..., None], torch.nan)
