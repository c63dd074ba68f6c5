"""Attention of the steps of a sequence to each other: that of ProbSparse, for a few of them, or full."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import UsageError
from .layers import attend

__all__ = ["Attention", "SelfAttention"]

AT_ONCE = 16  # objects whose scores are in a processor's memory together, see `layers.in_parts`
Kind = Literal["prob", "full"]


@dataclass(frozen=True)
class Attention:
    """How steps attend to each other.

    Args:
        kind: "prob": of each head the few queries that single keys out attend, all others get the mean of the values;
            "full": all of them attend.
        heads: Number of heads; divides the width.
        factor: Queries that attend, and keys that are looked at to find them, in units of the logarithm of the number
            of steps, rounded up. Of "prob" alone.
        seed: Of the keys that are looked at where nothing is trained, so that an object has one answer. In training
            torch draws others in every pass.
        mask_padding: Whether steps that are padding take no part. False as in the released weights of AstroM3, where
            they do, and answer depends on how long the others are padded.

    Raises:
        UsageError: If one of them is out of range.
    """

    kind: Kind = "prob"
    heads: int = 4
    factor: int = 1
    seed: int = 0
    mask_padding: bool = True

    def __post_init__(self) -> None:
        """Refuses what there is not."""
        if self.kind not in get_args(Kind) or min(self.heads, self.factor) < 1:
            raise UsageError(
                f"attention: kind is one of {', '.join(get_args(Kind))}, heads and factor are at least 1; found {self}."
            )

    @classmethod
    def of(cls, setting: str | Mapping[str, Any]) -> Self:
        """Of its kind, or of arguments by name.

        Raises:
            UsageError: If an argument is unknown or out of range.
        """
        given = {"kind": setting} if isinstance(setting, str) else dict(setting)
        if unknown := sorted(set(given) - set(cls.__dataclass_fields__)):
            raise UsageError(f"attention has no {unknown[0]!r}; it has {', '.join(cls.__dataclass_fields__)}.")
        return cls(**given)

    def count(self, length: int) -> int:
        """How many of so many steps attend, and are looked at."""
        return min(self.factor * math.ceil(math.log(max(length, 1))), length)

    def draws(self, depth: int, length: int, training: bool) -> Tensor | None:
        """Which keys each query is compared with in each layer, [depth, length, count] from 0 to below 1."""
        if self.kind == "full":
            return None
        generator = None if training else torch.Generator().manual_seed(self.seed)
        return torch.rand(depth, length, self.count(length), generator=generator)


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself.

    Args:
        width: Features of a step, a multiple of the heads.
        settings: How they attend.

    References:
        Zhou et al. 2021 (Informer), AAAI 35, 11106 (arXiv:2012.07436).

    Example:
        >>> attention = SelfAttention(8, Attention("full", heads=2))
        >>> attention(torch.zeros(3, 5, 8), torch.tensor([5, 2, 1])).shape
        torch.Size([3, 5, 8])
    """

    def __init__(self, width: int, settings: Attention) -> None:
        super().__init__()
        self.settings = settings
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, counts: Tensor, draws: Tensor | None = None) -> Tensor:
        """Steps [B, T, width] of steps [B, T, width].

        Args:
            x: Steps.
            counts: int64 [B], at least 1: the first so many of an object take part. Others get what means nothing.
            draws: [>= T, count] from 0 to below 1, on the processor, for "prob" alone: which keys each query is
                compared with, as shares of those that take part.
        """
        real = torch.arange(x.shape[1], device=x.device) < counts[:, None]
        return self._full(x, real) if draws is None else self._sparse(x, real, draws[: x.shape[1]])

    def _full(self, x: Tensor, real: Tensor) -> Tensor:
        projected: Tensor = self.project(x)
        query, key, value = projected.view(*x.shape[:2], 3, self.settings.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = attend(query, key, value, None if bool(real.all()) else real[:, None, None])
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def _sparse(self, x: Tensor, real: Tensor, draws: Tensor) -> Tensor:
        """Attention of the few queries that single keys out; all others get the mean of the values.

        Projections are taken of what the few ask for and get, not of all steps: the same numbers with a tenth of the
        products, since a score is ``(W_k^T q) . x`` and the values that are mixed are ``W_v`` of the mixed steps.
        """
        heads, (batch, steps, width) = self.settings.heads, x.shape
        size = width // heads
        to_query, to_key, to_value = self.project.weight.view(3, heads, size, width)
        of_query, of_key, of_value = self.project.bias.view(3, heads, 1, size)
        at_once = AT_ONCE if x.is_cpu else batch
        parts = zip(torch.split(x, at_once), torch.split(real, at_once), strict=True)
        top = torch.cat([self._most_telling(*part, draws) for part in parts])
        chosen = (top.flatten(1)[..., None] == torch.arange(steps, device=x.device)).to(x.dtype)  # [B, heads u, T]
        query = torch.einsum("bhuw,hdw->bhud", (chosen @ x).view(batch, heads, -1, width), to_query) + of_query
        asked = torch.einsum("bhud,hdw->bhuw", query, to_key).flatten(1, 2)
        scores = asked @ x.mT + (query * of_key).sum(dim=3).flatten(1)[..., None]
        weights = (scores * size**-0.5).masked_fill(~real[:, None], -torch.inf).softmax(dim=2)
        alike = (real / real.sum(dim=1, keepdim=True))[:, None].to(weights.dtype)
        mixed = torch.cat([weights, alike], dim=1) @ x
        attended = torch.einsum("bhuw,hdw->bhud", mixed[:, :-1].view(batch, heads, -1, width), to_value)
        mean = torch.einsum("bw,hdw->bhd", mixed[:, -1], to_value)
        onward = self.out.weight.view(width, heads, size)
        gained = torch.einsum("bhud,whd->bhuw", attended - mean[:, :, None], onward).flatten(1, 2)
        rest: Tensor = self.out((mean + of_value[:, 0]).flatten(1))
        return rest[:, None] + chosen.mT @ gained

    @torch.no_grad()
    def _most_telling(self, x: Tensor, real: Tensor, draws: Tensor) -> Tensor:
        """The queries [B, heads, count] that single keys out, of steps [B, T, width].

        Each is compared with some keys; what tells it is its highest score less the sum of them over the number of
        keys. Nothing is to be learned from which they are.
        """
        heads, (batch, steps, width) = self.settings.heads, x.shape
        projected = functional.linear(x, self.project.weight[: 2 * width], self.project.bias[: 2 * width])
        query, key = projected.view(batch, steps, 2, heads, -1).permute(2, 0, 3, 1, 4).contiguous()
        counts = real.sum(dim=1)[:, None, None]
        drawn = (draws.to(x.device) * counts).long()[:, None].expand(-1, heads, -1, -1)
        scores = (query @ key.mT).gather(3, drawn)
        telling = (scores.amax(dim=3) - scores.sum(dim=3) / counts).masked_fill(~real[:, None], -torch.inf)
        return torch.topk(telling, min(draws.shape[1], steps), dim=2).indices
