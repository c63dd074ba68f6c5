"""VGG along wavelength, with attention among the parts of a spectrum: the spectrum encoder of BATMM."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.regrid import named_grid
from ..transforms.resampling import Grid, wavelength_grid
from ..transforms.scaling import MinMax
from ..transforms.spectra import FillGaps, SelectChannels
from .grids import GridEncoder

__all__ = ["VGG1D", "vgg_layers"]

SDSS = "sdss 4000-9000"  # 3522 pixels of its own, not resampled
KEY_FEATURES = 64


class _SegmentAttention(nn.Module):
    """How much each segment of a spectrum makes of each other one (eqs. 3 and 4)."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.query = nn.Linear(length, KEY_FEATURES, bias=False)
        self.key = nn.Linear(length, KEY_FEATURES, bias=False)

    def forward(self, segments: torch.Tensor) -> torch.Tensor:
        """Weights [B, S, S], rows of which add up to 1, of segments [B, S, length]."""
        scores = self.query(segments) @ self.key(segments).transpose(1, 2)
        weights: torch.Tensor = (scores / KEY_FEATURES**0.5).softmax(dim=-1)
        return weights


class _Line(nn.Sequential):
    """Layers along a line [B, C, L], computed as an image of one row with its channels last: twice as fast."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Channels along the line [B, C', L']."""
        row = x[:, :, None].contiguous(memory_format=torch.channels_last)
        for layer in self:
            row = layer(row)
        return row[:, :, 0]


def vgg_layers(in_channels: int, widths: Sequence[int], depths: Sequence[int]) -> nn.Sequential:
    """VGG's convolutions of three pixels along a line, in blocks each of which ends by halving the pixels.

    Args:
        in_channels: Channels of the line.
        widths: Channels of the convolutions of each block.
        depths: Convolutions of each block.

    Example:
        >>> vgg_layers(1, (4, 8), (2, 2))(torch.zeros(3, 1, 20)).shape
        torch.Size([3, 8, 5])
    """
    layers: list[nn.Module] = []
    before = in_channels
    for width, depth in zip(widths, depths, strict=True):
        for _ in range(depth):
            layers += [nn.Conv2d(before, width, (1, 3), padding=(0, 1)), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        layers.append(nn.MaxPool2d((1, 2)))
    return _Line(*layers).to(memory_format=torch.channels_last)


class VGG1D(GridEncoder):
    """VGG-19 with convolutions of three pixels along wavelength, over the segments of a spectrum as its channels.

    As published, 3522 pixels between 4000 and 9000 Angstrom are seven segments of 503, which attend to each other and
    become 15 tokens of 512 features: 6,690,240 weights, and 64,384 of the attention.

    Args:
        grid: Wavelengths of the pixels; a rest that fills no segment is left out at the end.
        segments: Number of segments.
        widths: Channels of the convolutions of each block; each block ends by halving the pixels.
        depths: Convolutions of each block.
        self_attention: Whether segments are first mixed: ``S + softmax(S Wq (S Wk)^T / 8) S``.
        stacked: Whether segments are the channels of one line of 503 pixels, as published, or stay one behind the
            other, 110 tokens.
        preprocess: What is done to spectra [B, C, L] on the grid first; by default gaps are filled, the flux goes from
            0 to 1, and the other channels are left out.

    Raises:
        UsageError: If the sizes do not fit each other.

    References:
        Wei, Jiang & Zhang 2023 (BATMM); Simonyan & Zisserman 2015, arXiv:1409.1556.

    Example:
        >>> encoder = VGG1D(widths=(8, 16, 32, 32, 64))
        >>> x = encoder.preprocess(torch.rand(2, 2, 3522))
        >>> encoder.tokens(x).shape, encoder.shares(x).shape, encoder.share_names[0]
        (torch.Size([2, 15, 64]), torch.Size([2, 7]), '4000-4491')
    """

    def __init__(
        self,
        grid: Grid = SDSS,
        segments: int = 7,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        depths: Sequence[int] = (2, 2, 4, 4, 4),
        self_attention: bool = True,
        stacked: bool = True,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.grid = named_grid(grid)
        self.segments, self.self_attention, self.stacked = segments, self_attention, stacked
        self.widths, self.depths = tuple(widths), tuple(depths)
        self._pixels = len(wavelength_grid(grid))
        length = self._check()
        default = Compose((FillGaps(), MinMax(), SelectChannels()))
        self.preprocess = preprocess if preprocess is not None else default
        self.out_features = self.widths[-1]
        self.attention = _SegmentAttention(length) if self_attention else None
        self.convolutions = vgg_layers(segments if stacked else 1, self.widths, self.depths)

    def _check(self) -> int:
        """Pixels of a segment."""
        if not self.widths or len(self.widths) != len(self.depths) or min(*self.widths, *self.depths) < 1:
            raise UsageError(f"VGG1D needs one depth for each width, found {self.widths} and {self.depths}.")
        length = self._pixels // max(1, self.segments)
        line = length if self.stacked else length * self.segments
        if self.segments < 1 or line < 2 ** len(self.widths):
            raise UsageError(
                f"VGG1D cannot halve {self.segments} segments of {self._pixels} pixels {len(self.widths)} times: "
                f"change segments, widths or grid."
            )
        return length

    @property
    def share_names(self) -> tuple[str, ...]:
        """First and last wavelength of each segment in Angstrom, "4000-4491"."""
        length = self._pixels // self.segments
        wavelength = wavelength_grid(self.grid or SDSS)
        starts = range(0, length * self.segments, length)
        return tuple(f"{wavelength[one]:.0f}-{wavelength[one + length - 1]:.0f}" for one in starts)

    def _segments_of(self, x: torch.Tensor) -> torch.Tensor:
        """Segments [B, S, length] of fluxes."""
        x = x[:, None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[1:] != (1, self._pixels):
            raise InputError(f"VGG1D takes fluxes [B, 1, {self._pixels}], found {tuple(x.shape)}.")
        length = self._pixels // self.segments
        return x[:, 0, : length * self.segments].reshape(len(x), self.segments, length)

    def tokens(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens [B, T, out_features] of fluxes [B, 1, L] or [B, L] in 0 .. 1, in the order of wavelength."""
        x = self._segments_of(x)
        if self.attention is not None:
            x = x + self.attention(x) @ x
        line = x if self.stacked else x.flatten(1)[:, None]
        tokens: torch.Tensor = self.convolutions(line)
        return tokens.transpose(1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of fluxes [B, 1, L] or [B, L] in 0 .. 1: the mean token."""
        return self.tokens(x).mean(dim=1)

    def shares(self, x: torch.Tensor) -> torch.Tensor:
        """The attention that each segment gets [B, S], adding up to 1; all alike without self-attention."""
        x = self._segments_of(x)
        if self.attention is None:
            return x.new_full(x.shape[:2], 1 / self.segments)
        weights: torch.Tensor = self.attention(x)
        return weights.mean(dim=1)
