"""Spectra of stars of all types, O to M and white dwarfs, as nodes between which logarithms are interpolated.

Warm and hot stars are the model atmospheres of `atmospheres`, which have the hydrogen lines, with lines of metals or
helium. Cool stars are the same atmospheres with strong lines and molecular bands whose depth follows temperature and
metals, times a smooth curve that puts their colours on the stellar locus of SDSS (Covey et al. 2007): that curve stands
for the millions of faint lines, and for what is not grey.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .atmospheres import REST_WAVELENGTH, emergent_flux
from .hydrogen import BOLTZMANN_EV
from .instruments import SDSS, band_weights
from .stellar_populations import node_weights

__all__ = ["COLOUR", "FEH", "HOT", "TEFF", "TYPES", "WHITE", "library", "locus", "sequence_weights"]

Array = npt.NDArray[np.float64]
Wide = npt.NDArray[np.float32]

# main sequence: type, effective temperature (K), g - i
_SEQUENCE = (("F2", 6900, 0.24), ("F5", 6500, 0.36), ("F8", 6150, 0.47), ("G0", 5950, 0.53), ("G2", 5770, 0.60),
             ("G5", 5600, 0.67), ("G8", 5400, 0.78), ("K0", 5200, 0.88), ("K2", 4950, 1.05), ("K3", 4750, 1.22),
             ("K5", 4400, 1.65), ("K7", 4050, 1.92), ("M0", 3850, 2.07), ("M1", 3680, 2.25), ("M2", 3550, 2.45),
             ("M3", 3400, 2.69), ("M4", 3200, 2.98), ("M5", 3050, 3.35), ("M6", 2850, 3.75))  # fmt: skip
TYPES = tuple(name for name, _, _ in _SEQUENCE)
TEFF = np.array([teff for _, teff, _ in _SEQUENCE], dtype=float)
COLOUR = np.array([colour for _, _, colour in _SEQUENCE])
"""The colours g - i of the cool nodes."""
FEH = np.array([-2.2, -1.2, -0.5, 0.2])
"""The metallicities of the cool nodes."""
HOT = np.array([7000.0, 7750, 8500, 9500, 11000, 13000, 16000, 20000, 26000, 34000, 45000])
"""Effective temperatures of the hot nodes, of log g = 4 and, after them, of subdwarfs of log g = 5.6."""
WHITE = np.array([6000.0, 7000, 8000, 9000, 10500, 12500, 15000, 19000, 25000, 35000, 60000])
"""Effective temperatures of white dwarfs, of hydrogen (log g = 8) and, after them, of helium."""

_LOCUS = ((1.0636113, -1.6267818, 4.9389572, -3.2809081, 0.8725109, -0.0828035),
          (0.4290263, -0.8852323, 2.0740616, -1.1091553, 0.2397461, -0.0183195),
          (-0.4113500, 1.8229991, -1.9989772, 1.0662075, -0.2284455, 0.0172212),
          (-0.2270331, 0.7794558, -0.7350749, 0.3727802, -0.0735412, 0.0049808))  # fmt: skip
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
          (7701, 2.3, 0.6, 4000), (8185.5, 2.2, 0.45, 3700), (8197.1, 2.4, 0.5, 3700), (8500.4, 1.8, 0.55, 6500),
          (8544.4, 2.4, 0.95, 6500), (8664.5, 2.2, 0.8, 6500), (8809.2, 1.8, 0.25, 5500))  # fmt: skip
# molecular bands: heads in the blue (A), how far they fade to the red (A), depth at their strongest, temperature (K)
_BANDS = ((4760, 90, 0.75, 3650), (4954, 110, 0.85, 3650), (5167, 120, 0.9, 3650), (5448, 110, 0.8, 3650),
          (5759, 60, 0.4, 3500), (5847, 120, 0.7, 3600), (6158, 140, 1.0, 3650), (6384, 40, 0.35, 3800),
          (6569, 50, 0.25, 3500), (6651, 110, 0.7, 3500), (6750, 120, 0.55, 3750), (7053, 190, 1.35, 3600),
          (7334, 110, 0.4, 2900), (7589, 170, 1.0, 3400), (7851, 110, 0.35, 2900), (8206, 80, 0.35, 3100),
          (8432, 80, 0.5, 3200), (8859, 100, 0.4, 3200), (9209, 90, 0.25, 3000), (5005, -55, 0.25, 4500),
          (5211, -65, 0.35, 4500), (4314, -30, 0.35, 5400))  # fmt: skip
_HELIUM = ((3820.7, 0.4), (3889.7, 0.7), (3965.8, 0.3), (4027.3, 0.8), (4144.9, 0.3), (4389.2, 0.35), (4472.8, 1.0),
           (4714.5, 0.5), (4923.3, 0.5), (5017.1, 0.45), (5877.3, 0.9), (6680.0, 0.6), (7067.2, 0.5))  # fmt: skip
_IONISED_HELIUM = ((4201.0, 0.15), (4542.9, 0.25), (4687.0, 0.5), (5413.0, 0.3))


def locus(colour: Array, feh: Array | float) -> Array:
    """Colours [..., 4] u-g, g-r, r-i, i-z of dwarfs of g - i [...] and [Fe/H] [...].

    The median locus is that of stars with [Fe/H] near -0.7; metal-poor ones are brighter in u (Ivezic et al. 2008).
    """
    colours = np.stack([np.polynomial.polynomial.polyval(colour, terms) for terms in _LOCUS], axis=-1)
    colours[..., 0] += np.where(colour < 2, 0.13 + 0.12 * np.clip(colour - 0.5, -0.5, 1), 0.1) * (feh + 0.7)
    return np.asarray(colours)


@lru_cache(maxsize=1)
def _forest() -> Array:
    """Optical depth [L] of a fixed forest of faint lines, denser in the blue."""
    rng = np.random.default_rng(3900)
    total = np.zeros(len(REST_WAVELENGTH))
    for line, depth in zip(2950 + 5500 * rng.beta(0.8, 2.6, 1500), rng.exponential(0.11, 1500), strict=True):
        near = slice(*np.searchsorted(REST_WAVELENGTH, [line - 6, line + 6]))
        total[near] += depth * np.exp(-(((REST_WAVELENGTH[near] - line) / 1.1) ** 2))
    return total


def _metals(teff: float, feh: float) -> Array:
    """Optical depth [L] of lines and bands of a cool star."""
    total = _forest() * 10 ** (0.4 * feh) / (1 + (teff / 5900) ** 9)
    for line, width, strength, limit in _LINES:
        near = slice(*np.searchsorted(REST_WAVELENGTH, [line - 12 * width, line + 12 * width]))
        offset = (REST_WAVELENGTH[near] - line) / width
        warmth = 10 ** (0.4 * feh) / (1 + (teff / limit) ** 9)
        total[near] += 2 * warmth * strength * (0.75 * np.exp(-(offset**2)) + 0.25 / (1 + offset**2))
    for head, fading, strength, limit in _BANDS:
        beyond = (REST_WAVELENGTH - head) / fading
        shape = np.exp(-np.maximum(beyond, 0)) / (1 + np.exp(-np.clip(beyond * abs(fading) / 4, -60, 60)))
        total += 1.8 * 10 ** (0.3 * feh) * strength / (1 + (teff / limit) ** 22) * shape
    return total


def _on_locus(flux: Array, colours: Array) -> Array:
    """A spectrum [L] times a smooth curve, such that it has these colours [4]."""
    weights = band_weights(REST_WAVELENGTH, SDSS).astype(float)
    target = np.concatenate([[0], -np.cumsum(colours)])
    hats = node_weights(np.log(REST_WAVELENGTH), np.log(np.array(SDSS.centre)))
    gain = np.zeros(len(target))
    for _ in range(12):
        magnitudes = -2.5 * np.log10((flux * np.exp(hats @ gain)) @ weights)
        gain += 0.4 * np.log(10) * 0.9 * (magnitudes - magnitudes[0] - target)
    return np.asarray(flux * np.exp(hats @ gain))


def _atmosphere(teff: float, logg: float, step: int) -> Array:
    """Flux [L] as `emergent_flux`, at every `step`-th wavelength and interpolated."""
    coarse = np.append(REST_WAVELENGTH[:-1:step], REST_WAVELENGTH[-1])
    return np.asarray(np.interp(REST_WAVELENGTH, coarse, emergent_flux(teff, logg, coarse)))


def _cool(teff: float, colour: float) -> list[Array]:
    bare = _atmosphere(max(teff, 3500.0), 4.5, 4)
    return [_on_locus(bare * np.exp(-_metals(teff, feh)), locus(np.array(colour), feh)) for feh in FEH]


def _with_helium(flux: Array, teff: float, width: float, most: float) -> Array:
    neutral = np.exp(-((np.log(teff / most) / 0.45) ** 2))
    ionised = 1 / (1 + (38000 / teff) ** 8)
    depth = sum(
        share * strength * np.exp(-0.5 * ((REST_WAVELENGTH - line) / width) ** 2)
        for lines, share in ((_HELIUM, neutral), (_IONISED_HELIUM, ionised))
        for line, strength in lines
    )
    return np.asarray(flux * np.exp(-0.5 * depth))


def _helium_dwarf(teff: float) -> Array:
    """A black body with helium lines where they are excited, and with none below 11000 K."""
    planck = REST_WAVELENGTH**-5 / np.expm1(1.0 / (BOLTZMANN_EV * 8065.544e-8 * REST_WAVELENGTH * teff))
    return _with_helium(planck, teff, 18.0, 22000.0) if teff > 11000 else np.asarray(planck)


@lru_cache(maxsize=1)
def library() -> Wide:
    """Logarithms of the flux [nodes, L] on `atmospheres.REST_WAVELENGTH`, in 1e-17 erg/s/cm2/A for a nanomaggie in i.

    The nodes are those of cool stars (by colour, then metallicity), of hot ones (twice) and of white dwarfs (twice).
    """
    spectra = [flux for _, teff, colour in _SEQUENCE for flux in _cool(teff, colour)]
    for gravity, width in ((4.0, 3.0), (5.6, 5.0)):
        spectra += [_with_helium(_atmosphere(teff, gravity, 2), teff, width, 20000.0) for teff in HOT]
    spectra += [_atmosphere(teff, 8.0, 4) for teff in WHITE] + [_helium_dwarf(teff) for teff in WHITE]
    nodes = np.stack(spectra)
    return np.log(nodes / (nodes @ band_weights(REST_WAVELENGTH, SDSS)[:, 3:4])).astype(np.float32)


def sequence_weights(stars: dict[str, npt.NDArray[Any]]) -> Wide:
    """Weights [B, nodes] of the nodes of `library` for stars of `draw_star_sample`; none for those of kind "a"."""
    kind = stars["kind"]
    cool = node_weights(stars["g_i"], COLOUR)[:, :, None] * node_weights(stars["feh"], FEH)[:, None]
    log = np.log(stars["teff"])
    hot, white = node_weights(log, np.log(HOT)), node_weights(log, np.log(WHITE))
    parts = (("dwarf", cool.reshape(len(kind), -1)), ("hot", hot), ("subdwarf", hot), ("da", white), ("db", white))
    return np.concatenate([(kind == name)[:, None] * weights for name, weights in parts], axis=1).astype(np.float32)
