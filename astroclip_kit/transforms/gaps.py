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
    length, flat = flux.shape[1], good.flatten()
    kept, missing = flat.nonzero()[:, 0], (~flat).nonzero()[:, 0]
    filled = flux.where(good, 0.0)
    if not len(kept) or not len(missing):
        return filled
    after = torch.searchsorted(kept, missing)
    left, right = kept[(after - 1).clamp(min=0)], kept[after.clamp(max=len(kept) - 1)]
    has_left, has_right = ((side // length == missing // length) for side in (left, right))
    left, right = left.where(has_left, right), right.where(has_right, left)
    at = torch.arange(length, device=flux.device, dtype=flux.dtype) if position is None else position
    start, gap = at[left % length], at[right % length] - at[left % length]
    share = (at[missing % length] - start) / gap.where(gap > 0, 1.0)
    values = filled.flatten()
    line = values[left].lerp(values[right], share.to(flux.dtype).where(gap > 0, 0.0))
    return values.index_put((missing,), line.where(has_left | has_right, 0.0)).reshape(good.shape)
