"""Vectors of spectra whose dimensions have mean 0 and standard deviation 1: real ones, and what stands for them."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from ..errors import InputError
from ..transforms.compose import Transform
from ..types import Modality

__all__ = ["StandardVectors"]


class StandardVectors(nn.Module):
    """The features of an encoder, standardised by those of training objects.

    Args:
        encoder: Any encoder.
        reads: Name of the modality that it encodes.

    Example:
        >>> from astroclip_kit.encoders import TabularMLP
        >>> vectors = StandardVectors(TabularMLP(3, 8))
        >>> vectors.calibrate(torch.tensor([[0.0] * 8, [2.0] * 8]))
        >>> vectors.standardise(torch.full((1, 8), 3.0))[0, :2]
        tensor([2., 2.])
    """

    out_features: int
    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, encoder: nn.Module, reads: str = "spectrum") -> None:
        super().__init__()
        self.encoder, self.reads = encoder, reads
        self.have(int(encoder.out_features))  # type: ignore[arg-type]

    def have(self, out_features: int) -> None:
        """Vectors of this length from now on, not standardised yet."""
        self.out_features = out_features
        self.register_buffer("mean", torch.zeros(out_features))
        self.register_buffer("scale", torch.ones(out_features))

    @property
    def preprocess(self) -> Transform:
        """What is done to raw views first: that of its encoder."""
        return cast(Transform, getattr(self.encoder, "preprocess", nn.Identity()))

    def check_modality(self, modality: Modality) -> None:
        """Leaves it to the encoder to refuse a modality."""
        if callable(check := getattr(self.encoder, "check_modality", None)):
            check(modality)

    def calibrate(self, vectors: torch.Tensor) -> None:
        """Takes mean and standard deviation of each dimension from real vectors [n, out_features] of training objects.

        A dimension that is the same in all of them stays so: it is 0 when standardised.

        Raises:
            InputError: If there is none, one is not finite, or they are of another length.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.out_features or not len(vectors):
            raise InputError(f"expected vectors [n, {self.out_features}], found {tuple(vectors.shape)}.")
        if not vectors.isfinite().all():
            bad = int((~vectors.isfinite()).any(dim=1).sum())
            raise InputError(f"{bad} of {len(vectors)} spectral vectors are not finite. Check the encoder of spectra.")
        vectors = vectors.double()
        scale = vectors.std(dim=0, unbiased=False)
        rounding = 1e-6 * torch.maximum(vectors.abs().amax(dim=0), scale.max())
        self.mean.copy_(vectors.mean(dim=0))
        self.scale.copy_(scale.where(scale > rounding, 0.0))

    def standardise(self, vectors: torch.Tensor) -> torch.Tensor:
        """Standardised vectors [B, out_features] of those that the encoder of spectra gives."""
        return (vectors - self.mean) / self.scale.where(self.scale > 0, torch.inf)

    def restore(self, vectors: torch.Tensor) -> torch.Tensor:
        """Vectors [B, out_features] as the encoder of spectra gives them, of standardised ones."""
        return vectors * self.scale + self.mean

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Standardised features [B, out_features] of preprocessed views."""
        return self.standardise(self.encoder(x))
