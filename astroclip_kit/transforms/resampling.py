"""Spectra onto another wavelength grid, with flux conserved and inverse variance propagated (NumPy)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ..errors import InputError, UsageError

__all__ = ["COVERED", "GRIDS", "Grid", "overlap", "plain_grid", "reach", "resample", "wavelength_grid"]

Grid = str | Sequence[float] | npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]

GRIDS = {
    "sdss": 10 ** (3.578 + 1e-4 * np.arange(3921)),
    "boss": 10 ** (3.549 + 1e-4 * np.arange(4686)),
    "desi": np.linspace(3600.0, 9824.0, 7781),
    "lamost": 10 ** (3.5682 + 1e-4 * np.arange(3909)),
}
WINDOW = re.compile(r"(\w+) +(\d+\.?\d*) *- *(\d+\.?\d*)")  # "boss 4000-9000"
ALIGNED = 0.01  # pixels: closer than this, a grid is the same grid (float32 log wavelengths move it by 0.003)
GAP = 3.0  # a step this much longer than the one on the pixel's other side is a gap
COVERED = 0.5 - 1e-4  # share of an output pixel that good input pixels must cover: half, whatever the rounding


def plain_grid(grid: Grid) -> str | tuple[float, ...]:
    """A grid as plain values, by which a reader that keeps it can be described: its name, or floats."""
    return grid if isinstance(grid, str) else tuple(float(value) for value in grid)


def wavelength_grid(grid: Grid) -> npt.NDArray[np.float64]:
    """Wavelengths of a grid.

    Args:
        grid: "sdss" (3921 pixels, log-linear, 3784-9333 Angstrom), "boss" (4686, log-linear, 3540-10411), "lamost"
            (3909, log-linear, 3700-9099) or "desi" (7781, linear, 3600-9824); or the pixels of one of them within a
            range, "boss 4000-9000"; or (start, stop, step) with the stop included; or the wavelengths.

    Returns:
        Ascending wavelengths [L] in Angstrom.

    Raises:
        UsageError: If the name is unknown or the numbers do not ascend.

    Example:
        >>> wavelength_grid((4000, 4010, 5)), len(wavelength_grid("sdss 4000-9000"))
        (array([4000., 4005., 4010.]), 3522)
    """
    if isinstance(grid, str):
        return _named(grid)
    values: Floats = np.array(grid, dtype=np.float64)
    if values.shape == (3,) and 0 < values[2] < values[1] - values[0]:
        start, stop, step = values
        values = np.asarray(start + step * np.arange(int((stop - start) / step + 1e-6) + 1), dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not (np.isfinite(values).all() and (np.diff(values) > 0).all()):
        raise UsageError(f"grid {grid!r}: expected (start, stop, step) or at least two ascending wavelengths.")
    return values


def _named(grid: str) -> Floats:
    """The pixels of a known grid, or those of it within a range."""
    window = WINDOW.fullmatch(grid.strip())
    name, low, high = window.groups() if window else (grid, 0, np.inf)
    if name not in GRIDS:
        raise UsageError(
            f"grid {grid!r} is unknown: take {', '.join(GRIDS)}, a part of one such as 'boss 4000-9000', (start, stop, "
            f"step) or wavelengths."
        )
    values = np.array(GRIDS[name], dtype=np.float64)
    within = values[(values >= float(low)) & (values <= float(high))]
    if len(within) < 2:
        raise UsageError(f"grid {grid!r}: {name} goes from {values[0]:.0f} to {values[-1]:.0f} Angstrom.")
    return within


def resample(
    flux: npt.ArrayLike, ivar: npt.ArrayLike, wavelength: npt.ArrayLike, grid: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Averages flux densities over the pixels of another grid, weighted by overlap.

    A spectrum that is already on pixels of the grid is copied. Otherwise each output pixel is the mean of the good
    input pixels that overlap it, so that the integral over wavelength is conserved, and its variance that of the
    mean (as in Carnall 2017, arXiv:1705.05165; the covariance between neighbours is not followed). An output pixel
    of which good pixels cover less than half has inverse variance 0 and an interpolated flux.

    Args:
        flux: Flux densities [L] or [N, L]; NaN is a bad pixel.
        ivar: Inverse variances, same shape; 0, NaN or negative is a bad pixel.
        wavelength: Strictly ascending wavelengths [L].
        grid: Strictly ascending wavelengths [M] of the output, same unit.

    Returns:
        Flux and inverse variance, [M] or [N, M], float64: never NaN. A spectrum without a good pixel is 0.

    Raises:
        InputError: If the shapes differ or the wavelengths do not ascend.

    Example:
        >>> flux, ivar = resample([1.0, 3.0, 5.0, 7.0], np.ones(4), [1.0, 2.0, 3.0, 4.0], [1.5, 3.5])
        >>> flux.tolist(), ivar.tolist()
        ([2.0, 6.0], [2.0, 2.0])
    """
    flux, ivar, wavelength, grid = (np.asarray(values, dtype=np.float64) for values in (flux, ivar, wavelength, grid))
    if flux.shape != ivar.shape or flux.ndim not in (1, 2) or flux.shape[-1:] != wavelength.shape:
        raise InputError(f"flux {flux.shape}, ivar {ivar.shape} and wavelength {wavelength.shape} differ in length.")
    if len(wavelength) < 2 or len(grid) < 2 or not (np.all(np.diff(wavelength) > 0) and np.all(np.diff(grid) > 0)):
        raise InputError("wavelengths must be at least two and strictly ascending: sort them and drop repeats.")
    good = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
    rows, good = np.where(good, flux, 0.0).reshape(-1, len(wavelength)), good.reshape(-1, len(wavelength))
    precision = np.where(good, ivar, 0.0)
    edges = _edges(grid)
    target = _aligned(wavelength, grid, edges)
    if target is not None:
        first, last = np.flatnonzero((target >= 0) & (target < len(grid)))[[0, -1]]
        here, there = slice(first, last + 1), slice(target[first], target[last] + 1)
        new_flux, new_ivar = np.zeros((2, len(rows), len(grid)))
        new_flux[:, there], new_ivar[:, there] = rows[:, here], precision[:, here]
    else:
        new_flux, new_ivar = _average(rows, precision, good, _shares(wavelength, edges))
    _fill(new_flux, new_ivar, grid)
    return new_flux.reshape(*flux.shape[:-1], -1), new_ivar.reshape(*flux.shape[:-1], -1)


