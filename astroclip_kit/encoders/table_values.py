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
        bins: Column to the centers of its soft bins, see `astroclip_kit.transforms.smoothing.soft_bins`.
        preprocess: What is done to tables [B, C] first; by default nothing.

    Raises:
        UsageError: If bins are given for a column that there is not.

    Example:
        >>> TableValues(("g", "r"), differences=True)(torch.tensor([[18.5, 18.0], [17.0, torch.nan]]))
        tensor([[18.5000, 18.0000,  0.0000,  0.0000,  0.5000],
                [17.0000,  0.0000,  0.0000,  1.0000,  0.0000]])
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
        unknown = sorted(set(self.bins) - set(self.columns))
        if unknown:
            raise UsageError(f"bins for {unknown[0]!r}, and the table has the columns {', '.join(self.columns)}.")
        colours = len(self.columns) - 1 if differences else 0
        self.out_features = 2 * len(self.columns) + colours + sum(len(centers) for centers in self.bins.values())

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
        missing = ~x.isfinite()
        parts = [x.masked_fill(missing, 0.0), missing.float()]
        if self.differences:
            parts += [(x[:, a] - x[:, b]).nan_to_num(0.0)[:, None] for a, b in pairwise(range(x.shape[1]))]
        parts += [soft_bins(x[:, self.columns.index(name)], centers) for name, centers in self.bins.items()]
        return torch.cat(parts, dim=1)
