"""A ResNet of torchvision that first weighs the bands of an image: the image encoder of BATMM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.images import Resize
from ..transforms.scaling import ScaleImages
from ..transforms.spectra import SelectChannels
from ..types import Modality
from .image_backbones import ImageBackbone
from .layers import MeasuredEncoder, check_kind, select_bands, steps_of

__all__ = ["SEResNet"]

SIDE = 128  # pixels to which cutouts of 64 are enlarged: 16 tokens


class _SqueezeExcitation(nn.Module):
    """A weight for each band from the mean of all (eqs. 1 and 2; Hu et al. 2018), as wide as there are bands."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(bands, bands), nn.ReLU(), nn.Linear(bands, bands), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weights [B, bands] in 0 .. 1 of images [B, bands, H, W]."""
        weights: torch.Tensor = self.layers(x.mean(dim=(2, 3)))
        return weights


class SEResNet(MeasuredEncoder):
    """Squeeze and excitation of the bands, a ResNet without its end, and a linear layer for each place: tokens.

    The trunk is under torchvision's names. That of ResNet-50 has 23,514,304 weights for five bands; an image of 128
    pixels has 16 tokens.

    Args:
        bands: Of the channels, in their order.
        name: A ResNet as in `torchvision.models.list_models`.
        width: Features of a token.
        stages: How many of the four stages of the trunk there are: without the last, a token is 16 x 16 pixels, and a
            step with images of 48 pixels takes a third of the time.
        squeeze_excitation: Whether the bands are weighed.
        pretrained: Starts from torchvision's ImageNet weights, the mean over colours repeated for each band. They are
            downloaded once; a saved copy brings its own weights, so the attribute is False afterwards.
        checkpoint: A file of weights under torchvision's names, read once; None afterwards.
        preprocess: What is done to images [B, bands, H, W] first; by default `ScaleImages`, which `measured_on`
            measures, and bilinear enlargement to 128 pixels.

    Raises:
        FileError: If the checkpoint cannot be read, or holds another network.
        UsageError: If torchvision has no such network, or it is no ResNet.

    References:
        Wei, Jiang & Zhang 2023 (BATMM); He et al. 2016, arXiv:1512.03385; Hu et al. 2018, arXiv:1709.01507.

    Example:
        >>> encoder = SEResNet(name="resnet18", width=64)
        >>> x = encoder.preprocess(torch.rand(2, 5, 64, 64))
        >>> encoder.tokens(x).shape, encoder(x).shape, encoder.shares(x).shape
        (torch.Size([2, 16, 64]), torch.Size([2, 64]), torch.Size([2, 5]))
    """

    def __init__(
        self,
        bands: Sequence[str] = ("u", "g", "r", "i", "z"),
        name: str = "resnet50",
        width: int = 512,
        stages: int = 4,
        squeeze_excitation: bool = True,
        pretrained: bool = False,
        checkpoint: str | None = None,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.bands, self.name, self.width, self.out_features = tuple(bands), name, width, width
        self.stages, self.squeeze_excitation, self.pretrained, self.checkpoint = stages, squeeze_excitation, False, None
        default = Compose((ScaleImages(), Resize(SIDE)))
        self.preprocess = preprocess if preprocess is not None else default
        self.excitation = _SqueezeExcitation(len(self.bands)) if squeeze_excitation else None
        backbone = ImageBackbone(name, len(self.bands), pretrained, checkpoint=checkpoint)
        self.trunk = backbone.network
        if not hasattr(self.trunk, "layer4"):
            raise UsageError(
                f"SEResNet is made of a ResNet, and {name!r} is none: take resnet50, resnet18 or the like."
            )
        if stages not in range(1, 5):
            raise UsageError(f"SEResNet has 1 to 4 stages, found {stages}.")
        for layer in ("avgpool", "fc", *(f"layer{number}" for number in range(stages + 1, 5))):
            delattr(self.trunk, layer)
        self.projection = nn.Conv2d(backbone.out_features // 2 ** (4 - stages), width, 1)
        self.norm = nn.LayerNorm(width)

    @property
    def share_names(self) -> tuple[str, ...]:
        """The bands."""
        return self.bands

    @classmethod
    def for_modality(cls, modality: Modality, size: int = SIDE, **arguments: Any) -> Self:
        """Sized for the bands of an image modality; inverse variances are left out.

        Args:
            modality: Images of any bands.
            size: Pixels along the side that images are brought to; 0 leaves them as they are.
            arguments: Of the constructor: `bands` may name some of the modality's; a `preprocess` of your own selects
                them itself.

        Raises:
            InputError: If the modality is of another kind, or lacks a band.
        """
        check_kind(modality, "image", cls)
        bands = tuple(arguments.pop("bands", modality.image_bands))
        steps = select_bands(modality, bands)
        steps += [ScaleImages(), Resize(size)] if size else [ScaleImages()]
        encoder = cls(bands, **{"preprocess": Compose(tuple(steps)), **arguments})
        encoder.check_modality(modality)
        return encoder

    def check_modality(self, modality: Modality) -> None:
        """Refuses images of other bands, or in another order, than the weights are for.

        Raises:
            InputError: Says what differs and what to do.
        """
        steps, bands = steps_of(self.preprocess), modality.channels
        chosen = [step.channels for step in steps if isinstance(step, SelectChannels)] or [range(len(bands))]
        found = tuple(bands[one] for one in chosen[0] if one < len(bands))
        foreign = any(not type(step).__module__.startswith("astroclip_kit.") for step in steps)
        if found != self.bands and not foreign:
            raise InputError(
                f"{modality.name!r} has the bands {', '.join(found)} where SEResNet expects {', '.join(self.bands)}. "
                f"Build it with SEResNet.for_modality, or read the images with these bands."
            )

    def tokens(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens [B, T, width] of preprocessed images [B, bands, H, W], row by row, by default of 32 pixels a side."""
        if self.excitation is not None:
            x = x * self.excitation(x)[:, :, None, None]
        for layer in self.trunk.children():
            x = layer(x)
        tokens: torch.Tensor = self.norm(self.projection(x).flatten(2).transpose(1, 2))
        return tokens

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, width] of preprocessed images [B, bands, H, W]: the mean token."""
        return self.tokens(x).mean(dim=1)

    def shares(self, x: torch.Tensor) -> torch.Tensor:
        """Each band's part of the weights [B, bands], adding up to 1; all alike without squeeze and excitation."""
        if self.excitation is None:
            return x.new_full(x.shape[:2], 1 / len(self.bands))
        weights: torch.Tensor = self.excitation(x)
        return weights / weights.sum(dim=1, keepdim=True)
