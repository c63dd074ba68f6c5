"""Spectra on the wavelengths that weights were trained on: elsewhere they mean nothing."""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from ..transforms.compose import Compose, Transform
from ..transforms.regrid import PlainGrid, Resample, named_grid
from ..transforms.resampling import COVERED, overlap, wavelength_grid
from ..types import Modality
from .layers import check_kind, steps_of

__all__ = ["check_grid", "fit_grid", "onto_grid"]

# Share of the pixels of the encoder's grid that spectra must have. Those of SDSS have 89 % of DESI's, and an encoder
# that attends to lines does without the ends, where the flux goes on as it was.
LEAST_COVERED = 0.85


def onto_grid(modality: Modality, grid: PlainGrid | None, encoder: type) -> list[Transform]:
    """The step that puts spectra on the grid of an encoder; none where they are on it, or it takes any.

    Raises:
        InputError: If the modality covers less than 85 % of the grid.
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
        f"{wavelength[-1]:.0f}. Build it with {encoder.__name__}.for_modality, which resamples, as the command line "
        f"does for {{class_path: astroclip_kit.encoders.{encoder.__name__}, init_args: {{checkpoint: FILE}}}}."
    )


def fit_grid(encoder: Any, modality: Modality) -> None:
    """Puts the step that resamples before the preprocessing of an encoder with a grid, where there is none yet.

    Raises:
        InputError: If the modality is no spectrum, or covers too little of the grid.
    """
    check_kind(modality, "spectrum", type(encoder))
    there = any(isinstance(step, Resample) for step in steps_of(encoder.preprocess))
    if not there and (steps := onto_grid(modality, encoder.grid, type(encoder))):
        encoder.preprocess = Compose((*steps, encoder.preprocess))
