"""What the verbs make of their arguments: names, positions, parts and folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["Folder", "Parts", "encoder_for", "open_data", "open_store", "part", "position", "words"]

Folder = str | os.PathLike[str]
Parts = dict[str, dict[str, Any]]  # by name: class_path and init_args, or (in Python) the object itself


def words(value: str | list[str]) -> list[str]:
    """The names in "a,b" or ["a", "b"]."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else list(value)


def position(coordinates: str) -> dict[str, float]:
    """Right ascension and declination in degrees, by name; nothing for an empty text.

    Raises:
        UsageError: If the text is no position.
    """
    if not coordinates:
        return {}
    from astropy.coordinates import SkyCoord

    text = coordinates.replace(",", " ")
    unit = (
        "deg" if all(letter in "0123456789.+- " for letter in text) and len(text.split()) == 2 else ("hourangle", "deg")
    )
    try:
        place = SkyCoord(text, unit=unit)
    except ValueError as error:
        raise UsageError(
            f'coordinates {coordinates!r}: expected "150.1 2.2" (degrees) or "10h00m24s +02d12m00s".'
        ) from error
    return {"ra": float(place.ra.deg), "dec": float(place.dec.deg)}


def part(value: Any, from_path: Any = None) -> Any:
    """The object itself, or what a configuration's class_path and init_args describe, or what a path stands for."""
    from ..models import build

    if isinstance(value, (str, os.PathLike)) and from_path is not None:
        return from_path(Path(value))
    return build(value, trusted=True) if isinstance(value, dict) else value


def encoder_for(value: Any, modalities: dict[str, Any], name: str) -> Any:
    """An encoder; what its configuration leaves open is sized by the modality."""
    if not isinstance(value, dict):
        return value
    from ..models import build_for

    if name not in modalities:
        raise UsageError(f"encoders: no modality {name!r} in the data; it has {', '.join(modalities)}.")
    return build_for(value, modalities[name])


def open_data(data: Folder) -> Any:
    """The dataset or the features in a folder; an object that was opened already passes as it is."""
    if not isinstance(data, (str, Path)):
        return data
    from ..data import Dataset
    from ..features import FeatureSet
    from ..storage import open_folder

    return FeatureSet(data) if open_folder(data, "")["kind"] == "features" else Dataset(data)


def open_store(embeddings: Folder) -> EmbeddingStore:
    """The shared space in a folder; an object that was opened already passes as it is."""
    from ..embeddings import EmbeddingStore

    return embeddings if isinstance(embeddings, EmbeddingStore) else EmbeddingStore(Path(embeddings))
