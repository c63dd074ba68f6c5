"""Transforms of tables [B, C] of numbers, NaN where one is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ..errors import InputError, UsageError
from .astrom3_columns import SCALED

__all__ = ["Standardise", "given_statistics", "standardised", "statistics"]


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


def given_statistics(owner: str, columns: Sequence[str], mean: Sequence[float], std: Sequence[float]) -> None:
    """Refuses statistics that are not of these columns.

    Args:
        owner: Who was given them.
        columns: Names of the columns.
        mean: Of each column; or () where they are not known yet.
        std: As well, each above 0.

    Raises:
        UsageError: Says what was given.
    """
    if {len(mean), len(std)} not in ({0}, {len(columns)}) or not all(value > 0 for value in std):
        raise UsageError(
            f"{owner}: mean and std are one number for each of {len(columns)} columns, std above 0, or both (); found "
            f"{len(mean)} and {len(std)}, std {min(std, default=1):g} and more."
        )


def statistics(values: torch.Tensor, columns: Sequence[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of columns [n, C]; 0 and 1 for those whose names begin with ``scaled_``."""
    known = Standardise.of(values.cpu().numpy())
    fixed = [name.startswith(SCALED) for name in columns]
    mean = tuple(0.0 if stays else value for stays, value in zip(fixed, known.mean or (), strict=True))
    return mean, tuple(1.0 if stays else value for stays, value in zip(fixed, known.scale or (), strict=True))


def standardised(values: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """Values [B, C] in units of their spread; a missing one is the mean, which is 0."""
    if mean:
        values = (values - values.new_tensor(mean)) / values.new_tensor(std)
    return values.nan_to_num(0.0, posinf=0.0, neginf=0.0)
