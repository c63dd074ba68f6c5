"""Which image shows which position, when images overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .image_files import Tile

__all__ = ["best_tiles"]


def best_tiles(
    tiles: Sequence[Tile], ra: npt.ArrayLike, dec: npt.ArrayLike, size_arcsec: float
) -> npt.NDArray[np.int32]:
    """The image that covers most of the cutout around each position; of equal ones that with the widest margin.

    Args:
        tiles: Images; between two that are equally good the first wins.
        ra: Right ascension of the positions [n] in degrees.
        dec: Declination [n] in degrees.
        size_arcsec: Side of the cutouts.

    Returns:
        Per position the number of the image that it falls on; -1 where there is none.
    """
    from scipy.spatial import cKDTree

    world = np.stack([ra, dec], axis=-1).astype(np.float64)
    best = np.full(len(world), -1, dtype=np.int32)
    share, margin = np.zeros(len(world)), np.zeros(len(world))
    tree = cKDTree(_unit_vectors(world))
    for number, tile in enumerate(tiles):
        centre, radius = _circle(tile)
        near = np.array(sorted(tree.query_ball_point(centre, radius)), dtype=int)
        if not len(near):
            continue
        new_share, new_margin = _cover(tile, world[near], size_arcsec)
        equal = np.abs(new_share - share[near]) < 1e-9
        better = (new_margin >= 0) & np.where(equal, new_margin > margin[near], new_share > share[near])
        better |= (new_margin >= 0) & (best[near] < 0)
        rows = near[better]
        best[rows], share[rows], margin[rows] = number, new_share[better], new_margin[better]
    return best


def _cover(
    tile: Tile, world: npt.NDArray[np.float64], size_arcsec: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Share of the cutout on the image, and distance of the position from its edge in arcsec (negative: outside)."""
    ends = np.array(tile.shape[::-1]) - 0.5
    pixels = np.nan_to_num(tile.wcs.all_world2pix(world, 0, quiet=True), nan=-1e9)
    half = size_arcsec / tile.pixel_scale_arcsec / 2
    overlap = np.minimum(pixels + half, ends) - np.maximum(pixels - half, -0.5)
    share = np.clip(overlap / (2 * half), 0, 1).prod(axis=1)
    return share, np.minimum(pixels + 0.5, ends - pixels).min(axis=1) * tile.pixel_scale_arcsec


def _circle(tile: Tile) -> tuple[npt.NDArray[np.float64], float]:
    """Centre on the unit sphere and radius (chord, with a margin) of a circle around the image."""
    rows, columns = tile.shape
    corners = np.array([[-0.5, -0.5], [columns, -0.5], [-0.5, rows], [columns, rows]])
    vectors = _unit_vectors(tile.wcs.all_pix2world(np.vstack([[columns / 2, rows / 2], corners]), 0))
    return vectors[0], float(1.01 * np.linalg.norm(vectors[1:] - vectors[0], axis=1).max())


def _unit_vectors(world: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ra, dec = np.radians(world.T)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
