"""The decoder of spender (Melchior et al. 2023): a latent vector to a rest-frame spectrum, to what is observed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from ..encoders import SpenderEncoder
from ..transforms.resampling import Grid, plain_grid, wavelength_grid

__all__ = ["SpeculatorActivation", "SpenderAutoencoder", "SpenderDecoder", "interpolate", "rest_grid"]

HIDDEN = (64, 256, 1024)
EVEN = 0.01  # relative: steps in ln(wavelength) that differ less are even


class SpeculatorActivation(nn.Module):
    """Between a linear unit and a smooth ramp, learned for each feature.

    Args:
        features: Number of features.
        plus_one: Whether 1 is added, so that a spectrum starts from its normalisation.

    References:
        Alsing et al. 2020, ApJS 249, 5, equation 8.
    """

    def __init__(self, features: int, plus_one: bool = False) -> None:
        super().__init__()
        self.features, self.plus_one = features, plus_one
        self.beta, self.gamma = nn.Parameter(torch.randn(features)), nn.Parameter(torch.randn(features))

    def forward(self, x: Tensor) -> Tensor:
        """Of the same shape [..., features]."""
        activated = (self.gamma + (1 - self.gamma) * torch.sigmoid(self.beta * x)) * x
        return activated + 1 if self.plus_one else activated


class SpenderDecoder(nn.Module):
    """A small network from latent vectors to spectra on a rest-frame grid, with spender's names of the weights.

    Args:
        latent_features: Size S of the latent vector.
        rest_wavelength: Wavelengths [R] in Angstrom, as a list; or a grid as `wavelength_grid` takes it.

    Example:
        >>> decoder = SpenderDecoder(6, (2000, 9824, 4))
        >>> decoder(torch.zeros(3, 6)).shape
        torch.Size([3, 1957])
    """

    wave_rest: Tensor

    def __init__(self, latent_features: int, rest_wavelength: Grid) -> None:
        super().__init__()
        self.latent_features, self.rest_wavelength = latent_features, plain_grid(rest_wavelength)
        wavelength = torch.tensor(wavelength_grid(rest_wavelength), dtype=torch.float32)
        layers: list[nn.Module] = []
        for in_features, out_features in pairwise((latent_features, *HIDDEN, len(wavelength))):
            last = out_features == len(wavelength) and len(layers) == 3 * len(HIDDEN)
            layers += [nn.Linear(in_features, out_features), SpeculatorActivation(out_features, last), nn.Dropout(0.0)]
        self.mlp = nn.Sequential(*layers)
        self.register_buffer("wave_rest", wavelength)

    def forward(self, s: Tensor) -> Tensor:
        """Spectra [B, R] in the rest frame, of latent vectors [B, S]."""
        spectra: Tensor = self.mlp(s)
        return spectra

    def observe(self, rest: Tensor, z: Tensor, wavelength: Tensor) -> tuple[Tensor, Tensor]:
        """Spectra at a redshift, and where the decoder knows them: both [B, L].

        Args:
            rest: Spectra [B, R] in the rest frame.
            z: Redshifts [B].
            wavelength: Observed wavelengths [L] in Angstrom.
        """
        at = wavelength / (1 + z[:, None])
        return interpolate(rest, self.wave_rest, at), (at >= self.wave_rest[0]) & (at <= self.wave_rest[-1])


class SpenderAutoencoder(nn.Module):
    """Encoder and decoder under spender's names.

    Args:
        encoder: One with a latent vector.
        decoder: One for such vectors.
    """

    def __init__(self, encoder: SpenderEncoder, decoder: SpenderDecoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.out_features = encoder.out_features

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latent vectors [B, S] of fluxes [B, 1, L] or [B, L], and the spectra [B, R] in the rest frame."""
        s = self.encoder(x)
        return s, self.decoder(s)


def interpolate(values: Tensor, grid: Tensor, at: Tensor) -> Tensor:
    """Straight lines between the pixels; the values at the ends go on. Differentiable in the values.

    Args:
        values: [B, R].
        grid: Ascending [R], the same for all rows.
        at: Where to [B, L].

    Returns:
        [B, L].

    Example:
        >>> interpolate(torch.tensor([[0.0, 2.0, 6.0]]), torch.tensor([1.0, 2.0, 4.0]), torch.tensor([[1.5, 3.0, 9.0]]))
        tensor([[1., 4., 6.]])
    """
    right = torch.searchsorted(grid, at.contiguous()).clamp(1, len(grid) - 1)
    start, end = grid[right - 1], grid[right]
    share = ((at - start) / (end - start)).clamp(0, 1)
    return values.gather(1, right - 1).lerp(values.gather(1, right), share)


def rest_grid(wavelength: Tensor, lowest: float, highest: float) -> list[float]:
    """Wavelengths of the rest frame that are seen between two redshifts, in steps as those that are observed.

    Args:
        wavelength: Observed wavelengths [L] in Angstrom.
        lowest: Redshift.
        highest: Redshift.

    Example:
        >>> grid = rest_grid(torch.linspace(3600, 9824, 7781, dtype=torch.float64), 0.0, 0.8)
        >>> len(grid), grid[0], grid[-1]
        (9781, 2000.0, 9824.0)
    """
    observed = wavelength.double().numpy()
    start, end = observed[0] / (1 + highest), observed[-1] / (1 + lowest)
    steps = np.diff(np.log(observed))
    if np.ptp(steps) < EVEN * steps.mean():
        grid = np.geomspace(start, end, round(np.log(end / start) / steps.mean()) + 1)
    else:
        grid = np.linspace(start, end, round((end - start) / np.median(np.diff(observed))) + 1)
    return [float(value) for value in grid]
