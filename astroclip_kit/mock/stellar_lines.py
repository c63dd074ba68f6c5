"""Lines and bands of stars other than those of hydrogen: metals and molecules of cool stars, helium of hot ones.

Depths follow temperature and metals smoothly, with the places (vacuum) and strengths that are seen in the templates of
SDSS (Kesseli et al. 2017): Ca II, Mg I, Na I, K I, Fe I, and the bands of CH, MgH, TiO, CaH and VO.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .atmospheres import REST_WAVELENGTH

__all__ = ["band_shape", "cool_star_depth", "with_helium"]

Array = npt.NDArray[np.float64]

# strong lines and blends: wavelength (A), half width (A), depth of optical thickness at its strongest, and the
# temperature (K) below which it is
_LINES = ((3934.8, 9.0, 2.6, 6300), (3969.6, 8.0, 2.2, 6300), (3582, 14, 0.7, 6000), (3735, 12, 0.6, 6000),
          (3832, 8, 0.7, 5700), (3860, 10, 0.5, 6000), (4046.9, 1.8, 0.4, 5800), (4064, 2, 0.3, 5800),
          (4227.9, 3.0, 0.9, 4900), (4305, 9, 0.55, 5800), (4384.8, 2.2, 0.5, 5800), (4405, 2, 0.3, 5800),
          (4455.9, 2.5, 0.3, 5000), (4531, 6, 0.2, 5300), (4668, 8, 0.2, 5000), (4921, 2, 0.2, 5700),
          (5015, 3, 0.15, 5500), (5168.8, 2.2, 0.6, 5400), (5174.1, 2.2, 0.7, 5400), (5185.1, 2.2, 0.75, 5400),
          (5207, 3, 0.35, 5000), (5270.9, 2.6, 0.4, 5500), (5329.5, 2.4, 0.35, 5500), (5406, 2.5, 0.2, 5400),
          (5530, 1.8, 0.15, 5500), (5891.6, 2.4, 1.0, 4900), (5897.6, 2.2, 0.85, 4900), (6104, 2, 0.15, 4900),
          (6163.9, 2.2, 0.25, 4800), (6440, 2.5, 0.2, 5000), (6495, 4, 0.2, 5000), (7667, 2.4, 0.7, 4000),
          (7701, 2.3, 0.6, 4000), (8185.5, 2.2, 0.45, 3700), (8197.1, 2.4, 0.5, 3700), (8500.4, 1.8, 0.35, 6800),
          (8544.4, 2.4, 0.6, 6800), (8664.5, 2.2, 0.5, 6800), (8809.2, 1.8, 0.25, 5500))  # fmt: skip
# molecular bands: heads in the blue (A), how far they fade to the red (A), depth at their strongest, temperature (K)
_BANDS = ((4760, 90, 0.75, 3650), (4954, 110, 0.85, 3650), (5167, 120, 0.9, 3650), (5448, 110, 0.8, 3650),
          (5759, 60, 0.4, 3500), (5847, 120, 0.7, 3600), (6158, 150, 0.75, 3650), (6384, 40, 0.35, 3800),
          (6569, 50, 0.25, 3500), (6651, 110, 0.7, 3500), (6750, 180, 0.6, 3700), (7053, 230, 0.95, 3600),
          (7334, 110, 0.4, 2900), (7589, 220, 0.8, 3400), (7851, 110, 0.35, 2900), (8206, 80, 0.35, 3100),
          (8432, 80, 0.5, 3200), (8859, 100, 0.4, 3200), (9209, 90, 0.25, 3000), (5005, -55, 0.25, 4500),
          (5211, -65, 0.35, 4500), (4314, -30, 0.35, 5400))  # fmt: skip
_PRESSED = (5005, 5211, 6384, 6750, 5891.6, 5897.6, 7667, 7701, 8185.5, 8197.1)  # of MgH, CaH, Na and K
_THIN = 0.3  # how deep these are in giants, over how deep in dwarfs
_HELIUM = ((3820.7, 0.4), (3889.7, 0.7), (3965.8, 0.3), (4027.3, 0.8), (4144.9, 0.3), (4389.2, 0.35), (4472.8, 1.0),
           (4714.5, 0.5), (4923.3, 0.5), (5017.1, 0.45), (5877.3, 0.9), (6680.0, 0.6), (7067.2, 0.5))  # fmt: skip
_IONISED_HELIUM = ((4201.0, 0.15), (4542.9, 0.25), (4687.0, 0.5), (5413.0, 0.3))


@lru_cache(maxsize=1)
def _forest() -> Array:
    """Optical depth [L] of a fixed forest of faint lines, denser in the blue."""
    rng = np.random.default_rng(3900)
    total = np.zeros(len(REST_WAVELENGTH))
    for line, depth in zip(2950 + 5500 * rng.beta(0.8, 2.6, 1500), rng.exponential(0.11, 1500), strict=True):
        near = slice(*np.searchsorted(REST_WAVELENGTH, [line - 6, line + 6]))
        total[near] += depth * np.exp(-(((REST_WAVELENGTH[near] - line) / 1.1) ** 2))
    return total


def band_shape(head: float, fading: float, edge: float) -> Array:
    """Depth [L] of a molecular band, of some 1 beyond its head, on `atmospheres.REST_WAVELENGTH`.

    Args:
        head: Where it begins, in Angstrom.
        fading: How far it fades to the red, in Angstrom; negative: to the blue.
        edge: How sharply it begins, in Angstrom.
    """
    beyond = (REST_WAVELENGTH - head) / fading
    rise = 1 + np.exp(-np.clip(beyond * abs(fading) / edge, -60, 60))
    return np.asarray(np.exp(-np.maximum(beyond, 0)) / rise)


def cool_star_depth(teff: float, feh: float, giant: bool = False) -> Array:
    """Optical depth [L] of lines and bands of a cool star on `atmospheres.REST_WAVELENGTH`.

    Args:
        teff: Effective temperature in K.
        feh: [Fe/H] in dex.
        giant: Without the pressure that makes Na I, K I, MgH and CaH strong.
    """
    total = _forest() * 10 ** (0.4 * feh) / (1 + (teff / 5900) ** 9)
    for line, width, strength, limit in _LINES:
        near = slice(*np.searchsorted(REST_WAVELENGTH, [line - 12 * width, line + 12 * width]))
        offset = (REST_WAVELENGTH[near] - line) / width
        warmth = 10 ** (0.4 * feh) / (1 + (teff / limit) ** 9) * (_THIN if giant and line in _PRESSED else 1)
        total[near] += 2 * warmth * strength * (0.75 * np.exp(-(offset**2)) + 0.25 / (1 + offset**2))
    for head, fading, strength, limit in _BANDS:
        weaker = _THIN if giant and head in _PRESSED else 1
        total += 1.8 * weaker * 10 ** (0.3 * feh) * strength / (1 + (teff / limit) ** 22) * band_shape(head, fading, 4)
    return total


def with_helium(flux: Array, teff: float, width: float) -> Array:
    """A spectrum [L] with the lines of helium, ionised or not, of a star of temperature `teff` (K).

    Args:
        flux: On `atmospheres.REST_WAVELENGTH`.
        teff: Effective temperature in K; neutral helium absorbs 21000 at 21000 K.
        width: Standard deviation of the lines in Angstrom.
    """
    neutral = np.exp(-((np.log(teff / 21000) / 0.45) ** 2))
    ionised = 1 / (1 + (38000 / teff) ** 8)
    depth = sum(
        share * strength * np.exp(-0.5 * ((REST_WAVELENGTH - line) / width) ** 2)
        for lines, share in ((_HELIUM, neutral), (_IONISED_HELIUM, ionised))
        for line, strength in lines
    )
    return np.asarray(flux * np.exp(-0.5 * depth))
