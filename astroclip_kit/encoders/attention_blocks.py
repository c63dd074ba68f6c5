"""Convolutions that see far and weigh channels and places: the blocks of IICnet."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

__all__ = ["CBAM", "RFB", "convolution"]


def convolution(in_channels: int, channels: int, kernel: int = 1, relu: bool = True) -> nn.Sequential:
    """A convolution without bias that keeps the size, batch normalisation, and ReLU where asked for."""
    layer = nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(channels), *([nn.ReLU(inplace=True)] if relu else []))


class RFB(nn.Module):
    """A receptive field block: three branches that see ever farther, joined and added to a shortcut.

    Each branch is a 1 x 1 convolution, none, one or two of 3 x 3 pixels, and one of 3 x 3 pixels with dilation 1, 3 or
    5, as the figure of IICnet has it; the public code of RFBNet has 1, 2 and 3. The branches begin in one convolution
    and end in one normalisation of all of them, which gives the same numbers in fewer passes over the image.

    Args:
        in_channels: Channels of the images.
        channels: Channels that come out.
        inter_channels: Channels q from which the branches start, the first with 2 q; each ends in 2 q.
        scale: What the joined branches are multiplied with before they are added.

    References:
        Liu, Huang & Wang 2018, arXiv:1711.07767.

    Example:
        >>> RFB(16, 32, 2)(torch.zeros(2, 16, 20, 20)).shape
        torch.Size([2, 32, 20, 20])
    """

    def __init__(self, in_channels: int, channels: int, inter_channels: int, scale: float = 0.1) -> None:
        super().__init__()
        self.in_channels, self.channels, self.inter_channels, self.scale = in_channels, channels, inter_channels, scale
        q, wide = inter_channels, 2 * inter_channels
        self.begin = convolution(in_channels, 4 * q)
        self.near = _dilated(wide, 1)
        self.middle = nn.Sequential(convolution(q, wide, 3), _dilated(wide, 3))
        self.far = nn.Sequential(convolution(q, 3 * q // 2, 3), convolution(3 * q // 2, wide, 3), _dilated(wide, 5))
        self.norm = nn.BatchNorm2d(3 * wide)
        self.join = convolution(3 * wide, channels, relu=False)
        self.shortcut = convolution(in_channels, channels, relu=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps [B, channels, H, W] of maps [B, in_channels, H, W]."""
        q = self.inter_channels
        near, middle, far = self.begin(x).split([2 * q, q, q], dim=1)
        branches = torch.cat([self.near(near), self.middle(middle), self.far(far)], dim=1)
        return torch.add(self.shortcut(x), self.join(self.norm(branches)), alpha=self.scale).relu_()


def _dilated(channels: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)


def _by_pixel(x: torch.Tensor) -> torch.Tensor:
    """Maps [B, C, H, W] as [B, H, W, C]: gradients of means and maxima of these lie in memory as the maps do."""
    return x.permute(0, 2, 3, 1)


class _ChannelAttention(nn.Module):
    """A weight for each channel from its mean and its highest value."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.layers = nn.Sequential(
            nn.Linear(channels, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, channels, bias=False)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weights [B, C, 1, 1] in 0 .. 1 of maps [B, C, H, W]."""
        mean, highest = _by_pixel(x).mean(dim=(1, 2)), functional.adaptive_max_pool2d(x, 1)[:, :, 0, 0]
        weights: torch.Tensor = self.layers(torch.stack([mean, highest])).sum(dim=0)
        return weights.sigmoid()[:, :, None, None]


class _SpatialAttention(nn.Module):
    """A weight for each place from the mean and the highest value of its channels."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weights [B, 1, H, W] in 0 .. 1 of maps [B, C, H, W]."""
        places = _by_pixel(x)
        weights: torch.Tensor = self.layer(torch.stack([places.mean(dim=3), places.max(dim=3).values], dim=1))
        return weights.sigmoid()


class CBAM(nn.Module):
    """A convolutional block attention module: weighs first the channels, then the places.

    Neither the two linear layers nor the convolution has a bias, as the paper's equations are written; the public code
    adds them, and batch normalisation.

    Args:
        channels: Channels of the maps.
        reduction: How many times fewer the hidden features of the channels' weights are.
        kernel: Pixels along the side of what a place's weight is made of.

    References:
        Woo et al. 2018, arXiv:1807.06521.

    Example:
        >>> CBAM(32)(torch.zeros(2, 32, 20, 20)).shape
        torch.Size([2, 32, 20, 20])
    """

    def __init__(self, channels: int, reduction: int = 16, kernel: int = 7) -> None:
        super().__init__()
        self.channels, self.reduction, self.kernel = channels, reduction, kernel
        self.channel, self.spatial = _ChannelAttention(channels, reduction), _SpatialAttention(kernel)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Weighted maps [B, channels, H, W]."""
        x = x * self.channel(x)
        weighted: torch.Tensor = x * self.spatial(x)
        return weighted
