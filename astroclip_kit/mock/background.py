"""What else is in a cutout: faint galaxies of all shapes, and stars of our Galaxy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .instruments import PIXEL_SCALE_ARCSEC

__all__ = ["draw_background"]

Array = npt.NDArray[np.float32]
GALAXIES, STARS = 2.0, 0.35  # mean number in a cutout of 17 arcsec
_MOST = 6  # of each


def _fluxes(
    magnitude: npt.NDArray[np.float64], colours: npt.NDArray[np.float64], number: float, rng: np.random.Generator
) -> Array:
    """Fluxes [B, N, 3] in nanomaggies of sources of which on average `number` of N exist."""
    flux = 10 ** (-0.4 * (magnitude[..., None] + colours - 22.5))
    return np.asarray(flux * (rng.random((*magnitude.shape, 1)) < number / _MOST), dtype=np.float32)


def _galaxies(count: int, size: int, area: float, rng: np.random.Generator) -> Array:
    """Inclined exponential profiles; the brighter the larger, r from 19."""
    magnitude = 19 + 5.5 * rng.random((count, _MOST)) ** 0.35  # counts rise with magnitude
    colour = rng.normal((0.7, 0.0, -0.45), (0.45, 0.02, 0.3), (count, _MOST, 3))
    flux = _fluxes(magnitude, colour, GALAXIES * area, rng)
    image, source = np.nonzero(flux[..., 1])  # only those that exist are drawn
    number = len(image)
    radius = 0.45 * 10 ** (-0.11 * (magnitude[image, source] - 22)) * np.exp(0.35 * rng.standard_normal(number))
    scale = np.clip(radius / PIXEL_SCALE_ARCSEC / 1.678, 0.7, None)[:, None, None].astype(np.float32)
    ratio, angle = rng.uniform(0.35, 1, number), rng.uniform(0, np.pi, number)
    pixels = np.arange(size, dtype=np.float32)
    x0, y0 = rng.uniform(-0.5, size - 0.5, (2, number)).astype(np.float32)
    x, y = (pixels - x0[:, None])[:, None, :], (pixels - y0[:, None])[:, :, None]
    cosine, sine = (turn(angle)[:, None, None].astype(np.float32) for turn in (np.cos, np.sin))
    minor = (cosine * y - sine * x) / ratio[:, None, None].astype(np.float32)
    profile = np.exp(-np.sqrt((cosine * x + sine * y) ** 2 + minor**2) / scale)
    profile /= (2 * np.pi * ratio[:, None, None] * scale**2).astype(np.float32)
    light = np.zeros((count, 3, size, size), dtype=np.float32)
    for k, (row, column) in enumerate(zip(image, source, strict=True)):
        light[row] += flux[row, column][:, None, None] * profile[k]
    return light


def _stars(count: int, size: int, area: float, rng: np.random.Generator) -> Array:
    """Points on the stellar locus, r from 16 to 24, spread over the nearest pixels."""
    magnitude = 16 + 8 * rng.random((count, _MOST)) ** 0.7
    type_ = rng.beta(1.2, 1.0, (count, _MOST))  # from turn-off stars to M dwarfs, which are the most
    locus = np.stack([0.35 + 1.15 * type_, np.zeros_like(type_), -(0.1 + 1.3 * type_**2)], axis=-1)
    flux = _fluxes(magnitude, locus, STARS * area, rng)
    image, source = np.nonzero(flux[..., 1])
    place = rng.uniform(0, size - 1.001, (2, len(image)))
    (row, column), (down, right) = place.astype(int), place % 1
    light = np.zeros((count, 3, size, size), dtype=np.float32)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = np.abs(1 - i - down) * np.abs(1 - j - right)
        for k, (band_flux, part) in enumerate(zip(flux[image, source], share, strict=True)):
            light[image[k], :, row[k] + i, column[k] + j] += band_flux * part
    return light


def draw_background(count: int, size: int, rng: np.random.Generator) -> Array:
    """Light [count, 3, size, size] in nanomaggies of neighbours, before the seeing."""
    area = (size * PIXEL_SCALE_ARCSEC / 17) ** 2
    return _galaxies(count, size, area, rng) + _stars(count, size, area, rng)
