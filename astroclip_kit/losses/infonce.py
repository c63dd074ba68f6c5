"""InfoNCE: find the other view of the object among the views of all objects of the batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .similarity import cosine, false_negatives

__all__ = ["InfoNCE"]


class InfoNCE(nn.Module):
    r"""InfoNCE, both ways or one.

    With :math:`s_{ij}` = ``logit_scale`` times the cosine similarity, the mean over rows i of
    :math:`-\log(e^{s_{ii}} / \sum_j e^{s_{ij}})` and the same over columns, averaged.
    Van den Oord et al. 2018 (arXiv:1807.03748), eq. 4; symmetric as in Radford et al. 2021 (arXiv:2103.00020).

    Args:
        symmetric: Whether the columns count, too; else only the first set of vectors asks for the second.

    Example:
        >>> z = torch.eye(4)
        >>> round(float(InfoNCE()(z, z, 10.0)), 6)  # log(1 + 3 exp(-10))
        0.000136
    """

    def __init__(self, symmetric: bool = True) -> None:
        super().__init__()
        self.symmetric = symmetric

    def forward(self, za: Tensor, zb: Tensor, logit_scale: float | Tensor, groups: Tensor | None = None) -> Tensor:
        """The loss of one pair of modalities.

        Args:
            za: Vectors [n, D], normalised here.
            zb: Vectors [n, D] of the same objects, row by row.
            logit_scale: Multiplies the cosine similarities (inverse temperature).
            groups: Object of each row, int64 [n]: other rows of the same object leave the denominators.

        Returns:
            Scalar, in nats.
        """
        logits = logit_scale * cosine(za, zb)
        if groups is not None:
            logits = logits.masked_fill(false_negatives(groups), -torch.inf)
        if self.symmetric:
            both: Tensor = _BothWays.apply(logits)
            return both
        return functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


class _BothWays(torch.autograd.Function):
    """The mean cross entropy of rows and columns whose diagonal is right; the gradient comes with it, in half the time.

    Of logits [n, n] it is (softmax of the rows + softmax of the columns - 2 on the diagonal) / 2n.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor) -> Tensor:
        rows, columns = logits.log_softmax(dim=1), logits.log_softmax(dim=0)
        loss = -(rows.diagonal().mean() + columns.diagonal().mean()) / 2
        if ctx.needs_input_grad[0]:
            gradient = rows.exp_().add_(columns.exp_())
            gradient.diagonal().sub_(2)
            ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (own,) = ctx.saved_tensors
        towards_logits: Tensor = own * (gradients[0] / (2 * len(own)))
        return towards_logits
