"""What several encoders are built of."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Self

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..transforms.compose import Transform
from ..transforms.spectra import SelectChannels
from ..types import LIGHTCURVE_CHANNELS, Kind, Modality

__all__ = [
    "ACTIVATIONS",
    "AttentionPooling",
    "FourierFeatures",
    "MeasuredEncoder",
    "attend",
    "check_columns",
    "check_kind",
    "check_light_curves",
    "feed_forward",
    "in_parts",
    "select_bands",
    "steps_of",
]

SHORT = 256  # tokens
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "gelu": nn.GELU, "relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU,
}  # fmt: skip


def check_kind(modality: Modality, kind: Kind, encoder: type) -> None:
    """Refuses a modality that an encoder does not read.

    Raises:
        InputError: Names both.
    """
    if modality.kind != kind:
        raise InputError(
            f"{encoder.__name__} encodes data of kind {kind!r}, and {modality.name!r} is of kind {modality.kind!r}."
        )


def check_columns(modality: Modality, columns: Sequence[str], encoder: type) -> None:
    """Refuses other columns of a table, or covariates of light curves, than those that weights were trained on.

    Raises:
        InputError: Names the first that differs, and what can be done.
    """
    found = modality.covariates if modality.kind == "lightcurve" else modality.channels
    if tuple(found) == tuple(columns):
        return
    pairs = zip_longest(found, columns, fillvalue="none")
    number, (one, wanted) = next((number, pair) for number, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    raise InputError(
        f"number {number} of {modality.name!r} is {one}, and the weights of {encoder.__name__} take {wanted} there, of "
        f"{len(columns)}: scaled as those that they were trained on. Read them with surveys.AstroM3Parquet, or scale "
        f"your own with the info.json of the training: astroclip-kit convert FILE --to astrom3."
    )


def check_light_curves(x: torch.Tensor) -> None:
    """Refuses what are no light curves [B, T, 4], or [B, T, 4 + C] with covariates.

    Raises:
        InputError: Tells the shape.
    """
    if x.ndim != 3 or x.shape[2] < len(LIGHTCURVE_CHANNELS):
        raise InputError(
            f"light curves are [B, T, 4] of time, value, error, band, or wider with covariates; found {tuple(x.shape)}."
        )


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Scaled dot-product attention: mixed values [B, heads, T, D] of queries [B, heads, T, D], keys and values.

    A mask, bool, that can be expanded to [B, heads, T, S], is True where a key takes part.
    """
    slow = query.device.type == "cpu" and query.dtype == torch.bfloat16 and torch.is_grad_enabled()
    if slow and query.shape[2] < SHORT:  # the gradient of the fused kernel takes 3 to 6 times as long there
        scores: torch.Tensor = query @ key.transpose(2, 3) * query.shape[3] ** -0.5
        scores = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(dim=3) @ value
    return nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def select_bands(modality: Modality, bands: Sequence[str] = ()) -> list[Transform]:
    """The step that leaves all but some bands of an image out, for networks that take bands alone; none without need.

    Args:
        modality: Images.
        bands: Which, in the order wanted; without them all, in their order, and no inverse variances.

    Raises:
        InputError: If there is no such band.
    """
    wanted = tuple(bands) or modality.image_bands
    if missing := [band for band in wanted if band not in modality.channels]:
        raise InputError(
            f"{modality.name!r} has no band {missing[0]!r}: it has {', '.join(modality.image_bands)}. Change bands."
        )
    return [] if wanted == modality.channels else [SelectChannels([modality.channels.index(band) for band in wanted])]


def in_parts(encode: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, at_once: int) -> torch.Tensor:
    """What a function gives for objects [B, ...], on a processor for `at_once` of them at a time.

    Memory for much larger blocks is given back to the system and taken anew at every step of a network, which takes as
    long as the numbers do.
    """
    if not x.is_cpu or len(x) <= at_once:
        return encode(x)
    return torch.cat([encode(part) for part in torch.split(x, at_once)])


