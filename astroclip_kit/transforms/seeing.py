"""Images [B, C, H, W] as they would look in worse seeing, or less deep.

A coadd has its own width of the point-spread function and its own noise. Only the difference to the drawn one is
added, in quadrature: ``sqrt(final ** 2 - true ** 2)``, nothing where the image is already worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from ..errors import InputError, UsageError
from ..types import Modality
from .image_channels import IVAR, check_bands, check_channels
from .images import finite
from .lognormal import LogNormal
from .randomness import fork, normal, uniform

__all__ = ["PSFBlur", "QuadratureNoise"]


class _Spread(NamedTuple):
    """How a width varies over a survey: a lognormal fit, and the range of the uniform draw."""

    shape: float
    loc: float
    scale: float
    low: float
    high: float


# Stein et al. 2021, arXiv:2110.13151: of the coadds of Legacy Survey DR9, south.
PSF_SIGMA_PIX = {  # standard deviations, in pixels of 0.262 arcsec
    "g": _Spread(0.2109966, 1.0807153, 1.3153171, 1.3233109, 5.0),
    "r": _Spread(0.3008485, 1.2394326, 0.9164757, 1.2667341, 4.5),
    "z": _Spread(0.3471172, 1.1928363, 0.8233702, 1.2126263, 4.25),
}
NOISE_NMGY = {  # per pixel of 0.262 arcsec
    "g": _Spread(0.2264926, -0.0006735, 0.0037602, 0.001094, 0.013),
    "r": _Spread(0.2431146, -0.0023663, 0.0067417, 0.001094, 0.018),
    "z": _Spread(0.1334844, -0.0143416, 0.0260779, 0.001094, 0.061),
}
PIXEL_ARCSEC = 0.262
SAME_SCALE = 0.02
NARROWEST = 0.05  # pixels: the Gaussian's neighbouring pixels are 1e-87 of its central one


def _check(part: PSFBlur | QuadratureNoise, known: Mapping[str, _Spread]) -> None:
    """Keeps one number per band as a list of them; refuses bands whose distribution is not known."""
    name, bands = type(part).__name__, list(dict.fromkeys(band.removeprefix(IVAR) for band in part.bands))
    unknown = [band for band in bands if band not in known]
    if unknown and (part.true is None or part.final is None):
        raise UsageError(
            f"{name} knows the distribution in {', '.join(known)} and not in {unknown[0]!r}. Give true and final, "
            f"the width of each band before and after."
        )
    for given in (part.true, part.final):
        if given is not None and (len(given) != len(bands) or min(given) < 0):
            raise UsageError(f"{name}: {list(given)} is not one width, at least 0, for each of {', '.join(bands)}.")


def _added(
    part: PSFBlur | QuadratureNoise, known: Mapping[str, _Spread], seeds: torch.Tensor, unit: float = 1.0
) -> tuple[list[str], torch.Tensor]:
    """The bands, and for each row and band [B, bands] the width to add; what is drawn is multiplied by `unit`."""
    bands = list(dict.fromkeys(band.removeprefix(IVAR) for band in part.bands))
    true, final = (
        None if one is None else torch.tensor(list(one), device=seeds.device).expand(len(seeds), -1)
        for one in (part.true, part.final)
    )
    if true is None or final is None:
        shape, loc, scale, low, high = zip(*(known[band] for band in bands), strict=True)
        usual = LogNormal(shape, loc, scale)
        least, most = (torch.tensor(one, device=seeds.device) for one in (low, high))
        if true is None:
            true = usual.draw(fork(seeds, 0)) * unit
        if final is None:
            evenly = least + (most - least) * uniform(fork(seeds, 1), (len(bands),))
            final = (evenly if part.uniform else usual.draw(fork(seeds, 1))) * unit
    return bands, (final.square() - true.square()).clamp(min=0).sqrt()


@dataclass(frozen=True)
class PSFBlur:
    """Blurs each band to a wider Gaussian point-spread function, edges mirrored.

    Args:
        bands: Of the channels, in their order.
        uniform: Whether final widths are drawn uniformly, for more wide ones, or as they are distributed.
        true: Standard deviation of each band's point-spread function, in pixels; by default drawn as distributed.
        final: That after the blur; by default drawn.
        pixel_scale_arcsec: Of the images, for the widths that are drawn.

    Raises:
        UsageError: If a band is not g, r or z and its widths are not given.

    Example:
        >>> blurred = PSFBlur(true=(2.0, 2.0, 2.0), final=(2.0, 3.0, 4.0))
        >>> star = torch.zeros(1, 3, 31, 31)
        >>> star[..., 15, 15] = 1
        >>> [round(float(peak), 4) for peak in blurred(star, torch.tensor([0]))[0, :, 15, 15]]
        [1.0, 0.0318, 0.0133]
    """

    bands: Sequence[str] = ("g", "r", "z")
    uniform: bool = True
    true: Sequence[float] | None = None
    final: Sequence[float] | None = None
    pixel_scale_arcsec: float = PIXEL_ARCSEC

    def __post_init__(self) -> None:
        """Refuses what cannot be drawn."""
        _check(self, PSF_SIGMA_PIX)
        if any(band.startswith(IVAR) for band in self.bands):
            raise UsageError("PSFBlur mixes pixels, and an inverse variance per pixel is wrong then: leave ivar out.")

    def check_modality(self, modality: Modality) -> None:
        """Refuses images of other channels, and of other pixels than the drawn widths are for."""
        check_bands(self, modality)
        found, drawn = modality.pixel_scale_arcsec, self.true is None or self.final is None
        if drawn and abs(found / self.pixel_scale_arcsec - 1) > SAME_SCALE:
            raise InputError(
                f"{modality.name!r} has pixels of {found:g} arcsec, and PSFBlur draws widths for "
                f"{self.pixel_scale_arcsec:g}. Set its pixel_scale_arcsec to {found:g}."
            )

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Images [B, C, H, W]; a missing pixel counts as 0."""
        check_channels(x, self.bands)
        _, sigma = _added(self, PSF_SIGMA_PIX, seeds.to(x.device), PIXEL_ARCSEC / self.pixel_scale_arcsec)
        height, width = x.shape[-2:]
        rows = _gaussian(sigma.to(x.dtype), height)
        columns = rows if width == height else _gaussian(sigma.to(x.dtype), width)
        down = (rows @ finite(x)).mT.contiguous()  # a product with a transposed matrix would take three times as long
        return (columns @ down).mT.contiguous()


