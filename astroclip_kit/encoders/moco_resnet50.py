"""The image encoder of Stein et al. (2021), which AstroCLIP freezes: MoCo v2 on Legacy Survey cutouts."""

from __future__ import annotations

import warnings
from typing import Any, Self

import torch
from torch import nn

from ..errors import InputError
from ..transforms.compose import Compose, Transform
from ..transforms.images import CenterCrop, RGBVariant, ToRGB
from ..transforms.spectra import SelectChannels
from ..types import Modality
from .checkpoints import fill, read_checkpoint, under
from .layers import check_kind, select_bands, steps_of

__all__ = ["MocoResNet50"]

TRAINED_BANDS = ("g", "r", "z")
TRAINED_ARCSEC = 0.262  # per pixel of the Legacy Survey cutouts that the released weights were trained on
TRAINED_PIXELS = 96  # along the side of what they saw
SCALES = 0.1  # the training shrank and enlarged its images by so much


class MocoResNet50(nn.Module):
    """ResNet-50 of torchvision with the projection head of MoCo v2, in the layout of the released weights.

    The keys are torchvision's, and ``fc.0``, ``fc.2`` for the head: 23,508,032 parameters in the trunk and
    4,458,624 in the head. Stein et al. use the 2048 features of the trunk; AstroCLIP uses the 128 of the head.

    Args:
        head: Whether the projection head follows the trunk.
        preprocess: What is done to cutouts in nanomaggies [B, 3, H, W] of g, r, z before they are encoded; by
            default the crop of 96 pixels and the colour image (z, r, g) that the released weights were trained on.
        checkpoint: A file of weights, as `from_checkpoint` reads it, once. A saved copy of the encoder brings its own
            weights, so the attribute is None afterwards.
        pixel_scale_arcsec: Size of the pixels that the weights were trained on; images of another one are refused.
            None where there is nothing to compare with; with a checkpoint 0.262, as published.

    Raises:
        FileError: If the checkpoint cannot be read, or holds another network.

    References:
        Stein et al. 2021, arXiv:2110.13151; Chen et al. 2020, arXiv:2003.04297.

    Example:
        >>> encoder = MocoResNet50().eval()
        >>> encoder(encoder.preprocess(torch.zeros(1, 3, 152, 152))).shape
        torch.Size([1, 2048])
    """

    def __init__(
        self,
        head: bool = False,
        preprocess: Transform | None = None,
        checkpoint: str | None = None,
        pixel_scale_arcsec: float | None = None,
    ) -> None:
        super().__init__()
        from torchvision.models import resnet50

        self.head, self.checkpoint = head, None
        self.pixel_scale_arcsec = TRAINED_ARCSEC if checkpoint and pixel_scale_arcsec is None else pixel_scale_arcsec
        self.preprocess = preprocess if preprocess is not None else Compose((CenterCrop(96), ToRGB("stein")))
        self.out_features = 128 if head else 2048
        for name, layer in resnet50(weights=None).named_children():
            self.add_module(name, layer)  # under torchvision's names, so that the released weights fit
        projection = nn.Sequential(nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 128))
        self.fc = projection if head else nn.Identity()
        if checkpoint is not None:
            self._read(checkpoint)

    def _read(self, path: str) -> None:
        tensors = read_checkpoint(path)
        encoder = under(tensors, "encoder_q.")
        if "conv1.weight" in encoder:
            tensors = {name: one for name, one in encoder.items() if self.head or not name.startswith("fc.")}
        fill(self, tensors, path)

    @classmethod
    def from_checkpoint(cls, path: str, **arguments: Any) -> Self:
        """With the weights of a file.

        Args:
            path: The Lightning checkpoint of Stein et al., of which the query encoder ``encoder_q`` is taken, or a
                ResNet-50 under torchvision's names, with ``fc.0`` and ``fc.2`` if the head is wanted.
            arguments: Of the constructor: `head` says whether 2048 or 128 features are wanted.

        Raises:
            FileError: If the file cannot be read, or holds another network.
        """
        return cls(checkpoint=str(path), **arguments)

    @classmethod
    def for_modality(
        cls, modality: Modality, rgb: RGBVariant = "stein", crop: int = TRAINED_PIXELS, **arguments: Any
    ) -> Self:
        """Sized for an image modality: orders its bands, leaves inverse variances out, crops.

        Args:
            modality: Images of three bands of which a colour image can be made.
            rgb: Which colour image, see `ToRGB`: the released weights most probably saw "stein".
            crop: Pixels along the side that are kept, or all where there are fewer: 96 as in the training, 144 as
                AstroCLIP's second version, 152 for whole cutouts.
            arguments: Of the constructor.

        Raises:
            InputError: If the modality is of another kind, or has other pixels than the weights were trained on.
            UsageError: If no colour image can be made of its bands.
        """
        check_kind(modality, "image", cls)
        side = min(crop, *modality.shape[1:])
        steps = (CenterCrop(side), ToRGB(rgb, modality.image_bands))
        encoder = cls(**{"preprocess": Compose([*select_bands(modality), *steps]), **arguments})
        encoder.check_modality(modality)
        if arguments.get("checkpoint") and set(modality.image_bands) != set(TRAINED_BANDS):
            warnings.warn(
                f"{modality.name!r} has the bands {', '.join(modality.image_bands)}, and the weights of {cls.__name__} "
                f"were trained on {', '.join(TRAINED_BANDS)}: its features may be worth less.",
                stacklevel=2,
            )
        if arguments.get("checkpoint") and "preprocess" not in arguments and side < min(crop, TRAINED_PIXELS):
            warnings.warn(
                f"{modality.name!r} has {side} pixels along a side, and the weights of {cls.__name__} saw "
                f"{TRAINED_PIXELS}: its features may be worth less. Take larger cutouts, or crop: {side} to be content "
                f"with these.",
                stacklevel=2,
            )
        return encoder

    def check_modality(self, modality: Modality) -> None:
        """Refuses images that the weights mean nothing for: other bands, pixels of another size, or too few.

        Raises:
            InputError: Says what differs and what to do.
        """
        name, trained, found = type(self).__name__, self.pixel_scale_arcsec, modality.pixel_scale_arcsec
        if trained is not None and abs(found / trained - 1) > SCALES:
            raise InputError(
                f"{modality.name!r} has pixels of {found:g} arcsec, and the weights of {name} are for "
                f"{trained:g}. Resample the images, or set pixel_scale_arcsec to {found:g} to encode them as they are."
            )
        bands = modality.channels
        for step in steps_of(self.preprocess):
            if isinstance(step, SelectChannels):
                bands = tuple(bands[number] for number in step.channels if number < len(bands))
            elif isinstance(step, CenterCrop) and step.size > min(modality.shape[1:]):
                raise InputError(
                    f"{modality.name!r} has {min(modality.shape[1:])} pixels along a side, and {name} crops "
                    f"{step.size}. Take larger cutouts, or write {{class_path: astroclip_kit.encoders.{name}, "
                    f"init_args: {{checkpoint: FILE}}}} instead of a folder, which crops less."
                )
            elif isinstance(step, ToRGB) and tuple(step.bands) != bands:
                raise InputError(
                    f"{modality.name!r} has the bands {', '.join(bands)}, and {name} takes "
                    f"{', '.join(step.bands)}. Build it with {name}.for_modality."
                )
            elif not type(step).__module__.startswith("astroclip_kit."):
                return  # it may do anything with the bands

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of colour images [B, 3, H, W] of any size."""
        *trunk, head = (layer for name, layer in self.named_children() if name != "preprocess")
        for layer in trunk:
            x = layer(x)
        features: torch.Tensor = head(torch.flatten(x, 1))
        return features
