"""A short light curve as a few numbers of each band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import nn

from ..transforms.bands import LIMIT
from ..transforms.compose import Compose, Transform
from ..transforms.lightcurves import is_padding
from ..transforms.smoothing import soft_bins
from ..types import Modality
from .layers import check_kind, check_light_curves

__all__ = ["LightCurveStatistics"]

PER_BAND = 8


class LightCurveStatistics(nn.Module):
    """How often, when and how bright an object was in each band; nothing is learned.

    Of each band: whether it has a point, log(1 + number of points), days from its first and from its last point to
    the end of the light curve (as log(1 + days)), mean, last, smallest and largest value. Values are relative to the
    latest detection in any band, which itself enters as soft bins. Upper limits are bands of their own
    (``<band>_limit``) and say how long and how deep nothing was seen; they are no detection. Covariates
    are not looked at.

    Args:
        bands: Names of the bands.
        latest_bins: Centers of the soft bins of the latest detection, in the unit of the values.
        preprocess: What is done to light curves [B, T, 4] first; by default nothing.

    Example:
        >>> encoder = LightCurveStatistics(("g", "g_limit"), latest_bins=(15, 20))
        >>> rows = torch.tensor([[[0.0, 20.5, torch.nan, 1.0], [3.0, 18.0, 0.1, 0.0]]])
        >>> encoder(rows)[0, -6:]
        tensor([2.5000, 2.5000, 2.5000, 2.5000, 0.4000, 0.6000])
    """

    def __init__(
        self,
        bands: Sequence[str],
        latest_bins: Sequence[float] = (12, 13.5, 15, 16, 17, 18, 19, 20, 21),
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.bands, self.latest_bins = tuple(bands), tuple(latest_bins)
        self.preprocess = preprocess if preprocess is not None else Compose()
        self.out_features = PER_BAND * len(self.bands) + len(self.latest_bins)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Of the bands of a light-curve modality."""
        check_kind(modality, "lightcurve", cls)
        return cls(modality.bands, **arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of light curves [B, T, 4], NaN where padded."""
        check_light_curves(x)
        with torch.autocast(x.device.type, enabled=False):
            x = nn.functional.pad(x.float(), (0, 0, 0, 1), value=torch.nan)
            measured = ~is_padding(x)
            time, value = x[..., 0].where(measured, -torch.inf), x[..., 1]
            band = x[..., 3].where(measured, -1.0).long()
            limits = torch.tensor([name.endswith(LIMIT) for name in (*self.bands, LIMIT)], device=x.device)
            seen = measured & ~limits[band]
            latest = value.gather(1, time.where(seen, -torch.inf).argmax(dim=1, keepdim=True))
            latest = latest.where(seen.any(dim=1, keepdim=True), torch.nan)
            relative = (value - latest).nan_to_num(0.0)
            end = time.amax(dim=1)
            each = [_numbers(time, relative, band == number, end) for number in range(len(self.bands))]
            return torch.cat([*each, soft_bins(latest[:, 0], self.latest_bins)], dim=1)


def _numbers(time: torch.Tensor, value: torch.Tensor, mine: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """What is known of one band [B, 8]; 0 where it has no point."""
    count = mine.sum(dim=1)
    first = end - time.where(mine, torch.inf).amin(dim=1)
    last_time, last = time.where(mine, -torch.inf).max(dim=1)
    numbers = [
        torch.ones_like(end),
        count.float().log1p(),
        first.clamp(min=0).log1p(),
        (end - last_time).clamp(min=0).log1p(),
        value.where(mine, 0.0).sum(dim=1) / count.clamp(min=1),
        value.gather(1, last[:, None])[:, 0],
        value.where(mine, torch.inf).amin(dim=1),
        value.where(mine, -torch.inf).amax(dim=1),
    ]
    return torch.stack(numbers, dim=1).where(count[:, None] > 0, 0.0)