def overlap(wavelength: Floats, grid: Floats) -> Any:
    """How much of each pixel of a grid the pixels of another cover.

    Args:
        wavelength: Strictly ascending wavelengths [L] of the input pixels.
        grid: Strictly ascending wavelengths [M] of the output pixels, same unit.

    Returns:
        Shares of the output pixels' widths, a SciPy CSR matrix [M, L]; ones where the grids have the same pixels.

    Example:
        >>> overlap(np.arange(4.0), np.array([0.5, 2.5])).toarray()
        array([[0.5, 0.5, 0. , 0. ],
               [0. , 0. , 0.5, 0.5]])
    """
    edges = _edges(grid)
    target = _aligned(wavelength, grid, edges)
    if target is None:
        return _shares(wavelength, edges)
    source = np.flatnonzero((target >= 0) & (target < len(grid)))
    return sparse.csr_matrix((np.ones(len(source)), (target[source], source)), shape=(len(grid), len(wavelength)))


def _edges(grid: Floats) -> Floats:
    middle = (grid[1:] + grid[:-1]) / 2
    return np.concatenate([[2 * grid[0] - middle[0]], middle, [2 * grid[-1] - middle[-1]]])


def reach(ivar: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of the pixels from the first to the last good one, gaps between them included.

    Args:
        ivar: Inverse variances [..., L].

    Returns:
        Shares [...]; 0 where no pixel is good.

    Example:
        >>> reach([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]).tolist()
        [0.75, 0.0]
    """
    good = np.asarray(ivar) > 0
    ends = good.argmax(axis=-1) + good[..., ::-1].argmax(axis=-1)
    return np.where(good.any(axis=-1), 1 - ends / good.shape[-1], 0.0)


def _aligned(wavelength: Floats, grid: Floats, edges: Floats) -> npt.NDArray[np.int64] | None:
    """The output pixel of every input pixel (-1 or M outside), if they are the same pixels; else None."""
    target = np.searchsorted(edges, wavelength).astype(np.int64) - 1
    inside = (target >= 0) & (target < len(grid))
    at = target[inside]
    if len(at) < 2 or (np.diff(at) != 1).any():
        return None
    off = np.abs(wavelength[inside] - grid[at]) / np.diff(edges)[at]
    return target if off.max() < ALIGNED else None


def _shares(wavelength: Floats, edges: Floats) -> Any:
    step = np.diff(wavelength)
    before, after = np.concatenate([step[:1], step]), np.concatenate([step, step[-1:]])
    low = wavelength - np.minimum(before, GAP * after) / 2
    high = wavelength + np.minimum(after, GAP * before) / 2
    first = np.searchsorted(edges, low, side="right") - 1
    count = np.searchsorted(edges, high, side="left") - first
    source = np.repeat(np.arange(len(wavelength)), count)
    target = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[source]
    inside = (target >= 0) & (target < len(edges) - 1)
    source, target = source[inside], target[inside]
    length = np.minimum(high[source], edges[target + 1]) - np.maximum(low[source], edges[target])
    share = length / np.diff(edges)[target]
    return sparse.csr_matrix((share, (target, source)), shape=(len(edges) - 1, len(wavelength)))


def _average(flux: Floats, ivar: Floats, good: npt.NDArray[np.bool_], shares: Any) -> tuple[Floats, Floats]:
    covered = (shares @ good.T.astype(np.float64)).T
    variance = np.divide(1.0, ivar, out=np.zeros_like(ivar), where=good)
    usable = covered >= COVERED
    total = np.where(usable, covered, 1.0)
    new_flux = np.where(usable, (shares @ flux.T).T / total, 0.0)
    new_variance = (shares.multiply(shares) @ variance.T).T / total**2
    return new_flux, np.divide(1.0, new_variance, out=np.zeros_like(new_flux), where=usable & (new_variance > 0))


def _fill(flux: Floats, ivar: Floats, grid: Floats) -> None:
    for row, good in zip(flux, ivar > 0, strict=True):
        if good.any() and not good.all():
            row[~good] = np.interp(grid[~good], grid[good], row[good])
