"""Informer's encoder over the steps of a light curve: the photometry encoder of AstroM3."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import FileError, InputError, UsageError
from ..transforms.astrom3_columns import PHOTOMETRY, SCALED
from ..transforms.compose import Compose, Transform
from ..transforms.lightcurve_steps import LightCurveSteps
from ..types import Modality
from .checkpoints import fill, read_checkpoint, under
from .dropout import Dropout
from .layers import MeasuredEncoder, check_columns, check_kind, in_parts
from .sparse_attention import Attention, SelfAttention

__all__ = ["Informer"]

POSITIONS = 5000  # that the released weights hold
EMBEDDING_DROPOUT = 0.1  # whatever that of the layers is, as published
RELEASED = {"kind": "prob", "mask_padding": False}  # how the released weights attend
HIDDEN = 4  # times the width
AT_ONCE = 64  # objects


class _Layer(nn.Module):
    def __init__(self, width: int, attention: Attention, dropout: float) -> None:
        super().__init__()
        self.attention = SelfAttention(width, attention)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.expand, self.contract = nn.Linear(width, HIDDEN * width), nn.Linear(HIDDEN * width, width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, counts: Tensor, draws: Tensor | None) -> Tensor:
        x = self.norm1(x + self.dropout(self.attention(x, counts, draws)))
        hidden = self.dropout(functional.gelu(self.expand(x)))
        out: Tensor = self.norm2(x + self.dropout(self.contract(hidden)))
        return out


class Informer(MeasuredEncoder):
    """A transformer over the steps of a light curve with ProbSparse attention, in the layout of AstroM3's weights.

    A step and its neighbours become a token, to which its place is added; the first and the last step are neighbours,
    as published. The features are the tokens one behind the other, 0 where there is no step: 25,600 at the published
    sizes, of 1,589,888 parameters.

    Args:
        in_channels: Numbers of a step.
        length: Most steps.
        width: Features of a token.
        depth: Number of layers; each has a hidden layer of 4 `width` features.
        attention: "prob", "full", or arguments of `sparse_attention.Attention` by name. By default "prob"; with a
            checkpoint ``{"kind": "prob", "mask_padding": False}``, with which the released weights were trained.
        dropout: Probability in every layer. Where it is not 0, that of the tokens at the start is 0.1, as published.
        preprocess: What is done to light curves [B, T, 4 + C] first: gives steps [B, length, in_channels], NaN where
            there is none, which is at the end. By default nothing.
        checkpoint: A file of weights with the layout of the published ones, read once. A saved copy of the encoder
            brings its own weights, so the attribute is None afterwards.

    Raises:
        UsageError: If the sizes do not fit each other, or the dropout is no probability.

    References:
        Rizhko & Bloom 2025 (AstroM3; arXiv:2411.08842); Zhou et al. 2021, AAAI 35, 11106 (arXiv:2012.07436).

    Example:
        >>> encoder = Informer(in_channels=5, length=20, width=8, depth=1)
        >>> encoder(torch.rand(2, 20, 5)).shape
        torch.Size([2, 160])
    """

    positions: Tensor

    def __init__(
        self,
        in_channels: int = 9,
        length: int = 200,
        width: int = 128,
        depth: int = 8,
        attention: str | Mapping[str, Any] | None = None,
        dropout: float = 0.1,
        preprocess: Transform | None = None,
        checkpoint: str | None = None,
    ) -> None:
        super().__init__()
        attention = (RELEASED if checkpoint else "prob") if attention is None else attention
        self._settings = Attention.of(attention)
        if min(in_channels, length, depth, width) < 1 or width % (2 * self._settings.heads):
            raise UsageError(
                f"Informer: width is a multiple of twice the heads and all sizes are above 0; found in_channels "
                f"{in_channels}, length {length}, width {width}, depth {depth}, heads {self._settings.heads}."
            )
        self.in_channels, self.length, self.width, self.depth = in_channels, length, width, depth
        self.attention = attention if isinstance(attention, str) else dict(attention)
        self.dropout, self.checkpoint = dropout, None
        self.preprocess = preprocess if preprocess is not None else Compose()
        self.out_features = length * width
        self.embedding = nn.Conv1d(in_channels, width, 3, bias=False)
        nn.init.kaiming_normal_(self.embedding.weight, nonlinearity="leaky_relu")
        self.register_buffer("positions", _sinusoids(max(POSITIONS, length), width))
        self.layers = nn.ModuleList(_Layer(width, self._settings, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self._at_start, self._at_end = Dropout(min(EMBEDDING_DROPOUT, dropout)), Dropout(dropout)
        if checkpoint is not None:
            fill(self, own_names(read_checkpoint(checkpoint), checkpoint), checkpoint)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for the covariates and bands of a light-curve modality, whose steps `LightCurveSteps` makes.

        Args:
            modality: Light curves. A checkpoint takes those of one band with the four covariates of AstroM3, scaled as
                those that it was trained on: `surveys.AstroM3Parquet` reads them so.
            arguments: Of the constructor; a `preprocess` of your own gives steps of `in_channels` numbers itself.

        Raises:
            InputError: If the modality is of another kind, or the weights of the checkpoint take other light curves.
        """
        check_kind(modality, "lightcurve", cls)
        if "preprocess" in arguments:
            return cls(**arguments)
        steps = LightCurveSteps.for_modality(modality, length=arguments.get("length", 200))
        if arguments.get("checkpoint"):
            check_columns(modality, [SCALED + name for name in PHOTOMETRY], cls)
        return cls(**{"in_channels": steps.out_channels, "preprocess": steps, **arguments})

    @classmethod
    def from_checkpoint(cls, path: str, **arguments: Any) -> Self:
        """With the weights of a file, which gives the sizes too; padding takes part, as it did in their training.

        Args:
            path: AstroM3, or its classifier of light curves: safetensors with the released names.
            arguments: Of the constructor. The number of heads and of steps are in no tensor.

        Raises:
            FileError: If the file cannot be read, or holds another network.
        """
        tensors = own_names(read_checkpoint(path), path)
        encoder = cls(**{**_sizes(tensors), "attention": RELEASED, **arguments})
        fill(encoder, tensors, path)
        return encoder

    def tokens(self, x: Tensor) -> Tensor:
        """Tokens [B, length, width] of steps [B, length, in_channels], 0 where there is no step."""
        if x.ndim != 3 or x.shape[1:] != (self.length, self.in_channels):
            raise InputError(f"Informer takes steps [B, {self.length}, {self.in_channels}], found {tuple(x.shape)}.")
        return in_parts(self._tokens, x, AT_ONCE) if len(x) else x.new_zeros(0, self.length, self.width)

    def _tokens(self, x: Tensor) -> Tensor:
        real = x[..., :2].isfinite().all(dim=2)
        tokens = self._encoded(x.nan_to_num(0.0), real.sum(dim=1))
        tokens = self._at_end(tokens) * real[:, : tokens.shape[1], None]
        return functional.pad(tokens, (0, 0, 0, self.length - tokens.shape[1]))

    def _encoded(self, x: Tensor, counts: Tensor) -> Tensor:
        """Tokens [B, T, width], as many as the longest of the light curves has steps where padding takes no part."""
        counts = counts.clamp(min=1) if self._settings.mask_padding else torch.full_like(counts, self.length)
        x = x[:, : int(counts.max())]
        tokens = functional.linear(with_neighbours(x, counts), self.embedding.weight.flatten(1))
        tokens = tokens + self.positions[: x.shape[1]].to(tokens.dtype)
        tokens = self._at_start(tokens)
        draws = self._settings.draws(self.depth, self.length, self.training)
        for number, layer in enumerate(self.layers):
            tokens = layer(tokens, counts, None if draws is None else draws[number])
        normalised: Tensor = self.norm(tokens)
        return normalised

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, length * width] of steps [B, length, in_channels], NaN where there is none."""
        return self.tokens(x).flatten(1)


def with_neighbours(x: Tensor, counts: Tensor) -> Tensor:
    """Each step of [B, T, C] with those before and after it [B, T, C * 3]; the ends are neighbours."""
    rows = torch.arange(len(x), device=x.device)
    ring = functional.pad(x, (0, 0, 1, 1))
    ring[rows, 0], ring[rows, counts + 1] = x[rows, counts - 1], x[:, 0]
    return ring.unfold(1, 3, 1).flatten(2)


def _sinusoids(count: int, width: int) -> Tensor:
    """Places [count, width]: sines and cosines in turn."""
    frequency = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    phase = torch.arange(count)[:, None] * frequency
    return torch.stack([phase.sin(), phase.cos()], dim=2).flatten(1)


def _sizes(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """The constructor's sizes that the shapes of the weights tell; none where the file is no Informer."""
    embedding = tensors.get("embedding.weight")
    if embedding is None or embedding.ndim != 3:
        return {}
    depth = len({name.split(".")[1] for name in tensors if name.startswith("layers.")})
    return {"in_channels": embedding.shape[1], "width": embedding.shape[0], "depth": depth}


