"""How well a model does on the validation objects after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..metrics import recall_at_k
from ..settings import Objective
from .batches import plain_batch
from .model import ContrastiveModel
from .objective import combined, dense, pair_losses

__all__ = ["ranks", "validator"]

QUERIES = 1024


def validator(
    model: ContrastiveModel,
    loss: nn.Module,
    data: Any,
    rows: npt.NDArray[np.int64],
    batch_size: int,
    objective: Objective = Objective(),
) -> Callable[[nn.Module], dict[str, float]]:
    """A function that measures "loss" and "recall@10" (mean over pairs and directions; also each by itself).

    It expects the module in eval mode and without gradients, as `fit` gives it.

    Args:
        model: The model, as it was before `fit` wrapped it.
        loss: `InfoNCE` or `SigLIP`; the mean over the batches is taken for each pair.
        data: A `FeatureSet` or `Dataset`.
        rows: Validation rows.
        batch_size: Most objects per batch. The batches are equally large, to one object: the loss grows with the
            number of candidates, so a short last batch would have a smaller one.
        objective: Weights of the pairs, and how their losses become one.
    """
    rows = np.random.default_rng(0).permutation(rows)  # neighbours on the sky make harder or easier batches
    groups = torch.from_numpy(np.unique(np.asarray(data.groups)[rows], return_inverse=True)[1])

    def measure(module: nn.Module) -> dict[str, float]:
        z, present = _embed(module, model, data, rows, batch_size)
        own = groups.to(z.device)
        parts = zip(*(torch.tensor_split(one, -(-len(rows) // batch_size)) for one in (z, present, own)), strict=True)
        batches = [pair_losses(model, loss, *part) for part in parts]
        means = {
            pair: torch.stack([losses[pair] for losses in batches if pair in losses]).mean()
            for pair in set().union(*batches)
        }
        if len(means) < len(model.pairs):  # a pair too rare for any batch
            means = pair_losses(model, loss, z, present, own) | means
        recalls = {}
        for a, b in (direction for pair in model.pairs for direction in (pair, pair[::-1])):
            left, right = model.names.index(a), model.names.index(b)
            both = present[:, left] & present[:, right]
            if both.any():
                found = ranks(z[both, left], z[both, right], own[both])
                recalls[f"recall@10 {a}->{b}"] = recall_at_k(found.cpu().numpy(), 10)
        mean_recall = float(np.mean(list(recalls.values())))
        return {"loss": float(combined(means, model.pairs, objective)), "recall@10": mean_recall, **recalls}

    return measure


def _embed(
    module: nn.Module, model: ContrastiveModel, data: Any, rows: npt.NDArray[np.int64], batch_size: int
) -> tuple[Tensor, Tensor]:
    parts = []
    for start in range(0, len(rows), batch_size):
        batch = plain_batch(data, model.names, rows[start : start + batch_size]).to(model.log_scale.device)
        parts.append(dense(module(batch), batch.rows, model.names, len(batch)))
    return torch.cat([z for z, _ in parts]), torch.cat([present for _, present in parts])


def ranks(queries: Tensor, targets: Tensor, groups: Tensor) -> Tensor:
    """Rank, from 1, of the most similar target that shows the same object as each query; ties count against it.

    Args:
        queries: Unit vectors [n, D].
        targets: Unit vectors [n, D] of the same rows in another modality.
        groups: Object of each row, int64 [n].

    Returns:
        int64 [n].
    """
    found, distinct = [], len(torch.unique(groups)) == len(groups)
    for start in range(0, len(queries), QUERIES):
        some = slice(start, start + QUERIES)
        similarity = queries[some] @ targets.T
        if distinct:
            found.append((similarity >= similarity.diagonal(start)[:, None]).sum(dim=1))
            continue
        same = groups[some, None] == groups[None, :]
        best = similarity.masked_fill(~same, -torch.inf).max(dim=1, keepdim=True).values
        found.append(1 + ((similarity >= best) & ~same).sum(dim=1))
    return torch.cat(found)
