"""When ASAS-SN looks at a star in V, and how well it measures it.

From 2013 to 2018 every second or third clear night of the season in which the field is up, in up to three exposures of
90 s (Kochanek et al. 2017; Jayasinghe et al. 2018). A pixel of the cameras is 8 arcsec and their point spread function
15, so that the light of neighbours adds up. Stars brighter than 10.5 saturate; at 17 the sky drowns them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["FAINTEST", "FIRST_NIGHT", "SPAN_DAYS", "Epochs", "Measured", "draw_epochs", "measure", "visual_error"]

Array = npt.NDArray[np.float64]

FIRST_NIGHT = 2456300.0  # HJD: January 2013
SPAN_DAYS = 2130.0
FAINTEST = 17.3  # V below which nothing is detected
SATURATED = 10.8
_OUTLIERS = 0.006


class Epochs(NamedTuple):
    """Points of all light curves of a chunk, one after another: the star [M] and days [M] since the first night."""

    owner: npt.NDArray[np.int64]
    time: Array


class Measured(NamedTuple):
    """The same points as measured: star [M], HJD [M], V (mag) [M] and its stated error [M]; time ascends per star."""

    owner: npt.NDArray[np.int64]
    time: Array
    magnitude: Array
    error: Array


def draw_epochs(ra: Array, dec: Array, rng: np.random.Generator) -> Epochs:
    """Draws the nights and hours of stars at positions [B] in degrees."""
    nights = np.arange(SPAN_DAYS)
    midnight = (280.5 + (nights + FIRST_NIGHT - 2456293.5) * 360 / 365.25 + 180) % 360  # right ascension due south
    away = np.abs((midnight - ra[:, None] + 180) % 360 - 180)
    season = 118 + 0.35 * np.clip(dec, -20, 70) + 6 * rng.standard_normal(len(ra))
    clear = rng.random(len(nights)) < 0.7  # of a site, the same for all stars of a chunk
    started = nights > rng.uniform(0, 500, (len(ra), 1))
    rate = 10 ** rng.uniform(-0.95, -0.38, (len(ra), 1)) * np.where(nights < 700, 0.6, 1.0)
    seen = (away < season[:, None]) & started & clear & (rng.random(away.shape) < rate)
    owner, night = np.nonzero(seen)
    dithers = rng.choice(3, len(owner), p=(0.62, 0.22, 0.16)) + 1
    hour = 0.5 + (midnight[night] - ra[owner] + 180) % 360 / 360 * 0.1  # within hours of midnight
    start = night + hour + rng.uniform(-0.12, 0.12, len(owner))
    within = np.arange(dithers.sum()) - np.repeat(np.cumsum(dithers) - dithers, dithers)
    time = np.repeat(start, dithers) + within * rng.uniform(0.0013, 0.0021, len(within))
    return Epochs(np.repeat(owner, dithers), time)


def visual_error(magnitude: Array) -> Array:
    """Standard deviation [M] of a measurement of V [M]: flat fields, photons and sky, and what saturates."""
    faint = 0.085 * 10 ** (0.4 * (magnitude - 16))  # of the sky
    photons = 0.027 * 10 ** (0.2 * (magnitude - 14))
    saturated = 0.06 * 10 ** (0.4 * np.minimum(SATURATED - magnitude, 2)) * (magnitude < SATURATED)
    return np.asarray(np.sqrt(0.012**2 + faint**2 + photons**2 + saturated**2))


def measure(epochs: Epochs, magnitude: Array, count: int, rng: np.random.Generator) -> Measured:
    """What is measured of true magnitudes V.

    Errors are those of `visual_error` and wander by star and camera, stated ones are smaller by up to 40 per cent, a
    few points are off by more, and none is fainter than `FAINTEST`.

    Args:
        epochs: The points.
        magnitude: V [M], with the light of neighbours.
        count: Number of stars B.
        rng: Source of all randomness.
    """
    quality = 10 ** (0.08 * rng.standard_normal(count))
    stated = rng.uniform(0.6, 1.0, count)
    cameras = 0.012 * rng.standard_normal((count, 3))
    swap = np.floor(epochs.time / 700).astype(int) % 3
    sigma = visual_error(magnitude) * quality[epochs.owner] * 10 ** (0.06 * rng.standard_normal(len(magnitude)))
    noise = rng.standard_normal((2, len(magnitude)))
    flux = 10 ** (-0.4 * (magnitude + cameras[epochs.owner, swap])) * (1 + sigma / 1.0857 * noise[0])
    outlier = rng.random(len(magnitude)) < _OUTLIERS
    flux *= np.where(outlier, 10 ** (-0.4 * (0.35 * np.abs(noise[1]) - 0.1)), 1)
    seen = flux > 10 ** (-0.4 * FAINTEST)
    first = np.searchsorted(epochs.owner, np.arange(count))
    seen |= np.arange(len(flux)) - first[epochs.owner] < 2  # a light curve has two points at least
    value = -2.5 * np.log10(np.maximum(flux, 10 ** (-0.4 * (FAINTEST + 0.5))))
    error = np.maximum(sigma * stated[epochs.owner], 0.005)
    return Measured(epochs.owner[seen], FIRST_NIGHT + epochs.time[seen], value[seen], error[seen])
