"""Whether north is up on all images of a source, or where it is on each."""

from __future__ import annotations

import json

import pandas as pd

from ..surveys.images.orientation import NORTH
from .sources import Source

__all__ = ["settle_north"]


def settle_north(source: Source, observed: pd.DataFrame) -> bool:
    """Whether north is up and east at the left on all images of a source.

    What its observations say of that in the label ``north_deg`` is removed where it is so; elsewhere it becomes the
    label ``SOURCE_north_deg``, which is missing where nobody knows.

    Args:
        source: The source.
        observed: Its observations, with their labels as JSON in ``labels``, which are changed.
    """
    if source.modality is None or source.modality.kind != "image":
        return False
    said = observed["labels"].str.contains(f'"{NORTH}"', regex=False)
    if not said.any():
        return bool(getattr(source.reader, "north_up", False))
    labels = [json.loads(one) for one in observed["labels"]]
    norths = [one.pop(NORTH, None) for one in labels]
    is_up = all(north == 0 for north in norths)
    if not is_up:
        own = f"{source.name}_{NORTH}"
        labels = [one if north is None else {**one, own: north} for one, north in zip(labels, norths, strict=True)]
    observed["labels"] = [json.dumps(one) for one in labels]
    return is_up
