"""How what does not belong is looked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import UsageError

__all__ = ["Oddness"]


@dataclass(frozen=True)
class Oddness:
    """How what does not belong is looked for.

    Args:
        by: Which scores rank: neighbours, isolation, disagreement, disagreement_rank (between the modalities of an
            object), and with a label class_distance, label_odds, label_centroid, label_neighbours; all that there are
            by default. "labels" for the label alone, see `downstream.label_audit`.
        where: Which objects to look at, "snr > 5"; all by default.
        k: Number of neighbours; rows of the object's own group are never among them.
        seed: Of the isolation forest, and of samples.

    Raises:
        UsageError: If k is below 1 or the seed negative.
    """

    by: str | list[str] = field(default_factory=list)
    where: str = ""
    k: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what means nothing."""
        if self.k < 1 or self.seed < 0:
            raise UsageError(f"expected k of 1 or more and a seed of 0 or more, found {self.k} and {self.seed}.")
