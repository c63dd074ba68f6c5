"""Transforms and augmentations of spectra [B, C, L]: channel 0 is the flux, channel 1 its inverse variance.

The inverse variance is 0 where a pixel is masked or was not observed. Channels from 2 on are covariates (one
number per spectrum, repeated over L) and are never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from ..errors import InputError, UsageError
from .gaps import interpolate_gaps
from .randomness import normal
from .regrid import named_grid
from .resampling import Grid, wavelength_grid

__all__ = ["ClipOutliers", "FillGaps", "IvarNoise", "Normalise", "Rebin", "SelectChannels", "observed", "with_flux"]

NormaliseMode = Literal["none", "median", "rest_median", "zscore"]
REST_WINDOW_ANGSTROM = (5300.0, 5850.0)  # without strong lines; as in spender (Melchior et al. 2023, AJ 166, 74)


def observed(x: torch.Tensor) -> torch.Tensor:
    """Where flux [B, L] was measured; every finite pixel where the ivar is absent or says nothing."""
    finite = x[:, 0].isfinite()
    if x.shape[1] < 2:
        return finite
    measured = finite & (x[:, 1] > 0)
    return torch.where(measured.any(dim=1, keepdim=True), measured, finite)


def with_flux(x: torch.Tensor, flux: torch.Tensor, ivar: torch.Tensor | None = None) -> torch.Tensor:
    """The spectra with another flux [B, L], and with another ivar where one is given."""
    changed = [flux, x[:, 1] if ivar is None and x.shape[1] > 1 else ivar]
    return torch.cat([torch.stack([one for one in changed if one is not None], dim=1), x[:, 2:]], dim=1)


@dataclass(frozen=True)
class Normalise:
    """Takes the brightness out of a spectrum, from its observed pixels alone.

    Args:
        mode: "median" divides by the median of the absolute flux, "zscore" subtracts the mean and divides by the
            standard deviation, "none" changes nothing. "rest_median" divides by the median flux between 5300 and 5850
            Angstrom in the galaxy's rest frame, as spender was trained; where that is not observed, not positive, or
            the redshift is NaN, as "median" does. The ivar is scaled along. A spectrum without any flux stays as it is.
        level: Keeps the logarithm of what the flux was divided by as one more channel, constant over L, so that
            brightness stays known (0 where nothing was divided).
        wavelength: Of the spectra, for "rest_median": a grid's name, (start, stop, step), or the wavelengths.
        redshift: Number of the channel that holds the redshift, for "rest_median": 2 is the first covariate of a
            modality. What is learned from such spectra has seen the redshift.

    Raises:
        UsageError: If the mode is unknown, or "rest_median" knows no wavelengths.

    Example:
        >>> Normalise("median")(torch.tensor([[[2.0, 4.0, 8.0], [1.0, 1.0, 1.0]]]))[0, 0]
        tensor([0.5000, 1.0000, 2.0000])
    """

    mode: NormaliseMode = "median"
    level: bool = False
    wavelength: Grid | None = None
    redshift: int = 2

    def __post_init__(self) -> None:
        """Refuses what cannot be done; keeps the grid as plain values."""
        if self.mode not in get_args(NormaliseMode):
            raise UsageError(f"Normalise mode {self.mode!r} is not one of {', '.join(get_args(NormaliseMode))}.")
        if self.mode == "rest_median" and self.wavelength is None:
            raise UsageError("Normalise('rest_median') needs the wavelengths of the spectra: give wavelength='desi'.")
        if self.wavelength is not None:
            object.__setattr__(self, "wavelength", named_grid(self.wavelength))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L], or [B, C + 1, L] with the level."""
        center, scale = self._center_and_scale(x)
        ivar = x[:, 1] * scale.square() if x.shape[1] > 1 else None
        normalised = with_flux(x, (x[:, 0] - center) / scale, ivar)
        level = scale.log()[:, None].expand(-1, 1, x.shape[-1])
        return torch.cat([normalised, level], dim=1) if self.level else normalised

    def _center_and_scale(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        flux = x[:, 0].where(observed(x), torch.nan)
        center, scale = torch.zeros_like(flux[:, :1]), torch.ones_like(flux[:, :1])
        if self.mode in ("median", "rest_median"):
            scale = flux.abs().nanmedian(dim=1, keepdim=True).values
        if self.mode == "rest_median":
            window = flux.where(self._in_window(x), torch.nan).nanmedian(dim=1, keepdim=True).values
            scale = window.where(window > 0, scale)
        if self.mode == "zscore":
            center = flux.nanmean(dim=1, keepdim=True).nan_to_num(0.0)
            scale = (flux - center).square().nanmean(dim=1, keepdim=True).sqrt()
        return center, scale.where(scale > 0, 1.0)  # also where there is no finite pixel: NaN > 0 is False

    def _in_window(self, x: torch.Tensor) -> torch.Tensor:
        """Which pixels [B, L] lie in the window of the rest frame."""
        wavelength = torch.as_tensor(wavelength_grid(self.wavelength or ()), dtype=x.dtype, device=x.device)
        if x.shape[1] <= self.redshift or x.shape[2] != len(wavelength):
            raise InputError(
                f"Normalise('rest_median') expects {len(wavelength)} pixels and the redshift as channel "
                f"{self.redshift}, found {x.shape[2]} pixels and {x.shape[1]} channels: read it as a covariate."
            )
        low, high = ((1 + x[:, self.redshift, :1]) * edge for edge in REST_WINDOW_ANGSTROM)
        return (wavelength >= low) & (wavelength <= high)


@dataclass(frozen=True)
class ClipOutliers:
    """Brings flux that is many standard deviations from a spectrum's mean to that distance; the ivar stays.

    Args:
        sigmas: The largest distance, in standard deviations of the observed pixels.

    Raises:
        UsageError: If it is not positive.

    Example:
        >>> ClipOutliers(1.0)(torch.tensor([[[0.0, 0.0, 0.0, 4.0]]]))[0, 0]
        tensor([0.0000, 0.0000, 0.0000, 2.7321])
    """

    sigmas: float = 5.0

    def __post_init__(self) -> None:
        """Refuses what is no distance."""
        if not self.sigmas > 0:
            raise UsageError(f"ClipOutliers sigmas is {self.sigmas}, expected a number above 0.")

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L]; one without an observed pixel stays as it is."""
        flux = x[:, 0].where(observed(x), torch.nan)
        center = flux.nanmean(dim=1, keepdim=True)
        reach = self.sigmas * (flux - center).square().nanmean(dim=1, keepdim=True).sqrt()
        low, high = (center - reach).nan_to_num(-torch.inf), (center + reach).nan_to_num(torch.inf)
        return with_flux(x, x[:, 0].clamp(low, high))


@dataclass(frozen=True)
class Rebin:
    """Joins neighbouring pixels: the flux averaged with its ivar as weight, the ivar summed, covariates averaged.

    A block without an observed pixel has ivar 0 and the plain mean of its finite flux. A rest at the end that fills
    no block is left out.

    Args:
        factor: Pixels per block.

    Example:
        >>> Rebin(2)(torch.tensor([[[1.0, 4.0, 9.0], [2.0, 1.0, 1.0]]]))[0]
        tensor([[2.],
                [3.]])
    """

    factor: int

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L // factor]."""
        count = x.shape[-1] // self.factor
        blocks = x[..., : count * self.factor].reshape(*x.shape[:2], count, self.factor)
        if not count:
            raise InputError(f"spectra of {x.shape[-1]} pixels cannot be rebinned by {self.factor}.")
        flux, finite = blocks[:, 0].nan_to_num(0.0), blocks[:, 0].isfinite().to(x.dtype)
        ivar = blocks[:, 1].nan_to_num(0.0) * finite if x.shape[1] > 1 else finite
        weight = ivar.where(ivar.sum(dim=-1, keepdim=True) > 0, finite)
        mean = (flux * weight).sum(dim=-1) / weight.sum(dim=-1)  # NaN where no flux is finite
        rebinned = [mean, ivar.sum(dim=-1)][: x.shape[1]]
        return torch.cat([torch.stack(rebinned, dim=1), blocks[:, 2:].mean(dim=-1)], dim=1)


