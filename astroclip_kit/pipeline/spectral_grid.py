"""On which wavelengths the encoder of a published experiment sees its spectra."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..models import build
from ..settings import Material
from .described import class_name, with_arguments

if TYPE_CHECKING:
    from torch import nn

__all__ = ["check_grid", "put_on_grid", "source_grid"]

DEFAULT = Material().grid
COMPOSE, RESAMPLE = "astroclip_kit.transforms.Compose", "astroclip_kit.transforms.Resample"


def source_grid(content: Mapping[str, Any], dataset: Path | None) -> Any:
    """Grid of the spectra that are read, by its name where it has one; DESI's, where their reader does not say.

    Args:
        content: Sections of a configuration.
        dataset: Dataset folder, where it is there already.
    """
    from ..data import Dataset
    from ..transforms.regrid import named_grid

    if dataset is None:
        reader = content.get("ingest", {}).get("sources", {}).get("spectrum")
        return (reader.get("init_args") or {}).get("grid", "desi") if isinstance(reader, dict) else "desi"
    return named_grid(Dataset(dataset).modalities["spectrum"].grid)


def put_on_grid(encoder: Any, source: Any, grid: str) -> tuple[Any, str]:
    """Lets an encoder see spectra on a grid.

    Args:
        encoder: class_path and init_args, or a folder, which brings its own grid.
        source: Grid of the spectra.
        grid: Which one it is to see.

    Returns:
        The encoder, and what is not as published, or "".

    Raises:
        UsageError: If the encoder has no place to say so.
    """
    if source == grid or not isinstance(encoder, dict):
        return encoder, ""
    arguments = encoder.get("init_args") or {}
    if grid == DEFAULT and not arguments.get("checkpoint"):
        return encoder, f"spectra stay on {_told(source)}, not on {_told(grid)}"
    if preprocess := arguments.get("preprocess"):
        steps = [{"class_path": RESAMPLE, "init_args": {"source": source, "grid": grid}}, preprocess]
        changed: dict[str, Any] = {"preprocess": {"class_path": COMPOSE, "init_args": {"steps": steps}}}
    elif "grid" in signature(build({"function": encoder["class_path"]}, trusted=True)).parameters:
        changed = {} if arguments.get("checkpoint") else {"grid": grid}  # weights know theirs
    else:
        name = class_name(encoder)
        raise UsageError(f"--grid {grid}: {name} takes no grid. Give it a preprocess, or leave --grid out.")
    return with_arguments(encoder, **changed), f"spectra are put on {_told(grid)}"


def check_grid(encoder: nn.Module, path: Path, source: Any, grid: str) -> str:
    """Refuses weights for spectra on another grid than is asked for.

    Args:
        encoder: With these weights.
        path: Their file, or the folder of the encoder.
        source: Grid of the spectra.
        grid: Which one it is to see.

    Returns:
        What is not as published, or "": a folder on another grid than the default brings that along.

    Raises:
        UsageError: Says which weights go with which grid.
    """
    from ..encoders.layers import steps_of
    from ..transforms.regrid import Resample, named_grid

    steps = steps_of(getattr(encoder, "preprocess", None))  # type: ignore[arg-type]
    onto = [step.grid for step in steps if isinstance(step, Resample)]
    trained_on = getattr(encoder, "trained_on", None)
    seen = [getattr(encoder, "grid", None), *onto[-1:], named_grid(trained_on.grid) if trained_on else None]
    found = next((one for one in seen if one is not None), source if path.is_dir() else grid)
    if found == grid:
        return f"spectra are put on {_told(grid)}" if path.is_dir() and source != grid else ""
    if path.is_dir() and grid == DEFAULT:
        return f"spectra are encoded on {_told(found)}, not on {_told(grid)}"
    or_take = f", or take --grid {found} with these" if found in ("desi", "sdss") else ""
    raise UsageError(
        f"--grid {grid}: {path} encodes spectra on {_told(found)}; give weights for {_told(grid)} with it{or_take}."
    )


def _told(grid: Any) -> str:
    """A grid in words."""
    from ..transforms.resampling import wavelength_grid

    pixels = wavelength_grid(grid)
    if isinstance(grid, str):
        return f"the grid {grid!r} ({len(pixels):,} pixels)"
    return f"a grid of {len(pixels):,} pixels from {pixels[0]:.0f} to {pixels[-1]:.0f} Angstrom"
