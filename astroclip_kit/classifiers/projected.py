"""Encoders with their projections as encoders of unit vectors, so that these can be cached."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from ..contracts import check_encoder
from ..types import Modality

__all__ = ["Passed", "Projected"]


class Projected(nn.Module):
    """An encoder whose features are its unit vectors in the space that it was aligned in.

    Args:
        encoder: Any encoder.
        scaler: What its features are standardised with.
        head: Its projection.

    Example:
        >>> import torch
        >>> from astroclip_kit.alignment.heads import ProjectionHead, Standardise
        >>> from astroclip_kit.encoders import TabularMLP
        >>> vectors = Projected(TabularMLP(5, 8), Standardise(8), ProjectionHead(8, 4))(torch.ones(3, 5))
        >>> vectors.shape, bool(torch.allclose(vectors.norm(dim=1), torch.ones(3)))
        (torch.Size([3, 4]), True)
    """

    def __init__(self, encoder: nn.Module, scaler: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.scaler, self.head = encoder, scaler, head
        self.out_features = int(head.out_features)  # type: ignore[arg-type]
        self.preprocess: Any = getattr(encoder, "preprocess", nn.Identity())

    def check_modality(self, modality: Modality) -> None:
        """Leaves it to the encoder to refuse a modality."""
        check_encoder(self.encoder, modality)

    def forward(self, x: Tensor) -> Tensor:
        """Unit vectors float32 [B, D] of preprocessed views."""
        return functional.normalize(self.head(self.scaler(self.encoder(x))).float(), dim=1)


class Passed(nn.Module):
    """Vectors as they are, in the place of a projection.

    Args:
        in_features: Their width.

    Example:
        >>> import torch
        >>> Passed(2)(torch.ones(1, 2))
        tensor([[1., 1.]])
    """

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.in_features = self.out_features = in_features

    def forward(self, x: Tensor) -> Tensor:
        """What it was given."""
        return x
