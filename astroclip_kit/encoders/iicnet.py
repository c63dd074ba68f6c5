"""IICnet, a small network for infrared images of galaxies, quasars and stars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.images import Asinh, Resize
from ..transforms.scaling import ScaleImages
from ..types import Modality
from .attention_blocks import CBAM, RFB, convolution
from .layers import MeasuredEncoder, check_kind, select_bands

__all__ = ["IICNet"]

SIDE = 80  # pixels: the best of the paper's 64 to 128
SMALLEST = 32  # pixels: 4 after three halvings


class _Sizes(NamedTuple):
    """Channels and divisors that the paper does not print.

    Args:
        stem: Channels of the first convolution.
        rfb: Channels that the receptive field block gives.
        widths: Channels of convolutions 2 to 5.
        inter_divisor: How many times fewer channels the branches of the block begin with than it is given.
        reduction: Of both attention modules.
        hidden_features: Of a layer before the classes; 0 for none.
    """

    stem: int
    rfb: int
    widths: tuple[int, int, int, int]
    inter_divisor: int
    reduction: int
    hidden_features: int = 0


CONFIGURATIONS = {
    "default": _Sizes(16, 32, (32, 128, 288, 512), 8, 16),
    "closest": _Sizes(16, 16, (48, 112, 288, 480), 4, 16, 256),
    "macs": _Sizes(16, 32, (32, 96, 288, 512), 4, 8, 128),
    "powers_of_two": _Sizes(16, 16, (64, 128, 256, 512), 4, 16, 256),
}


class IICNet(MeasuredEncoder):
    """Five convolutions with a receptive field block after the first and attention before and after the others.

    The paper prints 1.75 M weights and 218.66 M operations, and no channels. The configurations come near to these
    numbers, with a linear layer to three classes and images of three bands and 80 pixels: "default" (1,744,623 weights,
    214.58 M multiplications) adds no layer that the paper does not list, "closest" is nearest to both numbers
    (1,749,531, 215.14 M) where operations count batch normalisation, "macs" where they do not (1,752,379, 218.79 M),
    and "powers_of_two" has the widths that networks usually have (1,729,499, 222.99 M).

    Layers in their order, for whoever looks inside: ``conv1``, ``rfb``, ``attention1`` at full size, ``conv2`` at half,
    ``conv3`` at a quarter, ``conv4``, ``conv5`` and ``attention2`` at an eighth.

    Args:
        configuration: "default", "closest", "macs" or "powers_of_two".
        bands: Number of bands.
        size: Pixels along the side that images are brought to; at least 32.
        stem: Pixels along the side of the first convolution, 5 as published, or 3.
        preprocess: What is done to images [B, bands, H, W] first; by default arcsinh in units of each band's noise,
            each band standardised, both as `measured_on` finds them on training objects, and bilinear interpolation to
            `size`. A missing pixel counts as 0 flux.

    Raises:
        UsageError: If there is no such configuration, or a size makes no sense.

    References:
        Zhao et al. 2023, RAA 23, 085010, arXiv:2305.10217 (no public code; how pixels are scaled is not told).

    Example:
        >>> encoder = IICNet(bands=4, size=64)
        >>> x = encoder.preprocess(torch.rand(2, 4, 36, 36))
        >>> encoder(x).shape, {name: one.shape for name, one in encoder.attention_maps(x).items()}
        (torch.Size([2, 512]), {'attention1': torch.Size([2, 64, 64]), 'attention2': torch.Size([2, 8, 8])})
    """

    def __init__(
        self,
        configuration: str = "default",
        bands: int = 3,
        size: int = SIDE,
        stem: int = 5,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.configuration, self.bands, self.size, self.stem = configuration, bands, size, stem
        sizes = self._check()
        self.preprocess = preprocess if preprocess is not None else Compose(_scaling(size))
        second, third, fourth, fifth = sizes.widths
        self.conv1 = convolution(bands, sizes.stem, stem)
        self.rfb = RFB(sizes.stem, sizes.rfb, sizes.stem // sizes.inter_divisor)
        self.attention1 = CBAM(sizes.rfb, sizes.reduction)
        self.conv2 = convolution(sizes.rfb, second, 3)
        self.conv3 = convolution(second, third, 3)
        self.conv4 = convolution(third, fourth, 3)
        self.conv5 = convolution(fourth, fifth, 3)
        self.attention2 = CBAM(fifth, sizes.reduction)
        self.pool = nn.MaxPool2d(2)
        self.out_features = sizes.hidden_features or fifth
        hidden = (nn.Linear(fifth, self.out_features), nn.ReLU()) if sizes.hidden_features else ()
        self.hidden = nn.Sequential(*hidden)
        self.to(memory_format=torch.channels_last)

    def _check(self) -> _Sizes:
        """Channels of the configuration."""
        if self.configuration not in CONFIGURATIONS:
            raise UsageError(f"IICNet has no configuration {self.configuration!r}, only {', '.join(CONFIGURATIONS)}.")
        if self.bands < 1 or self.size < SMALLEST or self.stem < 1 or self.stem % 2 == 0:
            raise UsageError(
                f"IICNet needs at least 1 band, images of at least {SMALLEST} pixels and a stem of an odd number of "
                f"pixels, found {self.bands}, {self.size} and {self.stem}."
            )
        return CONFIGURATIONS[self.configuration]

    @classmethod
    def for_modality(
        cls, modality: Modality, bands: int | Sequence[str] = (), size: int = SIDE, **arguments: Any
    ) -> Self:
        """Sized for the bands of an image modality; inverse variances are left out.

        Args:
            modality: Images of any bands and size.
            bands: Which of its bands, or how many from the first; without them all.
            size: Pixels along the side that images are brought to.
            arguments: Of the constructor; a `preprocess` of your own selects the bands itself.

        Raises:
            InputError: If the modality is of another kind, or lacks a band.
        """
        check_kind(modality, "image", cls)
        if isinstance(bands, int):
            if bands not in range(1, len(modality.image_bands) + 1):
                raise InputError(f"{modality.name!r} has {len(modality.image_bands)} bands, not {bands}. Change bands.")
            bands = modality.image_bands[:bands]
        chosen = tuple(bands) or modality.image_bands
        preprocess = Compose((*select_bands(modality, chosen), *_scaling(size)))
        return cls(**{"bands": len(chosen), "size": size, "preprocess": preprocess, **arguments})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of preprocessed images [B, bands, H, W] of at least 32 pixels.

        Raises:
            InputError: If the images are of another shape, or hold NaN.
        """
        if x.ndim != 4 or x.shape[1] != self.bands or min(x.shape[2:]) < SMALLEST:
            expected = f"[B, {self.bands}, H, W] with at least {SMALLEST} x {SMALLEST} pixels"
            raise InputError(f"IICNet takes images {expected}, found {tuple(x.shape)}.")
        if not (x.is_meta or x.isfinite().all()):
            raise InputError("IICNet takes finite images, and a pixel is NaN or infinite: let `preprocess` fill it.")
        x = self.attention1(self.rfb(self.conv1(x)))
        x = self.conv3(self.pool(self.conv2(self.pool(x))))
        x = self.attention2(self.conv5(self.conv4(self.pool(x))))
        features: torch.Tensor = self.hidden(x.mean(dim=(2, 3)))
        return features

    def attention_maps(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """How much each place is weighed, 0 to 1: [B, H, W] by "attention1", [B, H / 8, W / 8] by "attention2".

        Args:
            x: Preprocessed images [B, bands, H, W].
        """
        found: dict[str, torch.Tensor] = {}

        def keep(name: str) -> Any:
            return lambda _module, _given, weights: found.update({name: weights[:, 0]})

        modules = {"attention1": self.attention1, "attention2": self.attention2}
        handles = [one.spatial.register_forward_hook(keep(name)) for name, one in modules.items()]
        try:
            self(x)
        finally:
            for handle in handles:
                handle.remove()
        return found


def _scaling(size: int) -> tuple[Transform, ...]:
    """From fluxes to numbers of order unity, with a range that a galaxy and the noise both fit in."""
    return Asinh(None), ScaleImages(quantile=1.0), Resize(size)
