"""Spectra [B, C, L] onto another wavelength grid, as a batch and on its device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from ..errors import InputError, UsageError
from .gaps import interpolate_gaps
from .resampling import COVERED, GRIDS, Grid, overlap, plain_grid, wavelength_grid

__all__ = ["Resample", "is_on", "named_grid"]

PlainGrid = str | tuple[float, ...]
MOST_MISSING = 0.5  # share of the pixels of a grid that a source may leave empty
SAME = 1e-6  # relative: wavelengths that went through a file agree to this


def named_grid(grid: Grid) -> PlainGrid:
    """The grid as plain values, and by its name if it is one of the known ones.

    Example:
        >>> named_grid(wavelength_grid("sdss")), named_grid((4000, 5000, 2))
        ('sdss', (4000.0, 5000.0, 2.0))
    """
    plain = plain_grid(grid)
    same = (name for name, wavelength in GRIDS.items() if not isinstance(grid, str) and _same(plain, wavelength))
    return next(same, plain)


def is_on(grid: Grid, wavelength: Sequence[float]) -> bool:
    """Whether these wavelengths [L] are those of a grid.

    Example:
        >>> is_on((4000, 4004, 2), [4000.0, 4002.0, 4004.0])
        True
    """
    return _same(wavelength_grid(grid), wavelength)


def _same(one: npt.ArrayLike, other: npt.ArrayLike) -> bool:
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=SAME, atol=0)


@dataclass(frozen=True)
class Resample:
    """Averages spectra over the pixels of another grid, as `resample` does: flux conserved, inverse variance along.

    Grids may be given by name ("sdss", "boss", "desi", "lamost"), as (start, stop, step), or as wavelengths in
    Angstrom, such as `Modality.grid`. An output pixel of which good pixels cover less than half, and one that the
    source does not reach, has ivar 0 and a flux that goes on from its neighbours; without an ivar channel only the
    latter shows. A spectrum without a good pixel becomes 0.

    Args:
        source: Grid of the spectra.
        grid: Grid to put them on.

    Raises:
        UsageError: If a grid is none, or the source covers less than half of the other.

    Example:
        >>> Resample("desi", "sdss")(torch.ones(2, 2, 7781)).shape
        torch.Size([2, 2, 3921])
    """

    source: Grid
    grid: Grid

    def __post_init__(self) -> None:
        """Keeps the grids as plain values and refuses two that hardly meet."""
        for name in ("source", "grid"):
            object.__setattr__(self, name, named_grid(getattr(self, name)))
        source, grid = wavelength_grid(self.source), wavelength_grid(self.grid)
        covered = float((overlap(source, grid).sum(axis=1) >= COVERED).mean())
        if 1 - covered > MOST_MISSING:
            raise UsageError(
                f"spectra of {source[0]:.0f} to {source[-1]:.0f} Angstrom cover {covered:.0%} of the grid from "
                f"{grid[0]:.0f} to {grid[-1]:.0f}; at least half is needed. Use an encoder for another grid."
            )

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, M] of spectra [B, C, L]; never NaN in flux and ivar."""
        band = _band(self.source, self.grid, x.device, x.dtype)  # type: ignore[arg-type]
        if x.shape[-1] != band.length:
            raise InputError(f"spectra have {x.shape[-1]} pixels, expected the {band.length} of the grid they are on.")
        flux, ivar = band.average(*_good(x))
        flux = interpolate_gaps(flux, ivar > 0, band.wavelength)
        channels = torch.stack([flux, ivar][: x.shape[1]], dim=1)
        return torch.cat([channels, x[:, 2:, :1].expand(-1, -1, flux.shape[1])], dim=1)


def _good(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Flux and ivar [B, L], both 0 where a pixel is bad."""
    flux = x[:, 0]
    ivar = x[:, 1] if x.shape[1] > 1 else torch.ones_like(flux)
    good = flux.isfinite() & ivar.isfinite() & (ivar > 0)
    return flux.where(good, 0.0), ivar.where(good, 0.0)


@dataclass(frozen=True)
class _Band:
    """Which input pixels [K, M] overlap each output pixel, and with what share of its width; K is a few."""

    length: int
    same: slice | None  # the input pixels, where those of the output are among them
    pixel: torch.Tensor
    share: torch.Tensor
    wavelength: torch.Tensor

    def _sum(self, values: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        """[B, M] of [B, L]: the product with the banded matrix, one diagonal after the other."""
        columns = values.T.contiguous()  # [L, B]: a row of it is read at once
        total = columns.index_select(0, self.pixel[0]) * share[0, :, None]
        for pixel, part in zip(self.pixel[1:], share[1:], strict=True):
            total.addcmul_(columns.index_select(0, pixel), part[:, None])
        return total.T

    def average(self, flux: torch.Tensor, ivar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Means and their inverse variances [B, M]; both 0 where too little is covered."""
        if self.same is not None:
            return flux[:, self.same], ivar[:, self.same]
        good = ivar > 0
        unit = ivar.amax(dim=1, keepdim=True).clamp(min=torch.finfo(ivar.dtype).tiny)  # ivars may be 1e34
        variance = (unit / ivar).where(good, 0.0)
        covered = self._sum(good.to(flux.dtype), self.share)
        usable = covered >= COVERED
        covered = covered.where(usable, 1.0)
        spread = self._sum(variance, self.share.square()).where(usable, torch.inf)
        return (self._sum(flux, self.share) / covered).where(usable, 0.0), unit * (covered.square() / spread)


@lru_cache(maxsize=16)
def _band(source: PlainGrid, grid: PlainGrid, device: torch.device, dtype: torch.dtype) -> _Band:
    wavelength = wavelength_grid(grid)
    matrix = overlap(wavelength_grid(source), wavelength)
    count = np.diff(matrix.indptr)
    place = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], count)
    row = np.repeat(np.arange(len(wavelength)), count)
    pixel, share = np.zeros((2, max(1, count.max()), len(wavelength)))
    pixel[place, row], share[place, row] = matrix.indices, matrix.data
    on_device = (torch.from_numpy(one).to(device=device, dtype=dtype) for one in (share, wavelength))
    first = int(matrix.indices[0])
    copied = np.array_equal(matrix.indices, first + np.arange(len(wavelength))) and (matrix.data == 1).all()
    same = slice(first, first + len(wavelength)) if copied else None
    return _Band(matrix.shape[1], same, torch.from_numpy(pixel.astype(np.int64)).to(device), *on_device)
