"""A spectrum as its lines, its colours and its brightness, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.smoothing import gaussian_smooth, soft_bins
from ..types import Modality
from .layers import check_kind

__all__ = ["SpectralShape"]

DEEPEST, HIGHEST = -1.0, 3.0  # of a line, relative to the continuum
FAINTEST = 0.05  # continuum, relative to the median: below, noise would be divided by nothing


class SpectralShape(nn.Module):
    """The spectrum divided by its own continuum, the continuum's colours, its brightness; nothing is learned.

    Pixels are even in ln(wavelength), so that a redshift is a shift. The continuum is the spectrum smoothed over
    `continuum_width`; dividing by it takes dust, flux calibration and most of the host galaxy away (as SNID does:
    Blondin & Tonry 2007, ApJ 666, 1024). What is divided out enters as the logarithm of the continuum at a few
    wavelengths, relative to its mean, and where it was measured.

    Args:
        wavelength_angstrom: Wavelengths [L] of the input pixels.
        window_angstrom: First and last wavelength of the features.
        pixels: Number of pixels of the divided spectrum.
        line_width: Smoothing of the divided spectrum, standard deviation in ln(wavelength).
        continuum_width: The same of the continuum.
        colours: Number of wavelengths at which the continuum enters.
        bins: Name of a channel to the centers of its soft bins. "flux" is log10 of the median absolute flux: a
            value more than a bin beyond the centers is taken for a relative flux and left out. Every other name
            is a covariate in `channels`; a covariate without bins is ignored.
        channels: Names of the input channels.

    Raises:
        UsageError: If bins are given for a channel that there is not.

    Example:
        >>> encoder = SpectralShape(range(4000, 8000, 10), window_angstrom=(4200, 7800), pixels=32, colours=4)
        >>> encoder(torch.ones(2, 2, 400)).shape
        torch.Size([2, 40])
    """

    def __init__(
        self,
        wavelength_angstrom: Sequence[float],
        window_angstrom: tuple[float, float] = (3500.0, 9000.0),
        pixels: int = 256,
        line_width: float = 0.004,
        continuum_width: float = 0.12,
        colours: int = 8,
        bins: Mapping[str, Sequence[float]] | None = None,
        channels: Sequence[str] = ("flux", "ivar"),
    ) -> None:
        super().__init__()
        self.wavelength_angstrom, self.window_angstrom = tuple(wavelength_angstrom), tuple(window_angstrom)
        self.pixels, self.line_width, self.continuum_width = pixels, line_width, continuum_width
        self.colours, self.bins, self.channels = colours, dict(bins or {}), tuple(channels)
        unknown = sorted(set(self.bins) - set(self.channels))
        if unknown:
            raise UsageError(f"bins for {unknown[0]!r}, and the spectra have the channels {', '.join(self.channels)}.")
        self.preprocess: Transform = Compose()
        self.out_features = pixels + 2 * colours + sum(len(centers) for centers in self.bins.values())

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """On the wavelengths and channels of a spectrum modality."""
        check_kind(modality, "spectrum", cls)
        return cls(modality.grid, channels=modality.channels, **arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of spectra [B, C, L]."""
        if x.ndim != 3 or x.shape[1:] != (len(self.channels), len(self.wavelength_angstrom)):
            raise InputError(
                f"spectra have shape {tuple(x.shape)}, expected [B, {len(self.channels)}, "
                f"{len(self.wavelength_angstrom)}]."
            )
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            measured = x[:, 0].isfinite() & (x[:, 1] > 0)
            scale = x[:, 0].abs().where(measured, torch.nan).nanmedian(dim=1).values
            shape = self._shape(x[:, 0] / scale.clamp(min=1e-30)[:, None], measured.float())
            return torch.cat([*shape, *(self._bins(x, name, scale) for name in self.bins)], dim=1)

    def _shape(self, flux: torch.Tensor, measured: torch.Tensor) -> list[torch.Tensor]:
        """Divided spectrum, colours and where the colours were measured."""
        position = torch.tensor(np.log(self.wavelength_angstrom), dtype=torch.float32, device=flux.device)
        low, high = np.log(self.window_angstrom)
        pixels = torch.linspace(low, high, self.pixels, device=flux.device)
        flux = flux.nan_to_num(0.0).clamp(-100.0, 100.0)
        lines, covered = gaussian_smooth(flux, measured, position, pixels, self.line_width)
        continuum = gaussian_smooth(flux, measured, position, pixels, self.continuum_width)[0].clamp(min=FAINTEST)
        known = covered > 0.5
        divided = (lines / continuum - 1).clamp(DEEPEST, HIGHEST).where(known, 0.0)
        level = continuum.log()
        level = level - (level * known).sum(dim=1, keepdim=True) / known.sum(dim=1, keepdim=True).clamp(min=1)
        at = torch.linspace(0, self.pixels - 1, self.colours + 2, device=flux.device)[1:-1].long()
        return [divided, level.clamp(-2.0, 2.0).where(known, 0.0)[:, at], known[:, at].float()]

    def _bins(self, x: torch.Tensor, name: str, scale: torch.Tensor) -> torch.Tensor:
        centers = self.bins[name]
        if name != "flux":
            return soft_bins(x[:, self.channels.index(name)].mean(dim=1), centers)
        brightness = scale.log10()
        step = centers[1] - centers[0]
        absolute = (brightness > centers[0] - step) & (brightness < centers[-1] + step)
        return soft_bins(brightness.where(absolute, torch.nan), centers)
