"""How a space is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ..errors import UsageError

__all__ = ["PROTOCOLS", "Evaluation"]

PROTOCOLS: dict[str, dict[str, Any]] = {
    "astroclip-k16": {"k": 16, "weights": "distance", "metric": "euclidean", "standardise": False},
    "astroclip-k64": {"k": 64, "weights": "distance", "metric": "euclidean", "standardise": True},
}


@dataclass(frozen=True)
class Evaluation:
    """How a space is judged on its held-out objects.

    Args:
        protocol: "kit" (what the fields below say), or one of the two by which AstroCLIP's numbers were made; it sets
            k, weights, metric and standardise. "astroclip-k16": 16 neighbours, as in the notebook of the Multimodal
            Universe (experimental_benchmark/astroclip/property_estimation) and in AstroCLIP v1. "astroclip-k64": 64
            neighbours of standardised dimensions, as in AstroCLIP v2 (property_utils/models.py). Both weigh by inverse
            Euclidean distance, here of unit vectors.
        k: Number of neighbours.
        weights: "distance" or "uniform".
        metric: "cosine" or "euclidean".
        standardise: Whether every dimension is brought to mean 0 and standard deviation 1 of the memory.
        mean: Whether properties are also predicted from the mean of what an object has.
        shots: For classes: how many labelled examples of each, "1,5,10,all", nearest centroids and nearest neighbours
            are judged with; none by default.
        draws: How often such examples are drawn.
        probes: Whether linear and MLP probes are fitted beside the nearest neighbours, aligned and before alignment.
        centre: Whether everything is also measured with the mean of the training objects subtracted from each
            modality.
        coverage: How often intervals, and sets of classes, are to hold the truth, which is then counted; 0 for none.
        where: Which objects are judged, and make up the memory, "zwarning == 0 and snr > 5"; all by default.
        n_boot: Resamples of the 95 % intervals; whole groups are drawn.
        seed: Of the resampling, the probes and the reference.

    Raises:
        UsageError: If a number is out of its range, or contradicts the protocol.

    Example:
        >>> Evaluation(protocol="astroclip-k64").neighbours
        {'k': 64, 'weights': 'distance', 'metric': 'euclidean', 'standardise': True}
    """

    protocol: Literal["kit", "astroclip-k16", "astroclip-k64"] = "kit"
    k: int = 16
    weights: Literal["distance", "uniform"] = "distance"
    metric: Literal["cosine", "euclidean"] = "cosine"
    standardise: bool = False
    mean: bool = False
    shots: str | list[int] = ""
    draws: int = 20
    probes: bool = False
    centre: bool = False
    coverage: float = 0.0
    where: str = ""
    n_boot: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what means nothing, before anything is measured."""
        if self.protocol not in ("kit", *PROTOCOLS):
            raise UsageError(f"protocol is {self.protocol!r}, expected one of kit, {', '.join(PROTOCOLS)}.")
        for name, fixed in PROTOCOLS.get(self.protocol, {}).items():
            if (given := getattr(self, name)) not in (fixed, type(self).__dataclass_fields__[name].default):
                raise UsageError(
                    f"protocol {self.protocol} has {name} = {fixed}, found {given}. Leave one of them out."
                )
            object.__setattr__(self, name, fixed)
        if self.coverage and not 0.5 <= self.coverage < 1:
            raise UsageError(f"coverage is {self.coverage}, expected 0.5 to below 1, e.g. 0.9, or 0 for none.")
        if self.n_boot < 1:
            raise UsageError(f"n_boot is {self.n_boot}, expected at least one resample.")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}, expected 0 or more.")
        if self.draws < 1:
            raise UsageError(f"draws is {self.draws}, expected at least one draw of the examples.")
        _ = self.examples

    @property
    def neighbours(self) -> dict[str, Any]:
        """What `downstream.predict` is told: k, weights, metric, standardise."""
        return {name: getattr(self, name) for name in ("k", "weights", "metric", "standardise")}

    @property
    def examples(self) -> list[int]:
        """The shots as numbers; 0 for "all".

        Raises:
            UsageError: If one is neither a number of examples nor "all".
        """
        words = self.shots.split(",") if isinstance(self.shots, str) else list(map(str, self.shots))
        found = [word.strip() for word in words if word.strip()]
        if wrong := [word for word in found if word != "all" and not word.isdigit()]:
            raise UsageError(f"shots: expected numbers of examples such as 1,5,10,all, found {wrong[0]!r}.")
        return [0 if word == "all" else int(word) for word in found]
