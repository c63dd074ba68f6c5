"""Whether the classifier of a run fits what the run aligns, found before its first step and not after hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import InputError, UsageError
from .configuration import Configuration
from .fine_tuned import is_fine_tuned

if TYPE_CHECKING:
    from torch import nn

    from ..types import Modality

__all__ = ["aligned_encoders", "check_classifier"]

LOADED = ("checkpoint", "pretrained")


def aligned_encoders(configuration: Configuration) -> dict[str, Any]:
    """The encoders whose space a run aligns, as the configuration has them."""
    align, extract = (configuration.sections.get(verb, {}) for verb in ("align", "extract"))
    every = {**(extract.get("encoders") or {}), **(align.get("encoders") or {})}
    return {name: every[name] for name in align["alignment"].modalities or every if name in every}


def check_classifier(configuration: Configuration) -> None:
    """Refuses encoders and parts to train that do not fit the start.

    Args:
        configuration: Of a run; nothing is asked of one that fine-tunes nothing.

    Raises:
        FolderError: If the start is a folder without a model.
        UsageError: If they do not fit.
    """
    given: Mapping[str, Any] = configuration.sections.get("classify", {})
    if not given or not is_fine_tuned(given["classification"]):
        return
    from ..classifiers.starts import check_like_start
    from ..models import load_model

    tuning, source, asked = given["classification"].fine_tuning, {}, given["encoders"] or {}
    if tuning.start:
        model: Any = load_model(tuning.start)
        source = dict(getattr(model, "encoders", {}))
    elif "align" in configuration.sections:
        described = aligned_encoders(configuration)
        if unknown := [name for name in asked if name not in described]:
            raise UsageError(f"classify.encoders: align has no {unknown[0]!r}; it has {', '.join(described)}.")
        source = {name: built for name, one in described.items() if (built := _alone(one)) is not None}
    known = {name: _alone(one) for name, one in asked.items()}
    check_like_start(known or dict.fromkeys(source), source, tuning)


def _alone(described: Any) -> nn.Module | None:
    """An encoder as it is built for any modality that it can read; None where nothing can be said of it yet."""
    from ..models import build_for

    if not isinstance(described, dict) or any((described.get("init_args") or {}).get(name) for name in LOADED):
        return None
    for modality in _modalities():
        with suppress(InputError, UsageError, TypeError, ValueError):  # it reads another kind, or is told of later
            encoder: nn.Module = build_for(described, modality)
            return encoder
    return None


def _modalities() -> Iterator[Modality]:
    """One of each kind."""
    import numpy as np

    from ..types import LIGHTCURVE_CHANNELS, Modality

    yield Modality("any", "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), "mag", bands=("V",))
    yield Modality.spectrum("any", np.linspace(4000, 9000, 2000))
    yield Modality("any", "table", ("one", "other"), (2,))
    yield Modality("any", "image", ("g", "r", "z"), (3, 64, 64))
