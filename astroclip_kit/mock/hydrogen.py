"""Opacity of a gas of hydrogen: ionisation, continua that merge with the lines, and Stark-broadened lines.

Local thermodynamic equilibrium. Charged neighbours dissolve the upper levels (occupation probabilities, Hummer &
Mihalas 1988), so that the Balmer lines fade into a continuum redward of the jump (Daeppen, Anderson & Mihalas 1987)
the sooner the denser the gas is. Lines have quasi-static profiles (Edmonds, Schlueter & Wells 1967, as simplified by
Hubeny, Hummer & Lanz 1994): wings as the electron density times the 5/2 power of the wavelength.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

__all__ = ["BOLTZMANN_EV", "ELECTRON", "Gas", "continuum_opacity", "gas", "line_opacity", "vacuum_line"]

Array = npt.NDArray[np.float64]

BOLTZMANN, BOLTZMANN_EV = 1.380649e-16, 8.617333e-5  # erg and eV per K
ELECTRON = 0.02654  # pi e^2 / (m c), cm2 Hz: cross-section of a line of unit oscillator strength
HYDROGEN_MASS, LIGHT, RYDBERG_EV, RYDBERG_PER_A = 1.6735e-24, 2.99792458e18, 13.5984, 1.0967758e-3
HELIUM, DONORS = 0.1, 3e-5  # atoms, and electrons of metals, per hydrogen atom
LEVELS = 6  # that absorb continuum light; the lines are those of levels 2 and 3
LAST = 30  # upper level of the last line
_GAUNT = {3: 0.757, 4: 0.822, 5: 0.844, 6: 0.855, 7: 0.861}  # of the Balmer lines, by upper level
_STARK = {(2, 3): 0.0125, (2, 4): 0.0177, (2, 5): 0.028, (2, 6): 0.0348, (2, 7): 0.0493}  # Underhill & Waddell (1959)
_NEGATIVE_FREE = ((2483.346, 285.827, -2054.291, 2827.776, -1341.537, 208.952),
                  (-3449.889, -1158.382, 8746.523, -11485.632, 5303.609, -812.939),
                  (2200.040, 2427.719, -13651.105, 16755.524, -7510.494, 1132.738),
                  (-696.271, -1841.400, 8624.970, -10051.530, 4400.067, -655.020),
                  (88.283, 444.517, -1863.864, 2095.288, -901.788, 132.985))  # fmt: skip
_NEGATIVE_BOUND = (152.519, 49.534, -118.858, 92.536, -34.194, 4.982)


@dataclass(frozen=True)
class Gas:
    """Layers [D] of gas: temperature (K); electrons, neutral atoms and protons per cm3; grams per cm3."""

    temperature: Array
    electrons: Array
    neutral: Array
    protons: Array
    density: Array

    def at(self, layer: int) -> Gas:
        """One layer, alone."""
        return Gas(*(getattr(self, field.name)[layer : layer + 1] for field in fields(self)))

    def columns(self) -> Gas:
        """The same as columns [D, 1]."""
        return Gas(*(getattr(self, field.name)[:, None] for field in fields(self)))


def gas(temperature: Array, pressure: Array) -> Gas:
    """Ionisation equilibrium (Saha) of hydrogen with a tenth of helium and the electrons of metals.

    Args:
        temperature: Of layers [D] in K.
        pressure: Of the gas [D] in dyn/cm2.
    """
    saha = 2.4146e15 * temperature**1.5 * np.exp(-RYDBERG_EV / (BOLTZMANN_EV * temperature))
    total = pressure / (BOLTZMANN * temperature)
    low, high = np.zeros_like(total), np.ones_like(total)
    for _ in range(45):  # bisection for the ionised fraction
        ionised = (low + high) / 2
        electrons = total * (ionised + DONORS) / (1 + HELIUM + ionised + DONORS)
        less = ionised * electrons < (1 - ionised) * saha
        low, high = np.where(less, ionised, low), np.where(less, high, ionised)
    atoms = total / (1 + HELIUM + ionised + DONORS)
    mass = HYDROGEN_MASS * (1 + 4 * HELIUM)
    return Gas(temperature, electrons, (1 - ionised) * atoms, ionised * atoms, mass * atoms)


def vacuum_line(lower: int, upper: int) -> float:
    """Wavelength in Angstrom."""
    return float(1 / (RYDBERG_PER_A * (lower**-2 - upper**-2)))


def _occupation(level: Array | int, electrons: Array) -> Array:
    """Probability that neighbours let a level exist (Hummer & Mihalas 1988, equation 4.26, for charges)."""
    n = np.asarray(level, dtype=float)
    quantum = np.where(n > 3, 16 / 3 * (n / (n + 1)) ** 2 * (n + 7 / 6) / (n**2 + n + 0.5), 1.0)
    radius = 2 * 0.529177e-8 * n**2 / np.sqrt(quantum)
    return np.asarray(np.exp(-4 * np.pi / 3 * 16 * radius**3 * electrons))


def _populations(layers: Gas, level: int) -> Array:
    """Neutral atoms [D] per cm3 in a level, were none dissolved."""
    boltzmann = level**2 * np.exp(-RYDBERG_EV * (1 - level**-2) / (BOLTZMANN_EV * layers.temperature))
    return np.asarray(layers.neutral * boltzmann)


def continuum_opacity(layers: Gas, wavelength: Array) -> Array:
    """Absorption [D, L] in cm2/g at wavelengths [L] in Angstrom by bound and free states of H and of H-, and electrons.

    Gaunt factors after Gray (2005), equations 8.5 and 8.7; H- after John (1988).
    """
    deep = layers.columns()
    absorbed = np.zeros((len(layers.temperature), len(wavelength)))
    rydbergs = 1 / (wavelength * RYDBERG_PER_A)  # of energy
    for n in range(1, LEVELS + 1):
        gaunt = 1 - 0.3456 * rydbergs ** (1 / 3) * (1 / rydbergs / n**2 - 0.5)
        section = 7.907e-18 * n * (1 / (n**2 * rydbergs)) ** 3 * np.maximum(gaunt, 0.3)
        reach = 1 / np.sqrt(np.maximum(n**-2 - rydbergs, 1e-5))  # the level where a photon below the edge leads
        near = (rydbergs > n**-2) | (reach > n + 2)
        below = _occupation(reach[near], deep.electrons)
        share = np.where(rydbergs[near] > n**-2, 1, 1 - below)
        absorbed[:, near] += _populations(deep, n) * _occupation(n, deep.electrons) * section[near] * share
    frequency = LIGHT / wavelength
    kinetic = 4.799243e-11 * frequency / deep.temperature  # photon energy over kT
    gaunt = 1 + 0.3456 * rydbergs ** (1 / 3) * (1 / kinetic + 0.5)
    absorbed += 3.692e8 * deep.electrons * deep.protons / np.sqrt(deep.temperature) / frequency**3 * gaunt
    absorbed *= 1 - np.exp(-kinetic)
    absorbed += _negative_ion(deep, wavelength / 1e4) + 6.6524e-25 * deep.electrons
    return absorbed / deep.density


def _negative_ion(deep: Gas, micron: Array) -> Array:
    """Absorption [D, L] per cm by H-, bound-free and free-free (the latter redward of 0.3645 micron)."""
    edge = np.maximum(1 / micron - 1 / 1.6419, 0)
    section = micron**3 * edge**1.5 * sum(c * edge ** (k / 2) for k, c in enumerate(_NEGATIVE_BOUND))
    heat = 1.439e4 / deep.temperature
    bound = 7.5e-19 * deep.temperature**-2.5 * np.exp(heat / 1.6419) * (1 - np.exp(-heat / micron)) * section
    powers = np.stack([micron**2, micron**0, 1 / micron, micron**-2, micron**-3, micron**-4])
    red = np.array(_NEGATIVE_FREE) @ powers
    free = 1e-29 * sum((5040 / deep.temperature) ** (k / 2 + 1.5) * row for k, row in enumerate(red))
    pressure = deep.electrons * BOLTZMANN * deep.temperature
    return np.asarray(deep.neutral * pressure * (bound + np.where(micron > 0.3645, np.maximum(free, 0), 0)))


def line_opacity(layers: Gas, wavelength: Array) -> Array:
    """Absorption [D, L] in cm2/g by the Balmer and Paschen lines at ascending wavelengths [L] in Angstrom."""
    absorbed = np.zeros((len(layers.temperature), len(wavelength)))
    stimulated = 1 - np.exp(-1.438777e8 / wavelength / layers.temperature[:, None])
    field = 1.25e-9 * layers.electrons ** (2 / 3)
    for lower in (2, 3):
        population = _populations(layers, lower)
        for upper in range(lower + 1, LAST + 1):
            centre = vacuum_line(lower, upper)
            near = slice(*np.searchsorted(wavelength, centre * np.array([0.94, 1.06])))
            if near.start == near.stop:
                continue
            gaunt = _GAUNT.get(upper if lower == 2 else 0, 0.876 - 0.75 / (upper - lower + 2) ** 2)
            strength = 1.9603 * (lower**-2 - upper**-2) ** -3 / (lower**5 * upper**3) * gaunt
            stark = _STARK.get((lower, upper), 5.5e-5 * (lower * upper) ** 4 / (upper**2 - lower**2))
            doppler = centre * 4.29e-7 * np.sqrt(layers.temperature)
            profile = _profile(np.abs(wavelength[near] - centre), (stark * field)[:, None], doppler[:, None])
            number = population * _occupation(upper, layers.electrons) * ELECTRON * strength * centre**2 / LIGHT
            absorbed[:, near] += number[:, None] * profile
    return np.asarray(absorbed * stimulated / layers.density[:, None])


def _profile(offset: Array, stark: Array, doppler: Array) -> Array:
    """Normalised profile [D, L] per Angstrom at offsets [L] for widths [D, 1]; no higher than heat lets it be."""
    beta = np.maximum(offset / stark, 1.14)
    log = np.log(np.minimum(beta, 11.4))
    core = 0.0750 * np.exp((-0.5758228 * log + 0.4796232) * log)
    shape = np.where(beta < 11.4, core, 3.12 * beta**-2.5) / stark
    return np.asarray(np.minimum(shape, 0.5642 / doppler))
