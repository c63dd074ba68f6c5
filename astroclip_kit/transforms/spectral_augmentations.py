"""Augmentations of spectra [B, C, L] that leave their labels true; `IvarNoise` is with the transforms.

Channel 0 is the flux, channel 1 (where there is one) its inverse variance; the others stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ..errors import InputError, UsageError
from ..types import Modality
from .gaps import interpolate_gaps
from .randomness import integers, normal, uniform
from .regrid import is_on, named_grid
from .resampling import Grid, wavelength_grid
from .spectra import observed, with_flux

__all__ = ["ContinuumWarp", "MaskPixels", "RedshiftShift"]


@dataclass(frozen=True)
class MaskPixels:
    """Hides a few stretches of pixels: ivar 0, and a straight flux across, as in other gaps.

    Args:
        chunks: Stretches per spectrum; they may overlap.
        width: Pixels per stretch.

    Raises:
        UsageError: If a number is less than 1.

    Example:
        >>> masked = MaskPixels(chunks=1, width=10)(torch.ones(1, 2, 100), torch.tensor([0]))
        >>> int((masked[0, 1] == 0).sum()), masked[0, 0].min()
        (10, tensor(1.))
    """

    chunks: int = 6
    width: int = 50

    def __post_init__(self) -> None:
        """Refuses to mask nothing."""
        if self.chunks < 1 or self.width < 1:
            raise UsageError(f"MaskPixels: {self.chunks} chunks of {self.width} pixels, expected at least 1 of each.")

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L] of finite flux."""
        length = x.shape[-1]
        if length <= self.width:
            raise InputError(f"MaskPixels hides {self.width} pixels in a row, spectra have {length}: give less width.")
        start = integers(seeds.to(x.device), length - self.width + 1, (self.chunks,))
        ends = torch.zeros(len(x), length + 1, dtype=torch.int32, device=x.device)
        for places, step in ((start, 1), (start + self.width, -1)):
            ends.scatter_add_(1, places, torch.full_like(places, step, dtype=torch.int32))
        kept = ends.cumsum(dim=1)[:, :length] == 0
        flux = interpolate_gaps(x[:, 0], observed(x) & kept)
        return with_flux(x, flux, x[:, 1].where(kept, 0.0) if x.shape[1] > 1 else None)


@dataclass(frozen=True)
class ContinuumWarp:
    """Multiplies a spectrum by a smooth random curve, as errors of the flux calibration do; the ivar follows.

    The logarithm of the curve is a sum of cosines of 0.5, 1, ... `order` / 2 periods over the spectrum with normal
    amplitudes.

    Args:
        amplitude: Root mean square of the curve's natural logarithm.
        order: Number of cosines; more make it vary faster.

    Raises:
        UsageError: If the amplitude is negative or the order less than 1.

    Example:
        >>> ContinuumWarp(0.1)(torch.ones(200, 1, 50), torch.arange(200)).log().std().round(decimals=2)
        tensor(0.1000)
    """

    amplitude: float = 0.1
    order: int = 5

    def __post_init__(self) -> None:
        """Refuses a curve that is none."""
        if self.amplitude < 0 or self.order < 1:
            raise UsageError(f"ContinuumWarp: amplitude {self.amplitude}, order {self.order} must be >= 0 and >= 1.")

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L]."""
        place = (torch.arange(x.shape[-1], device=x.device) + 0.5) / x.shape[-1]
        number = torch.arange(1, self.order + 1, device=x.device)
        cosines = torch.cos(math.pi * number[:, None] * place) * (2 / self.order) ** 0.5
        amplitudes = self.amplitude * normal(seeds.to(x.device), (self.order,))
        # One row at a time would round otherwise than many at once in a matrix product.
        curve = (amplitudes[:, :, None] * cosines).sum(dim=1).exp().to(x.dtype)
        return with_flux(x, x[:, 0] * curve, x[:, 1] / curve.square() if x.shape[1] > 1 else None)


@dataclass(frozen=True)
class RedshiftShift:
    """Moves a spectrum by a little in the logarithm of wavelength, as an error of its redshift does.

    The label stays, so `max_dz` must not be larger than its error: DESI redshifts of bright galaxies are known to
    3e-5, photometric ones to 0.03. Flux is interpolated linearly after gaps are filled, and its variance with it; a
    pixel of which a neighbour was not observed, or that lies beyond an end, has ivar 0.

    Args:
        wavelength: Of the spectra: a grid's name, (start, stop, step), or the wavelengths.
        max_dz: Largest change of the redshift z, divided by 1 + z, either way; drawn uniformly.

    Raises:
        UsageError: If the grid is none or the shift not between 0 and 0.1.

    Example:
        >>> RedshiftShift("desi", 1e-4)(torch.ones(2, 2, 7781), torch.arange(2)).shape
        torch.Size([2, 2, 7781])
    """

    wavelength: Grid
    max_dz: float = 1e-4

    def __post_init__(self) -> None:
        """Keeps the grid as plain values."""
        object.__setattr__(self, "wavelength", named_grid(self.wavelength))
        if not 0 <= self.max_dz <= 0.1:
            raise UsageError(f"RedshiftShift: max_dz is {self.max_dz}, expected 0 to 0.1, the error of the label.")

    def check_modality(self, modality: Modality) -> None:
        """Refuses spectra of other wavelengths."""
        if not is_on(self.wavelength, modality.grid):
            raise InputError(
                f"RedshiftShift is for other wavelengths than the {len(modality.grid)} of {modality.name!r}. Give it "
                f"those of the modality, or the name of their grid."
            )

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L] of finite flux."""
        wavelength = torch.as_tensor(wavelength_grid(self.wavelength), dtype=x.dtype, device=x.device)
        if len(wavelength) != x.shape[-1]:
            raise InputError(f"spectra have {x.shape[-1]} pixels, but RedshiftShift {len(wavelength)} wavelengths.")
        stretch = 1 + self.max_dz * (2 * uniform(seeds.to(x.device)) - 1).to(x.dtype)
        source = wavelength / stretch[:, None]  # where the light of each pixel was before
        right = torch.searchsorted(wavelength, source).clamp(1, len(wavelength) - 1)
        share = (source - wavelength[right - 1]) / (wavelength[right] - wavelength[right - 1])
        inside, share = (share >= 0) & (share <= 1), share.clamp(0, 1)
        good = observed(x)
        flux = interpolate_gaps(x[:, 0], good)
        flux = flux.gather(1, right - 1) * (1 - share) + flux.gather(1, right) * share
        if x.shape[1] == 1:
            return with_flux(x, flux)
        variance = x[:, 1].reciprocal().where(good & (x[:, 1] > 0), torch.inf)
        both = (
            (variance.gather(1, at) * part.square()).where(part > 0, 0.0)
            for at, part in ((right - 1, 1 - share), (right, share))
        )
        return with_flux(x, flux, sum(both, torch.zeros_like(flux)).reciprocal().where(inside, 0.0))
