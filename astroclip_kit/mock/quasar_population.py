"""The latent properties of mock quasars: redshifts and luminosities of the luminosity function, and their diversity."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .quasars import LINES, NARROW, Quasars

__all__ = ["FARTHEST", "NEAREST", "draw_quasars", "luminosity_function"]

Array = npt.NDArray[np.float64]

NEAREST, FARTHEST = 0.1, 5.0  # nearer ones show their galaxies, so that they are no points
_Z = np.linspace(NEAREST, FARTHEST, 491)
_MAGNITUDE_STEP = 0.05
WINDS = 0.12  # share with broad absorption lines (Trump et al. 2006)


def luminosity_function(z: Array, magnitude: Array) -> Array:
    """Quasars per Mpc3 and magnitude, at redshifts and absolute magnitudes M_i(z=2) that broadcast.

    Double power law of Ross et al. (2013, table 8): of pure luminosity evolution to z = 2.2, of luminosity and density
    evolution beyond.
    """
    near = z < 2.2
    far = np.maximum(z - 2.2, 0)
    characteristic = np.where(near, -22.85 - 2.5 * (1.241 * z - 0.249 * z**2), -26.57 - 0.809 * far)
    density = np.where(near, -5.96, -5.93 - 0.689 * far)
    faint, bright = np.where(near, -1.16, -1.29), np.where(near, -3.37, -3.51)
    x = 0.4 * (magnitude - characteristic)
    return np.asarray(10**density / (10 ** ((faint + 1) * x) + 10 ** ((bright + 1) * x)))


@lru_cache(maxsize=4)
def _counts(bright: float, faint: float) -> tuple[Array, Array, Array]:
    """Apparent magnitudes [M], distance modulus with K correction [Z], and cumulative counts [Z * M]."""
    from astropy.cosmology import FlatLambdaCDM

    cosmology = FlatLambdaCDM(H0=70, Om0=0.3)
    volume = cosmology.differential_comoving_volume(_Z).value
    modulus = cosmology.distmod(_Z).value - 1.25 * np.log10((1 + _Z) / 3)  # slope -0.5, and none at z = 2
    steps = max(2, round((faint - bright) / _MAGNITUDE_STEP))
    magnitude = np.linspace(bright, faint, steps, endpoint=False) + (faint - bright) / steps / 2
    number = luminosity_function(_Z[:, None], magnitude - modulus[:, None]) * volume[:, None]
    cumulative = np.cumsum(number)
    return magnitude, modulus, cumulative / cumulative[-1]


def draw_quasars(count: int, rng: np.random.Generator, bright: float, faint: float) -> Quasars:
    """Draws latent properties of quasars.

    Args:
        count: Number of quasars.
        rng: Source of all randomness.
        bright: Apparent magnitude in i of the brightest, before the dust of our Galaxy.
        faint: That of the faintest.

    Returns:
        Arrays [count]: z, mag_i, mag_absolute (M_i at z = 2), slope (of the continuum in wavelength), ebv (of the dust
        of its galaxy, mag), breadth (of the broad lines over those of the composite), iron and balmer (strengths over
        those of the composite), host (light of the galaxy at 5100 A over that of the nucleus: half of what Shen
        et al. 2011 found, as points show little), wind (km/s, 0 of quasars without broad absorption lines) and
        strengths [count, lines] (of the lines over those of the composite; narrow lines are weak where iron is strong,
        Boroson & Green 1992).
    """
    magnitude, modulus, cumulative = _counts(bright, faint)
    place = np.searchsorted(cumulative, rng.random(count))
    row, column = np.divmod(np.minimum(place, len(cumulative) - 1), len(magnitude))
    jitter = rng.uniform(-0.5, 0.5, (2, count))
    apparent = magnitude[column] + jitter[0] * (faint - bright) / len(magnitude)
    common, breadth, iron, balmer, tilt = rng.standard_normal((5, count))
    brightness = np.clip(-0.4 * (magnitude[column] - modulus[row] + 22.4175), 0, 1.053)  # log L at 5100 A over 1e44
    host = np.polynomial.polynomial.polyval(brightness, (0.8052, -1.5502, 0.9121, -0.1577))
    strengths = np.exp(0.3 * common[:, None] + 0.25 * rng.standard_normal((count, len(LINES))))
    return {
        "z": np.clip(_Z[row] + jitter[1] * (_Z[1] - _Z[0]), NEAREST, FARTHEST),
        "mag_i": apparent,
        "mag_absolute": apparent - modulus[row],
        "slope": -1.68 + 0.26 * tilt,
        "ebv": rng.exponential(0.022, count),
        "breadth": np.exp(0.25 * breadth),
        "iron": np.exp(0.4 * iron),
        "balmer": np.exp(0.3 * balmer),
        "host": 0.5 * host * np.exp(0.5 * rng.standard_normal(count)),
        "wind": np.where(rng.random(count) < WINDS, rng.uniform(4000, 16000, count), 0.0),
        "strengths": strengths * np.exp(-0.5 * NARROW * iron[:, None]),
    }
