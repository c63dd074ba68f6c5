"""Transforms of tables [B, C] of numbers, NaN where one is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ..errors import InputError

__all__ = ["Standardise"]


@dataclass(frozen=True)
class Standardise:
    """Shifts and scales each column; a missing value stays missing.

    Args:
        mean: Per column [C]; None until it is `measured_on` training rows, and tables stay as they are.
        scale: Per column [C], greater than 0; None as well.

    Example:
        >>> Standardise.of(np.array([[1.0], [3.0], [np.nan]]))(torch.tensor([[5.0]]))
        tensor([[3.]])
    """

    mean: Sequence[float] | None = None
    scale: Sequence[float] | None = None

    @classmethod
    def of(cls, values: npt.NDArray[np.floating]) -> Standardise:
        """Learns mean and standard deviation of the columns of `values` [N, C]; give it training rows only."""
        table = np.ma.masked_invalid(np.asarray(values, dtype=np.float64))
        scale = table.std(axis=0).filled(1.0)
        return cls(tuple(table.mean(axis=0).filled(0.0).tolist()), tuple(np.where(scale > 0, scale, 1.0).tolist()))

    def measured_on(self, x: torch.Tensor) -> Standardise:
        """The same with the numbers that it lacks, from tables [n, C]; give it training rows only."""
        return self.of(x.double().cpu().numpy()) if self.mean is None or self.scale is None else self

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Tables [B, C]."""
        if self.mean is None or self.scale is None:
            return x
        if x.shape[1] != len(self.mean):
            raise InputError(f"tables have {x.shape[1]} columns, expected {len(self.mean)}.")
        return (x - x.new_tensor(self.mean)) / x.new_tensor(self.scale)
