"""Encoders that were trained on one survey, for the spectra and images of another."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from torch import nn

from ..models import load_model
from ..transforms.compose import Compose, Transform
from ..transforms.regrid import Resample, is_on
from ..transforms.resampling import Grid
from ..transforms.spectra import SelectChannels
from ..types import Modality, reads_of
from .grids import onto_grid
from .layers import steps_of
from .standard_vectors import StandardVectors

__all__ = ["encoder_of", "fitted", "load_encoder"]


def load_encoder(folder: str | Path, modality: Modality | None = None, *, trusted: bool = False) -> nn.Module:
    """The encoder of a folder, `fitted` to what it shall encode.

    Args:
        folder: A model folder.
        modality: What it shall encode; None leaves it as it is.
        trusted: Whether any class that the folder names may be imported.

    Raises:
        FolderError: If the folder is no model, names classes outside the kit, or its weights do not fit.
        InputError: As `fitted`.
    """
    encoder = load_model(folder, trusted=trusted)
    return encoder if modality is None else fitted(encoder, modality)


def encoder_of(
    folder: str | Path, name: str, modalities: Mapping[str, Modality], *, trusted: bool = False
) -> nn.Module:
    """The encoder of a folder, `fitted` to the modality that it reads under a name.

    Args:
        folder: A model folder.
        name: What the encoder is called.
        modalities: Those that there are, by name; one that reads none of them is left as it is.
        trusted: As in `load_encoder`.

    Raises:
        FolderError: As `load_encoder`.
        InputError: As `fitted`.
    """
    encoder = load_model(folder, trusted=trusted)
    modality = modalities.get(reads_of(name, encoder))
    return encoder if modality is None else fitted(encoder, modality)


def fitted(encoder: Any, modality: Modality) -> nn.Module:
    """An encoder whose preprocessing first makes views alike to those that it was trained on.

    Spectra are put on its wavelengths, channels in its order, and those that it does not know are left out. What else
    differs is left for `contracts.check_encoder` to refuse.

    Args:
        encoder: Changed in place. Without a ``trained_on``, a `Modality`, only weights for a grid are fitted.
        modality: What it shall encode.

    Raises:
        InputError: If spectra cover less than 85 % of its wavelengths.
    """
    trained: Modality | None = getattr(encoder, "trained_on", None)
    if trained is None:
        return encoder.fitted_to(modality) if hasattr(encoder, "fitted_to") else encoder  # type: ignore[no-any-return]
    if isinstance(encoder, StandardVectors):  # what it does to views first is done by the encoder inside
        encoder.encoder.trained_on = trained  # type: ignore[assignment]
        encoder.trained_on = fitted(encoder.encoder, modality).trained_on
        return encoder
    moved = modality.kind == "spectrum" == trained.kind and not is_on(trained.grid, modality.grid)
    keeps = "preprocess" in inspect.signature(type(encoder).__init__).parameters  # else a saved copy would lack it
    if not keeps or modality.kind != trained.kind or not (moved or modality.channels != trained.channels):
        return encoder  # type: ignore[no-any-return]
    steps = _Steps.of(encoder.preprocess)
    wanted = [trained.channels[number] for number in steps.chosen or range(len(trained.channels))]
    if set(wanted) <= set(modality.channels):
        first = (
            onto_grid(modality, _expected(encoder, trained, steps), type(encoder).__name__) if moved else steps.first
        )
        chosen = [modality.channels.index(channel) for channel in wanted]
        select = [SelectChannels(chosen)] if tuple(wanted) != modality.channels else []
        encoder.preprocess = Compose((*first, *select, *steps.others))
        encoder.trained_on = replace(modality, grid=modality.grid if moved else trained.grid, bands=trained.bands)
    return encoder  # type: ignore[no-any-return]


class _Steps(NamedTuple):
    """A preprocessing: resampling, channels that are chosen at once, and all that follows."""

    first: list[Transform]
    chosen: Sequence[int]
    others: list[Transform]

    @classmethod
    def of(cls, preprocess: Transform) -> _Steps:
        steps = steps_of(preprocess)
        begin = 1 if steps and isinstance(steps[0], Resample) else 0
        first, others = steps[:begin], steps[begin:]
        if others and isinstance(others[0], SelectChannels):
            return cls(first, others[0].channels, others[1:])
        return cls(first, (), others)


def _expected(encoder: Any, trained: Modality, steps: _Steps) -> Grid:
    """The wavelengths that the later steps expect, by their name where they have one."""
    if steps.first:
        return cast(Resample, steps.first[0]).grid
    own = getattr(encoder, "grid", None)
    return own if own is not None and is_on(own, trained.grid) else trained.grid
