"""Numbers and functions of wavelength as a few smooth values, with missing measurements left out."""

from __future__ import annotations

from collections.abc import Sequence

import torch

__all__ = ["gaussian_smooth", "soft_bins"]


def gaussian_smooth(
    values: torch.Tensor, weights: torch.Tensor, position: torch.Tensor, targets: torch.Tensor, width: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Averages the measured values around some positions under a Gaussian.

    Normalised convolution (Knutsson & Westin 1993): a gap is left out of the mean instead of counting as zero.

    Args:
        values: [B, L].
        weights: Of each value [B, L]; 0 where nothing was measured.
        position: Of the values [L].
        targets: Where to average [M], in the unit of `position`.
        width: Standard deviation of the Gaussian, in the same unit.

    Returns:
        The means [B, M], 0 where there is nothing to average, and the share of the Gaussian's weight [B, M] that
        was measured, of what lies at the positions.

    Example:
        >>> line = torch.tensor([0.0, 1.0, 2.0])
        >>> mean, covered = gaussian_smooth(torch.ones(1, 3), torch.tensor([[1.0, 1.0, 0.0]]), line, line[:1], 0.1)
        >>> mean, covered
        (tensor([[1.]]), tensor([[1.]]))
    """
    kernel = torch.exp(-0.5 * ((position[:, None] - targets) / width) ** 2)
    total = weights @ kernel
    mean = (values.where(weights > 0, 0.0) * weights) @ kernel / total.clamp(min=1e-12)
    measured = (weights > 0).to(kernel.dtype) @ kernel / kernel.sum(dim=0).clamp(min=1e-12)
    return mean.where(total > 1e-6, 0.0), measured.where(total > 1e-6, 0.0)


def soft_bins(x: torch.Tensor, centers: Sequence[float]) -> torch.Tensor:
    """Shares each number between the two nearest of some centers, by distance.

    The basis of piecewise linear functions: a linear layer on it can follow any curve with kinks at the centers.
    It resolves a number that a single column among hundreds would drown.

    Args:
        x: Numbers [...]; NaN is unknown.
        centers: K ascending numbers; what lies beyond the first or the last counts as it.

    Returns:
        Shares [..., K] that add up to 1; all 0 where the number is unknown.

    Example:
        >>> soft_bins(torch.tensor([0.5, 9.0, torch.nan]), [0.0, 2.0, 4.0])
        tensor([[0.7500, 0.2500, 0.0000],
                [0.0000, 0.0000, 1.0000],
                [0.0000, 0.0000, 0.0000]])
    """
    knots = torch.as_tensor(centers, dtype=x.dtype, device=x.device)
    inside = x.nan_to_num(0.0).clamp(knots[0], knots[-1])
    upper = torch.searchsorted(knots, inside.contiguous()).clamp(1, len(knots) - 1)
    share = (inside - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
    ramp = torch.stack([1 - share, share], dim=-1)
    bins = x.new_zeros(*x.shape, len(knots)).scatter(-1, torch.stack([upper - 1, upper], dim=-1), ramp)
    return bins.where(x.isfinite()[..., None], 0.0)
