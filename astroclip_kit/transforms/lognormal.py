"""The distribution that fits how seeing, noise and dust vary over a survey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .randomness import normal

__all__ = ["LogNormal"]


@dataclass(frozen=True)
class LogNormal:
    """A shifted lognormal distribution, with the parameters of `scipy.stats.lognorm`.

    Args:
        shape: Standard deviation of the logarithm; one number, or one per column.
        loc: Shift.
        scale: Median before the shift.

    Example:
        >>> LogNormal(0.5, 1.0, 2.0).draw(torch.arange(2000)).median().round()
        tensor(3.)
    """

    shape: float | Sequence[float]
    loc: float | Sequence[float]
    scale: float | Sequence[float]

    def draw(self, seeds: torch.Tensor) -> torch.Tensor:
        """Numbers float32 [B], or [B, C] where there is a parameter per column; not below 0."""
        shape, loc, scale = (torch.as_tensor(one, device=seeds.device) for one in (self.shape, self.loc, self.scale))
        return (loc + scale * torch.exp(shape * normal(seeds, shape.shape))).clamp(min=0)
