"""Small images cut out of large ones, on the pixels as they are or on a new grid.

A grid of size x size pixels is described by nine of its nodes: the positions, in the pixels of the large image, of its
first, middle and last row and column. Where these fall on whole pixels in steps of one, the pixels are taken as
they are; else they are interpolated.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cut", "lattice_nodes", "sky_nodes"]

ALIGNED = 0.01  # pixels; a lattice that is off by less is not worth an interpolation
LEAST_SHARE = 0.5  # of the weight of a new pixel that has to come from good pixels
Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]


def lattice_nodes(x: npt.ArrayLike, y: npt.ArrayLike, size: int) -> Array:
    """Nodes of cutouts on the pixels of the image itself, chosen as `astropy.nddata.Cutout2D` does.

    Args:
        x: Columns of the positions [n], from 0.
        y: Rows of the positions [n].
        size: Height and width in pixels.

    Returns:
        Pixel coordinates (x, y) of the nodes [n, 3, 3, 2]; a position is at most half a pixel off the middle.
    """
    steps = np.array([0, (size - 1) / 2, size - 1])
    first = np.ceil(np.stack([x, y], axis=-1).astype(np.float64) - size / 2)
    return np.asarray(first[:, None, None] + np.stack(np.meshgrid(steps, steps), axis=-1))


def sky_nodes(ra: npt.ArrayLike, dec: npt.ArrayLike, size: int, pixel_scale_arcsec: float) -> Array:
    """Nodes of cutouts on tangent planes: the position exactly in the middle, north up, east left.

    Args:
        ra: Right ascension of the positions [n] in degrees.
        dec: Declination [n] in degrees.
        size: Height and width in pixels.
        pixel_scale_arcsec: Size of a pixel.

    Returns:
        Right ascension and declination of the nodes [n, 3, 3, 2] in degrees.
    """
    step = np.radians(pixel_scale_arcsec / 3600) * (size - 1) / 2 * np.array([-1, 0, 1])
    west, north = np.meshgrid(step, step)
    ra0, dec0 = (np.radians(np.asarray(value, dtype=np.float64))[:, None, None] for value in (ra, dec))
    along = np.cos(dec0) - north * np.sin(dec0)
    right = ra0 + np.arctan2(-west, along)
    up = np.arctan2(np.sin(dec0) + north * np.cos(dec0), np.hypot(west, along))
    return np.stack([np.degrees(right) % 360, np.degrees(up)], axis=-1)


def cut(
    flux: npt.NDArray[Any], ivar: npt.NDArray[Any] | None, nodes: Array, size: int
) -> tuple[Image, Image, npt.NDArray[np.bool_]]:
    """Cuts one small image; flux per pixel follows the area of the pixel.

    On a new grid a pixel is the bilinear interpolation of the image, averaged over as many points within the new
    pixel as old pixels fit along its side, times the ratio of the areas: the flux of a source is kept. Bad pixels
    have no weight. The inverse variance is that of the weighted sum; the covariance of neighbours that an
    interpolation brings is not kept.

    Args:
        flux: Large image [rows, columns]; NaN is bad.
        ivar: Its inverse variance; 0 and NaN are bad. None where it is unknown.
        nodes: Of the grid, pixel coordinates (x, y) [3, 3, 2].
        size: Height and width of the small image.

    Returns:
        Flux, inverse variance and whether the pixel is good, each [size, size]; flux and ivar are 0 where it is not,
        and without `ivar` the inverse variance is 1 where it is.
    """
    if _is_aligned(nodes, size):
        f, inverse = _take(flux, nodes, size), None if ivar is None else _take(ivar, nodes, size)
        good = _good(f, inverse)
        v = good if inverse is None else inverse
    else:
        f, v, good = _interpolate(flux, ivar, nodes, size)
    zero = np.float32(0)
    return np.where(good, f, zero).astype(np.float32), np.where(good, v, zero).astype(np.float32), good


def _good(flux: Any, ivar: Any) -> npt.NDArray[np.bool_]:
    good = np.isfinite(flux)
    return np.asarray(good if ivar is None else good & np.isfinite(ivar) & (ivar > 0))


def _is_aligned(nodes: Array, size: int) -> bool:
    """Whether the grid is the pixels of the image, shifted by whole pixels."""
    first = np.round(nodes[0, 0])
    steps = np.array([0, (size - 1) / 2, size - 1])
    return bool((np.abs(nodes - first - np.stack(np.meshgrid(steps, steps), axis=-1)) < ALIGNED).all())


def _window(shape: tuple[int, ...], nodes: Array, margin: float) -> tuple[tuple[slice, slice], Array]:
    """The part of the image that the grid and a margin around it touch, and the nodes in its pixels."""
    low = np.clip(np.floor(nodes.min(axis=(0, 1)) - margin), 0, None)
    high = np.clip(np.ceil(nodes.max(axis=(0, 1)) + margin) + 1, low + 1, None)
    (x0, y0), (x1, y1) = low.astype(int), high.astype(int)
    x0, y0 = min(x0, shape[1] - 1), min(y0, shape[0] - 1)
    return (slice(y0, y1), slice(x0, x1)), nodes - (x0, y0)


def _take(plane: npt.NDArray[Any], nodes: Array, size: int) -> npt.NDArray[Any]:
    from astropy.nddata import Cutout2D

    window, nodes = _window(plane.shape, nodes, -ALIGNED)
    part = np.asarray(plane[window], dtype=np.float32)
    if part.shape == (size, size):
        return part
    middle = np.round(nodes[0, 0]) + (size - 1) / 2
    return np.asarray(Cutout2D(part, tuple(middle), size, mode="partial", fill_value=np.nan).data)


def _interpolate(
    flux: npt.NDArray[Any], ivar: npt.NDArray[Any] | None, nodes: Array, size: int
) -> tuple[Any, Any, Any]:
    across, down = (nodes[1, 2] - nodes[1, 0]) / (size - 1), (nodes[2, 1] - nodes[0, 1]) / (size - 1)
    area = abs(across[0] * down[1] - across[1] * down[0])
    fine = max(1, int(np.ceil(np.sqrt(area) - 0.1)))
    window, nodes = _window(flux.shape, nodes, fine / 2)
    flux, ivar = flux[window], None if ivar is None else ivar[window]
    weights, good = _weights(flux.shape, nodes.tobytes(), size, fine), _good(flux, ivar)
    share = weights @ good.ravel().astype(np.float64)
    keep = share >= LEAST_SHARE
    scale = np.divide(area, share, out=np.zeros_like(share), where=keep)
    new = scale * (weights @ np.where(good, flux, 0.0).ravel())
    inverse = np.ones_like(new)
    if ivar is not None:
        variance = np.divide(1.0, ivar, out=np.zeros(ivar.shape), where=good)
        variance = scale**2 * (weights.power(2) @ variance.ravel())
        inverse = np.divide(1.0, variance, out=np.zeros_like(variance), where=keep)
    return new.reshape(size, size), inverse.reshape(size, size), keep.reshape(size, size)


@lru_cache(8)
def _basis(size: int, fine: int) -> Array:
    """Weights of the first, middle and last node at the points of one axis [size * fine, 3]."""
    t = 2 * ((np.arange(size * fine) + 0.5) / fine - 0.5) / (size - 1) - 1  # -1, 0, 1 at the nodes
    return np.stack([t * (t - 1) / 2, 1 - t**2, t * (t + 1) / 2], axis=1)


@lru_cache(1)
def _weights(shape: tuple[int, ...], grid: bytes, size: int, fine: int) -> Any:
    """Bilinear weights [size^2, pixels of the window] of the window's pixels in each pixel of the grid.

    The last are kept: bands often share their pixels.
    """
    from scipy.sparse import csr_array

    nodes = np.frombuffer(grid).reshape(3, 3, 2)
    basis, (rows, columns) = _basis(size, fine), shape
    x, y = basis @ np.moveaxis(nodes, -1, 0) @ basis.T
    if fine > 1:  # the points of a pixel next to each other
        x, y = (axis.reshape(size, fine, size, fine).swapaxes(1, 2) for axis in (x, y))
    column, row = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    values, sources = np.empty((4, *x.shape)), np.empty((4, *x.shape), dtype=np.int32)
    for corner, (right, up) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        c, r = column + right, row + up
        inside = (c >= 0) & (c < columns) & (r >= 0) & (r < rows)
        values[corner] = np.abs(1 - right - (x - column)) * np.abs(1 - up - (y - row)) * inside / fine**2
        sources[corner] = np.where(inside, r * columns + c, 0)
    starts = np.arange(0, 4 * x.size + 1, 4 * fine**2, dtype=np.int32)
    parts = (np.moveaxis(part, 0, -1).ravel() for part in (values, sources))
    weights = csr_array((*parts, starts), shape=(size**2, rows * columns))
    if fine > 1:
        weights.sum_duplicates()
    return weights
