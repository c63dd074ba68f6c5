"""What a trained model says, batch by batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..settings import Hardware
from ..training import autocast, resolve_hardware
from ..training.hardware import processor_threads

__all__ = ["BATCH", "Read", "Rows", "is_partial", "logits_of", "with_absent"]

Rows = npt.NDArray[np.int64]
Read = Callable[[Rows], dict[str, Tensor]]  # tokens or raw views by modality
BATCH = 256  # objects of a forward pass


def logits_of(
    module: nn.Module,
    read: Read,
    rows: Rows,
    *,
    hardware: Hardware = Hardware(),
    batch_size: int = BATCH,
    ask: Callable[[dict[str, Tensor]], Tensor] | None = None,
) -> npt.NDArray[np.float32]:
    """Logits of some objects, in eval mode, without gradients, and in the precision asked for.

    Args:
        module: Takes what `read` gives. It stays where it was, in the mode it was in.
        read: Takes row numbers, gives tensors by modality.
        rows: n row numbers.
        hardware: Where, and at which precision.
        batch_size: Objects per forward pass.
        ask: How the module is asked about a batch; by default it is called with all of it.

    Returns:
        Float32 [n, C], or whatever else of each object `ask` gives.
    """
    device, precision = resolve_hardware(hardware)
    was_training, place = module.training, next(module.parameters()).device
    module.eval().to(device)
    try:
        with torch.inference_mode(), processor_threads(hardware.threads):
            parts = []
            for start in range(0, max(1, len(rows)), batch_size):
                views = {name: x.to(device) for name, x in read(rows[start : start + batch_size]).items()}
                with autocast(device, precision):
                    parts.append((ask or module)(views).float().cpu())
    finally:
        module.train(was_training).to(place)
    logits: npt.NDArray[np.float32] = torch.cat(parts).numpy()
    return logits


def is_partial(fusion: nn.Module) -> bool:
    """Whether objects may lack some of the modalities that a fusion reads."""
    return bool(getattr(fusion, "partial", False))


def with_absent(x: Tensor, here: Tensor) -> Tensor:
    """Views or tokens [B, ...] of all objects, NaN of those that have none.

    Args:
        x: Of the others [n, ...].
        here: Which have one, bool [B].

    Example:
        >>> with_absent(torch.ones(1, 2), torch.tensor([False, True]))
        tensor([[nan, nan],
                [1., 1.]])
    """
    whole = x.new_full((len(here), *x.shape[1:]), torch.nan)
    whole[here] = x
    return whole
