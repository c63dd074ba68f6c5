"""Dropout that does not take longer than the layers around it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UsageError

__all__ = ["Dropout"]

LEVELS = 256  # of a byte


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`, an eighth of its time on a processor, where drawing random numbers takes longest.

    There each value is decided upon by a byte, so that the probability is rounded to 1/256; the values that stay are
    scaled by what it is rounded to. The bytes follow from torch's generator.

    Args:
        p: The probability.

    Raises:
        UsageError: If it is none.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> Dropout(0.25)(torch.ones(1000, 1000)).unique()
        tensor([0.0000, 1.3333])
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise UsageError(f"dropout is {p}, expected a probability from 0 to 1.")
        super().__init__(p)

    def forward(self, x: Tensor) -> Tensor:
        """Values of any shape, some of them 0 in training."""
        dropped = round(self.p * LEVELS)
        if not (self.training and x.is_cpu and 0 < dropped < LEVELS):
            return super().forward(x)
        drawn = _bytes(x.numel()).view(x.shape)
        kept = torch.ge(drawn, dropped, out=torch.empty(x.shape, dtype=x.dtype))
        return x * kept.mul_(LEVELS / (LEVELS - dropped))


def _bytes(count: int) -> Tensor:
    """Random bytes [count]."""
    generator = np.random.SFC64(int(torch.randint(2**62, ())))
    return torch.from_numpy(generator.random_raw(-(-count // 8)).view(np.uint8)[:count])
