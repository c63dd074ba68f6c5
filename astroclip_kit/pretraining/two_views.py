"""How one view of an object becomes two."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from ..errors import InputError, UsageError
from ..models import build
from ..transforms import GaussianNoise, RandomFlipRotate
from ..transforms.compose import Augmentation, ComposeAugmentations, Transform
from ..types import Modality
from .course import Pretraining, RawViews

__all__ = ["augmentation_for", "pixel_noise", "preprocess_of"]


def augmentation_for(course: Pretraining, encoder: nn.Module) -> Augmentation:
    """The augmentation that was asked for, tried once; else orientation and noise of images."""
    given, modality = course.settings.augmentation, course.modality
    if given:
        augment = cast(Augmentation, build(given, trusted=True))
        _check_augmentation(augment, encoder, course.views(course.train[:2]))
        return augment
    if modality.kind != "image":
        raise UsageError(
            f"moco.augmentation: {modality.name!r} is of kind {modality.kind!r}, and only images have a default. "
            f"Say what may change in it without its being another object."
        )
    return ComposeAugmentations([RandomFlipRotate(), GaussianNoise(pixel_noise(course.sample(), modality))])


def _check_augmentation(augment: Augmentation, encoder: nn.Module, views: RawViews) -> None:
    """Tries an augmentation, which may crop, on two objects."""
    name, was_training = type(augment).__name__, encoder.training
    try:
        with torch.no_grad():
            h = encoder.eval()(preprocess_of(encoder)(augment(views.x, views.seeds)))
    except (AttributeError, RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InputError(
            f"moco.augmentation: {type(encoder).__name__} cannot encode what {name} makes: {error}"
        ) from error
    finally:
        encoder.train(was_training)
    if len(h) != len(views.x):
        raise InputError(f"moco.augmentation: {name} makes {len(h)} views of {len(views.x)}, expected one of each.")


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
    difference = (x[..., 1:] - x[..., :-1]).transpose(0, 1).flatten(1)
    sigma = 1.4826 / 2**0.5 * difference.abs().nanmedian(dim=1).values
    pairs = zip(modality.channels, sigma.tolist(), strict=True)
    return [value if channel in modality.image_bands else 0.0 for channel, value in pairs]
