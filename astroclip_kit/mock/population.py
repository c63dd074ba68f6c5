"""The latent properties of mock galaxies: what everything that is observed of a galaxy follows from."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .instruments import PIXEL_SCALE_ARCSEC

__all__ = [
    "FORMED_DEX",
    "Z_MAX",
    "Z_MIN",
    "Galaxies",
    "cosmic_age_gyr",
    "draw_galaxies",
    "luminosity_distance_mpc",
    "morphology",
]

Array = npt.NDArray[np.float64]
Galaxies = dict[str, Array]
"""Latent name to values [B]; see `draw_galaxies`."""

Z_MIN, Z_MAX = 0.01, 0.6
FORMED_DEX = 0.24  # stars formed over those that are left: the others' mass has returned to the gas
_MASS_GRID = np.linspace(8.2, 11.9, 75)


@lru_cache(maxsize=1)
def _cosmology() -> tuple[Array, Array, Array, Array]:
    """Redshift grid with luminosity distance [Mpc], age of the universe [Gyr] and comoving volume per redshift."""
    from astropy.cosmology import FlatLambdaCDM

    cosmology = FlatLambdaCDM(H0=70, Om0=0.3)
    z = np.linspace(Z_MIN, Z_MAX, 600)
    volume = cosmology.differential_comoving_volume(z).value
    return z, cosmology.luminosity_distance(z).value, cosmology.age(z).value, volume


def luminosity_distance_mpc(z: Array) -> Array:
    """Luminosity distance in Mpc at redshifts [B], flat cosmology with H0 = 70 km/s/Mpc and Omega_m = 0.3."""
    return np.interp(z, _cosmology()[0], _cosmology()[1])


def cosmic_age_gyr(z: Array) -> Array:
    """Age of the universe in Gyr at redshifts [B]."""
    return np.interp(z, _cosmology()[0], _cosmology()[2])


@lru_cache(maxsize=4)
def _detectable(magnitude_limit: float) -> Array:
    """Cumulative probability over the grid of redshift and mass of what the magnitude limit may let in."""
    z, distance, _, volume = _cosmology()
    x = 10 ** (_MASS_GRID - 10.78)  # stellar mass function of Wright et al. (2017)
    mass_function = np.exp(-x) * (2.93e-3 * x**-0.62 + 0.63e-3 * x**-1.50) * x
    brightest = 4.65 - 2.5 * (_MASS_GRID + 0.45) - 0.25  # absolute r of the lowest mass-to-light ratio
    apparent = brightest + 5 * np.log10(distance[:, None] * 1e5) + 0.5 * z[:, None]
    allowed = 1 / (1 + np.exp((apparent - magnitude_limit) / 0.05))
    cumulative = np.cumsum(volume[:, None] * mass_function * allowed)
    return np.asarray(cumulative / cumulative[-1])


def _age_in_timescales(specific_rate: Array) -> Array:
    """Solves for age over timescale x of a delayed-tau history whose present rate is known.

    The rate per formed mass times the age is x^2 exp(-x) / (1 - (1 + x) exp(-x)): 2 for a young galaxy, falling.
    """
    x = np.linspace(0.05, 25, 2000)
    rate = x**2 * np.exp(-x) / (1 - (1 + x) * np.exp(-x))
    return np.interp(-np.log(specific_rate), -np.log(rate), x)


def draw_galaxies(count: int, rng: np.random.Generator, magnitude_limit: float) -> Galaxies:
    """Draws latent properties of galaxies that the magnitude limit may let in (the brightest of their mass would).

    Args:
        count: Number of galaxies.
        rng: Source of all randomness.
        magnitude_limit: Apparent r magnitude (AB).

    Returns:
        Arrays [count]: z, logmstar and log sfr (solar masses, per year; sfr = log10), age_gyr and tau_gyr of the
        delayed-tau history, metallicity (log solar), ebv and av (mag, stars), vdisp (km/s), bulge_to_total (mass),
        inclination_deg, axis_ratio, position_angle_deg, bulge_radius and disc_radius (half light, arcsec),
        sersic_index (of the bulge), arm_strength, arm_pitch_deg, arm_phase, oxygen (12 + log O/H of the gas),
        ionisation (dex from the mean), nuclear_halpha (log solar luminosities), seyfert (0 or 1), ebv_galactic (mag).
    """
    z_grid, *_ = _cosmology()
    cell = np.searchsorted(_detectable(magnitude_limit), rng.random(count))
    z_step, mass_step = z_grid[1] - z_grid[0], _MASS_GRID[1] - _MASS_GRID[0]
    z = np.clip(z_grid[cell // len(_MASS_GRID)] + z_step * rng.uniform(-0.5, 0.5, count), Z_MIN, Z_MAX)
    mass = _MASS_GRID[cell % len(_MASS_GRID)] + mass_step * rng.uniform(-0.5, 0.5, count)
    quiescent = rng.random(count) < 1 / (1 + np.exp(-(mass - 10.45 - 0.8 * (z - 0.2)) / 0.28))
    galaxies: Galaxies = {"z": z, "logmstar": mass, "quiescent": quiescent.astype(float)}
    galaxies |= _stars_and_dust(galaxies, rng)
    galaxies |= _shape(galaxies, rng)
    galaxies |= _gas(galaxies, rng)
    galaxies["ebv_galactic"] = 0.032 * np.exp(0.55 * rng.standard_normal(count))  # at high galactic latitude
    return galaxies


def _stars_and_dust(galaxies: Galaxies, rng: np.random.Generator) -> Galaxies:
    z, mass, quiescent = (galaxies[name] for name in ("z", "logmstar", "quiescent"))
    main_sequence = 0.76 * (mass - 10) - 0.05 + 2.4 * np.log10((1 + z) / 1.1)
    sfr = main_sequence + 0.35 * rng.standard_normal(len(z)) - quiescent * (1.5 + 0.35 * rng.standard_normal(len(z)))
    age = cosmic_age_gyr(z) * np.where(quiescent > 0, rng.uniform(0.65, 0.93, len(z)), rng.uniform(0.35, 0.9, len(z)))
    x = _age_in_timescales(np.clip(10 ** (sfr - mass - FORMED_DEX + 9) * age, 1e-6, 1.95))
    metallicity = np.clip(0.05 + 0.38 * np.tanh((mass - 10.1) / 0.8) + 0.10 * rng.standard_normal(len(z)), -0.7, 0.3)
    cosine = rng.random(len(z))
    dust = np.exp(0.35 * rng.standard_normal(len(z))) * np.clip(0.22 + 0.30 * (mass - 9.5), 0.05, 0.9)
    av = np.where(quiescent > 0, 0.15 * dust, dust * (0.7 + 0.6 * (1 - cosine) ** 1.5))
    vdisp = np.clip(
        10 ** (2.17 + 0.09 * quiescent + 0.30 * (mass - 10.9) + 0.09 * rng.standard_normal(len(z))), 30, 330
    )
    return {
        "sfr": sfr,
        "age_gyr": age,
        "tau_gyr": age / x,
        "metallicity": metallicity,
        "av": av,
        "ebv": av / 4.05,
        "vdisp": vdisp,
        "inclination_deg": np.degrees(np.arccos(cosine)),
    }


def _shape(galaxies: Galaxies, rng: np.random.Generator) -> Galaxies:
    z, mass, quiescent = (galaxies[name] for name in ("z", "logmstar", "quiescent"))
    count = len(z)
    mean = np.where(quiescent > 0, 1.2 + 1.3 * (mass - 10.7), -1.3 + 0.9 * (mass - 10.3))
    bulge_to_total = 1 / (1 + np.exp(-(mean + 0.9 * rng.standard_normal(count))))
    kpc_per_arcsec = luminosity_distance_mpc(z) / (1 + z) ** 2 * 4.8481e-3
    scatter = 0.17 * rng.standard_normal(count)
    disc = 10 ** (0.72 + 0.24 * (mass - 10.4) + scatter)  # Shen et al. (2003), kpc
    bulge = 10 ** (0.42 + 0.56 * (mass + np.log10(bulge_to_total) - 10.5) + 0.12 * rng.standard_normal(count))
    cosine = np.cos(np.radians(galaxies["inclination_deg"]))
    return {
        "bulge_to_total": bulge_to_total,
        "disc_radius": np.clip(disc / kpc_per_arcsec, 0.3, 12.0),
        "bulge_radius": np.clip(np.minimum(bulge, 1.2 * disc) / kpc_per_arcsec, PIXEL_SCALE_ARCSEC / 2, 8.0),
        "axis_ratio": np.sqrt(cosine**2 * (1 - 0.15**2) + 0.15**2),
        "bulge_axis_ratio": np.sqrt(cosine**2 * (1 - 0.65**2) + 0.65**2),
        "position_angle_deg": rng.uniform(0, 180, count),
        "sersic_index": np.clip(1.5 + 3.0 * bulge_to_total + 0.4 * rng.standard_normal(count), 1.0, 5.0),
        "arm_strength": (1 - quiescent) * rng.uniform(0.15, 0.9, count) * (1 - bulge_to_total),
        "arm_pitch_deg": rng.uniform(12, 32, count),
        "arm_phase": rng.uniform(0, 2 * np.pi, count),
    }


def _gas(galaxies: Galaxies, rng: np.random.Generator) -> Galaxies:
    """Abundance by the mass-metallicity relation (Sanchez et al. 2017), and what shines around the nucleus."""
    mass, quiescent = galaxies["logmstar"], galaxies["quiescent"]
    count = len(mass)
    active = rng.random(count) < 0.16 / (1 + np.exp(-(mass - 10.4) / 0.25))
    old = mass - 4.9 + np.log10(np.maximum(quiescent, 0.1))  # the faint LINER-like light of old stars
    accretion = 6.7 + 0.5 * (mass - 10.8) + 0.45 * rng.standard_normal(count)
    return {
        "oxygen": 8.38 + 0.18 * np.tanh(mass - 9.6) + 0.05 * rng.standard_normal(count),
        "ionisation": 0.1 * rng.standard_normal(count),
        "nuclear_halpha": np.where(active, np.maximum(accretion, old), old + 0.2 * rng.standard_normal(count)),
        "seyfert": (active & (rng.random(count) < 0.5)).astype(float),
    }


def morphology(galaxies: Galaxies) -> npt.NDArray[np.str_]:
    """Class [B] by bulge-to-total ratio and star formation: "elliptical", "lenticular", "spiral" or "irregular"."""
    bulge, quiescent, mass = (galaxies[name] for name in ("bulge_to_total", "quiescent", "logmstar"))
    conditions = [(quiescent > 0) & (bulge > 0.6), quiescent > 0, mass > 9.3]
    return np.select(conditions, ["elliptical", "lenticular", "spiral"], "irregular")