def steps_of(preprocess: Transform) -> list[Transform]:
    """The transforms that are composed to one, also where they are nested."""
    inner = getattr(preprocess, "steps", None)
    return [preprocess] if inner is None else [one for step in inner for one in steps_of(step)]


def feed_forward(
    sizes: Sequence[int], activation: str = "gelu", dropout: float = 0.0, linear: type[nn.Linear] = nn.Linear
) -> nn.Sequential:
    """Linear layers with an activation and dropout between them, none after the last.

    Args:
        sizes: Features before the first layer and after each.
        activation: One of `ACTIVATIONS`.
        dropout: Probability after each activation.
        linear: What the layers are.

    Raises:
        UsageError: If the activation is unknown.

    Example:
        >>> feed_forward((6, 32, 8))(torch.zeros(2, 6)).shape
        torch.Size([2, 8])
    """
    if activation not in ACTIVATIONS:
        raise UsageError(f"activation {activation!r} is not one of {', '.join(ACTIVATIONS)}.")
    layers: list[nn.Module] = []
    for number in range(len(sizes) - 1):
        layers += [ACTIVATIONS[activation](), nn.Dropout(dropout)] if number else []
        layers.append(linear(sizes[number], sizes[number + 1]))
    return nn.Sequential(*layers)


class MeasuredEncoder(nn.Module):
    """An encoder whose ``preprocess`` may lack numbers that are measured on training objects."""

    preprocess: Transform

    def measured_on(self, views: torch.Tensor) -> Self:
        """Itself, with what its preprocessing lacks measured on raw views [n, ...] of training objects."""
        if callable(measure := getattr(self.preprocess, "measured_on", None)):
            self.preprocess = measure(views)
        return self


class FourierFeatures(nn.Module):
    """A number as sines and cosines of learned frequencies, and its arcsinh.

    The periods start evenly in the logarithm between `shortest` and `longest`. Computed in float32 also under
    autocast: a phase has no room for rounding.

    Args:
        count: Number of frequencies.
        shortest: Shortest period at the start, in the unit of the number.
        longest: Longest period at the start.

    Example:
        >>> FourierFeatures(8, 1.0, 1000.0)(torch.zeros(2, 5)).shape
        torch.Size([2, 5, 17])
    """

    def __init__(self, count: int, shortest: float, longest: float) -> None:
        super().__init__()
        self.count, self.shortest, self.longest = count, shortest, longest
        self.out_features = 2 * count + 1
        periods = torch.logspace(math.log10(shortest), math.log10(longest), count)
        self.log_frequency = nn.Parameter(-periods.log())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [..., 2 * count + 1] of numbers [...]."""
        phase = 2 * math.pi * x.float()[..., None] * self.log_frequency.exp()
        return torch.cat([phase.sin(), phase.cos(), x.float().asinh()[..., None]], dim=-1)


class AttentionPooling(nn.Module):
    """One vector of a sequence: each head averages its share of the features with learned weights.

    Args:
        features: Features of a token.
        heads: Number of heads; divides `features`.

    Example:
        >>> padding = torch.tensor([[False, False, True]])
        >>> AttentionPooling(8, 2)(torch.ones(1, 3, 8), padding).sum()
        tensor(8., grad_fn=<SumBackward0>)
    """

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.features, self.heads = features, heads
        self.score = nn.Linear(features, heads, bias=False)

    def forward(self, tokens: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        """Pooled [B, features].

        Args:
            tokens: [B, T, features].
            padding: bool [B, T], True where a token is to be ignored; one token per row is not.
        """
        weights = self.score(tokens).masked_fill(padding[..., None], -torch.inf).softmax(dim=1)
        values = tokens.reshape(*tokens.shape[:2], self.heads, -1)
        pooled: torch.Tensor = (weights[..., None] * values).sum(dim=1).flatten(1)
        return pooled
