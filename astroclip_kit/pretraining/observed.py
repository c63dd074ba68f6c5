"""Spectra as an encoder sees them, with the inverse variance that it does not see."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..encoders.layers import check_kind, steps_of
from ..errors import InputError
from ..transforms.compose import Compose, Transform
from ..transforms.spectra import FillGaps, Normalise, Rebin, SelectChannels
from ..types import Modality

__all__ = ["ObservedSpectra", "joined"]

PIXELS = 600  # about: more are joined, so that a processor learns in minutes


def joined(modality: Modality, encoder: type) -> list[Transform]:
    """The first steps of a default encoder of that class: gaps are filled, and pixels joined to at most 600.

    Raises:
        InputError: If the modality is no spectrum.
    """
    check_kind(modality, "spectrum", encoder)
    return [FillGaps(), Rebin(-(-modality.shape[1] // PIXELS))]


class ObservedSpectra:
    """The preprocessing of an encoder without its last selection of channels, so that the inverse variance is kept.

    Args:
        encoder: An encoder of fluxes alone.
        modality: The spectra.

    Raises:
        InputError: If the modality is no spectrum, or the encoder takes more than the flux.
    """

    def __init__(self, encoder: Any, modality: Modality) -> None:
        check_kind(modality, "spectrum", type(encoder))
        steps = steps_of(getattr(encoder, "preprocess", Compose()))
        selected = [step for step in steps if isinstance(step, SelectChannels)]
        if [list(step.channels) for step in selected] not in ([], [[0]]):
            raise InputError(f"{type(encoder).__name__} takes more than the flux and cannot be pretrained so.")
        self.modality = modality
        self.steps = [step for step in steps if not isinstance(step, SelectChannels)]

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Flux and inverse variance [B, L'] of raw spectra [B, C, L]; without an ivar channel every pixel has 1."""
        x = Compose(self.steps)(x)
        return x[:, 0], x[:, 1] if x.shape[1] > 1 else torch.ones_like(x[:, 0])

    def wavelength_angstrom(self) -> Tensor:
        """Wavelengths [L'], float64, of the pixels that the encoder sees: they go the way that the flux goes."""
        wavelength = torch.tensor(self.modality.grid, dtype=torch.float64)
        steps = [step for step in self.steps if not isinstance(step, Normalise)]
        pixels = Compose(steps)(torch.stack([wavelength, torch.ones_like(wavelength)])[None])
        return pixels[0, 0]
