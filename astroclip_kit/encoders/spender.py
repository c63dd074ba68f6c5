"""The spectrum encoder of spender (Melchior et al. 2023)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Self

import torch
from torch import nn

from ..errors import InputError
from ..transforms.compose import Compose, Transform
from ..transforms.spectra import FillGaps, Normalise, SelectChannels
from ..types import Modality
from .layers import check_kind

__all__ = ["SpenderEncoder"]


def _block(in_channels: int, out_channels: int, width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(in_channels, out_channels, width, padding=width // 2),
        nn.InstanceNorm1d(out_channels),
        nn.PReLU(out_channels),
        nn.Dropout(dropout),
    )


class SpenderEncoder(nn.Module):
    """Three convolutions, attention over wavelength, and a small network, in the layout of the released weights.

    Any number of pixels works, but weights mean something only on the wavelength grid that they were trained on.

    Args:
        latent_features: Size S of the latent vector, as published 6 (DESI) or 10 (SDSS); None gives the 256
            features that the attention picks out, and leaves the small network out.
        dropout: Probability after each activation.
        preprocess: What is done to spectra [B, C, L] before they are encoded; by default gaps are filled, the flux is
            divided by its median and the other channels are left out.

    References:
        Melchior et al. 2023, AJ 166, 74.

    Example:
        >>> encoder = SpenderEncoder(latent_features=10).eval()
        >>> encoder(encoder.preprocess(torch.ones(1, 2, 3921))).shape
        torch.Size([1, 10])
    """

    def __init__(
        self, latent_features: int | None = None, dropout: float = 0.0, preprocess: Transform | None = None
    ) -> None:
        super().__init__()
        self.latent_features, self.dropout = latent_features, dropout
        default = Compose((FillGaps(), Normalise("median"), SelectChannels()))
        self.preprocess = preprocess if preprocess is not None else default
        self.out_features = 256 if latent_features is None else latent_features
        self.conv1 = _block(1, 128, 5, dropout)
        self.conv2 = _block(128, 256, 11, dropout)
        self.conv3 = _block(256, 512, 21, dropout)
        self.pool1 = nn.MaxPool1d(5, padding=2)
        self.pool2 = nn.MaxPool1d(11, padding=5)
        if latent_features is not None:
            layers: list[nn.Module] = []
            for in_features, out_features in pairwise((256, 128, 64, 32)):
                layers += [nn.Linear(in_features, out_features), nn.PReLU(out_features), nn.Dropout(dropout)]
            self.mlp = nn.Sequential(*layers, nn.Linear(32, latent_features))

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """For a spectrum modality of any grid."""
        check_kind(modality, "spectrum", cls)
        return cls(**arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of fluxes [B, 1, L] or [B, L], finite, of at least 64 pixels."""
        x = x[:, None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[1] != 1 or x.shape[2] < 64:
            raise InputError(f"SpenderEncoder takes fluxes [B, 1, L] with L of at least 64, found {tuple(x.shape)}.")
        x = self.conv3(self.pool2(self.conv2(self.pool1(self.conv1(x)))))
        values, scores = x.chunk(2, dim=1)
        attended = (values * scores.softmax(dim=-1)).sum(dim=-1)
        return attended if self.latent_features is None else self.mlp(attended)
