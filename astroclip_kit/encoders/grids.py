"""Spectra on the wavelengths that weights were trained on: elsewhere they mean nothing."""

from __future__ import annotations

from typing import Any, Self

from torch import nn

from ..errors import InputError
from ..transforms.compose import Compose, Transform
from ..transforms.regrid import PlainGrid, Resample, is_on
from ..transforms.resampling import COVERED, Grid, overlap, wavelength_grid
from ..types import Modality
from .layers import check_kind, steps_of

__all__ = ["GridEncoder", "onto_grid"]

# Share of the pixels of the encoder's grid that spectra must have. Those of SDSS have 89 % of DESI's, and an encoder
# that attends to lines does without the ends, where the flux goes on as it was.
LEAST_COVERED = 0.85


def onto_grid(modality: Modality, grid: Grid, name: str) -> list[Transform]:
    """The step that puts spectra on a grid; none where they are on it.

    Args:
        modality: The spectra.
        grid: Wavelengths that weights were trained on.
        name: What has the weights.

    Raises:
        InputError: If the modality covers less than 85 % of the grid.
    """
    source, wanted = modality.wavelength_angstrom, wavelength_grid(grid)
    if is_on(grid, modality.grid):
        return []
    covered = float((overlap(source, wanted).sum(axis=1) >= COVERED).mean())
    if covered < LEAST_COVERED:
        raise InputError(
            f"{modality.name!r} covers {source[0]:.0f} to {source[-1]:.0f} Angstrom, {covered:.0%} of the "
            f"{wanted[0]:.0f} to {wanted[-1]:.0f} that {name} was trained on; at least {LEAST_COVERED:.0%} is needed. "
            f"Take weights for another grid, or train on these spectra."
        )
    return [Resample(source, grid)]


class GridEncoder(nn.Module):
    """An encoder of spectra whose weights mean something on one wavelength grid.

    It has a ``grid``, None where it takes any, and a ``preprocess``, which may put spectra on it.
    """

    grid: PlainGrid | None
    preprocess: Transform

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """For a spectrum modality: its spectra are put on the grid, where they are on another.

        Args:
            modality: Spectra of any grid that covers at least 85 % of the encoder's.
            arguments: Of the constructor; a `preprocess` of your own must resample itself.

        Raises:
            InputError: If the modality is of another kind, or covers less.
        """
        check_kind(modality, "spectrum", cls)
        encoder = cls(**arguments)
        return encoder if "preprocess" in arguments else encoder.fitted_to(modality)

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
        return [] if self.grid is None else onto_grid(modality, self.grid, type(self).__name__)

    def check_modality(self, modality: Modality) -> None:
        """Refuses spectra that do not come on the grid that the weights were trained on.

        Raises:
            InputError: Names both grids and says what to do.
        """
        onto = [step.grid for step in steps_of(self.preprocess) if isinstance(step, Resample)]
        if self.grid is None or self.grid in onto or (not onto and is_on(self.grid, modality.grid)):
            return
        there = wavelength_grid(onto[-1] if onto else modality.grid)
        wavelength, name = wavelength_grid(self.grid), type(self).__name__
        raise InputError(
            f"{modality.name!r} has {len(there)} pixels from {there[0]:.0f} to {there[-1]:.0f} "
            f"Angstrom{' after Resample' if onto else ''}, and the weights of {name} are for {len(wavelength)} from "
            f"{wavelength[0]:.0f} to {wavelength[-1]:.0f}. Build it with {name}.for_modality, which resamples, as the "
            f"command line does for {{class_path: astroclip_kit.encoders.{name}, init_args: {{checkpoint: FILE}}}}."
        )
