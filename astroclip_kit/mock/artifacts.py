"""Artifacts of images, each labelled in the catalogue, so that a search for outliers can be tested to find them.

An artifact is a function of the exposure (seeing in pixels and noise of each band) that draws light
[bands, size, size] in nanomaggies and the pixels that it spoils; another one is another such function in `ARTIFACTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .colours import in_bands
from .instruments import MOFFAT_SCALE

__all__ = ["ARTIFACTS", "Artifact", "Defects", "draw_artifacts"]

Array = npt.NDArray[np.float32]
Defects = tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]
"""Added light, and the pixels that hold nothing but it: their inverse variance is 0. Both [bands, size, size]."""

FULL_WELL = 40.0  # nanomaggies per pixel


def _axes(size: int) -> tuple[Array, Array]:
    offset = np.arange(size, dtype=np.float32) - (size - 1) / 2
    return offset[:, None], offset[None, :]


def _moffat(radius: Array, fwhm: Array) -> Array:
    """Unit-flux Moffat profiles of beta 2.5 [bands, ...] at radii [...] for widths [bands], all in pixels."""
    scale = (fwhm * MOFFAT_SCALE)[:, None, None]
    return np.asarray(1.5 / (np.pi * scale**2) * (1 + (radius / scale) ** 2) ** -2.5)


def satellite_trail(size: int, fwhm: Array, sigma: Array, rng: np.random.Generator) -> Defects:
    """A straight trail through one band, 8 to 80 times the noise bright, that may flicker as the satellite tumbles."""
    y, x = _axes(size)
    angle, miss = rng.uniform(0, np.pi), rng.uniform(-0.35, 0.35) * size
    across = np.cos(angle) * x + np.sin(angle) * y - miss
    along = np.cos(angle) * y - np.sin(angle) * x
    band = rng.integers(len(sigma))
    width = fwhm[band] / 2.355 * rng.uniform(1.0, 1.8)
    flicker = 1 + rng.choice([0.0, 0.6]) * np.sin(2 * np.pi * (along / rng.uniform(8, 30) + rng.random()))
    light = np.zeros((len(sigma), size, size))
    light[band] = sigma[band] * 10 ** rng.uniform(0.9, 1.9) * np.exp(-0.5 * (across / width) ** 2) * flicker
    return light, np.zeros(light.shape, dtype=bool)


def saturated_star(size: int, fwhm: Array, sigma: Array, rng: np.random.Generator) -> Defects:
    """A star of r = 10 to 14 beside the galaxy: clipped core, charge bled along the column, spikes and a halo."""
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.6) * size
    y, x = _axes(size)
    y, x = y - distance * np.sin(angle), x - distance * np.cos(angle)
    radius = np.hypot(x, y)
    magnitude = rng.uniform(10, 14)
    colours = in_bands(np.array([[rng.normal(0.6, 0.3), 0.0, -0.3]]), len(sigma))[0]
    flux = 10 ** (-0.4 * (magnitude + colours - 22.5))
    spikes = sum(
        np.exp(-0.5 * (across / 0.8) ** 2) / (9 + along**2) for across, along in ((x + y, x - y), (x - y, x + y))
    )
    halo = 0.015 / (1 + (radius / 30) ** 6) / (np.pi * 30**2)
    light = flux[:, None, None] * (_moffat(radius, fwhm) + halo + 0.004 * spikes)
    full = light > FULL_WELL
    overflow = np.where(full, light - FULL_WELL, 0).sum(axis=1) / FULL_WELL  # pixels that each column's charge needs
    lost = full | ((overflow[:, None] > 0.5) & (np.abs(y) < full.sum(axis=1)[:, None] / 2 + overflow[:, None] / 2))
    return np.where(lost, FULL_WELL, np.minimum(light, FULL_WELL)), lost


def cosmic_ray(size: int, fwhm: Array, sigma: Array, rng: np.random.Generator) -> Defects:
    """A sharp, bright track of 4 to 25 pixels in one band, missed by the pipeline."""
    length, angle, band = rng.uniform(4, 25), rng.uniform(0, np.pi), rng.integers(len(sigma))
    steps = np.arange(0, length, 0.5) - length / 2
    centre = rng.uniform(0.2, 0.8, 2) * size
    light = np.zeros((len(sigma), size, size))
    row, column = (
        np.clip(centre[axis] + steps * turn, 0, size - 1).astype(int)
        for axis, turn in ((0, np.sin(angle)), (1, np.cos(angle)))
    )
    light[band, row, column] = sigma[band] * 10 ** rng.uniform(1.3, 2.3) * rng.uniform(0.5, 1.5, len(steps))
    return light, np.zeros(light.shape, dtype=bool)


def bad_columns(size: int, fwhm: Array, sigma: Array, rng: np.random.Generator) -> Defects:
    """One to three dead columns in one band: no light, and the inverse variance says so."""
    lost = np.zeros((len(sigma), size, size), dtype=bool)
    first = int(rng.uniform(0.2, 0.8) * size)
    lost[rng.integers(len(sigma)), :, first : first + rng.integers(1, 4)] = True
    return np.zeros(lost.shape), lost


Artifact = Callable[[int, Array, Array, np.random.Generator], Defects]
ARTIFACTS: dict[str, Artifact] = {
    "trail": satellite_trail,
    "saturated": saturated_star,
    "cosmic_ray": cosmic_ray,
    "bad_columns": bad_columns,
}


SHARES = {"trail": 0.35, "saturated": 0.35, "cosmic_ray": 0.15, "bad_columns": 0.15}


def draw_artifacts(
    count: int, fraction: float, rng: np.random.Generator, shares: Mapping[str, float] = SHARES
) -> npt.NDArray[np.str_]:
    """Kinds [count] of artifacts in their shares, "none" for a clean cutout: a `fraction` of all has one."""
    kinds = rng.choice(list(shares), count, p=list(shares.values()))
    return np.where(rng.random(count) < fraction, kinds, "none")
