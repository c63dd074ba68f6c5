"""Light curves [B, T, 4] of (time, value, error, band): padding rows are NaN in all columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["is_padding", "pad"]


def pad(views: Sequence[npt.NDArray[np.float32]], length: int = 0) -> npt.NDArray[np.float32]:
    """Stacks light curves of different lengths.

    Args:
        views: B light curves [T_i, 4].
        length: Rows of the result where the longest light curve has fewer.

    Returns:
        float32 [B, T, 4], NaN behind the last point of each.

    Example:
        >>> pad([np.zeros((2, 4), np.float32), np.zeros((5, 4), np.float32)]).shape
        (2, 5, 4)
    """
    lengths = np.array([len(view) for view in views], dtype=np.int64)
    longest = max(length, int(lengths.max(initial=0)))
    padded = np.full((len(views), longest, 4), np.nan, dtype=np.float32)
    if len(views):
        padded[np.arange(longest) < lengths[:, None]] = np.concatenate(views)
    return padded


def is_padding(x: torch.Tensor) -> torch.Tensor:
    """Which rows [B, T] hold no measurement: no time, no value or no band."""
    return ~x[..., (0, 1, 3)].isfinite().all(dim=-1)
