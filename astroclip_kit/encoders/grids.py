"""Spectra on the wavelengths that weights were trained on: elsewhere they mean nothing."""

from __future__ import annotations

from ..errors import InputError
from ..transforms.compose import Transform
from ..transforms.regrid import PlainGrid, Resample, named_grid
from ..transforms.resampling import COVERED, overlap, wavelength_grid
from ..types import Modality
from .layers import steps_of

__all__ = ["check_grid", "onto_grid"]

LEAST_COVERED = 0.9  # share of the pixels of the encoder's grid that spectra must have


def onto_grid(modality: Modality, grid: PlainGrid | None, encoder: type) -> list[Transform]:
    """The step that puts spectra on the grid of an encoder; none where they are on it, or it takes any.

    Raises:
        InputError: If the modality covers less than nine tenths of the grid.
    """
    source = modality.wavelength_angstrom
    if grid is None or named_grid(source) == grid:
        return []
    wanted = wavelength_grid(grid)
    covered = float((overlap(source, wanted).sum(axis=1) >= COVERED).mean())
    if covered < LEAST_COVERED:
        raise InputError(
            f"{modality.name!r} covers {source[0]:.0f} to {source[-1]:.0f} Angstrom, {covered:.0%} of the "
            f"{wanted[0]:.0f} to {wanted[-1]:.0f} that {encoder.__name__} was trained on; at least {LEAST_COVERED:.0%} "
            f"is needed. Take weights for another grid."
        )
    return [Resample(source, grid)]


def check_grid(modality: Modality, grid: PlainGrid | None, preprocess: Transform, encoder: type) -> None:
    """Refuses spectra that do not come on the grid that the weights were trained on.

    Raises:
        InputError: Names both grids and says what to do.
    """
    grids = {step.grid for step in steps_of(preprocess) if isinstance(step, Resample)}
    if grid is None or grid in grids or (not grids and named_grid(modality.grid) == grid):
        return
    wavelength = wavelength_grid(grid)
    raise InputError(
        f"{modality.name!r} has {modality.shape[1]} pixels from {modality.grid[0]:.0f} to {modality.grid[-1]:.0f} "
        f"Angstrom, and the weights of {encoder.__name__} are for {len(wavelength)} from {wavelength[0]:.0f} to "
        f"{wavelength[-1]:.0f}. Build it with {encoder.__name__}.for_modality, which resamples."
    )
