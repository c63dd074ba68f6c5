"""Robust scatter of rows of different lengths."""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["median_absolute_deviation", "medians"]


def medians(values: torch.Tensor, used: torch.Tensor) -> torch.Tensor:
    """Median [B, 1] of the used values of each row [B, T], of the two in the middle their mean; NaN of none."""
    known = values.masked_fill(~used, torch.inf)
    on_cpu = known.device.type == "cpu"  # where NumPy sorts twenty times as fast
    ordered = torch.from_numpy(np.sort(known.numpy(), axis=1)) if on_cpu else known.sort(dim=1).values
    count = used.sum(dim=1, keepdim=True)
    middle = [ordered.gather(1, (half // 2).clamp(min=0)) for half in (count - 1, count)]
    return ((middle[0] + middle[1]) / 2).where(count > 0, torch.nan)


def median_absolute_deviation(values: torch.Tensor, used: torch.Tensor) -> torch.Tensor:
    """Median distance [B, 1] from the median, that nothing can be divided by zero.

    Where more than half of the values are the same it is 0: the mean distance from the median then, and 1 where all
    are the same or none is used.

    Args:
        values: [B, T], T at least 1.
        used: Which of them count, bool [B, T].

    Example:
        >>> values = torch.tensor([[1.0, 2.0, 4.0], [3.0, 3.0, 6.0], [5.0, 5.0, 5.0]])
        >>> median_absolute_deviation(values, values > 0)[:, 0].tolist()
        [1.0, 1.0, 1.0]
    """
    apart = (values - medians(values, used)).abs().where(used, 0.0)
    spread = medians(apart, used)
    mean = apart.sum(dim=1, keepdim=True) / used.sum(dim=1, keepdim=True).clamp(min=1)
    spread = spread.where(spread > 0, mean)
    return spread.where(spread > 0, 1.0)
