"""How encoders that were aligned with each other learn classes, and how many labels they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["FineTuning", "LabelShare"]


@dataclass(frozen=True)
class FineTuning:
    """How a classifier begins and what it trains; the defaults are those of AstroM3.

    Args:
        start: Folder of a model that `align` wrote, whose encoders and projections are begun with; "" for random
            weights. Dropout and the like are those of the encoders that are given.
        head: Of one modality alone: a linear map of what its "encoder" gives, or of its unit vector after the
            "projection". Several are always projected.
        combine: How unit vectors become one: their "mean", or "concat", one after the other.
        trainable: What is trained of the encoders, or of each by its modality: "all", "last:N" (the last N blocks) or
            "frozen", which freezes the projection of a start too. Where all are frozen, a linear map of cached vectors
            is what learns, in seconds.
        out_features: Width of projections that are not those of a start.
        modality_dropout: Probability that training leaves out a modality of an object that has another.
        encoder_rate: What the learning rate is multiplied with for the encoders.
    """

    start: str = ""
    head: Literal["encoder", "projection"] = "encoder"
    combine: Literal["mean", "concat"] = "mean"
    trainable: str | dict[str, str] = "all"
    out_features: int = 512
    modality_dropout: float = 0.0
    encoder_rate: float = 1.0

    def trainable_of(self, name: str) -> str:
        """What is trained of the encoder of a modality."""
        return self.trainable if isinstance(self.trainable, str) else self.trainable.get(name, "all")


@dataclass(frozen=True)
class LabelShare:
    """How many of the labels are shown; the others count as unknown.

    Args:
        fraction: Share of the labels of each side that is kept; 1 for all.
        by: "level" (the largest classes are cut to the same size, so that rare ones stay whole; at least one label of
            each class is kept); "capped" (the same with the sizes of AstroM3's code, which leaves fewer than asked for
            where every class is cut, and far fewer where all are alike); or "random" (any object, whatever its class).
        sides: Which sides of the split are cut. AstroM3 also cuts "test", which is then judged on fewer objects.
    """

    fraction: float = 1.0
    by: Literal["capped", "level", "random"] = "level"
    sides: list[str] = field(default_factory=lambda: ["train", "valid"])
