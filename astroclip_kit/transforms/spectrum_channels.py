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
from .regrid import named_grid
from .resampling import Grid, wavelength_grid
from .spread import median_absolute_deviation

__all__ = ["SpectrumChannels"]

Second = Literal["ivar", "sigma"]


@dataclass(frozen=True)
class SpectrumChannels:
    """Interpolates a spectrum, scales it, and says by how much.

    The channels are flux less its mean, and a measure of its error, in units of the median absolute deviation of the
    flux (MAD, of pixels whose flux is not 0), and log10 of the MAD in all pixels. As AstroM3 was trained (Rizhko &
    Bloom 2025, arXiv:2411.08842), whose code gives the inverse variance where its text says error. Beyond its ends a
    spectrum goes on as it ends. A MAD of 0 is replaced by the mean distance from the median, or by 1 where all is the
    same.

    Args:
        start: First wavelength in Angstrom.
        stop: Where the wavelengths end, exclusive.
        step: Between them.
        second: "ivar" for the inverse variance, as published; "sigma" for the standard deviation, 0 where it is not
            known.
        wavelength: Of the spectra as they come: a grid's name, (start, stop, step), or the wavelengths; None where they
            are on the grid of the other arguments.

    Raises:
        UsageError: If the grid is none, or `second` is unknown.

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

    def __post_init__(self) -> None:
        """Refuses what is no grid; keeps that of the spectra as plain values."""
        if self.second not in get_args(Second) or not (self.step > 0 and self.stop > self.start > 0):
            raise UsageError(
                f"SpectrumChannels takes wavelengths that ascend and second 'ivar' or 'sigma'; found {self.start:g} to "
                f"{self.stop:g} in steps of {self.step:g}, and {self.second!r}."
            )
        if self.wavelength is not None:
            object.__setattr__(self, "wavelength", named_grid(self.wavelength))

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> SpectrumChannels:
        """For the wavelengths of spectra.

        Raises:
            InputError: If these are no spectra with an inverse variance.
        """
        if modality.kind != "spectrum" or modality.channels[:2] != ("flux", "ivar"):
            raise InputError(
                f"SpectrumChannels takes spectra of flux and ivar, and {modality.name!r} is of kind {modality.kind!r} "
                f"with {', '.join(modality.channels)}."
            )
        return cls(**{"wavelength": modality.grid, **arguments})

    @cached_property
    def _pixels(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], int]:
        """For each pixel of the result the one before it and the share of the next; and the pixels of a spectrum."""
        wanted = np.arange(self.start, self.stop, self.step)
        given = wanted if self.wavelength is None else np.asarray(wavelength_grid(self.wavelength))
        place = np.interp(wanted, given, np.arange(len(given)))
        before = np.clip(place.astype(np.int64), 0, max(len(given) - 2, 0))
        return before, place - before, len(given)

    @property
    def length(self) -> int:
        """Pixels of the result."""
        return len(self._pixels[0])

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra float32 [B, 3, length] of flux and ivar [B, 2 or more, L]."""
        before, share, pixels = self._pixels
        if x.ndim != 3 or x.shape[1] < 2 or x.shape[2] != pixels:
            raise InputError(f"SpectrumChannels takes [B, 2, {pixels}] of flux and ivar, found {tuple(x.shape)}.")
        both = x[:, :2].float().nan_to_num(0.0)
        if self.second == "sigma":
            both[:, 1] = both[:, 1].rsqrt().where(both[:, 1] > 0, 0.0)
        if not np.array_equal(before + share, np.arange(pixels)):
            low, weight = torch.as_tensor(before, device=x.device), torch.as_tensor(share, device=x.device).float()
            both = torch.lerp(both[..., low], both[..., low + 1], weight)
        flux, second = both[:, 0], both[:, 1]
        scale = median_absolute_deviation(flux, flux != 0)
        parts = [(flux - flux.mean(dim=1, keepdim=True)) / scale, second / scale, scale.log10().expand_as(flux)]
        return torch.stack(parts, dim=1)
