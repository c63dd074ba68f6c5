"""What spender's latent space is asked for beside a good fit (Liang et al. 2023, AJ 166, 75)."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["consistency", "fidelity", "fitted_amplitude", "similarity"]

WIDTH = 5.0  # of the valley in which distances of latents and of spectra count as equal
TIGHTNESS = 0.5  # distance in the latent space that is as good as none
WEIGHT, CENTER_ANGSTROM, SIGMA_ANGSTROM = 30.0, 5000.0, 2000.0  # of the differences between spectra
NORMALISED_ANGSTROM = (4000.0, 7000.0)


def fidelity(flux: Tensor, ivar: Tensor, model: Tensor) -> Tensor:
    """Half of the squared deviation per pixel in units of the noise, mean over the spectra [B, L]."""
    return 0.5 * (ivar * (flux - model).square()).mean()


def fitted_amplitude(flux: Tensor, ivar: Tensor, model: Tensor) -> Tensor:
    """The factor [B, 1] with which a model [B, L] fits best, above 0; 1 where nothing was observed."""
    weighted = ivar * model
    norm = (weighted * model).sum(dim=1, keepdim=True)
    factor = (weighted * flux).sum(dim=1, keepdim=True) / norm.where(norm > 0, 1.0)
    return factor.where((norm > 0) & (factor > 0), 1.0)


def consistency(s: Tensor, shifted: Tensor) -> Tensor:
    """How far latents [B, S] of spectra and of the same spectra at other redshifts are apart: 0 to 0.5."""
    distance = (s - shifted).square().sum(dim=1) / TIGHTNESS**2 / s.shape[1]
    return (distance.sigmoid() - 0.5).mean()


def similarity(s: Tensor, rest: Tensor, wavelength: Tensor, slope: float) -> Tensor:
    """How much the distances between latents differ from those between spectra, mean over all pairs.

    Args:
        s: Latents [B, S].
        rest: Their spectra [B, R] in the rest frame; divided by their median from 4000 to 7000 Angstrom.
        wavelength: Of the rest frame [R] in Angstrom.
        slope: How steeply the loss rises.
    """
    window = (wavelength > NORMALISED_ANGSTROM[0]) & (wavelength < NORMALISED_ANGSTROM[1])
    window = window if window.any() else torch.ones_like(window)
    level = rest[:, window].median(dim=1, keepdim=True).values
    spectra = rest / level.where(level.abs() > 1e-3, 1.0)  # a model that is still nothing is not divided
    weight = WEIGHT * torch.exp(-((0.5 * (wavelength - CENTER_ANGSTROM) / SIGMA_ANGSTROM) ** 2)) / rest.shape[1]
    x = _squared_distances(s) / s.shape[1] - _squared_distances(spectra * weight.sqrt())
    loss = torch.sigmoid(slope * x - WIDTH / 2) + torch.sigmoid(-slope * x - WIDTH / 2)
    return (loss * (1 - torch.eye(len(s), device=s.device))).mean()


def _squared_distances(x: Tensor) -> Tensor:
    """Between all rows [B, B] of [B, D], without holding [B, B, D]."""
    x = x - x.mean(dim=0)  # the same distances, of smaller numbers
    norm = x.square().sum(dim=1)
    return (norm[:, None] + norm - 2 * x @ x.T).clamp(min=0)
