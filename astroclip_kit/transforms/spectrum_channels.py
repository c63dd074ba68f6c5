"""Spectra of stars as AstroM3's encoder reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from ..errors import InputError, UsageError
from ..types import Modality
from .astrom3_columns import WAVELENGTHS
from .gaps import interpolate_gaps
from .regrid import named_grid
from .resampling import Grid, wavelength_grid
from .spread import median_absolute_deviation

__all__ = ["SpectrumChannels"]

Second = Literal["ivar", "sigma"]
Gaps = Literal["interpolated", "kept"]


@dataclass(frozen=True)
class SpectrumChannels:
    """Interpolates a spectrum, scales it, and says by how much.

    The channels are flux less its mean, and a measure of its error, in units of the median absolute deviation of the
    flux (MAD, of pixels whose flux is not 0), and log10 of the MAD in all pixels. As AstroM3 was trained (Rizhko &
    Bloom 2025, arXiv:2411.08842), whose code gives the inverse variance where its text says error. Pixels without an
    inverse variance above 0, or that are not finite, count neither for the mean nor for the MAD; a line between the
    good ones takes their place, and beyond the outermost a spectrum goes on as it ends. A MAD of 0 is replaced by the
    mean distance from the median, or by 1 where all is the same.

    Args:
        start: First wavelength in Angstrom.
        stop: Where the wavelengths end, exclusive: that of a reader's `wavelength` belongs to its grid, this does not.
        step: Between them.
        second: "ivar" for the inverse variance, as published: it has a unit, and numbers that can be computed with only
            for fluxes that are not very small; "sigma" for the standard deviation, which has none. 0 where it is not
            known.
        wavelength: Of the spectra as they come: a grid's name, (start, stop, step), or the wavelengths; None where they
            are on the grid of the other arguments.
        gaps: "interpolated", or "kept": pixels without an inverse variance are data, as in the released code.

    Raises:
        UsageError: If the grid is none, or `second` or `gaps` is unknown.

    Example:
        >>> x = torch.tensor([[[1.0, 2.0, 6.0], [1.0, 1.0, 4.0]]])
        >>> SpectrumChannels(4000, 4005, 2)(x)[0, :2]
        tensor([[-2., -1.,  3.],
                [ 1.,  1.,  4.]])
    """

    start: float = 3850.0
    stop: float = 9000.0
    step: float = 2.0
    second: Second = "ivar"
    wavelength: Grid | None = None
    gaps: Gaps = "interpolated"

    def __post_init__(self) -> None:
        """Refuses what is no grid; keeps that of the spectra as plain values."""
        if self.second not in get_args(Second) or not (self.step > 0 and self.stop > self.start > 0):
            raise UsageError(
                f"SpectrumChannels takes wavelengths that ascend and second 'ivar' or 'sigma'; found {self.start:g} to "
                f"{self.stop:g} in steps of {self.step:g}, and {self.second!r}."
            )
        if self.gaps not in get_args(Gaps):
            raise UsageError(f"SpectrumChannels takes gaps 'interpolated' or 'kept', found {self.gaps!r}.")
        if self.wavelength is not None:
            object.__setattr__(self, "wavelength", named_grid(self.wavelength))

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> SpectrumChannels:
        """For the wavelengths of spectra, and what their errors and gaps ask for.

        `second` is "ivar" for fluxes without a unit, as LAMOST's are, and "sigma" for all others. `gaps` are "kept" on
        the released grid without a unit, as AstroM3's spectra come, and "interpolated" elsewhere.

        Args:
            modality: Spectra of flux and inverse variance.
            arguments: Of the constructor, which come first.

        Raises:
            InputError: If these are no spectra with an inverse variance.
        """
        if modality.kind != "spectrum" or modality.channels[:2] != ("flux", "ivar"):
            raise InputError(
                f"SpectrumChannels takes spectra of flux and ivar, and {modality.name!r} is of kind {modality.kind!r} "
                f"with {', '.join(modality.channels)}."
            )
        second = "sigma" if modality.unit else "ivar"
        gaps = "kept" if modality.grid == WAVELENGTHS and not modality.unit else "interpolated"
        return cls(**{"wavelength": modality.grid, "second": second, "gaps": gaps, **arguments})

    @property
    def _given(self) -> npt.NDArray[np.float64]:
        """Wavelengths [L] of the spectra as they come."""
        if self.wavelength is None:
            return np.arange(self.start, self.stop, self.step)
        return np.asarray(wavelength_grid(self.wavelength), dtype=np.float64)

    @cached_property
    def _pixels(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], int]:
        """For each pixel of the result the one before it and the share of the next; and the pixels of a spectrum."""
        wanted, given = np.arange(self.start, self.stop, self.step), self._given
        place = np.interp(wanted, given, np.arange(len(given)))
        before = np.clip(place.astype(np.int64), 0, max(len(given) - 2, 0))
        return before, place - before, len(given)

    @property
    def length(self) -> int:
        """Pixels of the result."""
        return len(self._pixels[0])

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra float32 [B, 3, length] of flux and ivar [B, 2 or more, L].

        Raises:
            InputError: If they have another shape, or the inverse variance in units of the MAD is beyond float32.
        """
        pixels = self._pixels[2]
        if x.ndim != 3 or x.shape[1] < 2 or x.shape[2] != pixels:
            raise InputError(f"SpectrumChannels takes [B, 2, {pixels}] of flux and ivar, found {tuple(x.shape)}.")
        flux, second, good = self._regridded(*self._measured(x[:, :2].float()))
        scale = median_absolute_deviation(flux, good & (flux != 0))
        mean = flux.where(good, 0.0).sum(dim=1, keepdim=True) / good.sum(dim=1, keepdim=True).clamp(min=1)
        error = second / scale
        if not error.isfinite().all():
            raise InputError(
                f"SpectrumChannels: the inverse variance divided by the scatter of the flux ({float(scale.min()):.1g}) "
                f"is too large a number. Give second='sigma', or fluxes in units of their own size."
            )
        return torch.stack([(flux - mean) / scale, error, scale.log10().expand_as(flux)], dim=1)

    def _measured(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Flux, the measure of its error, and which pixels are data, each [B, L]."""
        flux, second = x.where(x.isfinite(), 0.0).unbind(1)
        good = torch.ones_like(flux, dtype=torch.bool)
        if self.gaps == "interpolated":
            good = x.isfinite().all(dim=1) & (second > 0)
            wavelength = torch.as_tensor(self._given, dtype=x.dtype, device=x.device)
            flux = interpolate_gaps(flux, good, wavelength)
            second = second.where(good, 0.0)
        if self.second == "sigma":
            second = second.rsqrt().where(second > 0, 0.0)
        return flux, second, good

    def _regridded(self, flux: torch.Tensor, second: torch.Tensor, good: torch.Tensor) -> list[torch.Tensor]:
        """The same on the grid of the result; a pixel is data if most of it was."""
        before, share, pixels = self._pixels
        if np.array_equal(before + share, np.arange(pixels)):
            return [flux, second, good]
        low, weight = (torch.as_tensor(one, device=flux.device) for one in (before, share))
        flux, second, most = (
            torch.lerp(one[:, low], one[:, low + 1], weight.float()) for one in (flux, second, good.float())
        )
        return [flux, second, most >= 0.5]
