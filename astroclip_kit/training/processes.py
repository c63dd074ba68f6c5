"""What several processes tell each other; with one, nothing happens.

Gradients are averaged here and not by `DistributedDataParallel`: it lays them out anew after its first step, so
that with three processes or more a resumed run would add them up in another order than one that went through.
A weight that only some processes used is no trouble either; it counts as zero in the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["average_gradients", "on_first_process", "reduced", "say_once", "share_buffers"]


def reduced(fabric: Fabric, values: list[float], how: str) -> list[float]:
    """The "sum" or "mean" of numbers over the processes."""
    if fabric.world_size == 1:
        return values
    result: Any = fabric.all_reduce(torch.tensor(values, dtype=torch.float64, device=fabric.device), reduce_op=how)
    return [float(value) for value in result]


def average_gradients(fabric: Fabric, module: torch.nn.Module) -> None:
    """Replaces each gradient by its mean over the processes; one that no process has stays absent."""
    if fabric.world_size == 1:
        return
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    used = torch.tensor([float(weight.grad is not None) for weight in weights], device=fabric.device)
    flat: Any = fabric.all_reduce(torch.cat([*(one.flatten() for one in gradients), used]), reduce_op="mean")
    parts = flat.split([*(weight.numel() for weight in weights), len(weights)])
    for weight, part, anyone in zip(weights, parts, parts[-1].tolist(), strict=False):
        weight.grad = part.view_as(weight).to(weight.dtype) if anyone else None


def share_buffers(fabric: Fabric, module: torch.nn.Module) -> None:
    """Gives every process the buffers (running means of normalisations) of the first."""
    for buffer in module.buffers() if fabric.world_size > 1 else ():
        torch.distributed.broadcast(buffer, src=0)


def on_first_process(act: Callable[[], object]) -> None:
    """Does something in the first process alone, while the others wait for it."""
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    if not several or torch.distributed.get_rank() == 0:
        act()
    if several:
        torch.distributed.barrier()


@cache
def say_once(note: str) -> None:
    """Prints a note in the first process, once, however many trainings begin with what it is about."""
    on_first_process(lambda: print(f"note: {note}", file=sys.stderr))
