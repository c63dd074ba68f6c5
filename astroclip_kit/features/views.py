"""Which views of an object are encoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import UsageError
from ..transforms.compose import Augmentation

__all__ = ["Views"]


@dataclass(frozen=True)
class Views:
    """How many views of each object are encoded; view 0 is as observed, the others are augmented.

    Args:
        count: Number of views of the modalities that have an augmentation; the others have one.
        augmentations: Modality to augmentation of raw views.
        seed: Another seed draws other views.

    Raises:
        UsageError: If `count` is less than 1.

    Example:
        >>> from astroclip_kit.transforms import RandomFlipRotate
        >>> Views(4, {"image": RandomFlipRotate()}).of("spectrum")
        1
    """

    count: int = 1
    augmentations: Mapping[str, Augmentation] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses a count that leaves no view."""
        if self.count < 1:
            raise UsageError(f"views: count is {self.count}, expected at least 1.")

    def of(self, name: str) -> int:
        """Number of views of a modality."""
        return self.count if name in self.augmentations else 1
