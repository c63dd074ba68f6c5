"""What else is in a cutout: faint galaxies of all shapes, and stars of our Galaxy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .colours import in_bands
from .instruments import LEGACY_SURVEYS, Camera

__all__ = ["draw_background"]

Array = npt.NDArray[np.float32]
GALAXIES, STARS = 2.0, 0.35  # mean number in a cutout of 17 arcsec


def _places(count: int, mean: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The cutout, of `count`, that each source lies in."""
    return np.repeat(np.arange(count), rng.poisson(mean, count))


def _fluxes(magnitude: npt.NDArray[np.float64], grz: npt.NDArray[np.float64], bands: int) -> Array:
    """Fluxes [N, bands] in nanomaggies from r magnitudes [N] and the colours of g, r, z against r [N, 3]."""
    return np.asarray(10 ** (-0.4 * (magnitude[:, None] + in_bands(grz, bands) - 22.5)), dtype=np.float32)


def _galaxies(count: int, size: int, area: float, rng: np.random.Generator, camera: Camera) -> Array:
    """Inclined exponential profiles; the brighter the larger, r from 19."""
    image = _places(count, GALAXIES * area, rng)
    number = len(image)
    magnitude = 19 + 5.5 * rng.random(number) ** 0.35  # counts rise with magnitude
    flux = _fluxes(magnitude, rng.normal((0.7, 0.0, -0.45), (0.45, 0.02, 0.3), (number, 3)), len(camera.bands))
    radius = 0.45 * 10 ** (-0.11 * (magnitude - 22)) * np.exp(0.35 * rng.standard_normal(number))
    scale = np.clip(radius / camera.pixel_scale_arcsec / 1.678, 0.7, None)[:, None, None].astype(np.float32)
    ratio, angle = rng.uniform(0.35, 1, number), rng.uniform(0, np.pi, number)
    pixels = np.arange(size, dtype=np.float32)
    x0, y0 = rng.uniform(-0.5, size - 0.5, (2, number)).astype(np.float32)
    x, y = (pixels - x0[:, None])[:, None, :], (pixels - y0[:, None])[:, :, None]
    cosine, sine = (turn(angle)[:, None, None].astype(np.float32) for turn in (np.cos, np.sin))
    minor = (cosine * y - sine * x) / ratio[:, None, None].astype(np.float32)
    profile = np.exp(-np.sqrt((cosine * x + sine * y) ** 2 + minor**2) / scale)
    profile /= (2 * np.pi * ratio[:, None, None] * scale**2).astype(np.float32)
    light = np.zeros((count, len(camera.bands), size, size), dtype=np.float32)
    for k, row in enumerate(image):
        light[row] += flux[k][:, None, None] * profile[k]
    return light


def _stars(count: int, size: int, area: float, rng: np.random.Generator, camera: Camera) -> Array:
    """Points on the stellar locus, r from 16 to 24, spread over the nearest pixels."""
    image = _places(count, STARS * area, rng)
    number = len(image)
    magnitude = 16 + 8 * rng.random(number) ** 0.7
    type_ = rng.beta(1.2, 1.0, number)  # from turn-off stars to M dwarfs
    locus = np.stack([0.35 + 1.15 * type_, np.zeros(number), -(0.1 + 1.3 * type_**2)], axis=1)
    flux, place = _fluxes(magnitude, locus, len(camera.bands)), rng.uniform(0, size - 1.001, (2, number))
    (row, column), (down, right) = place.astype(int), place % 1
    light = np.zeros((count, len(camera.bands), size, size), dtype=np.float32)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = np.abs(1 - i - down) * np.abs(1 - j - right)
        for k, one in enumerate(image):
            light[one, :, row[k] + i, column[k] + j] += flux[k] * share[k]
    return light


def draw_background(count: int, size: int, rng: np.random.Generator, camera: Camera = LEGACY_SURVEYS) -> Array:
    """Light [count, bands, size, size] in nanomaggies of neighbours, before the seeing."""
    area = (size * camera.pixel_scale_arcsec / 17) ** 2
    return _galaxies(count, size, area, rng, camera) + _stars(count, size, area, rng, camera)
