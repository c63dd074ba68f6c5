"""Where in our Galaxy mock stars are that a survey from the northern hemisphere sees, and the dust in front of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .catalogue import Rows

__all__ = ["draw_places"]

Array = npt.NDArray[np.float64]

SOUTHERNMOST, NORTHERNMOST = -10.0, 60.0  # declination of LAMOST's fields
_HEIGHT_PC = {"thin": 230.0, "thick": 750.0, "halo": 4000.0}
_DUST_HEIGHT_PC, _DUST_PER_PC, _MOST_DUST = 125.0, 6e-4, 3.0  # A_V in mag
_POLE = np.array([  # galactic to equatorial coordinates of J2000 (Liu, Zhu & Zhang 2011, table 1, transposed)
    (-0.0548755604, 0.4941094279, -0.8676661490),
    (-0.8734370902, -0.4448296300, -0.1980763734),
    (-0.4838350155, 0.7469822445, 0.4559837762),
])  # fmt: skip
_TRIES = 48


def _equatorial(longitude: Array, latitude: Array) -> tuple[Array, Array]:
    """Right ascension and declination in degrees of galactic coordinates in radians."""
    flat = np.cos(latitude)
    towards = np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)])
    x, y, z = np.tensordot(_POLE, towards, 1)
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z))


def draw_places(stars: Rows, rng: np.random.Generator) -> Rows:
    """Draws positions that fit the distances and populations of stars.

    Args:
        stars: population, mv and v_mag (mean V, behind the dust) [B].
        rng: Source of all randomness.

    Returns:
        Arrays [B]: ra, dec, l, b (degrees), distance (pc) and extinction (A_V, mag).
    """
    count = len(stars["mv"])
    height = np.array([_HEIGHT_PC[name] for name in stars["population"]]) * rng.exponential(size=count)
    bare = 10 ** (0.2 * (stars["v_mag"] - stars["mv"]) + 1)
    sine = height / np.hypot(height, 0.6 * bare)
    longitude = 2 * np.pi * rng.random((_TRIES, count))
    side = np.where(rng.random((_TRIES, count)) < 0.5, -1, 1)
    latitude = side * np.arcsin(sine)
    ra, dec = _equatorial(longitude, latitude)
    first = ((dec > SOUTHERNMOST) & (dec < NORTHERNMOST)).argmax(axis=0), np.arange(count)
    distance = bare
    for _ in range(6):
        path = -np.expm1(-distance * sine / _DUST_HEIGHT_PC) * _DUST_HEIGHT_PC / np.maximum(sine, 1e-3)
        extinction = np.minimum(_DUST_PER_PC * path, _MOST_DUST)
        distance = 10 ** (0.2 * (stars["v_mag"] - stars["mv"] - extinction) + 1)
    return {
        "ra": ra[first],
        "dec": dec[first],
        "l": np.degrees(longitude[first]),
        "b": np.degrees(latitude[first]),
        "distance": distance,
        "extinction": extinction,
    }
