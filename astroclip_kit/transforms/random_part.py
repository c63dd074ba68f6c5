"""Two observations of a variable star out of one: parts of its light curve, for encoders that learn without labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..errors import UsageError
from .lightcurves import is_padding
from .randomness import fork, uniform

__all__ = ["RandomPart"]

BAND, COVARIATES = 3, 4


@dataclass(frozen=True)
class RandomPart:
    """Keeps a run of a light curve's points, of random length and place; sometimes of one band alone.

    Covariates are hidden (NaN): what is measured on the whole light curve, as a period, is the same for all its parts,
    and an encoder that shall tell that two parts are of one star would look at nothing else.

    Args:
        least: Smallest share of the points that is kept.
        most: Largest share.
        band: Probability that one band alone is kept, where there are several.

    Raises:
        UsageError: If the shares do not ascend within 0 to 1, or the probability is none.

    Example:
        >>> curve = torch.stack([torch.arange(50.0), torch.ones(50), torch.ones(50), torch.zeros(50)], dim=1)[None]
        >>> part = RandomPart(0.5, 0.5)(curve, torch.tensor([1]))[0]
        >>> part[~is_padding(part), 0].diff().unique().tolist(), int((~is_padding(part)).sum())
        ([1.0], 25)
    """

    least: float = 0.3
    most: float = 0.6
    band: float = 0.0

    def __post_init__(self) -> None:
        """Refuses shares that are none."""
        if not (0 < self.least <= self.most <= 1 and 0 <= self.band <= 1):
            raise UsageError(
                f"RandomPart: least {self.least}, most {self.most} and band {self.band}, expected shares from 0 to 1, "
                f"the first above 0 and not above the second."
            )

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Light curves [B, T, 4 + C], NaN where a point is left out, and no covariates."""
        seeds = seeds.to(x.device)
        measured = self._one_band(x, ~is_padding(x), seeds)
        count = measured.sum(dim=1, keepdim=True)
        share = self.least + (self.most - self.least) * uniform(fork(seeds, 0), (1,))
        size = (share * count).ceil().long().clamp(min=1)
        start = (uniform(fork(seeds, 1), (1,)) * (count - size + 1)).long()
        rank = x[..., 0].where(measured, torch.inf).argsort(dim=1, stable=True).argsort(dim=1, stable=True)
        kept = measured & (rank >= start) & (rank < start + size)
        part = x.where(kept[..., None], torch.nan)
        part[..., COVARIATES:] = torch.nan
        return part

    def _one_band(self, x: torch.Tensor, measured: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """The points [B, T] of the band of a random point, for those light curves that are drawn to lose the others."""
        if not self.band:
            return measured
        chosen = uniform(fork(seeds, 2), (x.shape[1],)).masked_fill(~measured, -1.0).argmax(dim=1, keepdim=True)
        alone = uniform(fork(seeds, 3), (1,)) < self.band
        return measured & (~alone | (x[..., BAND] == x[..., BAND].gather(1, chosen)))
