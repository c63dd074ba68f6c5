"""Simpler ways to put modalities together, which the cross-attention has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..encoders.layers import feed_forward
from ..encoders.vgg1d import vgg_layers
from ..errors import UsageError
from .tokens import check_tokens

__all__ = ["EarlyAdd", "EarlyConcat", "PooledLinear", "VGG1DFusion"]


def mean_tokens(tokens: Mapping[str, Tensor], in_features: Mapping[str, int]) -> list[Tensor]:
    """The mean token [B, D] of each modality."""
    return [x.mean(dim=1) for x in check_tokens(tokens, in_features)]


class _Pooled(nn.Module):
    """A head on what the mean tokens of all modalities are put together to."""

    def __init__(
        self, in_features: Mapping[str, int], classes: int, hidden_features: Sequence[int] = (), dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.in_features, self.classes, self.modalities = dict(in_features), classes, tuple(in_features)
        self.hidden_features, self.dropout = tuple(hidden_features), dropout
        self.head = feed_forward((self.width(), *hidden_features, classes), "relu", dropout)

    def width(self) -> int:
        """Of what the head takes."""
        return sum(self.in_features.values())

    def join(self, means: list[Tensor]) -> Tensor:
        """Mean tokens [B, D] of the modalities as one vector."""
        return torch.cat(means, dim=1)

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Logits [B, C] of tokens [B, T, D] by modality."""
        logits: Tensor = self.head(self.join(mean_tokens(tokens, self.in_features)))
        return logits


class EarlyConcat(_Pooled):
    """Classes from the mean tokens of all modalities, one after the other.

    Args:
        in_features: Modality to the width of its tokens.
        classes: Number of classes C.
        hidden_features: Sizes of hidden layers; none for a linear map.
        dropout: Probability after each of them.

    Example:
        >>> fusion = EarlyConcat({"image": 4, "spectrum": 6}, classes=3)
        >>> fusion({"image": torch.zeros(2, 16, 4), "spectrum": torch.zeros(2, 15, 6)}).shape
        torch.Size([2, 3])
    """


class EarlyAdd(_Pooled):
    """Classes from the sum of the mean tokens of all modalities.

    Args:
        in_features: Modality to the width of its tokens; others than the widest are mapped to that width.
        classes: Number of classes C.
        hidden_features: Sizes of hidden layers; none for a linear map.
        dropout: Probability after each of them.

    Example:
        >>> fusion = EarlyAdd({"image": 4, "spectrum": 6}, classes=3)
        >>> fusion({"image": torch.zeros(2, 16, 4), "spectrum": torch.zeros(2, 15, 6)}).shape
        torch.Size([2, 3])
    """

    def __init__(
        self, in_features: Mapping[str, int], classes: int, hidden_features: Sequence[int] = (), dropout: float = 0.0
    ) -> None:
        super().__init__(in_features, classes, hidden_features, dropout)
        widths, width = in_features.values(), self.width()
        self.project = nn.ModuleList(nn.Identity() if one == width else nn.Linear(one, width) for one in widths)

    def width(self) -> int:
        """Of what the head takes."""
        return max(self.in_features.values())

    def join(self, means: list[Tensor]) -> Tensor:
        """Mean tokens [B, D] of the modalities as one vector."""
        return torch.stack([project(mean) for project, mean in zip(self.project, means, strict=True)]).sum(dim=0)


class PooledLinear(_Pooled):
    """Classes from one modality: a linear map of its mean token.

    Args:
        in_features: The modality to the width of its tokens.
        classes: Number of classes C.

    Raises:
        UsageError: If there are several modalities.

    Example:
        >>> PooledLinear({"spectrum": 6}, classes=3)({"spectrum": torch.zeros(2, 15, 6)}).shape
        torch.Size([2, 3])
    """

    def __init__(self, in_features: Mapping[str, int], classes: int) -> None:
        if len(in_features) != 1:
            raise UsageError(f"PooledLinear reads one modality, found {', '.join(in_features) or 'none'}.")
        super().__init__(in_features, classes)


class VGG1DFusion(nn.Module):
    """Classes from the mean tokens of all modalities, one after the other, as a line that VGG's convolutions read.

    Args:
        in_features: Modality to the width of its tokens.
        classes: Number of classes C.
        widths: Channels of the convolutions of each block; each block ends by halving the line.
        depths: Convolutions of each block.

    Raises:
        UsageError: If the line is too short.

    Example:
        >>> fusion = VGG1DFusion({"image": 16, "spectrum": 16}, classes=3, widths=(4, 8), depths=(1, 1))
        >>> fusion({"image": torch.zeros(2, 16, 16), "spectrum": torch.zeros(2, 15, 16)}).shape
        torch.Size([2, 3])
    """

    def __init__(
        self,
        in_features: Mapping[str, int],
        classes: int,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        depths: Sequence[int] = (2, 2, 4, 4, 4),
    ) -> None:
        super().__init__()
        self.in_features, self.classes, self.modalities = dict(in_features), classes, tuple(in_features)
        self.widths, self.depths = tuple(widths), tuple(depths)
        length = sum(in_features.values())
        if length < 2 ** len(self.widths):
            raise UsageError(f"VGG1DFusion cannot halve {length} features {len(self.widths)} times: give fewer widths.")
        self.convolutions = vgg_layers(1, self.widths, self.depths)
        self.head = nn.Linear(self.widths[-1], classes)

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Logits [B, C] of tokens [B, T, D] by modality."""
        line = torch.cat(mean_tokens(tokens, self.in_features), dim=1)[:, None]
        logits: Tensor = self.head(self.convolutions(line).mean(dim=2))
        return logits
