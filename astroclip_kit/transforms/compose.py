"""Several transforms, or several augmentations, in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ..types import Modality
from .randomness import fork

__all__ = ["Augmentation", "Compose", "ComposeAugmentations", "Transform"]

Transform = Callable[[torch.Tensor], torch.Tensor]
Augmentation = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Compose:
    """Applies transforms one after the other; without steps it changes nothing.

    Args:
        steps: Callables from views [B, ...] to views [B, ...].

    Example:
        >>> Compose([torch.neg, torch.relu])(torch.tensor([[-2.0, 3.0]]))
        tensor([[2., 0.]])
    """

    steps: Sequence[Transform] = ()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Views [B, ...] after the last step."""
        for step in self.steps:
            x = step(x)
        return x

    def measured_on(self, x: torch.Tensor) -> Compose:
        """The same, where each step that can be is measured on views [n, ...] as they reach it."""
        steps, done = list(self.steps), 0
        for number, step in enumerate(steps):
            if callable(measure := getattr(step, "measured_on", None)):
                x, done = Compose(steps[done:number])(x), number
                steps[number] = measure(x)
        return Compose(tuple(steps))


@dataclass(frozen=True)
class ComposeAugmentations:
    """Applies augmentations one after the other, each with its own draws.

    Args:
        steps: Callables from (views [B, ...], seeds int64 [B]) to views [B, ...].

    Example:
        >>> from astroclip_kit.transforms import GaussianNoise, RandomFlipRotate
        >>> augment = ComposeAugmentations([RandomFlipRotate(), GaussianNoise(0.1)])
        >>> augment(torch.zeros(2, 3, 8, 8), torch.arange(2)).shape
        torch.Size([2, 3, 8, 8])
    """

    steps: Sequence[Augmentation] = ()

    def check_modality(self, modality: Modality) -> None:
        """Refuses what one of the steps refuses."""
        for step in self.steps:
            if callable(check := getattr(step, "check_modality", None)):
                check(modality)

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Views [B, ...] after the last step."""
        for number, step in enumerate(self.steps):
            x = step(x, fork(seeds, number))
        return x
