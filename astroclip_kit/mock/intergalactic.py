"""What the gas between a quasar and us absorbs: the forest of the Lyman series, and Lyman limit systems.

The mean absorption of each line of the series is that of Madau (1995, equation 12 and table 1); along a line of sight
the optical depth fluctuates as in a lognormal density field, the same for all lines of the series (Bi & Davidsen
1997). Lyman limit systems, by which colours of the same redshift differ, are drawn one by one (Songaila & Cowie 2010).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .atmospheres import REST_WAVELENGTH as OBSERVED
from .instruments import LOGLAM_STEP

__all__ = ["LYMAN_ALPHA", "LYMAN_LIMIT", "SERIES", "mean_depth", "transmission"]

Array = npt.NDArray[np.float64]
Wide = npt.NDArray[np.float32]

LYMAN_ALPHA, LYMAN_LIMIT = 1215.67, 911.75  # A
SERIES = ((1215.67, 0.0036), (1025.72, 0.0017), (972.54, 0.0012), (949.74, 0.00093))  # A, coefficient
CLUMPING, LENGTH = 1.8, 2.2  # standard deviation of the log depth, and its correlation in pixels
_LIMITS = 6  # Lyman limit systems that are drawn for a line of sight
_MARGIN = round(np.log10(SERIES[0][0] / SERIES[-1][0]) / LOGLAM_STEP) + 1


def mean_depth(line: int, wavelength: Array = OBSERVED) -> Array:
    """Effective optical depth [L] of a line of `SERIES` at observed wavelengths [L]."""
    rest, coefficient = SERIES[line]
    return np.asarray(coefficient * (wavelength / rest) ** 3.46)


@lru_cache(maxsize=1)
def _scales() -> tuple[Array, Array]:
    """Logarithms of effective optical depths and of the factors of the field that give them."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    factor = np.linspace(-9, 6, 151)
    seen = np.exp(-np.exp(factor[:, None] + CLUMPING * nodes)) @ weights / weights.sum()
    return np.log(-np.log(np.maximum(seen, 1e-300))), factor


@lru_cache(maxsize=1)
def _factors() -> Wide:
    """Logarithms [series, L] of the factors of the field at the observed wavelengths."""
    known, factor = _scales()
    return np.stack([np.interp(np.log(mean_depth(k)), known, factor) for k in range(len(SERIES))]).astype(np.float32)


def _field(count: int, rng: np.random.Generator) -> Wide:
    """Gaussian random fields [count, L + margin] of unit variance along the lines of sight."""
    length = len(OBSERVED) + _MARGIN
    white = rng.standard_normal((count, length), dtype=np.float32)
    transfer = np.exp(-((2 * np.pi * np.fft.rfftfreq(length) * LENGTH) ** 2) / 2)
    smooth = np.fft.irfft(np.fft.rfft(white) * transfer, length)
    return np.asarray(smooth * np.sqrt(2 * np.sqrt(np.pi) * LENGTH), dtype=np.float32)


def transmission(z: Array, rng: np.random.Generator) -> Wide:
    """Share of the light of quasars at redshifts [B] that reaches us, float32 [B, L] on the observed grid.

    Args:
        z: Redshifts.
        rng: Source of all randomness; it is used alike for all redshifts.
    """
    field = CLUMPING * _field(len(z), rng)
    depth = np.zeros((len(z), len(OBSERVED)), dtype=np.float32)
    reach = np.searchsorted(OBSERVED, LYMAN_ALPHA * (1 + z))
    for k, (rest, _) in enumerate(SERIES):
        shift = round(np.log10(SERIES[0][0] / rest) / LOGLAM_STEP)  # where Lyman alpha of the same gas is seen
        ends = np.searchsorted(OBSERVED, rest * (1 + z))
        for i in np.flatnonzero(ends):
            part = slice(0, ends[i])
            depth[i, part] += np.exp(_factors()[k, part] + field[i, shift : shift + ends[i]])
    through = np.ones_like(depth)
    for i in np.flatnonzero(reach):
        np.exp(-depth[i, : reach[i]], out=through[i, : reach[i]])
    return through * _limit_systems(z, rng)


def _limit_systems(z: Array, rng: np.random.Generator) -> Wide:
    """Transmission [B, L] of gas that is opaque to light beyond the Lyman limit, by Poisson numbers of systems."""
    top = (1 + z) ** 3.04
    expected = 2.84 * 4.5**-2.04 / 3.04 * (top - 1)
    number = rng.poisson(np.minimum(expected, _LIMITS))[:, None]
    place = (1 + rng.random((len(z), _LIMITS)) * (top[:, None] - 1)) ** (1 / 3.04)
    depth = 10 ** rng.exponential(0.9, (len(z), _LIMITS)) * (np.arange(_LIMITS) < number)  # columns as N^-1.5 and less
    through = np.ones((len(z), len(OBSERVED)), dtype=np.float32)
    for i, k in zip(*np.nonzero(depth), strict=True):
        edge = LYMAN_LIMIT * place[i, k]
        end = np.searchsorted(OBSERVED, edge)
        through[i, :end] *= np.exp(-depth[i, k] * (OBSERVED[:end] / edge) ** 3)
    return through
