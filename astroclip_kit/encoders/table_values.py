"""The columns of a table as they are, their differences and their soft bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.smoothing import soft_bins
from ..types import Modality
from .layers import check_kind

__all__ = ["TableValues"]


class TableValues(nn.Module):
    """Every column, 0 where it is missing, and whether it is; nothing is learned.

    Args:
        columns: Names of the columns.
        differences: Whether neighbouring columns are subtracted as well: the colours of magnitudes.
        bins: Column, or difference such as "g-r", to the centers of its soft bins, see
            `astroclip_kit.transforms.smoothing.soft_bins`.
        preprocess: What is done to tables [B, C] first; by default nothing.

    Raises:
        UsageError: If bins are given for a column that there is not.

    Example:
        >>> TableValues(("g", "r"), differences=True)(torch.tensor([[18.5, 18.0], [17.0, torch.nan]]))
        tensor([[18.5000, 18.0000,  0.5000,  0.0000,  0.0000],
                [17.0000,  0.0000,  0.0000,  0.0000,  1.0000]])
    """

    def __init__(
        self,
        columns: Sequence[str],
        differences: bool = False,
        bins: Mapping[str, Sequence[float]] | None = None,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.columns, self.differences, self.bins = tuple(columns), differences, dict(bins or {})
        self.preprocess = preprocess if preprocess is not None else Compose()
        self._names = [*self.columns, *(f"{a}-{b}" for a, b in pairwise(self.columns) if differences)]
        unknown = sorted(set(self.bins) - set(self._names))
        if unknown:
            raise UsageError(f"bins for {unknown[0]!r}, and the table has {', '.join(self._names)}.")
        self.out_features = len(self.columns) + len(self._names) + sum(map(len, self.bins.values()))

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Of the columns of a table modality."""
        check_kind(modality, "table", cls)
        return cls(modality.channels, **arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of tables [B, C], NaN where a value is missing."""
        if x.ndim != 2 or x.shape[1] != len(self.columns):
            raise InputError(f"tables have shape {tuple(x.shape)}, expected [B, {len(self.columns)}].")
        x = x.float()
        x = x.where(x.isfinite(), torch.nan)
        both = torch.cat([x, x[:, :-1] - x[:, 1:]], dim=1) if self.differences else x
        bins = [soft_bins(both[:, self._names.index(name)], centers) for name, centers in self.bins.items()]
        return torch.cat([both.nan_to_num(0.0), x.isnan().float(), *bins], dim=1)
