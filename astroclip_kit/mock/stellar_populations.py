"""Spectra of simple stellar populations from a small analytic population synthesis.

A population of one age and metallicity is an initial mass function (Chabrier 2003), a mass-luminosity-temperature
relation with a turn-off, and giants that burn what the turn-off leaves (fuel consumption, Renzini & Buzzoni 1986).
Each star is a black body with absorption features whose depth depends on its temperature: the Balmer series and
jump, the 4000 A break, metal lines and molecular bands. No spectral library is needed, and the 4000 A break, the
Balmer lines and the mass-to-light ratio follow age and metallicity as in published models.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .instruments import LIGHT_KM_S, LOGLAM_STEP

__all__ = [
    "AGE_GYR",
    "METALLICITY",
    "REST_LOGLAM",
    "REST_WAVELENGTH",
    "VDISP",
    "node_weights",
    "population_spectra",
]

Array = npt.NDArray[np.float32]

REST_LOGLAM = 3.33 + LOGLAM_STEP * np.arange(6900)
REST_WAVELENGTH: npt.NDArray[np.float64] = np.power(10, REST_LOGLAM)
AGE_GYR = np.array([0.004, 0.012, 0.04, 0.12, 0.35, 0.9, 2.2, 5.0, 11.0])
METALLICITY = np.array([-0.7, -0.2, 0.3])  # log10 of solar
VDISP = np.array([70.0, 110.0, 160.0, 230.0, 335.0])  # km/s, instrumental resolution included

_BALMER = (6564.6, 4862.7, 4341.7, 4102.9, 3971.2, 3890.2, 3836.5, 3798.9, 3771.7, 3751.2, 3735.4)
# wavelength [A], Gaussian width [A], optical depth in a cool star of solar metallicity
_METALS = (
    (2799, 18, 1.2), (2852, 12, 0.6), (3230, 45, 0.25), (3360, 40, 0.25), (3581, 30, 0.35), (3735, 25, 0.35),
    (3850, 38, 0.30), (3934.8, 8, 1.10), (3969.6, 8, 0.90), (4173, 28, 0.12), (4227, 4, 0.35), (4305, 11, 0.45),
    (4384, 6, 0.28), (4457, 9, 0.12), (4531, 15, 0.13), (4668, 20, 0.16), (5015, 20, 0.12), (5110, 45, 0.10),
    (5176, 10, 0.38), (5270, 8, 0.22), (5335, 8, 0.20), (5406, 6, 0.14), (5709, 8, 0.07), (5782, 7, 0.07),
    (5893.6, 4.5, 0.50), (6495, 10, 0.08), (8500, 3.2, 0.30), (8544, 3.8, 0.55), (8664, 3.8, 0.48), (8807, 5, 0.10),
)  # fmt: skip
_TITANIUM_OXIDE = ((4955, 50, 0.4), (5170, 60, 0.4), (5450, 60, 0.4), (5900, 60, 0.4), (6200, 60, 0.7), (6700, 60, 0.6),
                   (7100, 70, 0.9), (7650, 90, 0.9), (8450, 80, 0.7), (8900, 70, 0.5))  # fmt: skip


def node_weights(values: npt.NDArray[np.float64], nodes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Linear interpolation of values [B] between nodes [N] as weights [B, N]; the ends hold beyond."""
    values = np.clip(values, nodes[0], nodes[-1])
    return np.stack([np.interp(values, nodes, row) for row in np.eye(len(nodes))], axis=1)


def _gaussian(centre: float, width: float) -> npt.NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * ((REST_WAVELENGTH - centre) / width) ** 2))


@lru_cache(maxsize=1)
def _optical_depths() -> tuple[npt.NDArray[np.float64], ...]:
    """Optical depth [L] of hydrogen, metals and titanium oxide at their strongest."""
    lines = sum(1.1 / (1 + ((REST_WAVELENGTH - centre) / 9.0) ** 2) for centre in _BALMER)
    hydrogen = lines + 1.25 / (1 + np.exp((REST_WAVELENGTH - 3700) / 12))
    metals = np.asarray(sum(depth * _gaussian(centre, width) for centre, width, depth in _METALS))
    rng = np.random.default_rng(4000)  # a fixed forest of weak lines, denser and deeper in the blue
    for centre, depth in zip(3000 + 3800 * rng.beta(0.8, 1.8, 500), rng.exponential(0.07, 500), strict=True):
        near = slice(*np.searchsorted(REST_WAVELENGTH, [centre - 12, centre + 12]))
        metals[near] += depth * np.exp(-0.5 * ((REST_WAVELENGTH[near] - centre) / 2.5) ** 2)
    blanketing = 0.55 / (1 + np.exp((REST_WAVELENGTH - 3990) / 25)) + 1.1 / (1 + np.exp((REST_WAVELENGTH - 2900) / 60))
    oxides = sum(depth * _gaussian(centre, width) for centre, width, depth in _TITANIUM_OXIDE)
    return np.asarray(hydrogen), metals + blanketing, np.asarray(oxides)


