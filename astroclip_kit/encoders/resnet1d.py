"""A ResNet along wavelength: what tells the class of a spectrum, and the vector that is simulated from images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.regrid import named_grid
from ..transforms.resampling import Grid, wavelength_grid
from ..transforms.spectra import ClipOutliers, FillGaps, Normalise, SelectChannels
from .grids import GridEncoder
from .residual import residual_stages

__all__ = ["ResNet1d"]

SDSS = "sdss 3900-9142"  # 3700 pixels of its own, not resampled


class ResNet1d(GridEncoder):
    """ResNet-18 with convolutions along wavelength: 3700 pixels from 3900 Angstrom become 128 features.

    Args:
        grid: Wavelengths of the pixels.
        widths: Channels of each stage; each but the first halves the pixels.
        blocks: Residual blocks of each stage.
        out_features: Number of features, which no activation follows here.
        preprocess: What is done to spectra [B, C, L] on the grid first; by default gaps are filled, the flux is divided
            by its median, clipped at 5 standard deviations and standardised, and the other channels are left out. A
            spectrum without an observed pixel, or of one value alone, becomes 0.

    Raises:
        UsageError: If there is no stage or block, or a size is below 1.

    Attributes:
        head_activation: What a classifier puts between the features and its linear layer.

    References:
        Wang et al. 2023, PASP, doi 10.1088/1538-3873/acfbb9 (abstract: a 1-D residual network maps 3700 pixels to 128
        numbers; its layers are not published); He et al. 2016, arXiv:1512.03385.

    Example:
        >>> encoder = ResNet1d(widths=(4, 8), blocks=1)
        >>> encoder(encoder.preprocess(torch.rand(2, 2, 3700))).shape
        torch.Size([2, 128])
    """

    head_activation = "relu"

    def __init__(
        self,
        grid: Grid = SDSS,
        widths: Sequence[int] = (32, 64, 128, 256),
        blocks: int = 2,
        out_features: int = 128,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.grid = named_grid(grid)
        self.widths, self.blocks, self.out_features = tuple(widths), blocks, out_features
        if not self.widths or min(*self.widths, blocks, out_features) < 1:
            raise UsageError(f"ResNet1d needs sizes above 0, found {self.widths}, {blocks} blocks, {out_features}.")
        steps = (FillGaps(), Normalise("median"), ClipOutliers(5.0), Normalise("zscore"), SelectChannels())
        self.preprocess = preprocess if preprocess is not None else Compose(steps)
        self._pixels = len(wavelength_grid(grid))
        first = self.widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, (1, 15), (1, 2), (0, 7), bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d((1, 3), (1, 2), (0, 1)),
        )
        self.stages = residual_stages(first, self.widths, blocks, line=True)
        self.features = nn.Linear(self.widths[-1], out_features)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of standardised fluxes [B, 1, L] or [B, L]."""
        x = x[:, None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[1:] != (1, self._pixels):
            raise InputError(f"ResNet1d takes fluxes [B, 1, {self._pixels}], found {tuple(x.shape)}.")
        row = x[:, :, None].contiguous(memory_format=torch.channels_last)  # faster than a line
        features: torch.Tensor = self.features(self.stages(self.stem(row)).mean(dim=(2, 3)))
        return features
