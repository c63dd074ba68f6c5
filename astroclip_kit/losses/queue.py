"""InfoNCE against a queue: find the other view of the object among the views of earlier batches."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError

__all__ = ["QueueInfoNCE"]


class QueueInfoNCE(nn.Module):
    r"""InfoNCE in one direction, with negatives from a queue.

    With :math:`s` = ``logit_scale`` times the cosine similarity, the mean over queries i of
    :math:`-\log(e^{s(q_i, k_i)} / (e^{s(q_i, k_i)} + \sum_j e^{s(q_i, n_j)}))`.
    He et al. 2020 (arXiv:1911.05722), eq. 1.

    Example:
        >>> z = torch.eye(4)
        >>> round(float(QueueInfoNCE()(z[:2], z[:2], z[2:], 10.0)), 6)  # log(1 + 2 exp(-10))
        9.1e-05
    """

    def forward(
        self,
        queries: Tensor,
        keys: Tensor,
        queue: Tensor,
        logit_scale: float | Tensor,
        same: Tensor | None = None,
    ) -> Tensor:
        """The loss of one batch.

        Args:
            queries: Vectors [n, D], normalised here.
            keys: Vectors [n, D] of the same objects, row by row.
            queue: Vectors [K, D], the negatives.
            logit_scale: Multiplies the cosine similarities (inverse temperature).
            same: bool [n, K]: which entries of the queue show the object of the query; they are no negatives.

        Returns:
            Scalar, in nats.

        Raises:
            InputError: If the shapes do not fit.
        """
        if queries.ndim != 2 or queries.shape != keys.shape or queue.shape[1:] != keys.shape[1:]:
            found = ", ".join(str(list(one.shape)) for one in (queries, keys, queue))
            raise InputError(f"expected queries [n, D], keys [n, D] and a queue [K, D], found {found}.")
        dtype = torch.promote_types(queries.dtype, torch.float32)
        with torch.autocast(queries.device.type, enabled=False):  # bfloat16 logits would be off by 0.1
            q, k, n = (functional.normalize(one.to(dtype), dim=1) for one in (queries, keys, queue))
            negatives = q @ n.T
            if same is not None:
                negatives = negatives.masked_fill(same, -torch.inf)
            logits = logit_scale * torch.cat([(q * k).sum(dim=1, keepdim=True), negatives], dim=1)
        return functional.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device))
