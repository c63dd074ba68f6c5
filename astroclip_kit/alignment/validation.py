"""How well a model does on the validation objects after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from .batches import plain_batch
from .model import ContrastiveModel
from .objective import dense, pair_losses

__all__ = ["recall", "validator"]

QUERIES = 1024


def validator(
    model: ContrastiveModel, loss: nn.Module, data: Any, rows: npt.NDArray[np.int64], batch_size: int
) -> Callable[[nn.Module], dict[str, float]]:
    """A function that measures "loss" and "recall@10" (mean over pairs and directions; also each by itself).

    Args:
        model: The model, as it was before `fit` wrapped it.
        loss: `InfoNCE` or `SigLIP`; its value is the mean over batches and usable pairs.
        data: A `FeatureSet` or `Dataset`.
        rows: Validation rows.
        batch_size: Objects per batch.
    """
    rows = np.random.default_rng(0).permutation(rows)  # neighbours on the sky make harder or easier batches
    groups = torch.from_numpy(np.unique(np.asarray(data.groups)[rows], return_inverse=True)[1])

    def measure(module: nn.Module) -> dict[str, float]:
        z, present = _embed(module, model, data, rows, batch_size)
        own = groups.to(z.device)
        losses: list[Tensor] = []
        for start in range(0, len(rows), batch_size):
            some = slice(start, start + batch_size)
            losses += pair_losses(model, loss, z[some], present[some], own[some]).values()
        recalls = {}
        for a, b in (direction for pair in model.pairs for direction in (pair, pair[::-1])):
            left, right = model.names.index(a), model.names.index(b)
            both = present[:, left] & present[:, right]
            if both.any():
                recalls[f"recall@10 {a}->{b}"] = recall(z[both, left], z[both, right], own[both], 10)
        value = float(torch.stack(losses).mean()) if losses else float("nan")
        return {"loss": value, "recall@10": float(np.mean(list(recalls.values()))), **recalls}

    return measure


def _embed(
    module: nn.Module, model: ContrastiveModel, data: Any, rows: npt.NDArray[np.int64], batch_size: int
) -> tuple[Tensor, Tensor]:
    parts, was_training, device = [], module.training, model.log_scale.device
    module.eval()
    with torch.no_grad():
        for start in range(0, len(rows), batch_size):
            batch = plain_batch(data, model.names, rows[start : start + batch_size]).to(device)
            parts.append(dense(module(batch), batch.rows, model.names, len(batch)))
    module.train(was_training)
    return torch.cat([z for z, _ in parts]), torch.cat([present for _, present in parts])


def recall(queries: Tensor, targets: Tensor, groups: Tensor, k: int) -> float:
    """Share of queries with a view of the same object among the k most similar targets; ties count against.

    Args:
        queries: Unit vectors [n, D].
        targets: Unit vectors [n, D] of the same rows in another modality.
        groups: Object of each row, int64 [n].
        k: How many targets are looked at.
    """
    hits = 0
    for start in range(0, len(queries), QUERIES):
        some = slice(start, start + QUERIES)
        similarity = queries[some] @ targets.T
        same = groups[some, None] == groups[None, :]
        best = similarity.masked_fill(~same, -torch.inf).max(dim=1, keepdim=True).values
        hits += int((((similarity >= best) & ~same).sum(dim=1) < k).sum())
    return hits / len(queries)
