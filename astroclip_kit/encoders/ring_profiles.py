"""An image of one object as its brightness around the centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import nn

from ..errors import InputError
from ..transforms.compose import Compose, Transform
from ..types import Modality
from .layers import check_kind, select_bands

__all__ = ["RingProfiles"]


class RingProfiles(nn.Module):
    """Mean and scatter of every band in rings around the centre, in units of the noise; nothing is learned.

    Brightness, concentration, neighbours and asymmetry of a stamp with a source at its centre, the same however the
    stamp is turned. Background and noise are median and median absolute deviation of the outermost ring, so a
    missing pixel, an offset or another zero point of the image does no harm; the noise itself enters as well.

    Args:
        image_size: Pixels along the side.
        in_channels: Number of bands.
        edges: Radii between the rings in pixels, ascending; the last ring, from the last radius on, is background.
        preprocess: What is done to images [B, C, H, W] first; by default nothing.

    Raises:
        InputError: If the radii do not ascend, or leave no background.

    Example:
        >>> RingProfiles(63, 3)(torch.zeros(2, 3, 63, 63)).shape
        torch.Size([2, 57])
    """

    def __init__(
        self,
        image_size: int,
        in_channels: int = 1,
        edges: Sequence[float] = (1, 2, 3, 4, 6, 8, 11, 15, 20),
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.image_size, self.in_channels, self.edges = image_size, in_channels, tuple(edges)
        self.preprocess = preprocess if preprocess is not None else Compose()
        rising = all(low < high for low, high in zip((0.0, *self.edges), self.edges, strict=False))
        if not self.edges or not rising or self.edges[-1] > image_size / 2 - 1:
            raise InputError(
                f"edges are {list(self.edges)}, expected radii that ascend to at most {image_size / 2 - 1:g} pixels."
            )
        self.out_features = in_channels * (2 * len(self.edges) + 1)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Sized for the bands of an image modality; inverse variances are left out."""
        check_kind(modality, "image", cls)
        preprocess = Compose(select_bands(modality))
        size = min(modality.shape[1:])
        edges = tuple(edge for edge in (1, 2, 3, 4, 6, 8, 11, 15, 20) if edge <= size / 2 - 1)
        return cls(**{"image_size": size, "in_channels": len(modality.image_bands), "edges": edges,
                      "preprocess": preprocess, **arguments})  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of images [B, in_channels, H, W], NaN where a pixel is missing."""
        if x.ndim != 4 or x.shape[1] != self.in_channels or min(x.shape[2:]) < self.image_size:
            raise InputError(
                f"images have shape {tuple(x.shape)}, expected [B, {self.in_channels}, at least {self.image_size}, "
                f"at least {self.image_size}]."
            )
        with torch.autocast(x.device.type, enabled=False):
            pixels = x.float().flatten(2)
            ring = self._rings(x.shape[2], x.shape[3]).to(x.device)
            outer = pixels[..., ring == len(self.edges)]
            outer = outer.where(outer.isfinite(), torch.nan)
            level = outer.nanmedian(dim=2, keepdim=True).values.nan_to_num(0.0)
            noise = 1.4826 * (outer - level).abs().nanmedian(dim=2, keepdim=True).values.nan_to_num(0.0)
            value = ((pixels - level) / noise.where(noise > 0, 1.0)).asinh()
            rings = torch.nn.functional.one_hot(ring, len(self.edges) + 1)[:, :-1].float()
            known = value.isfinite()
            count = (known.float() @ rings).clamp(min=1.0)
            value = value.where(known, 0.0)
            mean = value @ rings / count
            scatter = (value.square() @ rings / count - mean.square()).clamp(min=0.0).sqrt()
            return torch.cat([mean, scatter, noise.clamp(min=1e-12).log10()], dim=2).flatten(1)

    def _rings(self, height: int, width: int) -> torch.Tensor:
        """The ring of every pixel [H * W]."""
        y, x = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2 for size in (height, width))
        radius = (y[:, None].square() + x.square()).sqrt().flatten()
        return torch.searchsorted(torch.tensor(self.edges, dtype=torch.float64), radius, right=True)
