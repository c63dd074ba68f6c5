"""Spectra on the wavelengths that weights were trained on: elsewhere they mean nothing."""

from __future__ import annotations

from typing import Self

from torch import nn

from ..errors import InputError
from ..transforms.compose import Compose, Transform
from ..transforms.regrid import PlainGrid, Resample, is_on
from ..transforms.resampling import COVERED, overlap, wavelength_grid
from ..types import Modality
from .layers import check_kind, steps_of

__all__ = ["GridEncoder"]

# Share of the pixels of the encoder's grid that spectra must have. Those of SDSS have 89 % of DESI's, and an encoder
# that attends to lines does without the ends, where the flux goes on as it was.
LEAST_COVERED = 0.85


class GridEncoder(nn.Module):
    """An encoder of spectra whose weights mean something on one wavelength grid.

    It has a ``grid``, None where it takes any, and a ``preprocess``, which may put spectra on it.
    """

    grid: PlainGrid | None
    preprocess: Transform

    def fitted_to(self, modality: Modality) -> Self:
        """Itself, for spectra of a modality: where they are on another grid than the weights, it resamples first.

        Raises:
            InputError: If the modality is of another kind, or covers less than 85 % of the grid.
        """
        check_kind(modality, "spectrum", type(self))
        first, *others = steps_of(self.preprocess) or [Compose()]
        if isinstance(first, Resample) and first.grid == self.grid and not is_on(first.source, modality.grid):
            self.preprocess = Compose((*self.onto_grid(modality), *others))
        elif not any(isinstance(step, Resample) for step in (first, *others)) and (steps := self.onto_grid(modality)):
            self.preprocess = Compose((*steps, self.preprocess))
        return self

    def onto_grid(self, modality: Modality) -> list[Transform]:
        """The step that puts spectra on the grid of the weights; none where they are on it, or it takes any.

        Raises:
            InputError: If the modality covers less than 85 % of the grid.
        """
        source = modality.wavelength_angstrom
        if self.grid is None or is_on(self.grid, modality.grid):
            return []
        wanted = wavelength_grid(self.grid)
        covered = float((overlap(source, wanted).sum(axis=1) >= COVERED).mean())
        if covered < LEAST_COVERED:
            raise InputError(
                f"{modality.name!r} covers {source[0]:.0f} to {source[-1]:.0f} Angstrom, {covered:.0%} of the "
                f"{wanted[0]:.0f} to {wanted[-1]:.0f} that {type(self).__name__} was trained on; at least "
                f"{LEAST_COVERED:.0%} is needed. Take weights for another grid, or set `grid` and train."
            )
        return [Resample(source, self.grid)]

    def check_modality(self, modality: Modality) -> None:
        """Refuses spectra that do not come on the grid that the weights were trained on.

        Raises:
            InputError: Names both grids and says what to do.
        """
        grids = {step.grid for step in steps_of(self.preprocess) if isinstance(step, Resample)}
        if self.grid is None or self.grid in grids or (not grids and is_on(self.grid, modality.grid)):
            return
        wavelength, name = wavelength_grid(self.grid), type(self).__name__
        raise InputError(
            f"{modality.name!r} has {modality.shape[1]} pixels from {modality.grid[0]:.0f} to {modality.grid[-1]:.0f} "
            f"Angstrom, and the weights of {name} are for {len(wavelength)} from {wavelength[0]:.0f} to "
            f"{wavelength[-1]:.0f}. Build it with {name}.for_modality, which resamples, as the command line "
            f"does for {{class_path: astroclip_kit.encoders.{name}, init_args: {{checkpoint: FILE}}}}."
        )
