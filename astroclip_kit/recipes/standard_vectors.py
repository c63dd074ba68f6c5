"""The vectors of real spectra, standardised as simulated ones are."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..contracts import check_encoder
from ..types import Modality

__all__ = ["StandardVectors"]


class StandardVectors(nn.Module):
    """An encoder whose features have mean 0 and standard deviation 1 over the training objects.

    Args:
        encoder: The encoder.
        reads: Name of the modality that it encodes.

    Example:
        >>> from astroclip_kit.encoders import TabularMLP
        >>> vectors = StandardVectors(TabularMLP(3, 8))
        >>> vectors.calibrate(torch.tensor([[0.0] * 8, [2.0] * 8]))
        >>> vectors.standardise(torch.full((1, 8), 3.0))[0, :2]
        tensor([2., 2.])
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, encoder: nn.Module, reads: str = "spectrum") -> None:
        super().__init__()
        self.encoder, self.reads, self.out_features = encoder, reads, int(encoder.out_features)  # type: ignore[arg-type]
        self.preprocess: Any = getattr(encoder, "preprocess", nn.Identity())
        self.register_buffer("mean", torch.zeros(self.out_features))
        self.register_buffer("scale", torch.ones(self.out_features))

    def check_modality(self, modality: Modality) -> None:
        """Leaves it to the encoder to refuse a modality."""
        check_encoder(self.encoder, modality)

    def calibrate(self, vectors: Tensor) -> None:
        """Takes mean and standard deviation from the encoder's features [n, D] of training objects."""
        self.mean.copy_(vectors.mean(dim=0))
        scale = vectors.std(dim=0, unbiased=False)
        self.scale.copy_(scale.where(scale > 1e-6 * scale.max(), torch.inf))  # what does not vary becomes 0

    def standardise(self, vectors: Tensor) -> Tensor:
        """Standardised features [B, D]."""
        return (vectors - self.mean) / self.scale

    def forward(self, x: Tensor) -> Tensor:
        """Standardised features [B, D] of preprocessed views."""
        return self.standardise(self.encoder(x))
