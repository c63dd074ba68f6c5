"""How one view of an object becomes two."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from ..contracts import check_augmentation, check_encoder
from ..errors import InputError, UsageError
from ..models import build
from ..transforms import GaussianNoise, RandomFlipRotate
from ..transforms.compose import Augmentation, ComposeAugmentations, Transform
from ..transforms.images import pixel_noise as channel_noise
from ..types import Modality
from .course import Pretraining

__all__ = ["augmentation_for", "pixel_noise", "preprocess_of"]


def augmentation_for(course: Pretraining, encoder: nn.Module) -> Augmentation:
    """The augmentation that was asked for, tried once; else orientation and noise of images."""
    given, modality = course.settings.augmentation, course.modality
    if given:
        augment = cast(Augmentation, build(given, trusted=True))
        changed = check_augmentation(augment, modality)
        try:
            check_encoder(encoder, changed)
        except InputError as error:
            if changed.shape == modality.shape:
                raise
            raise InputError(
                f"moco.augmentation gives images of {changed.shape[1]} x {changed.shape[2]} pixels, which "
                f"{type(encoder).__name__} does not take: it is for {modality.shape[1]} x {modality.shape[2]}. Take an "
                f"augmentation that keeps the size, or an encoder for any size."
            ) from error
        return augment
    if modality.kind != "image":
        raise UsageError(
            f"moco.augmentation: {modality.name!r} is of kind {modality.kind!r}, and only images have a default. "
            f"Say what may change in it without its being another object."
        )
    return ComposeAugmentations([RandomFlipRotate(), GaussianNoise(pixel_noise(course.sample(), modality))])


def preprocess_of(encoder: nn.Module) -> Transform:
    """What an encoder does to views first; nothing, where it has no `preprocess`."""
    return cast(Transform, getattr(encoder, "preprocess", lambda x: x))


def pixel_noise(x: Tensor, modality: Modality) -> list[float]:
    """The noise of each band, from the differences of neighbouring pixels; 0 for an inverse variance.

    Args:
        x: Images [B, C, H, W].
        modality: Says which channels are bands.

    Returns:
        Robust standard deviation [C], in the unit of the images.
    """
    pairs = zip(modality.channels, channel_noise(x), strict=True)
    return [value if channel in modality.image_bands else 0.0 for channel, value in pairs]