def _gaussian(sigma: torch.Tensor, length: int) -> torch.Tensor:
    """Matrices [B, C, L, L] that blur along an axis of mirrored ends with `sigma` [B, C]; each row adds up to 1."""
    distance = torch.arange(2 * length, device=sigma.device)
    weight = torch.exp(-0.5 * (distance / sigma.clamp(min=NARROWEST)[..., None]).square())
    near = torch.cat([weight[..., 1:length].flip(-1), weight[..., :length]], dim=-1)
    kernel = near.unfold(-1, length, 1).flip(-2)  # at (i, j) the weight of |i - j|
    kernel += weight[..., 1:].unfold(-1, length, 1)  # and of the mirror images at both ends: i + j + 1,
    kernel += weight.flip(-1).unfold(-1, length, 1)[..., :length, :]  # 2 L - 1 - i - j
    return kernel / kernel.sum(dim=-1, keepdim=True)


@dataclass(frozen=True)
class QuadratureNoise:
    """Adds the noise that a shallower image has more, independent in each pixel and band.

    An inverse variance (a channel called "ivar_" and the band) becomes that of the sum; 0 stays 0.

    Args:
        bands: Of the channels, in their order.
        uniform: Whether the final noise is drawn uniformly, for noisier images, or as it is distributed.
        true: Noise of each band per pixel, in the unit of the images; by default drawn as distributed, in nanomaggies
            per pixel of 0.262 arcsec.
        final: That afterwards; by default drawn.

    Raises:
        UsageError: If a band is not g, r or z and its noise is not given.

    Example:
        >>> noisy = QuadratureNoise(("g",), true=[3.0], final=[5.0])(torch.zeros(1, 1, 64, 64), torch.tensor([0]))
        >>> noisy.std().round()
        tensor(4.)
    """

    bands: Sequence[str] = ("g", "r", "z")
    uniform: bool = True
    true: Sequence[float] | None = None
    final: Sequence[float] | None = None

    def __post_init__(self) -> None:
        """Refuses what cannot be drawn."""
        _check(self, NOISE_NMGY)

    def check_modality(self, modality: Modality) -> None:
        """Refuses images of other channels."""
        check_bands(self, modality)

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Images [B, C, H, W]."""
        check_channels(x, self.bands)
        seeds = seeds.to(x.device)
        bands, sigma = _added(self, NOISE_NMGY, seeds)
        sigma = sigma[:, [bands.index(band.removeprefix(IVAR)) for band in self.bands]].to(x.dtype)[..., None, None]
        noisy = x + sigma * normal(fork(seeds, 2), x.shape[1:]).to(x.dtype)
        is_ivar = torch.tensor([band.startswith(IVAR) for band in self.bands], device=x.device)
        return torch.where(is_ivar[:, None, None], x / (1 + x * sigma.square()), noisy)