@dataclass(frozen=True)
class FillGaps:
    """Replaces unobserved flux by a straight line between its observed neighbours; the ivar there stays as it is.

    Beyond the first and the last observed pixel their values go on; a spectrum without any becomes 0.

    Example:
        >>> FillGaps()(torch.tensor([[[1.0, torch.nan, 3.0], [1.0, 0.0, 1.0]]]))[0, 0]
        tensor([1., 2., 3.])
    """

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L] of finite flux."""
        return with_flux(x, interpolate_gaps(x[:, 0], observed(x)))


@dataclass(frozen=True)
class SelectChannels:
    """Keeps the channels with these numbers; the default keeps the flux alone.

    Example:
        >>> SelectChannels()(torch.zeros(5, 2, 100)).shape
        torch.Size([5, 1, 100])
    """

    channels: Sequence[int] = (0,)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Views [B, len(channels), ...]."""
        if max(self.channels) >= x.shape[1]:
            raise InputError(f"there is no channel {max(self.channels)} in views of {x.shape[1]} channels.")
        return x[:, list(self.channels)]


@dataclass(frozen=True)
class IvarNoise:
    """Observes a spectrum again with more noise, in proportion to its own; the ivar falls accordingly.

    Args:
        scale: Added noise in units of the pixel's own standard deviation.

    Example:
        >>> again = IvarNoise(1.0)(torch.ones(1, 2, 5), torch.tensor([0]))
        >>> again[0, 1]
        tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000])
    """

    scale: float = 1.0

    def __call__(self, x: torch.Tensor, seeds: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L]; pixels without ivar are left alone.

        Raises:
            InputError: If there is no channel of inverse variances.
        """
        if x.shape[1] < 2:
            raise InputError(
                "IvarNoise adds noise in proportion to a spectrum's own, and these have no inverse variance: read them "
                "with ivar, or leave this step out."
            )
        ivar = x[:, 1]
        sigma = ivar.rsqrt().where(ivar > 0, 0.0) * self.scale
        draw = normal(seeds.to(x.device), ivar.shape[1:]).to(x.dtype)
        return with_flux(x, x[:, 0] + draw * sigma, ivar / (1 + self.scale**2))
