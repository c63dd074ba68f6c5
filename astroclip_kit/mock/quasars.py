"""Spectra of quasars: broken power laws, broad and narrow lines, iron, Balmer continuum, and what absorbs them.

Continuum, strengths and widths of the lines are those of the SDSS composite (Vanden Berk et al. 2001, table 2), with
the scatter from quasar to quasar around it; the strengths of high-ionisation lines fall with luminosity (Baldwin 1977;
slopes of Dietrich et al. 2002). Components share a rest-frame grid in steps of the observed one, so that a sample of
spectra is one product of matrices and a redshift is a shift.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .instruments import LIGHT_KM_S, LOGLAM_STEP
from .stellar_populations import REST_WAVELENGTH as STELLAR
from .stellar_populations import node_weights, population_spectra

__all__ = ["LINES", "LOGLAM", "NARROW", "WAVELENGTH", "Quasars", "rest_spectra"]

Array = npt.NDArray[np.float64]
Wide = npt.NDArray[np.float32]
Quasars = dict[str, npt.NDArray[Any]]
"""Latent name to values [B]; see `quasar_population.draw_quasars`."""

LOGLAM = 2.665 + LOGLAM_STEP * np.arange(13960)  # 462 to 11510 A: what is seen of redshifts 0 to 5.2
WAVELENGTH: Array = np.power(10, LOGLAM)
# name: wavelength (A), equivalent width (A), standard deviation (A), slope of the Baldwin effect
LINES = {
    "O_VI": (1033.0, 9.8, 7.8, -0.2), "LY_ALPHA": (1216.2, 75.0, 17.0, -0.1), "N_V": (1240.1, 14.0, 10.0, 0.0),
    "O_I": (1305.4, 1.66, 5.4, 0.0), "C_II": (1336.6, 0.69, 3.9, 0.0), "SI_IV": (1398.3, 8.13, 14.1, -0.1),
    "C_IV": (1546.2, 23.8, 14.3, -0.2), "HE_II": (1637.8, 9.0, 25.0, -0.2), "O_III_1664": (1664.7, 1.5, 9.0, 0.0),
    "AL_III": (1856.8, 1.2, 9.0, 0.0), "C_III": (1906.0, 20.0, 22.0, -0.1), "MG_II": (2800.3, 36.0, 31.0, -0.15),
    "NE_V": (3426.8, 1.22, 5.0, -0.2), "O_II": (3729.7, 1.56, 3.3, -0.3), "NE_III": (3869.8, 1.38, 5.3, -0.3),
    "H_DELTA": (4102.7, 5.05, 16.0, 0.0), "H_GAMMA": (4346.4, 12.6, 19.0, 0.0), "H_BETA": (4862.7, 46.2, 32.0, 0.0),
    "O_III_4959": (4960.3, 4.4, 5.0, -0.3), "O_III_5007": (5008.2, 13.2, 5.0, -0.3), "HE_I": (5877.4, 4.9, 23.5, 0.0),
    "H_ALPHA": (6564.9, 195.0, 36.0, 0.0), "HE_I_7065": (7065.7, 3.1, 15.0, 0.0),
}  # fmt: skip
NARROW = np.array([width / line < 1.6e-3 for line, _, width, _ in LINES.values()])
BREADTHS = np.array([0.5, 0.75, 1.0, 1.35, 1.8])  # of broad lines, in units of those of the composite
# blends of iron: wavelength (A), height over the continuum, standard deviation (A); Vestergaard & Wilkes (2001) in the
# ultraviolet, Boroson & Green (1992) in the optical
_IRON = ((1700, 0.05, 50), (1780, 0.06, 50), (1990, 0.05, 40), (2080, 0.09, 35), (2180, 0.05, 40), (2300, 0.08, 40),
         (2400, 0.13, 45), (2500, 0.15, 55), (2590, 0.1, 40), (2690, 0.07, 40), (2880, 0.08, 45), (2960, 0.08, 35),
         (3160, 0.08, 60), (3300, 0.05, 60), (4180, 0.02, 40), (4300, 0.03, 40), (4500, 0.08, 45), (4590, 0.1, 45),
         (4660, 0.06, 35), (4925, 0.07, 30), (5018, 0.07, 30), (5190, 0.08, 45), (5280, 0.1, 50),
         (5380, 0.05, 50))  # fmt: skip
_OPTICAL = int(np.searchsorted(WAVELENGTH, 5100.0))
_BREAKS = (1215.67, 4900.0)  # A, where the power law changes its slope


@lru_cache(maxsize=1)
def _lines() -> Wide:
    """Profiles [breadths * lines, L] of unit equivalent width over a continuum of 1: two Gaussians, core and wings."""
    profiles = np.zeros((len(BREADTHS), len(LINES), len(WAVELENGTH)), dtype=np.float32)
    for b, breadth in enumerate(BREADTHS):
        for k, (centre, _, width, _) in enumerate(LINES.values()):
            for share, factor in ((1.0, 1.0),) if NARROW[k] else ((0.6, 0.65), (0.4, 1.7)):
                sigma = width * factor * (1 if NARROW[k] else breadth)
                near = slice(*np.searchsorted(WAVELENGTH, [centre - 6 * sigma, centre + 6 * sigma]))
                profile = np.exp(-0.5 * ((WAVELENGTH[near] - centre) / sigma) ** 2)
                profiles[b, k, near] += share * profile / (sigma * np.sqrt(2 * np.pi))
    return profiles.reshape(-1, len(WAVELENGTH))


@lru_cache(maxsize=1)
def _extended() -> Wide:
    """Iron and Balmer continuum [2, L] over the power law; the latter as Grandi (1982), with the merging lines."""
    iron = sum(height * np.exp(-0.5 * ((WAVELENGTH - line) / width) ** 2) for line, height, width in _IRON)
    x = 1.438777e8 / WAVELENGTH / 15000
    edge = 1.438777e8 / 3646 / 15000
    thermal = (3646 / WAVELENGTH) ** 5 * np.expm1(edge) / np.expm1(x)
    inside = 1 / (1 + np.exp((WAVELENGTH - 3720) / 45))
    balmer = thermal * -np.expm1(-((WAVELENGTH / 3646) ** 3)) / -np.expm1(-1.0) * inside
    continuum = (WAVELENGTH / 3646) ** -1.56
    return np.stack([np.asarray(iron), 0.12 * balmer / continuum]).astype(np.float32)


@lru_cache(maxsize=1)
def _slopes() -> Wide:
    """Natural logarithms [3, L] of wavelength within the far ultraviolet, the ultraviolet and the optical."""
    log = np.log(WAVELENGTH)
    low, high = np.log(_BREAKS)
    middle = np.clip(log, low, high) - np.log(3000)
    return np.stack([np.minimum(log - low, 0), middle, np.maximum(log - high, 0)]).astype(np.float32)


@lru_cache(maxsize=1)
def _host() -> Wide:
    """Light [L] of a galaxy of stars of 0.9 and 5 Gyr, 1 at 5100 A."""
    young, old = population_spectra()[2, 1, 5], population_spectra()[2, 1, 7]
    stars = 0.15 * young / young.mean() + 0.85 * old / old.mean()
    light = np.interp(WAVELENGTH, STELLAR, stars, left=0.0)
    return np.asarray(light / light[_OPTICAL], dtype=np.float32)


def _winds(quasars: Quasars) -> Wide:
    """Transmission [B, L] of the winds of broad absorption line quasars, blueward of N V, Si IV and C IV."""
    through = np.ones((len(quasars["wind"]), len(WAVELENGTH)), dtype=np.float32)
    for i in np.flatnonzero(quasars["wind"]):
        for name, depth in (("N_V", 1.5), ("SI_IV", 0.6), ("C_IV", 1.5)):
            centre = LINES[name][0] * (1 - quasars["wind"][i] / LIGHT_KM_S)
            width = 0.3 * (LINES[name][0] - centre)
            near = slice(*np.searchsorted(WAVELENGTH, [centre - 4 * width, centre + 4 * width]))
            through[i, near] *= np.exp(-depth * np.exp(-0.5 * ((WAVELENGTH[near] - centre) / width) ** 4))
    return through


def rest_spectra(quasars: Quasars) -> Wide:
    """Spectra at rest [B, L] on `WAVELENGTH`, 1 at 3000 A of the continuum, before intergalactic absorption.

    Args:
        quasars: Latents of B quasars, see `draw_quasars`.
    """
    slope = quasars["slope"]
    powers = np.stack([slope + 0.9, slope, slope + 1.15], axis=1)
    reddening = -0.4 * np.log(10) * 1.39 * (WAVELENGTH / 1e4) ** -1.2  # SMC (Prevot et al. 1984)
    exponent = powers.astype(np.float32) @ _slopes()
    exponent += quasars["ebv"].astype(np.float32)[:, None] * reddening.astype(np.float32)
    strength = np.array([width for _, width, _, _ in LINES.values()])
    baldwin = np.array([slope for _, _, _, slope in LINES.values()])
    brightness = -0.4 * (quasars["mag_absolute"] + 26.0)
    widths = strength * 10 ** (baldwin * brightness[:, None]) * quasars["strengths"]
    weights = node_weights(quasars["breadth"], BREADTHS)[:, :, None] * widths[:, None]
    above = weights.reshape(len(slope), -1).astype(np.float32) @ _lines()
    above += np.stack([quasars["iron"], quasars["balmer"]], axis=1).astype(np.float32) @ _extended()
    spectra = np.exp(exponent) * (1 + above)
    spectra += _host() * (quasars["host"] * spectra[:, _OPTICAL])[:, None].astype(np.float32)
    return np.asarray(spectra * _winds(quasars))
