"""What a new file holds, drawn with axes as an object of the space is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ...embeddings.queries import Asked
from ...surveys.images.orientation import NORTH
from ...types import Sample
from ..objects.cutouts import CutoutView
from ..objects.redshifts import HIGHEST, LOWEST, REDSHIFTS
from ..objects.spectra import SpectrumView
from ..objects.stamps import StampsView, are_stamps
from ..space import Space

if TYPE_CHECKING:
    from bokeh.models import UIElement

__all__ = ["new_view"]

NEW = "new"  # how the names of its models begin


def new_view(space: Space, asked: Asked) -> UIElement | None:
    """The first observation of a new file, in the pixels and bands of the model; None where it is no image or spectrum.

    A spectrum has the wavelengths that the model was trained on, and lines where the file tells its redshift.

    Args:
        space: What is explored.
        asked: The file, placed in the space.
    """
    new = asked.newcomers
    if new is None:
        return None
    sample, known = new.samples[0], new.modality
    modality, view = replace(known, name=f"{NEW} {known.name}"), sample.views[known.name]
    if known.kind == "spectrum":
        drawn = SpectrumView(space, modality)
        drawn.draw(view, *_redshift(sample))
        return drawn.layout
    if known.kind != "image":
        return None
    shown = StampsView(space, modality) if are_stamps(modality) else CutoutView(space, modality)
    shown.point(float(sample.labels.get(NORTH, math.nan)))
    shown.show(-1, view)
    return shown.layout


def _redshift(sample: Sample) -> tuple[float, str]:
    """What the file itself says of its redshift, and where."""
    labels = {name.lower(): value for name, value in sample.labels.items()}
    for name in REDSHIFTS:
        value = labels.get(name)
        if isinstance(value, (int, float)) and LOWEST < value < HIGHEST:
            return float(value), f"{name} of the file"
    return math.nan, ""