def _star(temperature: float, metallicity: float) -> npt.NDArray[np.float64]:
    """Luminosity per Angstrom [L] of a star of unit bolometric luminosity."""
    metres = REST_WAVELENGTH * 1e-10
    planck = 1.191e-16 / metres**5 / np.expm1(np.minimum(0.014388 / (metres * temperature), 80.0))
    flux = np.pi * planck * 1e-10 / (5.6704e-8 * temperature**4)
    if temperature < 7500:  # negative hydrogen lets more through redward of 8500 A than a black body
        flux = flux * np.clip(REST_WAVELENGTH / 6900, 1, None) ** 0.55
    hydrogen, metals, oxides = _optical_depths()
    strength_h = np.exp(-((np.log(temperature / 9500) / (0.34 if temperature < 9500 else 0.55)) ** 2))
    strength_m = 10 ** (0.3 * metallicity) / (1 + (temperature / 5900) ** 9)
    strength_o = 10 ** (0.5 * metallicity) / (1 + (temperature / 3650) ** 25)
    return np.asarray(flux * np.exp(-strength_h * hydrogen - strength_m * metals - strength_o * oxides))


def _stars_of(age_gyr: float, metallicity: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Temperatures and bolometric luminosities (solar, per solar mass formed) of a population's stars."""
    mass = np.logspace(-1, 2, 600)
    low = np.exp(-((np.log10(mass / 0.08)) ** 2) / (2 * 0.69**2)) / mass
    high = mass**-2.3 * np.exp(-((np.log10(1 / 0.08)) ** 2) / (2 * 0.69**2))
    number = np.where(mass < 1, low, high) * np.gradient(mass)
    number /= (number * mass).sum()
    luminosity = np.where(mass < 0.43, 0.23 * mass**2.3, np.where(mass < 2, mass**4, 1.4 * mass**3.5))
    luminosity = np.minimum(luminosity, 3.2e4 * mass)
    lifetime = 10.5 * mass / luminosity + 0.003
    temperature = np.minimum(5800 * mass ** np.where(mass < 1, 0.55, 0.60), 45000.0) * 10 ** (-0.03 * metallicity)
    alive = lifetime > age_gyr
    fuel = (0.08 + 3.0 / (1 + mass**2)) * (mass < 25)  # light of the giant phase over that of the main sequence
    alive_share = 1 / (1 + np.exp(-np.log(lifetime / age_gyr) / 0.08))
    dying_per_gyr = alive_share * (1 - alive_share) / 0.08 / age_gyr
    giants = (number * dying_per_gyr * luminosity * lifetime * fuel).sum()
    cool = 4650.0 * 10 ** (-0.05 * metallicity)
    giant_temperature = np.array([cool * 1.15, cool, cool * 0.82, 11000.0])
    blue = 0.5 if age_gyr < 0.06 else 0.0
    share = np.array([0.45, 0.38, 0.17, 0.0]) * (1 - blue) + np.array([0, 0, 0, blue])
    return np.append(temperature[alive], giant_temperature), np.append((number * luminosity)[alive], giants * share)


def _population(age_gyr: float, metallicity: float) -> npt.NDArray[np.float64]:
    temperature, luminosity = _stars_of(age_gyr, metallicity)
    nodes = np.logspace(np.log10(2600), np.log10(46000), 40)
    bins = np.clip(np.searchsorted(nodes, temperature), 1, 39) - 1
    weights = np.bincount(bins, luminosity, 40)
    return np.asarray(sum(w * _star(np.sqrt(nodes[i] * nodes[i + 1]), metallicity) for i, w in enumerate(weights) if w))


def _broaden(spectra: npt.NDArray[np.float64], vdisp: float) -> npt.NDArray[np.float64]:
    """Convolves with a Gaussian of `vdisp` km/s along the logarithmic axis."""
    pixels = vdisp / LIGHT_KM_S / np.log(10) / LOGLAM_STEP
    padded = np.pad(spectra, [(0, 0)] * (spectra.ndim - 1) + [(50, 50)], mode="edge")
    frequency = np.fft.rfftfreq(padded.shape[-1])
    transfer = np.exp(-2 * (np.pi * frequency * pixels) ** 2)
    return np.fft.irfft(np.fft.rfft(padded) * transfer, padded.shape[-1])[..., 50:-50]


@lru_cache(maxsize=1)
def population_spectra() -> Array:
    """Spectra of all simple populations.

    Returns:
        Float32 [velocity dispersion, metallicity, age, L] on `REST_WAVELENGTH`: solar luminosities per Angstrom and
        per solar mass formed, for the `VDISP`, `METALLICITY` and `AGE_GYR` of this module.
    """
    sharp = np.array([[_population(age, metallicity) for age in AGE_GYR] for metallicity in METALLICITY])
    return np.stack([_broaden(sharp, vdisp) for vdisp in VDISP]).astype(np.float32)
