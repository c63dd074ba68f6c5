"""What momentum contrast trains: two encoders, one of which follows the other, and a queue of past keys."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from ..encoders.layers import feed_forward
from ..losses import gather_rows
from ..settings import MoCo

__all__ = ["MomentumContrast"]


class MomentumContrast(nn.Module):
    """A query encoder, the key encoder that follows it, and the queue of past keys.

    Args:
        encoder: Trained in place.
        settings: Length of the queue, momentum, head, groups of the normalisation.
    """

    queue: Tensor
    groups: Tensor
    position: Tensor

    def __init__(self, encoder: nn.Module, settings: MoCo) -> None:
        super().__init__()
        width = int(encoder.out_features)  # type: ignore[arg-type]
        out_features = settings.out_features or width
        sizes = (width, settings.hidden_features or width, out_features)
        head = feed_forward(sizes, "relu") if settings.out_features else nn.Identity()
        self.settings = settings
        self.query = nn.Sequential(encoder, head).to(memory_format=torch.channels_last)
        self.key = deepcopy(self.query).requires_grad_(False)
        normalises = any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in encoder.modules())
        self.norm_groups = settings.norm_groups if normalises else 1
        self.register_buffer("queue", nn.functional.normalize(torch.randn(settings.queue, out_features), dim=1))
        self.register_buffer("groups", torch.full((settings.queue,), -1))  # of no object yet
        self.register_buffer("position", torch.zeros((), dtype=torch.int64))

    def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Queries [B, D] of one view and keys [B, D] of the other."""
        with torch.no_grad():
            order = torch.randperm(len(other), device=other.device)
            keys = self._in_groups(self.key, other[order])[order.argsort()]
        return self._in_groups(self.query, one), keys

    def _in_groups(self, branch: nn.Module, x: Tensor) -> Tensor:
        """Vectors of each part of a batch, normalised by the statistics of that part."""
        parts = x.chunk(max(1, min(self.norm_groups, len(x) // 2)))
        return torch.cat([branch(_channels_last(part)) for part in parts])

    @torch.no_grad()
    def remember(self, keys: Tensor, groups: Tensor) -> None:
        """Puts the keys [B, D] of all processes in the places of the oldest."""
        z, present, groups = gather_rows(keys[:, None], torch.ones_like(groups, dtype=torch.bool)[:, None], groups)
        z, groups = z[present[:, 0], 0][-len(self.queue) :], groups[present[:, 0]][-len(self.queue) :]
        places = (self.position + torch.arange(len(z), device=z.device)) % len(self.queue)
        self.queue[places] = nn.functional.normalize(z.float(), dim=1)
        self.groups[places] = groups
        self.position.add_(len(z)).remainder_(len(self.queue))

    def follow(self) -> None:
        """Moves the key encoder a step towards the query encoder."""
        for key, query in zip(self.key.parameters(), self.query.parameters(), strict=True):
            key.lerp_(query, 1 - self.settings.momentum)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
