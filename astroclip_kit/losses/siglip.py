"""SigLIP: say of every pair of views, by itself, whether both show the same object."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .similarity import cosine, false_negatives

__all__ = ["SigLIP"]


class SigLIP(nn.Module):
    r"""Sigmoid loss for pairs.

    :math:`-\frac{1}{n} \sum_{ij} \log \sigma(y_{ij} (s \cos_{ij} + b))` with :math:`y_{ij}` = 1 on the diagonal and
    -1 elsewhere. Zhai et al. 2023 (arXiv:2303.15343), algorithm 1.

    Example:
        >>> z = torch.eye(2)
        >>> round(float(SigLIP()(z, z, 10.0, logit_bias=-5.0)), 6)  # 2 log(1 + exp(-5))
        0.013431
    """

    def forward(
        self,
        za: Tensor,
        zb: Tensor,
        logit_scale: float | Tensor,
        groups: Tensor | None = None,
        logit_bias: float | Tensor = -10.0,
    ) -> Tensor:
        """The loss of one pair of modalities.

        Args:
            za: Vectors [n, D], normalised here.
            zb: Vectors [n, D] of the same objects, row by row.
            logit_scale: Multiplies the cosine similarities.
            groups: Object of each row, int64 [n]: pairs of different rows of the same object are left out.
            logit_bias: Added to all logits; negative, because most pairs are negatives.

        Returns:
            Scalar, in nats per row.
        """
        logits = logit_scale * cosine(za, zb) + logit_bias
        sign = 2 * torch.eye(len(logits), dtype=logits.dtype, device=logits.device) - 1
        terms = -functional.logsigmoid(sign * logits)
        if groups is not None:
            terms = terms.masked_fill(false_negatives(groups), 0.0)
        return terms.sum() / len(logits)
