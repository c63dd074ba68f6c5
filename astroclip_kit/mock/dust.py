"""Dust in the galaxies and in front of them: how much light each wavelength loses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["calzetti", "milky_way"]

Array = npt.NDArray[np.float64]


def calzetti(wavelength: Array) -> Array:
    """Attenuation k = A / E(B-V) at rest wavelengths [L] in Angstrom (Calzetti et al. 2000, equation 4)."""
    micron = wavelength / 1e4
    blue = 2.659 * (-2.156 + 1.509 / micron - 0.198 / micron**2 + 0.011 / micron**3) + 4.05
    return np.asarray(np.maximum(np.where(micron < 0.63, blue, 2.659 * (-1.857 + 1.040 / micron) + 4.05), 0))


def milky_way(wavelength: Array) -> Array:
    """Extinction k = A / E(B-V) of our Galaxy at observed wavelengths [L], 3030 to 33000 A, for R_V = 3.1.

    Cardelli, Clayton & Mathis (1989), equations 2 and 3.
    """
    inverse = 1e4 / wavelength
    y = inverse - 1.82
    optical_a = (1, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
    optical_b = (0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)
    a = np.where(inverse > 1.1, np.polynomial.polynomial.polyval(y, optical_a), 0.574 * inverse**1.61)
    b = np.where(inverse > 1.1, np.polynomial.polynomial.polyval(y, optical_b), -0.527 * inverse**1.61)
    return np.asarray(3.1 * a + b)
