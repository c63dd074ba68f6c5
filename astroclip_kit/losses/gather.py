"""One batch out of the parts that several processes hold, so that every object meets every other."""

from __future__ import annotations

import torch
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional

__all__ = ["gather_rows"]


def gather_rows(z: Tensor, present: Tensor, groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The rows of all processes, through which gradients flow back to the process that owns a row.

    Collectives need equal shapes, and processes may hold different numbers of rows, or none, of a modality.
    Therefore z has a row for every object of the batch and modality, present or not; processes with a shorter
    batch add rows in which nothing is present; the caller selects by presence afterwards.

    Every process computes the same loss from the result. The gather sums gradients over processes and
    DistributedDataParallel averages them: together, the gradient of the loss of the whole batch.

    Args:
        z: Vectors [B, M, D] of M modalities; anything (but finite) where absent.
        present: bool [B, M].
        groups: Object of each row, int64 [B], numbered alike in all processes.

    Returns:
        The same three for the rows of all processes (those given, where there is one process); rows that only
        fill up have nothing present.
    """
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return z, present, groups
    from open_clip.loss import gather_features  # imports timm: late, and only here

    world, rank = dist.get_world_size(), dist.get_rank()
    longest = torch.tensor(len(z), device=z.device)
    dist.all_reduce(longest, dist.ReduceOp.MAX)
    padding = int(longest) - len(z)
    rows = functional.pad(z.flatten(1), (0, 0, 0, padding))
    flags = functional.pad(present.to(z.dtype), (0, 0, 0, padding))
    rows, flags = gather_features(rows, flags, gather_with_grad=True, rank=rank, world_size=world)
    parts = [groups.new_empty(len(groups) + padding) for _ in range(world)]
    dist.all_gather(parts, functional.pad(groups, (0, padding)))
    return rows.unflatten(1, z.shape[1:]), flags > 0, torch.cat(parts)
