"""Convolutions by which oneDNN, the library that torch convolves with on processors, would corrupt memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["sampled_convolutions"]

CHANNELS = 16  # float32 numbers of an AVX-512 register; with fewer channels than that the library is wrong


class _Sampled(nn.Conv2d):
    """Takes the pixels of its stride first and convolves them without one, which is the same for a single pixel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, columns = self.stride
        taken = x[..., ::rows, ::columns]
        return nn.functional.conv2d(taken, self.weight, self.bias, groups=self.groups)


@contextmanager
def sampled_convolutions(module: nn.Module) -> Iterator[None]:
    """Within it, thin convolutions of one pixel with a stride are computed by a way that is safe.

    In the backward pass of such a convolution, where channels are laid out last and there are several threads, oneDNN
    writes behind its own memory (github.com/uxlfoundation/oneDNN issue 6035; torch 2.14.1): the process dies, often
    much later. Parameters, names and, afterwards, classes stay as they are.

    Args:
        module: What is trained.
    """
    found = [one for one in module.modules() if type(one) is nn.Conv2d and _is_thin(one)]
    for one in found:
        one.__class__ = _Sampled
    try:
        yield
    finally:
        for one in found:
            one.__class__ = nn.Conv2d


def _is_thin(one: nn.Conv2d) -> bool:
    samples = max(one.kernel_size) == 1 < max(one.stride) and one.padding in ((0, 0), "valid")
    return samples and one.in_channels // one.groups < CHANNELS
