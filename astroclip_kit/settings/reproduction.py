"""What a published experiment is repeated with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import UsageError

__all__ = ["Material"]


@dataclass(frozen=True)
class Material:
    """Data and weights; without data a survey is simulated.

    Args:
        data: The data that were published on (a file or folder of survey files), or a dataset folder.
        catalogue: Table of labels beside survey files: for astroclip, PROVABGS; for others, of classes, by default
            ``labels.csv`` in the folder.
        image_weights: Weights of the image encoder: its published file, an encoder folder of `pretrain`, or "random";
            by default it is pretrained in a small run, and random otherwise; a full run without data asks for them.
        spectrum_weights: Those of the spectrum encoder.
        grid: Wavelengths of the spectra that the encoder sees: desi (7,781 pixels) or sdss (3,921), for which the
            weights have to be.
        count: Objects to simulate; 0 for what the size says.

    Raises:
        UsageError: If something is given that has no use.
    """

    data: str = ""
    catalogue: str = ""
    image_weights: str = ""
    spectrum_weights: str = ""
    grid: Literal["desi", "sdss"] = "desi"
    count: int = 0

    def __post_init__(self) -> None:
        """Refuses what contradicts itself."""
        if self.count < 0 or (self.count and self.data):
            raise UsageError(f"count is {self.count}: expected 0, or the number of objects to simulate without data.")
        if self.catalogue and not self.data:
            raise UsageError("a catalogue needs the data that it describes: give --data, too.")
