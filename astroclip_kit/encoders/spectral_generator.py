"""An image becomes the vector that an encoder of spectra would give of the object's spectrum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch import nn

from ..errors import UsageError
from ..types import Modality
from .layers import check_kind
from .stamp_resnet import image_encoder
from .standard_vectors import StandardVectors

__all__ = ["SpectralGenerator"]

SLOPE = 0.2  # of the leaky rectifiers


class SpectralGenerator(StandardVectors):
    """An image encoder, and a network that makes spectral vectors of its features and of random numbers.

    Vectors are standardised: `standardise` and `restore` convert those of the encoder of spectra. It is trained by
    `classifiers.train_generator`, and is an encoder of images like any other: its features are the mean vector over
    `draws` fixed sets of random numbers, the same for an image in whatever batch.

    Args:
        encoder: Any encoder of images.
        out_features: Length of a spectral vector.
        noise: Random numbers of a draw; 0 for one vector per image.
        draws: Sets of random numbers.
        hidden_features: Widths of the layers between.
        seed: Of the random numbers.
        reads: Name of the modality that it encodes.

    Raises:
        UsageError: If a size is out of range.

    References:
        Wang et al. 2023, PASP, doi 10.1088/1538-3873/acfbb9; Isola et al. 2017, arXiv:1611.07004.

    Example:
        >>> from astroclip_kit.encoders import StampResNet
        >>> generator = SpectralGenerator(StampResNet(5, width=4, stages=2, out_features=8), noise=4).eval()
        >>> x = generator.preprocess(torch.rand(3, 5, 16, 16))
        >>> generator(x).shape, generator.generate(x, torch.randn(3, 4)).shape
        (torch.Size([3, 128]), torch.Size([3, 128]))
    """

    drawn: torch.Tensor

    def __init__(
        self,
        encoder: nn.Module,
        out_features: int = 128,
        noise: int = 32,
        draws: int = 8,
        hidden_features: Sequence[int] = (512, 512, 256),
        seed: int = 0,
        reads: str = "image",
    ) -> None:
        super().__init__(encoder, reads)
        self.noise, self.draws, self.hidden_features, self.seed = noise, draws, tuple(hidden_features), seed
        if min(out_features, draws, *self.hidden_features) < 1 or noise < 0:
            raise UsageError(
                f"SpectralGenerator needs features, draws and layers above 0 and noise of 0 or more, found "
                f"{out_features}, {draws}, {self.hidden_features} and {noise}."
            )
        self.have(out_features)
        self.layers = nn.Sequential()
        before = int(encoder.out_features) + noise  # type: ignore[arg-type]
        for width in self.hidden_features:
            self.layers.extend((nn.Linear(before, width), nn.LayerNorm(width), nn.LeakyReLU(SLOPE)))
            before = width
        self.layers.append(nn.Linear(before, out_features))
        random = torch.Generator().manual_seed(seed)
        self.register_buffer("drawn", torch.randn(draws if noise else 1, noise, generator=random))

    @classmethod
    def for_modality(
        cls, modality: Modality, encoder: nn.Module | Mapping[str, Any] | None = None, **arguments: Any
    ) -> Self:
        """For the images of a modality.

        Args:
            modality: Images of any bands and size.
            encoder: Any encoder, or its ``class_path`` and ``init_args``; by default a `StampResNet`.
            arguments: Of the constructor.

        Raises:
            InputError: If the modality is of another kind.
        """
        check_kind(modality, "image", cls)
        return cls(image_encoder(encoder, modality), **{"reads": modality.name, **arguments})

    def check_modality(self, modality: Modality) -> None:
        """Leaves it to the image encoder to refuse a modality."""
        check_kind(modality, "image", type(self))
        super().check_modality(modality)

    def measured_on(self, views: torch.Tensor) -> Self:
        """Itself, with what its preprocessing lacks measured on raw images [n, C, H, W] of training objects."""
        if callable(measure := getattr(self.encoder, "measured_on", None)):
            measure(views)
        return self

    def simulate(self, features: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Standardised vectors [B, out_features] of image features [B, F] and random numbers [B, noise]."""
        vectors: torch.Tensor = self.layers(torch.cat([features, noise.to(features.dtype)], dim=1))
        return vectors * (self.scale > 0)

    def generate(self, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Standardised vectors [B, out_features] of preprocessed images [B, C, H, W] and random numbers [B, noise]."""
        return self.simulate(self.encoder(x), noise)

    def mean_vector(self, features: torch.Tensor) -> torch.Tensor:
        """The mean [B, out_features] over the fixed random numbers, of image features [B, F]."""
        draws = len(self.drawn)
        noise = self.drawn.repeat(len(features), 1)
        vectors = self.simulate(features.repeat_interleave(draws, dim=0), noise)
        return vectors.reshape(len(features), draws, -1).mean(dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The mean standardised vector [B, out_features] of preprocessed images [B, C, H, W]."""
        return self.mean_vector(self.encoder(x))
