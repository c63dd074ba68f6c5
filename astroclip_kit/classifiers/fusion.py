"""BATMM's fusion: image tokens ask spectrum tokens, then all tokens attend to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from ..encoders.dropout import Dropout
from ..encoders.layers import attend
from ..errors import UsageError
from .tokens import check_tokens

__all__ = ["Attention", "CrossAttentionFusion"]


@dataclass(frozen=True)
class Attention:
    """Size of a transformer; the defaults are BATMM's.

    Args:
        width: Features of a token; a multiple of `heads`.
        blocks: Number of blocks.
        heads: Number of attention heads.
        hidden_features: Of the feed-forward part.
        dropout: Share of values set to zero in training, of what each part adds and of the hidden features.

    Raises:
        UsageError: If the sizes do not fit each other.
    """

    width: int = 512
    blocks: int = 8
    heads: int = 8
    hidden_features: int = 2048
    dropout: float = 0.1

    def __post_init__(self) -> None:
        """Refuses what cannot be built."""
        if min(self.width, self.blocks, self.heads, self.hidden_features) < 1 or self.width % self.heads:
            raise UsageError(f"size: expected widths above 0 and a width that heads divides, found {asdict(self)}.")
        if not 0 <= self.dropout < 1:
            raise UsageError(f"size: dropout is {self.dropout}, expected a share from 0 to below 1.")


class _Attend(nn.Module):
    """Multi-head attention (Wei et al. 2023, Eqs. 7 to 12)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        query, key, value = self._projected(x, memory)
        mixed = attend(query, key, value)
        given: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return given

    def _projected(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [B, heads, T, D]."""
        query = self.query(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
        key, value = self.key_value(memory).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return query, key, value

    def weights(self, x: Tensor, memory: Tensor) -> Tensor:
        """How much each token of x takes from each of the memory [B, T, S], the mean over the heads."""
        query, key, _ = self._projected(x, memory)
        scores = query.float() @ key.float().mT * query.shape[3] ** -0.5
        mean: Tensor = scores.softmax(dim=3).mean(dim=1)
        return mean


class _Block(nn.Module):
    def __init__(self, size: Attention, crosses: bool) -> None:
        super().__init__()
        width = size.width
        self.cross = _Attend(width, size.heads) if crosses else None
        self.cross_norm = nn.LayerNorm(width) if crosses else None
        self.attend, self.norm = _Attend(width, size.heads), nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, size.hidden_features),
            nn.ReLU(),
            Dropout(size.dropout),
            nn.Linear(size.hidden_features, width),
        )
        self.feed_forward_norm, self.dropout = nn.LayerNorm(width), Dropout(size.dropout)

    def forward(self, x: Tensor, asking: slice, asked: slice) -> Tensor:
        if self.cross is not None and self.cross_norm is not None:
            query = x[:, asking]
            query = self.cross_norm(query + self.dropout(self.cross(query, x[:, asked])))
            x = torch.cat([x[:, : asking.start], query.to(x.dtype), x[:, asking.stop :]], dim=1)
        x = self.norm(x + self.dropout(self.attend(x, x)))
        x = self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))
        return x


class CrossAttentionFusion(nn.Module):
    """Classes from the tokens of several modalities, or of one (BATMM).

    A class token and the tokens of all modalities, each with the embedding of its modality, go through blocks of
    cross-attention (the tokens of one modality ask those of another and are replaced), self-attention over all tokens,
    and a feed-forward part, each with a residual and a normalisation after it. A linear map of the class token gives
    the logits. At the published size the eight blocks have 33.6 million parameters.

    Args:
        in_features: Modality to the width of its tokens; one that is not ``size.width`` is mapped to it. With one
            modality there is no cross-attention.
        classes: Number of classes C.
        queries: The modality that asks.
        keys: The modality that is asked.
        size: An `Attention`, or its fields.
        semantic: Whether tokens get the embedding of their modality.
        cross_attention: Whether there is any; without it, all tokens only attend to each other.
        positions: Modality to number of tokens, which then get an embedding of their place; none for no such embedding.

    Raises:
        UsageError: If a size does not fit, or a modality is unknown.

    References:
        Wei, Jiang & Zhang 2023, "Identification of Blue Horizontal Branch Stars with Multimodal Fusion".

    Example:
        >>> fusion = CrossAttentionFusion({"image": 8, "spectrum": 8}, 2, size={"width": 8, "blocks": 1, "heads": 2})
        >>> fusion({"image": torch.zeros(3, 16, 8), "spectrum": torch.zeros(3, 15, 8)}).shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        in_features: Mapping[str, int],
        classes: int,
        queries: str = "image",
        keys: str = "spectrum",
        size: Attention | Mapping[str, float] = Attention(),
        semantic: bool = True,
        cross_attention: bool = True,
        positions: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.classes, self.queries, self.keys = dict(in_features), classes, queries, keys
        self.size = size if isinstance(size, Attention) else Attention(**size)  # type: ignore[arg-type]
        self.semantic, self.cross_attention = semantic, cross_attention
        self.positions = dict(positions or {})
        self.modalities = tuple(in_features)
        self.crosses = cross_attention and len(in_features) > 1
        self._check()
        width = self.size.width
        others = {name: nn.Linear(given, width) for name, given in self.in_features.items() if given != width}
        self.project = nn.ModuleDict(others)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.modality_embed = nn.Parameter(torch.empty(len(in_features), width)) if semantic else None
        self.position_embed = nn.ParameterDict(
            {name: nn.Parameter(torch.empty(count, width)) for name, count in self.positions.items()}
        )
        self.blocks = nn.ModuleList(_Block(self.size, self.crosses) for _ in range(self.size.blocks))
        self.head = nn.Linear(width, classes)
        self._initialise()

    def _check(self) -> None:
        if not self.in_features or self.classes < 2:
            raise UsageError(
                f"a fusion needs a modality and two classes, found {len(self.in_features)} and {self.classes}."
            )
        for argument, name in (("queries", self.queries), ("keys", self.keys)):
            if self.crosses and name not in self.in_features:
                raise UsageError(f"{argument}: there is no modality {name!r}; there are {', '.join(self.modalities)}.")
        if self.crosses and self.queries == self.keys:
            raise UsageError(f"queries and keys are both {self.keys!r}, expected two modalities.")
        if unknown := sorted(set(self.positions) - set(self.in_features)):
            raise UsageError(f"positions: there is no modality {unknown[0]!r}; there are {', '.join(self.modalities)}.")

    def _initialise(self) -> None:
        """As `torch.nn.Transformer` starts: Xavier's uniform weights, and small embeddings."""
        for name, weight in self.named_parameters():
            if name.endswith("_token") or "_embed" in name:
                nn.init.normal_(weight, std=0.02)
            elif weight.ndim > 1:
                nn.init.xavier_uniform_(weight)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Logits [B, C] of tokens [B, T, D] by modality."""
        x, places = self._sequence(tokens)
        for block in self.blocks:
            x = block(x, places.get(self.queries), places.get(self.keys))
        logits: Tensor = self.head(x[:, 0])
        return logits

    def _sequence(self, tokens: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, slice]]:
        """All tokens [B, 1 + T, D], the class token first, and where those of each modality are."""
        given = dict(zip(self.modalities, check_tokens(tokens, self.in_features), strict=True))
        parts = [self.class_token.expand(len(next(iter(given.values()))), -1, -1)]
        places, start = {}, 1
        for number, (name, x) in enumerate(given.items()):
            x = x.to(self.class_token.dtype)
            x = self.project[name](x) if name in self.project else x
            x = x if self.modality_embed is None else x + self.modality_embed[number]
            x = x + self.position_embed[name] if name in self.position_embed else x
            parts.append(x)
            places[name] = slice(start, start + x.shape[1])
            start += x.shape[1]
        return torch.cat(parts, dim=1), places

    def attention(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """What the asking tokens take from the asked ones in the last block [B, T, S]; rows sum to 1.

        The mean over the heads, of tokens in the order in which their encoders give them.

        Raises:
            UsageError: If there is no cross-attention.
        """
        if not self.crosses:
            raise UsageError("this fusion has no cross-attention to show: it was made without, or of one modality.")
        x, places = self._sequence(tokens)
        asking, asked = places[self.queries], places[self.keys]
        *first, last = self.blocks
        for block in first:
            x = block(x, asking, asked)
        weights: Tensor = last.cross.weights(x[:, asking], x[:, asked])  # type: ignore[operator, union-attr]
        return weights
