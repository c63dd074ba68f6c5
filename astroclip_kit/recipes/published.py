"""Published numbers, each with where it stands.

What could not be read in a source that is open to everybody is left out, not quoted from memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

__all__ = ["ASTROCLIP", "Published"]


@dataclass(frozen=True)
class Published:
    """One number of a paper, report or notebook.

    Args:
        by: Column of the table: whose number it is.
        task: As of a `Result`: "regression", "retrieval", "model", ...
        query: Modality that asks.
        target: Modality that answers.
        property: What was predicted.
        metric: "r2", "parameters", ...
        value: The number.
        source: Where it stands.
        protocol: Protocol of the evaluation that it was measured by; "" where there is none.
        spread: Standard deviation that was published with it; NaN for none.

    Example:
        >>> one = Published("thesis", "regression", "image", "image", "z", "r2", 0.65, "its table of redshifts")
        >>> one.key
        ('regression', 'image', 'image', 'z', 'r2')
    """

    by: str
    task: str
    query: str
    target: str
    property: str
    metric: str
    value: float
    source: str
    protocol: str = ""
    spread: float = math.nan

    @cached_property
    def key(self) -> tuple[str, str, str, str, str]:
        """What is compared with what was measured: task, query, target, property, metric."""
        return self.task, self.query, self.target, self.property, self.metric


ORIGINAL, THESIS, SECOND = "AstroCLIP", "thesis", "AstroCLIP v2"
TABLE = "thesis on AstroCLIP with frozen encoders, table of k-NN R2 (DESI EDR and Legacy Survey, 197,976 pairs)"
PARKER = f"Parker et al. 2024 (first version), as tabulated in the {TABLE}"
NOTEBOOK = (
    "Multimodal Universe, experimental_benchmark/astroclip/property_estimation/property_estimation.ipynb, its output"
)
README = "AstroCLIP, README.md, table of zero-shot results"
ASKED = (("image", "image"), ("spectrum", "spectrum"), ("image", "spectrum"))  # query and memory of each row
K16, K64 = "astroclip-k16", "astroclip-k64"


def _r2(by: str, name: str, values: tuple[float, ...], source: str, protocol: str) -> tuple[Published, ...]:
    """Image, spectrum, and image with spectra as memory."""
    pairs = zip(ASKED, values, strict=False)
    return tuple(
        Published(by, "regression", query, target, name, "r2", value, source, protocol)
        for (query, target), value in pairs
    )


ASTROCLIP: tuple[Published, ...] = (
    *_r2(ORIGINAL, "z", (0.71, 0.97, 0.64), PARKER, K16),
    *_r2(ORIGINAL, "logmstar", (0.66, 0.86, 0.58), PARKER, K16),
    *_r2(THESIS, "z", (0.65, 0.87, 0.59), TABLE, K16),
    *_r2(THESIS, "logmstar", (0.57, 0.74, 0.50), TABLE, K16),
    *_r2(SECOND, "z", (0.8011, 0.9857), NOTEBOOK, K16),
    *_r2(SECOND, "logmstar", (0.7376, 0.8793), NOTEBOOK, K16),
    *_r2(SECOND, "ssfr_astroclip", (0.4353, 0.6432), NOTEBOOK, K16),
    *_r2(SECOND, "z", (0.79, 0.99), README, K64),
    Published(ORIGINAL, "model", "image", "image", "", "parameters", 4_458_624, "AstroCLIP v1 notebook, 4.5 M"),
    Published(THESIS, "model", "image", "image", "", "parameters", 4_458_624, "thesis, 4.5 M: 2048-2048-128"),
    Published(THESIS, "model", "spectrum", "spectrum", "", "parameters", 230_272, "thesis: 256-256-256-256-128"),
)
