"""Thin convolutions of one pixel with a stride, by which the library of torch for processors would corrupt memory.

In the backward pass of one, where channels are laid out last and there are several threads, oneDNN writes behind its
own memory (github.com/uxlfoundation/oneDNN issue 6035; torch 2.14.1): the process dies, often much later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["SampledConv2d", "sampled_convolutions"]

CHANNELS = 16  # float32 numbers of an AVX-512 register; with fewer channels than that the library is wrong


class SampledConv2d(nn.Conv2d):
    """A convolution of one pixel that takes the pixels of its stride before it convolves them, which is the same.

    Args:
        before: Channels that come in.
        width: Channels that come out.
        stride: Pixels of each axis that become one.

    Example:
        >>> SampledConv2d(4, 8, (2, 2))(torch.zeros(2, 4, 5, 6)).shape
        torch.Size([2, 8, 3, 3])
    """

    def __init__(self, before: int, width: int, stride: tuple[int, int]) -> None:
        super().__init__(before, width, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps [B, width, H', W'] of maps [B, before, H, W]."""
        rows, columns = self.stride
        taken = x[..., ::rows, ::columns]
        return nn.functional.conv2d(taken, self.weight, self.bias, groups=self.groups)


@contextmanager
def sampled_convolutions(module: nn.Module) -> Iterator[None]:
    """Within it, the convolutions of any network that would corrupt memory are `SampledConv2d`.

    Parameters, their names and, afterwards, the classes stay as they are.

    Args:
        module: What is trained.
    """
    found = [one for one in module.modules() if type(one) is nn.Conv2d and _is_thin(one)]
    for one in found:
        one.__class__ = SampledConv2d
    try:
        yield
    finally:
        for one in found:
            one.__class__ = nn.Conv2d


def _is_thin(one: nn.Conv2d) -> bool:
    samples = max(one.kernel_size) == 1 < max(one.stride) and one.padding in ((0, 0), "valid")
    return samples and one.in_channels // one.groups < CHANNELS
