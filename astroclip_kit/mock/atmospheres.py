"""Model atmospheres of A stars: what light leaves a star of some effective temperature and surface gravity.

Grey temperature structure in hydrostatic and local thermodynamic equilibrium (Mihalas 1978, chapter 3), with the
opacity of `hydrogen`; the flux is the formal solution at every wavelength. That is enough for what tells blue
horizontal branch stars from dwarfs: the Balmer jump is highest near 8500 K and higher in giants, and the wings of the
Balmer lines grow with gravity (Xue et al. 2008, section 2), as a denser gas broadens lines and dissolves levels.
The two constants by which no atmosphere is grey are set so that u - g and g - r of horizontal branch stars of 7500 to
9250 K are those of Barbosa et al. (2022), and that the cores of the lines are as deep as in observed spectra.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .hydrogen import Gas, continuum_opacity, gas, line_opacity
from .instruments import LOGLAM_STEP
from .stellar_populations import node_weights

__all__ = [
    "DEPTH",
    "GRAVITIES",
    "REST_WAVELENGTH",
    "TEMPERATURES",
    "atmosphere",
    "emergent_flux",
    "flux_grid",
    "grid_weights",
]

Array = npt.NDArray[np.float64]

TEMPERATURES = np.array([6000.0, 6750, 7500, 8000, 8500, 9000, 9500, 10250, 11000, 12000])
GRAVITIES = np.array([2.5, 3.0, 3.5, 4.0, 4.5, 5.0])
REST_WAVELENGTH: Array = np.power(10, 3.466 + LOGLAM_STEP * np.arange(5880))  # 2924 to 11323 A: all that ugriz see
WARMING, COOLING = 0.12, 0.3  # below and at the surface, in units of the Hopf function
DEPTH = np.logspace(-5, 1.5, 36)  # Rosseland optical depth
_ROSSELAND: Array = np.geomspace(950, 60000, 240)


@lru_cache(maxsize=1)
def _rosseland() -> tuple[Array, Array, Array]:
    """Logarithms of temperature [T], of pressure [P] and of the Rosseland mean opacity [T, P]."""
    temperature, pressure = np.linspace(np.log10(4500), np.log10(40000), 40), np.linspace(-4, 7, 56)
    t, p = (10 ** values.ravel() for values in np.meshgrid(temperature, pressure, indexing="ij"))
    x = 1.438777e8 / _ROSSELAND / t[:, None]
    weight = np.gradient(-1 / _ROSSELAND) * x**4 * np.exp(-x) / np.maximum(1 - np.exp(-x), 1e-9) ** 2
    opacity = continuum_opacity(gas(t, p), _ROSSELAND)
    mean = weight.sum(axis=1) / (weight / opacity).sum(axis=1)
    return temperature, pressure, np.log10(mean).reshape(len(temperature), len(pressure))


def atmosphere(teff: float, logg: float) -> tuple[Gas, Array]:
    """Layers [D] from the surface inwards.

    Args:
        teff: Effective temperature in K.
        logg: Logarithm of the surface gravity in cm/s2.

    Returns:
        The gas [D] at the Rosseland optical depths `DEPTH`, and its Rosseland mean opacity [D] in cm2/g.
    """
    hopf = 0.7104 - 0.1331 * np.exp(-3.4488 * DEPTH) + WARMING - COOLING * np.exp(-30 * DEPTH)
    temperature = teff * (0.75 * (DEPTH + hopf)) ** 0.25
    t_grid, p_grid, table = _rosseland()
    place = np.interp(np.log10(temperature), t_grid, np.arange(len(t_grid)))
    left = np.minimum(place.astype(int), len(t_grid) - 2)
    rows = table[left] + (place - left)[:, None] * (table[left + 1] - table[left])
    pressures, opacities = np.empty((2, len(DEPTH)))
    pressure, previous = 10.0**logg * DEPTH[0], 0.0  # of opacity 1, to begin with
    for k, depth in enumerate(DEPTH):
        for _ in range(12):  # implicit Euler in the logarithm: d P / d tau = g / opacity
            opacity = 10 ** np.interp(np.log10(pressure), p_grid, rows[k])
            pressure = 0.5 * pressure + 0.5 * (previous + 10**logg * (depth - (DEPTH[k - 1] if k else 0)) / opacity)
        previous, pressures[k], opacities[k] = pressure, pressure, opacity
    return gas(temperature, pressures), opacities


def emergent_flux(teff: float, logg: float, wavelength: Array = REST_WAVELENGTH) -> Array:
    """Flux [L] at the surface of a star in erg/s/cm2/A at ascending wavelengths [L] in Angstrom."""
    layers, mean = atmosphere(teff, logg)
    opacity = continuum_opacity(layers, wavelength) + line_opacity(layers, wavelength)
    return _transfer(layers.temperature, opacity / mean[:, None], wavelength)


def _transfer(temperature: Array, ratio: Array, wavelength: Array) -> Array:
    """Flux [L] from temperatures [D] and opacities [D, L] in units of the Rosseland mean."""
    steps = np.diff(np.log(DEPTH), prepend=np.log(DEPTH[0]) - 1)[:, None]
    tau = np.cumsum(ratio * DEPTH[:, None] * steps, axis=0)
    planck = 1.191043e27 / wavelength**5 / np.expm1(1.438777e8 / wavelength / temperature[:, None])  # erg/s/cm2/A/sr
    source = np.concatenate([planck[:1], (planck[1:] + planck[:-1]) / 2])
    flux = np.zeros(len(wavelength))
    for mu, weight in ((0.112702, 0.277778), (0.5, 0.444444), (0.887298, 0.277778)):
        seen = np.exp(-np.minimum(tau / mu, 80))
        lost = np.concatenate([1 - seen[:1], seen[:-1] - seen[1:]])
        flux += 2 * np.pi * mu * weight * ((source * lost).sum(axis=0) + planck[-1] * seen[-1])
    return flux


@lru_cache(maxsize=1)
def flux_grid() -> npt.NDArray[np.float32]:
    """Logarithms [temperatures * gravities, L] of the flux at `REST_WAVELENGTH`."""
    nodes = [np.log(emergent_flux(teff, logg)) for teff in TEMPERATURES for logg in GRAVITIES]
    return np.stack(nodes).astype(np.float32)


def grid_weights(teff: Array, logg: Array) -> npt.NDArray[np.float32]:
    """Weights [B, temperatures * gravities] of the nodes for stars [B]."""
    product = node_weights(teff, TEMPERATURES)[:, :, None] * node_weights(logg, GRAVITIES)[:, None]
    return np.asarray(product.reshape(len(teff), -1), dtype=np.float32)
