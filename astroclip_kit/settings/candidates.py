"""Which new objects a classifier is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Candidates"]


@dataclass(frozen=True)
class Candidates:
    """New objects, and the classifier that is asked about them.

    Args:
        model: Model folder of a classifier, or the folder that it was trained in.
        input: Whom to ask about: a dataset folder; or a folder, or file, of survey files that the kit recognises; or
            each modality by its own, "image=cutouts/,spectrum=spectra/", in YAML and Python also
            ``{"spectrum": {"file": ..., "reader": ...}}``. Numbers that go with light curves come from the one table
            beside them that has them all; a modality that cannot be used is named and left out if the model copes
            with that. Survey files are held in memory as a whole; ingest very many
            first, as a dataset is read in parts. Images are held to what ``CleanImages`` asked of those of the
            training; without it, which are good enough is up to you.
        radius_arcsec: Observations that share no id are one object if they are each other's nearest within that; those
            that share one are left out if they are farther apart.
        attention: File for a figure of where the image of one object looks in its spectrum: where.pdf.
        object_id: Of that object; by default the one whose class is surest.
        trusted: Whether the model folder is your own and may name classes from outside the kit.
    """

    model: Any = ""
    input: Any = ""
    radius_arcsec: float = 1.0
    attention: str = ""
    object_id: str = ""
    trusted: bool = False
