"""Lines of metals in A stars: how strong each is by temperature, gravity and abundances.

Atoms are ionised and excited as in local thermodynamic equilibrium of the layer where the continuum forms; the
equivalent width follows from line over continuum opacity by a curve of growth with thermal and turbulent broadening
and radiation damping (Milne-Eddington; Gray 2005, chapter 16). Wavelengths (vacuum), log gf and excitation of the
strongest lines are those of NIST's Atomic Spectra Database; a fixed forest of weak lines of iron stands for the rest.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .atmospheres import DEPTH, GRAVITIES, REST_WAVELENGTH, TEMPERATURES, atmosphere
from .hydrogen import BOLTZMANN_EV, ELECTRON, continuum_opacity, line_opacity

__all__ = ["LINE_WIDTH_KM_S", "equivalent_widths", "line_shapes", "lines"]

Array = npt.NDArray[np.float64]
Wide = npt.NDArray[np.float32]

TURBULENCE_KM_S = 2.5
LINE_WIDTH_KM_S = 25.0  # standard deviation of a line as drawn: narrower than any that is seen
DAMPING = 0.006  # width over Doppler width
DEEPEST = 0.65  # depth of a line that is all but black
ALPHA = frozenset({"O", "Mg", "Si", "Ca", "Ti"})  # elements that old stars have more of than iron
# abundance (Asplund et al. 2009), atomic mass, ionisation energies (eV), partition functions of atom and ion
_ELEMENTS = {
    "O": (8.69, 16, 13.618, 35.12, 8.9, 4.0), "Na": (6.24, 23, 5.139, 47.29, 2.1, 1.0),
    "Mg": (7.60, 24, 7.646, 15.035, 1.1, 2.0), "Si": (7.51, 28, 8.152, 16.346, 9.8, 5.8),
    "Ca": (6.34, 40, 6.113, 11.872, 1.4, 2.4), "Ti": (4.95, 48, 6.828, 13.576, 35.0, 58.0),
    "Fe": (7.50, 56, 7.902, 16.199, 31.0, 46.0), "Sr": (2.87, 88, 5.695, 11.030, 1.4, 2.3),
}  # fmt: skip
# element, ionised or not: wavelength (A), log gf, excitation (eV)
_LINES: dict[tuple[str, int], tuple[tuple[float, float, float], ...]] = {
    ("Ca", 1): ((3934.78, 0.14, 0.0), (3969.59, -0.18, 0.0), (8500.36, -1.31, 1.69), (8544.44, -0.36, 1.70),
                (8664.52, -0.62, 1.69), (3159.8, 0.24, 3.12), (3180.3, 0.50, 3.15), (3707.1, -0.48, 3.12),
                (3738.0, -0.18, 3.15)),
    ("Ca", 0): ((4227.92, 0.24, 0.0), (4455.9, 0.26, 1.90), (6163.9, -0.09, 1.90)),
    ("Mg", 1): ((4482.4, 0.97, 8.86), (4391.7, -0.53, 10.0), (7898.5, 0.65, 10.0)),
    ("Mg", 0): ((5168.76, -0.87, 2.71), (5174.13, -0.39, 2.71), (5185.05, -0.17, 2.72), (3830.44, -0.23, 2.71),
                (3833.4, 0.27, 2.71), (3839.38, 0.49, 2.72), (5529.9, -0.50, 4.35), (8809.2, -0.13, 4.35)),
    ("Fe", 0): ((3582.2, 0.41, 0.86), (3720.99, -0.43, 0.0), (3735.9, 0.32, 0.86), (3750.5, 0.16, 0.91),
                (3821.5, 0.12, 0.86), (3860.99, -0.71, 0.0), (4046.96, 0.28, 1.49), (4064.74, 0.06, 1.56),
                (4072.9, -0.02, 1.61), (4144.9, -0.51, 1.56), (4203.2, -0.71, 1.49), (4261.7, 0.08, 2.40),
                (4272.9, -0.16, 1.49), (4309.1, -0.07, 1.56), (4326.98, 0.01, 1.61), (4384.78, 0.20, 1.49),
                (4405.99, -0.14, 1.56), (4958.9, 0.23, 2.81), (5270.9, -1.32, 0.86), (5329.5, -1.47, 0.92)),
    ("Fe", 1): ((4174.6, -2.6, 2.58), (4179.97, -2.5, 2.58), (4234.4, -1.97, 2.58), (4304.4, -2.6, 2.70),
                (4353.0, -2.2, 2.70), (4417.8, -2.6, 2.78), (4509.5, -2.4, 2.86), (4516.6, -2.6, 2.84),
                (4523.9, -2.1, 2.84), (4550.8, -1.9, 2.83), (4585.1, -1.9, 2.81), (4630.6, -2.3, 2.81),
                (4925.3, -1.3, 2.89), (5019.8, -1.2, 2.89), (5170.5, -1.0, 2.89), (5198.9, -2.1, 3.23),
                (5236.0, -2.2, 3.22), (5277.5, -2.0, 3.20), (5318.1, -1.9, 3.15)),
    ("Ti", 1): ((3350.4, 0.53, 0.61), (3362.2, 0.43, 0.03), (3373.8, 0.28, 0.01), (3686.2, 0.13, 0.61),
                (3760.4, 0.28, 0.61), (3762.4, 0.18, 0.57), (3901.7, -0.29, 1.13), (3914.6, -0.36, 1.12),
                (4164.8, -0.13, 2.59), (4301.3, -0.46, 1.18), (4396.3, -0.54, 1.08), (4445.0, -0.71, 1.08),
                (4469.7, -0.63, 1.13), (4502.5, -0.77, 1.12), (4535.2, -0.53, 1.24), (4550.9, -0.22, 1.58),
                (4573.2, -0.31, 1.57)),
    ("Si", 1): ((3857.1, -0.41, 6.86), (3863.7, -0.76, 6.86), (4129.2, 0.36, 9.84), (4132.1, 0.55, 9.84),
                (6348.9, 0.15, 8.12), (6373.1, -0.08, 8.12)),
    ("Sr", 1): ((4078.86, 0.15, 0.0), (4216.7, -0.17, 0.0)),
    ("Na", 0): ((5891.58, 0.11, 0.0), (5897.56, -0.19, 0.0)),
    ("O", 0): ((7774.1, 0.37, 9.15), (7776.3, 0.22, 9.15), (7777.5, 0.0, 9.15), (8448.6, 0.24, 9.52)),
}  # fmt: skip


class Lines(NamedTuple):
    """Lines [N]: wavelength (A), element, charge of the atom, log gf, excitation (eV)."""

    wavelength: Array
    element: npt.NDArray[np.str_]
    charge: npt.NDArray[np.int64]
    log_gf: Array
    excitation: Array


@lru_cache(maxsize=1)
def lines() -> Lines:
    """The strongest lines, and a forest of weak ones of iron, denser in the blue."""
    rows = [(line, *species) for species, members in _LINES.items() for line in members]
    rng, number = np.random.default_rng(5040), 1000
    known = [np.array([line[k] for line, *_ in rows]) for k in range(3)]
    charge = (rng.random(number) < 0.6).astype(int)
    weak = (
        2950 + 2900 * rng.beta(0.7, 2.6, number),
        np.where(charge, -2.3, -0.9) + 0.8 * rng.standard_normal(number),
        np.where(charge, 3.0, 2.5) + 0.8 * rng.random(number),
    )
    wavelength, log_gf, excitation = (np.concatenate(pair) for pair in zip(known, weak, strict=True))
    element = np.concatenate([[row[1] for row in rows], np.full(number, "Fe")])
    return Lines(wavelength, element, np.concatenate([[row[2] for row in rows], charge]), log_gf, excitation)


@lru_cache(maxsize=1)
def _ratios() -> Wide:
    """Logarithms [temperatures * gravities, N] of line over continuum opacity at solar abundances."""
    return np.stack([_node(teff, logg) for teff in TEMPERATURES for logg in GRAVITIES]).astype(np.float32)


def _node(teff: float, logg: float) -> Array:
    all_lines = lines()
    layers = atmosphere(teff, logg)[0]
    forming = layers.at(int(np.searchsorted(DEPTH, 0.25)))
    heat, electrons = BOLTZMANN_EV * forming.temperature, forming.electrons
    order = np.argsort(all_lines.wavelength)
    ascending = all_lines.wavelength[order]
    continuum = np.empty(len(order))
    continuum[order] = (continuum_opacity(forming, ascending) + line_opacity(forming, ascending))[0]
    properties = np.array([_ELEMENTS[name] for name in all_lines.element]).T
    abundance, mass, first, second, atom, ion = properties
    saha = 4.829e15 * forming.temperature**1.5 / electrons
    once = saha * ion / atom * np.exp(-first / heat)
    twice = once * saha / ion * np.exp(-second / heat)
    share = np.where(all_lines.charge, once / ion, 1 / atom) / (1 + once + twice)
    number = (forming.neutral + forming.protons) * 10 ** (abundance - 12) * share * np.exp(-all_lines.excitation / heat)
    stimulated = 1 - np.exp(-1.438777e8 / all_lines.wavelength / forming.temperature)
    width = _doppler_km_s(mass, forming.temperature) * 1e13 / all_lines.wavelength  # Hz
    opacity = number * ELECTRON * 10**all_lines.log_gf * stimulated / (np.sqrt(np.pi) * width) / forming.density
    return np.asarray(np.log(opacity / continuum))


def _doppler_km_s(mass: Array, temperature: Array | float) -> Array:
    return np.asarray(np.sqrt(TURBULENCE_KM_S**2 + 1.663e-2 * temperature / mass))


@lru_cache(maxsize=1)
def _growth() -> tuple[Array, Array]:
    """Curve of growth: log of the opacity ratio, and equivalent width in Doppler widths over the greatest depth."""
    log_ratio = np.linspace(-9, 20, 291)
    offset = np.concatenate([[0], np.geomspace(1e-2, 1e5, 700)])
    voigt = np.exp(-(offset**2)) + np.where(offset > 2.5, DAMPING / np.sqrt(np.pi) / np.maximum(offset, 1) ** 2, 0)
    absorbed = np.exp(log_ratio)[:, None] * voigt
    return log_ratio, 2 * np.trapezoid(absorbed / (1 + absorbed), offset, axis=1)


def equivalent_widths(weights: Wide, feh: Array, alpha: Array) -> Wide:
    """Equivalent widths [B, N] in Angstrom of the `lines`.

    Args:
        weights: Of the nodes of the grid of atmospheres, see `grid_weights` [B, nodes].
        feh: [Fe/H] [B] in dex.
        alpha: [alpha/Fe] [B] in dex.
    """
    all_lines = lines()
    enriched = np.isin(all_lines.element, sorted(ALPHA))
    abundance = np.log(10) * (feh[:, None] + alpha[:, None] * enriched)
    widths = np.interp(weights @ _ratios() + abundance, *_growth())
    mass = np.array([_ELEMENTS[name][1] for name in all_lines.element])
    doppler = all_lines.wavelength * _doppler_km_s(mass, 8500.0) / 2.9979e5
    return np.asarray(DEEPEST * widths * doppler, dtype=np.float32)


@lru_cache(maxsize=1)
def line_shapes() -> Wide:
    """Gaussians [N, L] per Angstrom of the `lines` on the grid of the atmospheres."""
    shapes = np.zeros((len(lines().wavelength), len(REST_WAVELENGTH)), dtype=np.float32)
    for row, centre in zip(shapes, lines().wavelength, strict=True):
        sigma = centre * LINE_WIDTH_KM_S / 2.9979e5
        near = slice(*np.searchsorted(REST_WAVELENGTH, [centre - 8 * sigma, centre + 8 * sigma]))
        row[near] = np.exp(-0.5 * ((REST_WAVELENGTH[near] - centre) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    return shapes
