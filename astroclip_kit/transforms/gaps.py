"""Flux along a line of pixels, some of them missing."""

from __future__ import annotations

import torch

__all__ = ["interpolate_gaps"]


def interpolate_gaps(flux: torch.Tensor, good: torch.Tensor, position: torch.Tensor | None = None) -> torch.Tensor:
    """Draws a straight line between the good neighbours of each missing pixel.

    Args:
        flux: [B, L]; what it holds where it is not good is ignored.
        good: Which pixels to keep [B, L].
        position: Of the pixels [L], ascending; by default evenly spaced.

    Returns:
        Flux [B, L]. Beyond the first and the last good pixel their values go on; a row without any is 0.

    Example:
        >>> interpolate_gaps(torch.tensor([[1.0, torch.nan, 3.0]]), torch.tensor([[True, False, True]]))
        tensor([[1., 2., 3.]])
    """
    length = flux.shape[1]
    pixel = torch.arange(length, device=flux.device).expand_as(good)
    before = pixel.where(good, -1).cummax(dim=1).values
    after = pixel.where(good, length).flip(1).cummin(dim=1).values.flip(1)
    left = before.where(before >= 0, after).clamp(max=length - 1)
    right = after.where(after < length, before).clamp(min=0)
    flux = flux.where(good, 0.0)
    low, high = flux.gather(1, left), flux.gather(1, right)
    at = torch.arange(length, device=flux.device, dtype=flux.dtype) if position is None else position
    gap = at[right] - at[left]
    share = (at - at[left]) / gap.where(gap > 0, 1.0)
    return flux.where(good, low + (high - low) * share)
