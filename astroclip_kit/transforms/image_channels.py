"""Which channels of images [B, C, H, W] an augmentation is for: bands, and inverse variances called "ivar_<band>"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from ..errors import InputError
from ..types import Modality

__all__ = ["IVAR", "KnowsBands", "check_bands", "check_channels", "refuse_ivar"]

IVAR = "ivar_"


class KnowsBands(Protocol):
    """What treats each channel by its name."""

    @property
    def bands(self) -> Sequence[str]:
        """Of the channels, in their order."""


def check_channels(x: torch.Tensor, bands: Sequence[str]) -> None:
    """Refuses images of another number of channels.

    Raises:
        InputError: Tells both.
    """
    if x.shape[1] != len(bands):
        raise InputError(f"images have {x.shape[1]} channels, expected {len(bands)}: {', '.join(bands)}.")


def check_bands(part: KnowsBands, modality: Modality) -> None:
    """Refuses a modality whose channels are others, or in another order.

    Raises:
        InputError: Tells both.
    """
    if tuple(part.bands) != modality.channels:
        raise InputError(
            f"{modality.name!r} has the channels {', '.join(modality.channels)}, and {type(part).__name__} is for "
            f"{', '.join(part.bands)}. Give it bands as the images have them."
        )


def refuse_ivar(part: object, modality: Modality) -> None:
    """Refuses a modality with inverse variances, for what makes each pixel of several.

    Raises:
        InputError: Names the first of them.
    """
    if modality.image_bands != modality.channels:
        found = next(channel for channel in modality.channels if channel.startswith(IVAR))
        raise InputError(
            f"{type(part).__name__} makes each pixel of several, for which the inverse variance {found!r} of "
            f"{modality.name!r} would be wrong. Read the images without ivar, or leave this step out."
        )
