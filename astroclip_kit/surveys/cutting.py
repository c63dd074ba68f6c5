"""Small images cut out of large ones, on the pixels as they are or on a new grid.

A grid of size x size pixels is described by nine of its nodes: the positions, in the pixels of the large image, of its
first, middle and last row and column. Where these fall on whole pixels in steps of one, the pixels are taken as
they are; else they are interpolated.
"""

from __future__ import annotations

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
    whole = _is_aligned(nodes, size)
    window, nodes = _window(flux.shape, nodes)
    f = np.asarray(flux[window], dtype=np.float64)
    v = np.ones_like(f) if ivar is None else np.asarray(ivar[window], dtype=np.float64)
    good = np.isfinite(f) & np.isfinite(v) & (v > 0)
    f, v = np.where(good, f, 0.0), np.where(good, v, 0.0)
    f, v, good = (_take if whole else _interpolate)(f, v, good, nodes, size)
    return f.astype(np.float32), v.astype(np.float32), good


def _is_aligned(nodes: Array, size: int) -> bool:
    """Whether the grid is the pixels of the image, shifted by whole pixels."""
    first = np.round(nodes[0, 0])
    steps = np.array([0, (size - 1) / 2, size - 1])
    return bool((np.abs(nodes - first - np.stack(np.meshgrid(steps, steps), axis=-1)) < ALIGNED).all())


def _window(shape: tuple[int, ...], nodes: Array) -> tuple[tuple[slice, slice], Array]:
    """The part of the image that the grid touches, and the nodes in its pixels."""
    low = np.clip(np.floor(nodes.min(axis=(0, 1))) - 1, 0, None)
    high = np.clip(np.ceil(nodes.max(axis=(0, 1))) + 2, low + 1, None)
    (x0, y0), (x1, y1) = low.astype(int), high.astype(int)
    x0, y0 = min(x0, shape[1] - 1), min(y0, shape[0] - 1)
    return (slice(y0, y1), slice(x0, x1)), nodes - (x0, y0)


def _take(f: Array, v: Array, good: Any, nodes: Array, size: int) -> tuple[Array, Array, Any]:
    from astropy.nddata import Cutout2D

    middle = tuple(np.round(nodes[0, 0]) + (size - 1) / 2)
    f, v, good = (
        Cutout2D(plane, middle, size, mode="partial", fill_value=0).data for plane in (f, v, good.astype(np.int8))
    )
    return f, v, good.astype(bool)


def _interpolate(f: Array, v: Array, good: Any, nodes: Array, size: int) -> tuple[Array, Array, Any]:
    across, down = (nodes[1, 2] - nodes[1, 0]) / (size - 1), (nodes[2, 1] - nodes[0, 1]) / (size - 1)
    area = abs(across[0] * down[1] - across[1] * down[0])
    weights = _weights(f.shape, nodes, size, max(1, int(np.ceil(np.sqrt(area) - 0.1))))
    share = weights @ good.ravel().astype(np.float64)
    keep = share >= LEAST_SHARE
    scale = np.divide(area, share, out=np.zeros_like(share), where=keep)
    variance = np.divide(1.0, v, out=np.zeros_like(v), where=v > 0)
    variance = scale**2 * (weights.power(2) @ variance.ravel())
    ivar = np.divide(1.0, variance, out=np.zeros_like(variance), where=keep & (variance > 0))
    flux = scale * (weights @ f.ravel())
    return flux.reshape(size, size), ivar.reshape(size, size), keep.reshape(size, size)


def _weights(shape: tuple[int, ...], nodes: Array, size: int, fine: int) -> Any:
    """Bilinear weights [size^2, pixels of the window] of the window's pixels in each pixel of the grid."""
    from scipy.sparse import csr_array

    t = 2 * ((np.arange(size * fine) + 0.5) / fine - 0.5) / (size - 1) - 1  # -1, 0, 1 at the nodes
    basis = np.stack([t * (t - 1) / 2, 1 - t**2, t * (t + 1) / 2], axis=1)
    x, y = np.einsum("ai,bj,ijc->cab", basis, basis, nodes)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    target = np.arange(size * fine) // fine
    target = np.broadcast_to(target[:, None] * size + target, x.shape)
    values, targets, sources = [], [], []
    for right, up in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = np.abs(1 - right - (x - column)) * np.abs(1 - up - (y - row)) / fine**2
        c, r = column + right, row + up
        inside = (c >= 0) & (c < shape[1]) & (r >= 0) & (r < shape[0])
        values.append(weight[inside])
        targets.append(target[inside])
        sources.append((r * shape[1] + c)[inside])
    where = (np.concatenate(targets), np.concatenate(sources))
    return csr_array((np.concatenate(values), where), shape=(size**2, shape[0] * shape[1]))
