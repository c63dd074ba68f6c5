"""Cosine similarities of two sets of vectors, and which of them say nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import InputError

__all__ = ["cosine", "false_negatives"]


def cosine(za: Tensor, zb: Tensor) -> Tensor:
    """Cosine similarity of every row of one set with every row of the other, in float32 or better.

    Args:
        za: Vectors [n, D] of one modality, of any length.
        zb: Vectors [n, D] of the same objects in another modality.

    Returns:
        Similarities [n, n], -1 .. 1.

    Raises:
        InputError: If the shapes differ or there are fewer than two rows.
    """
    if za.ndim != 2 or za.shape != zb.shape:
        raise InputError(f"a contrastive loss needs two tensors [n, D], found {list(za.shape)} and {list(zb.shape)}.")
    if len(za) < 2:
        raise InputError(f"a contrastive loss needs at least two rows, found {len(za)}. Skip the pair in this batch.")
    dtype = torch.promote_types(za.dtype, torch.float32)
    with torch.autocast(za.device.type, enabled=False):  # bfloat16 logits would be off by 0.1
        return functional.normalize(za.to(dtype), dim=1) @ functional.normalize(zb.to(dtype), dim=1).T


def false_negatives(groups: Tensor) -> Tensor:
    """Which pairs of different rows show the same object and are therefore no negatives.

    Args:
        groups: Number of the object of each row, int64 [n].

    Returns:
        bool [n, n]; False on the diagonal, which holds the positives.
    """
    return (groups[:, None] == groups[None, :]).fill_diagonal_(False)
