"""GalSpecNet, a small convolutional network along wavelength: the spectrum encoder of AstroM3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.spectrum_channels import SpectrumChannels
from ..types import Modality
from .checkpoints import fill, read_checkpoint, under
from .dropout import Dropout
from .grids import LEAST_COVERED
from .layers import check_kind, in_parts

__all__ = ["GalSpecNet"]

KERNEL = 3  # pixels
AT_ONCE = 32  # objects
POOLED = 4  # pixels that become one


class GalSpecNet(nn.Module):
    """Convolutions of three pixels along wavelength, between which the highest of four pixels is kept.

    At the published sizes 2575 pixels become 37 of 32 channels, 1,184 features, with 22,272 parameters.

    Args:
        in_channels: Channels of a spectrum.
        length: Pixels of a spectrum.
        channels: Of each convolution.
        dropout: Probability of the features.
        preprocess: What is done to spectra [B, C, L] first: gives [B, in_channels, length]. By default nothing.
        checkpoint: A file of weights with the layout of the published ones, read once. A saved copy of the encoder
            brings its own weights, so the attribute is None afterwards.

    Raises:
        UsageError: If the sizes do not fit each other, or the dropout is no probability.

    References:
        Wu et al. 2024, MNRAS 527, 1163; Rizhko & Bloom 2025 (AstroM3; arXiv:2411.08842).

    Example:
        >>> encoder = GalSpecNet(in_channels=1, length=100, channels=(4, 8))
        >>> encoder(torch.rand(2, 1, 100)).shape
        torch.Size([2, 176])
    """

    def __init__(
        self,
        in_channels: int = 3,
        length: int = 2575,
        channels: Sequence[int] = (64, 64, 32, 32),
        dropout: float = 0.3,
        preprocess: Transform | None = None,
        checkpoint: str | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.length, self.channels = in_channels, length, tuple(channels)
        self.dropout, self.checkpoint = dropout, None
        self.preprocess = preprocess if preprocess is not None else Compose()
        pixels = self._pixels()
        self.out_features = pixels * self.channels[-1]
        before = (in_channels, *self.channels)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before[number], channel, KERNEL) for number, channel in enumerate(self.channels)
        )
        self._at_end = Dropout(dropout)
        if checkpoint is not None:
            fill(self, own_names(read_checkpoint(checkpoint)), checkpoint)

    def _pixels(self) -> int:
        """Pixels after the last convolution."""
        if not self.channels or min(self.in_channels, *self.channels) < 1:
            raise UsageError(f"GalSpecNet: in_channels {self.in_channels} and channels {self.channels} are above 0.")
        pixels = self.length
        for _ in self.channels[1:]:
            pixels = (pixels - KERNEL + 1) // POOLED
        if pixels < KERNEL:
            raise UsageError(
                f"GalSpecNet: {self.length} pixels are too few for {len(self.channels)} convolutions with a quarter of "
                f"the pixels after each. Give fewer channels."
            )
        return pixels - KERNEL + 1

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """For the wavelengths of a spectrum modality, whose channels `SpectrumChannels` makes.

        Args:
            modality: Spectra of flux and inverse variance. Those that cover at least 85 % of 3850 to 9000 Angstrom are
                put on the published grid, others on one as long as their own.
            arguments: Of the constructor; a `preprocess` of your own gives [B, in_channels, length] itself.

        Raises:
            InputError: If the modality is of another kind, or covers less than the weights of a checkpoint take.
        """
        check_kind(modality, "spectrum", cls)
        if "preprocess" in arguments:
            return cls(**arguments)
        checkpoint = arguments.pop("checkpoint", None)
        channels = _channels(modality, checkpoint is not None)
        sized = {"length": channels.length, "preprocess": channels, **arguments}
        return cls(**sized) if checkpoint is None else cls.from_checkpoint(checkpoint, **sized)

    @classmethod
    def from_checkpoint(cls, path: str, **arguments: Any) -> Self:
        """With the weights of a file, which gives the channels too.

        Args:
            path: AstroM3, or its classifier of spectra: safetensors with the released names.
            arguments: Of the constructor.

        Raises:
            FileError: If the file cannot be read, or holds another network.
        """
        tensors = own_names(read_checkpoint(path))
        encoder = cls(**{**_sizes(tensors), **arguments})
        fill(encoder, tensors, path)
        return encoder

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, out_features] of spectra [B, in_channels, length]."""
        if x.ndim != 3 or x.shape[1:] != (self.in_channels, self.length):
            raise InputError(
                f"GalSpecNet takes spectra [B, {self.in_channels}, {self.length}], found {tuple(x.shape)}."
            )
        return in_parts(self._features, x, AT_ONCE)

    def _features(self, x: Tensor) -> Tensor:
        row = x[:, :, None].contiguous(
            memory_format=torch.channels_last
        )  # an image of one row: more than twice as fast
        *first, last = self.convolutions
        for layer in first:  # the highest of four, then ReLU: the same as the other way round, of fewer pixels
            row = functional.relu(functional.max_pool2d(_along(row, layer), (1, POOLED)))
        features: Tensor = self._at_end(functional.relu(_along(row, last)).flatten(1))
        return features


def _along(row: Tensor, layer: nn.Module) -> Tensor:
    """A convolution along a line [B, C, 1, L]."""
    weight, bias = layer.parameters()
    return functional.conv2d(row, weight[:, :, None], bias)


def _channels(modality: Modality, released: bool) -> SpectrumChannels:
    """What is done to spectra first, on the published grid where they cover it, or where weights ask for it."""
    published = SpectrumChannels.for_modality(modality, **({"second": "ivar"} if released else {}))
    low, high = modality.grid[0], modality.grid[-1]
    covered = (min(high, published.stop) - max(low, published.start)) / (published.stop - published.start)
    if covered >= LEAST_COVERED:
        return published
    if released:
        raise InputError(
            f"{modality.name!r} covers {low:.0f} to {high:.0f} Angstrom, {max(0.0, covered):.0%} of the "
            f"{published.start:.0f} to {published.stop:.0f} that the weights of GalSpecNet were trained on; at least "
            f"{LEAST_COVERED:.0%} is needed. Train on these spectra instead."
        )
    step = (high - low) / (len(modality.grid) - 1)
    return replace(published, start=low, stop=high + step / 2, step=step)


def _sizes(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's sizes that the shapes of the weights tell; none where the file is no GalSpecNet."""
    weights = [one for name, one in tensors.items() if name.endswith(".weight") and one.ndim == 3]
    if not weights:
        return {}
    return {"in_channels": weights[0].shape[1], "channels": tuple(one.shape[0] for one in weights)}


def own_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Released tensors by the names that they have here, in order; those of a classifier's head left out.

    The published list of layers holds those without weights too, so that its numbers have gaps.
    """
    found = {name: one for name, one in under(tensors, "spectra_encoder.").items() if not name.startswith("fc.")}
    layers = [name.split(".") for name in found]
    if any(len(parts) != 3 or parts[0] != "layers" or not parts[1].isdigit() for parts in layers):
        return found
    numbers = sorted({int(number) for _, number, _ in layers})
    return {
        f"convolutions.{numbers.index(int(number))}.{kind}": found[f"layers.{number}.{kind}"]
        for _, number, kind in sorted(layers, key=lambda parts: (int(parts[1]), parts[2]))
    }
