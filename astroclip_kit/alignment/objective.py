"""The loss of a batch: of every pair of modalities that enough of its objects have, weighted, as one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..errors import TrainingError
from ..losses.gather import gather_rows
from ..settings import Objective
from .batches import AlignmentBatch
from .model import ContrastiveModel

__all__ = ["BatchLoss", "combined", "dense", "pair_losses"]


def dense(z: dict[str, Tensor], rows: dict[str, Tensor], names: list[str], count: int) -> tuple[Tensor, Tensor]:
    """A row for every object and modality.

    Args:
        z: Modality to vectors [n, D] of the rows that have it.
        rows: Modality to their row numbers, int64 [n].
        names: M modalities, in order.
        count: Number of objects B.

    Returns:
        Vectors [B, M, D], zero where absent, and presence [B, M].
    """
    first = z[names[0]]
    everyone = torch.arange(count, device=first.device)
    if all(torch.equal(rows.get(name, everyone[:0]), everyone) for name in names):
        whole = torch.stack([z[name].to(first.dtype) for name in names], dim=1)
        return whole, torch.ones(count, len(names), dtype=torch.bool, device=first.device)
    columns, present = [], torch.zeros(count, len(names), dtype=torch.bool, device=first.device)
    for column, name in enumerate(names):
        here = rows.get(name, everyone[:0])
        columns.append(first.new_zeros(count, first.shape[1]).index_copy(0, here, z[name].to(first.dtype)))
        present[here, column] = True
    return torch.stack(columns, dim=1), present


def pair_losses(
    model: ContrastiveModel, loss: nn.Module, z: Tensor, present: Tensor, groups: Tensor
) -> dict[tuple[str, str], Tensor]:
    """The loss of every pair of modalities that at least two different objects of the batch have in common.

    Args:
        model: Its pairs, scales and biases.
        loss: `InfoNCE` or `SigLIP`.
        z: Vectors [B, M, D].
        present: bool [B, M].
        groups: int64 [B].
    """
    losses, scales = {}, model.scales()
    distinct = len(torch.unique(groups)) == len(groups)
    for i, (a, b) in enumerate(model.pairs):
        left, right = model.names.index(a), model.names.index(b)
        both = torch.nonzero(present[:, left] & present[:, right])[:, 0]
        own = None if distinct else groups[both]  # rows of one object are no negatives: most batches have none
        if len(both) < 2 or (own is not None and bool((own == own[0]).all())):
            continue
        bias = {} if model.bias is None else {"logit_bias": model.bias[i]}
        some = slice(None) if len(both) == len(z) else both
        losses[a, b] = loss(z[some, left], z[some, right], scales[i], own, **bias)
    return losses


def combined(
    losses: Mapping[tuple[str, str], Tensor], pairs: Sequence[tuple[str, str]], objective: Objective
) -> Tensor:
    """The losses of the usable pairs as one number.

    With all modalities present, "published" is at chance 2 P ln n for P pairs and n objects: 6 ln n for three
    modalities, as in AstroM3 (Rizhko & Bloom 2025, arXiv:2411.08842).

    Args:
        losses: What `pair_losses` gave, of one pair or more.
        pairs: All pairs of the model, in the order of the weights.
        objective: Weights and reduction.
    """
    weights = dict(zip(pairs, objective.pair_weights or [1.0] * len(pairs), strict=True))
    usable = [pair for pair in pairs if pair in losses]
    total = torch.stack([weights[pair] * losses[pair] for pair in usable]).sum()
    if objective.reduction == "mean":
        return total / sum(weights[pair] for pair in usable)
    return 2 * total if objective.reduction == "published" and objective.symmetric else total


class BatchLoss:
    """The loss that `fit` minimises; counts the batches in which no pair was usable.

    A batch without a usable pair contributes zero. A whole epoch of them is an error.

    Args:
        model: The model, as it was before `fit` wrapped it.
        loss: `InfoNCE` or `SigLIP`.
        batches: Batches per epoch.
        objective: Weights of the pairs, and how their losses become one.
    """

    def __init__(
        self, model: ContrastiveModel, loss: nn.Module, batches: int, objective: Objective = Objective()
    ) -> None:
        self.model, self.loss, self.batches, self.objective = model, loss, batches, objective
        self.unusable, self._in_a_row = 0, 0

    def __call__(self, module: nn.Module, batch: AlignmentBatch) -> Tensor:
        """The loss of the usable pairs of the whole batch, over all processes.

        Raises:
            TrainingError: If as many batches as an epoch has were unusable one after the other.
        """
        z: dict[str, Tensor] = module(batch)
        rows, present = dense(z, batch.rows, self.model.names, len(batch))
        losses = pair_losses(self.model, self.loss, *gather_rows(rows, present, batch.group_numbers))
        self._count(bool(losses))
        if not losses:
            return self._zero(z)
        loss = combined(losses, self.model.pairs, self.objective)
        return loss if len(losses) == len(self.model.pairs) else loss + self._zero(z)

    def _zero(self, z: dict[str, Tensor]) -> Tensor:
        """Zero, but a function of every weight: each must take part in every backward pass."""
        weights = [self.model.log_scale] if self.model.bias is None else [self.model.log_scale, self.model.bias]
        return 0.0 * torch.stack([tensor.sum() for tensor in [*z.values(), *weights]]).sum()

    def _count(self, usable: bool) -> None:
        self.unusable += not usable
        self._in_a_row = 0 if usable else self._in_a_row + 1
        if self._in_a_row >= self.batches:
            raise TrainingError(
                f"no pair of modalities was usable in {self._in_a_row} batches in a row, a whole epoch: none had two "
                f"objects with both modalities of a pair. Enlarge the batch, or add objects with several modalities."
            )
