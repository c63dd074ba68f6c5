"""An encoder of tables of numbers, some of which are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch

from ..transforms.compose import Transform
from ..transforms.tables import Standardise
from ..types import Modality
from .layers import MeasuredEncoder, check_kind, feed_forward

__all__ = ["TabularMLP"]


class TabularMLP(MeasuredEncoder):
    """A feed-forward network on the columns and on which of them are missing.

    A missing value enters as 0 beside a flag, so that absence itself can be learned from.

    Args:
        in_features: Number of columns.
        out_features: Number of features.
        hidden_features: Sizes of the hidden layers.
        activation: "gelu", "relu", "silu", "tanh" or "leaky_relu".
        dropout: Probability after each activation.
        preprocess: What is done to tables [B, in_features] first; by default `Standardise`, which `measured_on`
            measures: without it columns of large numbers drown the others.

    Example:
        >>> TabularMLP(5, 32)(torch.tensor([[18.2, 17.5, torch.nan, 16.9, 16.8]])).shape
        torch.Size([1, 32])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int = 64,
        hidden_features: Sequence[int] = (128, 128),
        activation: str = "gelu",
        dropout: float = 0.0,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.hidden_features, self.activation, self.dropout = tuple(hidden_features), activation, dropout
        self.preprocess = preprocess if preprocess is not None else Standardise()
        self.layers = feed_forward((2 * in_features, *hidden_features, out_features), activation, dropout)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for the columns of a table modality."""
        check_kind(modality, "table", cls)
        return cls(len(modality.channels), **arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of tables [B, in_features], NaN where a value is missing."""
        missing = ~x.isfinite()
        features: torch.Tensor = self.layers(torch.cat([x.masked_fill(missing, 0.0), missing.to(x.dtype)], dim=1))
        return features
