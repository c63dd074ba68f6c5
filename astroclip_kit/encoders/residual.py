"""Residual blocks of two convolutions, of images and of spectra: a spectrum is an image of one row."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..convolutions import SampledConv2d

__all__ = ["ResidualBlock", "residual_stages"]


class ResidualBlock(nn.Module):
    """Two convolutions of three pixels a side with batch normalisation, added to what came in.

    Args:
        before: Channels that come in.
        width: Channels that come out.
        stride: Pixels of each axis that become one.
        kernel: Pixels of a convolution along each axis, odd.

    References:
        He et al. 2016, arXiv:1512.03385.

    Example:
        >>> ResidualBlock(4, 8, stride=(1, 2), kernel=(1, 3))(torch.zeros(2, 4, 1, 10)).shape
        torch.Size([2, 8, 1, 5])
    """

    def __init__(
        self, before: int, width: int, stride: tuple[int, int] = (1, 1), kernel: tuple[int, int] = (3, 3)
    ) -> None:
        super().__init__()
        around = (kernel[0] // 2, kernel[1] // 2)
        self.layers = nn.Sequential(
            nn.Conv2d(before, width, kernel, stride, around, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, kernel, 1, around, bias=False),
            nn.BatchNorm2d(width),
        )
        changed = before != width or stride != (1, 1)
        self.shortcut: nn.Module = nn.Identity()
        if changed:
            self.shortcut = nn.Sequential(SampledConv2d(before, width, stride), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps [B, width, H', W'] of maps [B, before, H, W]."""
        added: torch.Tensor = self.layers(x) + self.shortcut(x)
        return added.relu()


def residual_stages(before: int, widths: Sequence[int], blocks: int, line: bool = False) -> nn.Sequential:
    """Stages of residual blocks, each but the first of which halves the pixels.

    Args:
        before: Channels that come in.
        widths: Channels of each stage.
        blocks: Blocks of a stage.
        line: Whether only the last axis is convolved and halved.

    Example:
        >>> residual_stages(4, (4, 8), 2)(torch.zeros(2, 4, 8, 8)).shape
        torch.Size([2, 8, 4, 4])
    """
    kernel, half = ((1, 3), (1, 2)) if line else ((3, 3), (2, 2))
    layers: list[nn.Module] = []
    for number, width in enumerate(widths):
        for block in range(blocks):
            stride = half if number and not block else (1, 1)
            layers.append(ResidualBlock(before, width, stride, kernel))
            before = width
    return nn.Sequential(*layers)
