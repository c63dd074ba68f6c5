"""Random numbers that are a function of (seed, epoch, object) and of nothing else.

A counter-based generator: number k of a row is a hash of the row's seed and k (SplitMix64; Steele, Lea &
Flood 2014, OOPSLA). So what an object draws does not depend on the other objects of its batch, on the number
of workers, or on what was drawn before, and a resumed run replays nothing. Touch this room when an
augmentation needs another distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["fork", "integers", "normal", "object_seeds", "uniform"]

_GOLDEN = 0x9E3779B97F4A7C15 - 2**64  # as signed 64-bit integers, whose products wrap around
_MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
_MIX_2 = 0x94D049BB133111EB - 2**64
_BITS = 24  # of a float32 in [0, 1)


def _shift(x: torch.Tensor, bits: int) -> torch.Tensor:
    return (x >> bits) & ((1 << (64 - bits)) - 1)  # >> copies the sign bit; a hash needs zeros there


def _mix(x: torch.Tensor) -> torch.Tensor:
    x = (x ^ _shift(x, 30)) * _MIX_1
    x = (x ^ _shift(x, 27)) * _MIX_2
    return x ^ _shift(x, 31)


def _bits(seeds: torch.Tensor, count: int) -> torch.Tensor:
    counter = torch.arange(1, count + 1, dtype=torch.int64, device=seeds.device)
    return _mix(_mix(seeds)[:, None] + counter * _GOLDEN)


def _fraction(bits: torch.Tensor) -> torch.Tensor:
    return bits.to(torch.float32) * 2.0**-_BITS


def object_seeds(seed: int, epoch: int, id_hashes: npt.NDArray[np.uint64]) -> torch.Tensor:
    """One seed per object for one epoch (or one view).

    Args:
        seed: Of the run.
        epoch: Epoch, or number of the view.
        id_hashes: Hashes [B] of the object ids, as `storage.hash_ids` gives them.

    Returns:
        Seeds [B], int64, on the CPU.

    Example:
        >>> hashes = np.array([7, 8], dtype=np.uint64)
        >>> bool((object_seeds(0, 1, hashes)[1:] == object_seeds(0, 1, hashes[1:])).all())
        True
    """
    ids = torch.from_numpy(np.array(id_hashes, dtype=np.uint64).view(np.int64))
    run = fork(fork(torch.zeros(1, dtype=torch.int64), seed), epoch)
    return _mix(_mix(ids) + run)


def fork(seeds: torch.Tensor, number: int) -> torch.Tensor:
    """Independent seeds [B] for step `number` of a chain, so that two steps never share their draws."""
    counter = torch.tensor(number, dtype=torch.int64, device=seeds.device)
    return _mix(_mix(seeds + _GOLDEN) ^ _mix(counter + _MIX_2))


def uniform(seeds: torch.Tensor, shape: Sequence[int] = ()) -> torch.Tensor:
    """Uniform numbers in [0, 1), the same to the bit on every device.

    Args:
        seeds: Seeds [B], int64.
        shape: Shape of the numbers of one row.

    Returns:
        float32 [B, *shape].
    """
    bits = _bits(seeds, math.prod(shape))
    return _fraction(_shift(bits, 64 - _BITS)).reshape(len(seeds), *shape)


def integers(seeds: torch.Tensor, high: int, shape: Sequence[int] = ()) -> torch.Tensor:
    """Whole numbers 0 .. high - 1 as int64 [B, *shape]; `high` is at most 2**16."""
    return (uniform(seeds, shape) * high).long()


def normal(seeds: torch.Tensor, shape: Sequence[int] = ()) -> torch.Tensor:
    """Standard normal numbers (Box & Muller 1958), the same on every device up to rounding.

    Args:
        seeds: Seeds [B], int64.
        shape: Shape of the numbers of one row.

    Returns:
        float32 [B, *shape]; the largest possible value is 5.8.
    """
    count = math.prod(shape)
    bits = _bits(seeds, (count + 1) // 2)
    radius = torch.sqrt(-2 * torch.log(1 - _fraction(_shift(bits, 64 - _BITS))))
    angle = 2 * math.pi * _fraction(bits & (2**_BITS - 1))
    pairs = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=-1)
    return pairs.flatten(1)[:, :count].reshape(len(seeds), *shape)
