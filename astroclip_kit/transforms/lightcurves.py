"""Light curves [B, T, 4] of (time, value, error, band): padding rows are NaN in all columns.

Columns after the four are covariates, one number per object on each of its rows: [B, T, 4 + C]. What is done to points
leaves them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ..errors import UsageError
from ..types import LIGHTCURVE_CHANNELS
from .randomness import fork, normal, uniform

__all__ = ["DropPoints", "ErrorNoise", "PartOfPoints", "is_padding", "pad"]


def pad(views: Sequence[npt.NDArray[np.float32]], length: int = 0) -> npt.NDArray[np.float32]:
    """Stacks light curves of different lengths.

    Args:
        views: B light curves [T_i, 4], or [T_i, 4 + C] with covariates.
        length: Rows of the result where the longest light curve has fewer.

    Returns:
        float32 [B, T, 4 + C], NaN behind the last point of each.

    Example:
        >>> pad([np.zeros((2, 4), np.float32), np.zeros((5, 4), np.float32)]).shape
        (2, 5, 4)
    """
    lengths = np.array([len(view) for view in views], dtype=np.int64)
    longest = max(length, int(lengths.max(initial=0)))
    width = views[0].shape[1] if len(views) else len(LIGHTCURVE_CHANNELS)
    padded = np.full((len(views), longest, width), np.nan, dtype=np.float32)
    if len(views):
        padded[np.arange(longest) < lengths[:, None]] = np.concatenate(views)
    return padded


def is_padding(x: torch.Tensor) -> torch.Tensor:
    """Which rows [B, T] hold no measurement: no time, no value or no band."""
    return ~(x[..., 0].isfinite() & x[..., 1].isfinite() & x[..., 3].isfinite())


@dataclass(frozen=True)
class DropPoints:
    """Observes a light curve less often: leaves out random points, and sometimes a whole band.

    Args:
        share: Largest share of the points left out; how many is drawn for each light curve. One point always stays.
        band: Probability that the band of a random point is left out too, where another band remains.

    Example:
        >>> thinned = DropPoints(0.9)(torch.zeros(1, 100, 4), torch.tensor([5]))
        >>> 0 < int(is_padding(thinned).sum()) < 100
        True
    """

    share: float = 0.5
    band: float = 0.0

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Light curves [B, T, 4], NaN where a point was left out."""
        seeds, points = seeds.to(x.device), x.shape[1]
        measured = ~is_padding(x)
        order = uniform(fork(seeds, 0), (points,)).masked_fill(~measured, -1.0)
        chosen = order.argmax(dim=1, keepdim=True)
        kept = measured & (uniform(fork(seeds, 1), (points,)) >= self.share * uniform(fork(seeds, 2), (1,)))
        lost = order.where(torch.arange(points, device=x.device) != chosen, -1.0).argmax(dim=1, keepdim=True)
        others = measured & (x[..., 3] != x[..., 3].gather(1, lost))
        thinner = (uniform(fork(seeds, 3), (1,)) < self.band) & others.gather(1, chosen)
        kept = kept & torch.where(thinner, others, measured)
        kept = kept.scatter(1, chosen, measured.gather(1, chosen))
        return x.where(kept[..., None], torch.nan)


@dataclass(frozen=True)
class ErrorNoise:
    """Measures a light curve again, with errors of its own size.

    Args:
        scale: Added noise in units of each point's error.
        default: Error of the points that give none, in the unit of the values.

    Example:
        >>> again = ErrorNoise(2.0)(torch.ones(1, 3, 4), torch.tensor([0]))
        >>> bool((again[..., 1] != 1).all()), bool((again[..., 2] == 5**0.5).all())
        (True, True)
    """

    scale: float = 1.0
    default: float = 0.1

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Light curves [B, T, 4]; errors grow accordingly."""
        error = x[..., 2].where(x[..., 2].isfinite(), self.default)
        value = x[..., 1] + normal(seeds.to(x.device), (x.shape[1],)).to(x.dtype) * error * self.scale
        measured = torch.stack([x[..., 0], value, x[..., 2] * (1 + self.scale**2) ** 0.5], dim=-1)
        return torch.cat([measured, x[..., 3:]], dim=-1)


@dataclass(frozen=True)
class PartOfPoints:
    """Keeps a part of each light curve's points, in order of time: the earlier and the later half are two observations.

    Args:
        start: Share of the points that come before the part, from 0.
        stop: Share of the points at which the part ends, up to 1.

    Raises:
        UsageError: If the shares do not ascend within 0 to 1.

    Example:
        >>> x = torch.tensor([[[0.0, 18.0, 0.1, 0.0], [2.0, 18.5, 0.1, 0.0]]])
        >>> is_padding(PartOfPoints(0.5, 1.0)(x))
        tensor([[ True, False]])
    """

    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop <= 1:
            raise UsageError(f"start and stop are {self.start} and {self.stop}, expected shares that ascend in 0 to 1.")

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Light curves [B, T, 4], NaN where a point is left out."""
        measured = ~is_padding(x)
        order = x[..., 0].where(measured, torch.inf).argsort(dim=1, stable=True).argsort(dim=1, stable=True)
        share = order / measured.sum(dim=1, keepdim=True).clamp(min=1)
        kept = measured & (share >= self.start) & (share < self.stop)
        return x.where(kept[..., None], torch.nan)
