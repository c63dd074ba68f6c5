"""A transformer over the points of a light curve, of any number of bands."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import torch
from torch import nn

from ..errors import InputError, UsageError
from ..transforms.compose import Compose, Transform
from ..transforms.lightcurves import is_padding
from ..types import Modality
from .layers import AttentionPooling, FourierFeatures, check_kind, check_light_curves

__all__ = ["LightCurveTransformer"]

Origin = Literal["first", "minimum", "maximum"]


def _origin(time: torch.Tensor, value: torch.Tensor, padding: torch.Tensor, origin: Origin) -> torch.Tensor:
    """Time zero [B, 1]: of the first point, or of the extreme value (magnitudes are minimal at peak)."""
    key = time if origin == "first" else value if origin == "minimum" else -value
    return time.gather(1, key.masked_fill(padding, torch.inf).argmin(dim=1, keepdim=True))


class LightCurveTransformer(nn.Module):
    """A token per point, of its time, band, value and error; a summary token; attention pooling.

    Values are taken relative to the light curve's median in units of its scatter; median, scatter, duration and
    number of points enter through the summary token, so magnitudes and fluxes of any unit work as they are, and a
    light curve without a point has finite features too. An error that is not given is marked as such. Covariates
    are not looked at.

    Args:
        out_features: Number of features.
        bands: Number of bands.
        width: Features of a token; a multiple of `heads`.
        depth: Number of transformer layers.
        heads: Number of attention heads.
        origin: Where time is 0: at the "first" point, or at the "minimum" or "maximum" of the values. The peak is
            the minimum of magnitudes and the maximum of fluxes.
        dropout: Probability in every layer.
        preprocess: What is done to light curves [B, T, 4] first; by default nothing.

    Raises:
        UsageError: If `origin` is unknown or `heads` does not divide `width`.

    Example:
        >>> encoder = LightCurveTransformer(32, bands=2).eval()
        >>> point = torch.tensor([[[0.0, 18.3, torch.nan, 1.0]]])
        >>> encoder(point).shape
        torch.Size([1, 32])
    """

    def __init__(
        self,
        out_features: int = 128,
        bands: int = 1,
        width: int = 64,
        depth: int = 3,
        heads: int = 4,
        origin: Origin = "first",
        dropout: float = 0.0,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        if origin not in get_args(Origin) or width % heads:
            raise UsageError(
                f"origin is one of {', '.join(get_args(Origin))} and heads divides width; "
                f"found origin {origin!r}, width {width}, heads {heads}."
            )
        self.out_features, self.bands, self.width, self.depth, self.heads = out_features, bands, width, depth, heads
        self.origin, self.dropout = origin, dropout
        self.preprocess = preprocess if preprocess is not None else Compose()
        self.time = FourierFeatures(16, 1.0, 1000.0)  # days
        self.level = FourierFeatures(16, 0.1, 100.0)  # of the arcsinh of the median
        self.point = nn.Linear(3 + self.time.out_features, width)
        self.band = nn.Embedding(bands, width)
        self.summary = nn.Linear(3 + self.level.out_features, width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 2 * width, dropout, "gelu", batch_first=True, norm_first=True)
            for _ in range(depth)
        )
        self.pooling = AttentionPooling(width, heads)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, out_features))

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for the bands of a light-curve modality."""
        check_kind(modality, "lightcurve", cls)
        return cls(**{"bands": max(len(modality.bands), 1), **arguments})

    def tokens(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens [B, 1 + T, width], the summary first, before the transformer, and which are padding [B, 1 + T]."""
        check_light_curves(x)
        x = nn.functional.pad(x, (0, 0, 0, 1), value=torch.nan)  # so that there is a row to take the median of
        padding = is_padding(x)
        time, value, error, band = x.where(~padding[..., None], torch.nan)[..., :4].unbind(dim=-1)
        center = value.nanmedian(dim=1, keepdim=True).values.nan_to_num(0.0)
        scatter = (value - center).square().nanmean(dim=1, keepdim=True).sqrt()
        scatter = scatter.where(scatter > 0, 1.0)
        since = (time - _origin(time.nan_to_num(0.0), value.nan_to_num(0.0), padding, self.origin)).nan_to_num(0.0)
        given = error > 0
        relative_error = (error / scatter).where(given, 1.0).log()
        relative_value = ((value - center) / scatter).nan_to_num(0.0)
        point = torch.stack([relative_value, relative_error, (~given).float()], dim=-1)
        tokens = self.point(torch.cat([point, self.time(since)], dim=-1)) + self.band(self._band(band))
        duration = since.amax(dim=1, keepdim=True) - since.amin(dim=1, keepdim=True)
        count = (~padding).sum(dim=1, keepdim=True)
        numbers = torch.cat([scatter.log(), duration.log1p(), count.log1p()], dim=1)
        summary = self.summary(torch.cat([numbers, self.level(center[:, 0].asinh())], dim=1))
        return torch.cat([summary[:, None], tokens], dim=1), nn.functional.pad(padding, (1, 0), value=False)

    def _band(self, band: torch.Tensor) -> torch.Tensor:
        index = band.nan_to_num(0.0).long()
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < self.bands:
            raise InputError(f"band indices {int(index.min())} to {int(index.max())} for an encoder of {self.bands}.")
        return index

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of light curves [B, T, 4]; rows without time, value or band are padding."""
        tokens, padding = self.tokens(x)
        for layer in self.layers:
            tokens = layer(tokens, src_key_padding_mask=padding)
        features: torch.Tensor = self.head(self.pooling(tokens, padding))
        return features