OWN = {
    "enc_embedding.value_embedding.tokenConv.": "embedding.",
    "enc_embedding.position_embedding.pe": "positions",
    "encoder.attn_layers.": "layers.",
    "encoder.norm.": "norm.",
    ".attention.out_projection.": ".attention.out.",
    ".conv1.": ".expand.",
    ".conv2.": ".contract.",
}
PARTS = ("query", "key", "value")
PROJECTION = re.compile("(query|key|value)(?=_projection[.])")


def own_names(tensors: Mapping[str, Tensor], path: str | Path) -> dict[str, Tensor]:
    """Released tensors by the names, and in the shapes, that they have here; those of a classifier's head left out.

    Raises:
        FileError: If one of three that are one here is missing.
    """
    own: dict[str, Tensor] = {}
    for name, tensor in under(tensors, "photometry_encoder.").items():
        if name in ("fc.weight", "fc.bias"):
            continue
        for theirs, ours in OWN.items():
            name = name.replace(theirs, ours)
        own[name] = tensor[0] if name == "positions" else tensor
        if name.endswith(("expand.weight", "contract.weight")):
            own[name] = tensor[..., 0]
    for name in {PROJECTION.sub("query", one): one for one in own if PROJECTION.search(one)}:
        parts = [name.replace("query", part) for part in PARTS]
        if lacking := [part for part in parts if part not in own]:
            raise FileError(path, f"does not fit Informer: it has no {lacking[0]!r}. Copy or download it again.")
        own[name.replace("query_projection", "project")] = torch.cat([own.pop(part) for part in parts])
    return own
