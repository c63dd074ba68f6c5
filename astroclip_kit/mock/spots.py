"""Light curves of stars that rotate with spots (ROT): all but sines, which change as spots come, go and drift.

Three dark spots, each seen as its foreshortened area (Budding 1977), of lifetimes of months and in latitudes that
rotate at rates of their own (Basri & Shah 2020).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .catalogue import Rows

__all__ = ["draw_spots", "spot_light"]

Array = npt.NDArray[np.float64]

SPOTS = 3


def draw_spots(count: int, rng: np.random.Generator) -> Rows:
    """Draws spots.

    Args:
        count: Number of stars.
        rng: Source of all randomness.

    Returns:
        size (over the amplitude), latitude (radians), longitude (in turns), shear (share by which it is slower),
        cycle (days within which it comes and goes) and age (in cycles) [B, SPOTS], and sin_inclination [B].
    """
    shape = (count, SPOTS)
    size = rng.uniform(0.15, 0.7, shape)
    size[:, 0] = rng.uniform(0.8, 1.2, count)
    return {
        "size": size,
        "latitude": np.radians(rng.uniform(-20, 60, shape)),
        "longitude": rng.random(shape),
        "shear": 0.004 * rng.standard_normal(shape) * rng.random((count, 1)),
        "cycle": 10 ** rng.uniform(2.5, 3.5, shape),
        "age": rng.random(shape),
        "sin_inclination": np.sqrt(1 - (0.85 * rng.random(count)) ** 2),
    }


def spot_light(stars: Rows, spots: Rows, time: Array) -> Array:
    """Magnitudes [M] above those of the star without spots.

    Args:
        stars: period (days) and amplitude (mag), a value per point [M].
        spots: See `draw_spots`, a value per point.
        time: Of the points [M] in days.
    """
    sine = spots["sin_inclination"]
    cosine = np.sqrt(1 - sine**2)
    lost = np.zeros(len(time))
    for k in range(SPOTS):
        turn = time / stars["period"] / (1 + spots["shear"][:, k]) + spots["longitude"][:, k]
        latitude = spots["latitude"][:, k]
        facing = np.sin(latitude) * cosine + np.cos(latitude) * sine * np.cos(2 * np.pi * turn)
        grown = 0.65 + 0.35 * np.cos(2 * np.pi * (time / spots["cycle"][:, k] + spots["age"][:, k]))
        lost += spots["size"][:, k] * grown * np.maximum(facing, 0)
    return np.asarray(-2.5 * np.log10(np.maximum(1 - 0.92 * stars["amplitude"] * lost, 0.05)))
