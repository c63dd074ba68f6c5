"""What else is in an infrared cutout: stars and galaxies that the wide beam of WISE hardly tells apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .mid_infrared import AB_OFFSETS, WISE

__all__ = ["draw_neighbours"]

Array = npt.NDArray[np.float32]
DENSITY, SLOPE = 1.1e4, 0.30  # sources per square degree brighter than W1 = 17, and their logarithmic slope
BRIGHTEST, FAINTEST = 9.0, 19.5  # W1, Vega
GALAXIES = 0.65  # their share


def draw_neighbours(count: int, size: int, rng: np.random.Generator, known: float) -> tuple[Array, Array]:
    """Light of unrelated sources, before the beam, as at high galactic latitude (Jarrett et al. 2011, Figure 8).

    Args:
        count: Number of cutouts B.
        size: Their pixels along a side.
        rng: Source of all randomness.
        known: W1 down to which sources are in the survey's catalogue.

    Returns:
        Light [B, bands, size, size] in nanomaggies (AB) of the sources in the catalogue, and of those beyond it.
    """
    area = (size * WISE.pixel_scale_arcsec / 3600) ** 2
    image = np.repeat(np.arange(count), rng.poisson(DENSITY * 10 ** (SLOPE * (FAINTEST - 17)) * area, count))
    number = len(image)
    rank = rng.uniform(10 ** (-SLOPE * (FAINTEST - BRIGHTEST)), 1, number)
    galaxy = rng.random(number) < GALAXIES
    scatter = rng.standard_normal((3, number))
    colours = np.stack(
        [
            np.where(galaxy, 0.3 + 0.25 * scatter[0], 0.0 + 0.08 * scatter[0]),
            np.where(galaxy, 2.8 + 0.9 * scatter[1], 0.1 + 0.15 * scatter[1]),
            np.where(galaxy, 2.2 + 0.5 * scatter[2], 0.1 + 0.1 * scatter[2]),
        ]
    )
    w1 = FAINTEST + np.log10(rank) / SLOPE
    magnitude = np.stack([w1, *(w1 - np.cumsum(colours, axis=0))], axis=1) + AB_OFFSETS
    flux = (10 ** (-0.4 * (magnitude - 22.5))).astype(np.float32)
    place = rng.uniform(0, size - 1.001, (2, number))
    seen = w1 < known
    return (
        _points(flux[seen], image[seen], place[:, seen], (count, size)),
        _points(flux[~seen], image[~seen], place[:, ~seen], (count, size)),
    )


def _points(flux: Array, image: npt.NDArray[np.int64], place: npt.NDArray[np.float64], shape: tuple[int, int]) -> Array:
    """Light [B, bands, size, size] of points of fluxes [N, bands] in B images, spread over the nearest four pixels."""
    count, size = shape
    bands = flux.shape[1]
    (row, column), (down, right) = place.astype(int), place % 1
    light = np.zeros(count * bands * size**2)
    plane = image[:, None] * bands + np.arange(bands)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = np.abs(1 - i - down) * np.abs(1 - j - right)
        pixel = plane * size**2 + ((row + i) * size + column + j)[:, None]
        light += np.bincount(pixel.ravel(), (flux * share[:, None]).ravel(), len(light))
    return light.reshape(count, bands, size, size).astype(np.float32)
