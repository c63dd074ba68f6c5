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
from .instruments import SDSS, band_weights
from .point_templates import StarTemplates, read_star_templates, with_template
from .stellar_lines import cool_star_depth, with_helium
from .stellar_populations import node_weights

__all__ = [
    "COLOUR",
    "FEH",
    "HOT",
    "HOT_TYPES",
    "TEFF",
    "TYPES",
    "WHITE",
    "continuum",
    "library",
    "locus",
    "sequence_weights",
]

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
_SUBDWARF = 7  # the first hot node that subdwarfs have
HOT_TYPES = ("F0", "A7", "A3", "A0", "B9", "B6", "B4", "B2", "B0", "O8", "O5")
WHITE = np.array([6000.0, 7000, 8000, 9000, 10500, 12500, 15000, 19000, 25000, 35000, 60000])
"""Effective temperatures of white dwarfs, of hydrogen (log g = 8) and, after them, of helium."""

_LOCUS = ((1.0636113, -1.6267818, 4.9389572, -3.2809081, 0.8725109, -0.0828035),
          (0.4290263, -0.8852323, 2.0740616, -1.1091553, 0.2397461, -0.0183195),
          (-0.4113500, 1.8229991, -1.9989772, 1.0662075, -0.2284455, 0.0172212),
          (-0.2270331, 0.7794558, -0.7350749, 0.3727802, -0.0735412, 0.0049808))  # fmt: skip


def locus(colour: Array, feh: Array | float) -> Array:
    """Colours [..., 4] u-g, g-r, r-i, i-z of dwarfs of g - i [...] and [Fe/H] [...].

    The median locus is that of stars with [Fe/H] near -0.7. Metal-poor ones are brighter in u (Ivezic et al. 2008),
    and metal-poor M dwarfs redder in g-r (Lepine & Scholz 2008).
    """
    metals = np.asarray(feh) + 0.7
    redder = -0.05 * metals * np.clip(colour - 1.8, 0, 1)
    colours = np.stack([np.polynomial.polynomial.polyval(np.maximum(colour, 0.45), terms) for terms in _LOCUS], axis=-1)
    colours[..., 1:] += np.array([0.74, 0.26, 0.13]) * np.minimum(colour - 0.45, 0)[..., None]  # Fukugita et al. (2011)
    colours[..., 0] += np.where(colour < 2, 0.13 + 0.12 * np.clip(colour - 0.5, -0.5, 1), 0.1) * metals
    colours[..., 1] += redder
    colours[..., 2] -= redder
    return np.asarray(colours)


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


def continuum(teff: float, logg: float) -> Array:
    """Flux [L] of a cool star on `atmospheres.REST_WAVELENGTH`, without what `cool_star_depth` takes of it."""
    return _atmosphere(teff, logg, 4) if teff > 4900 else _black_body(teff)


def _cool(name: str, teff: float, colour: float, templates: StarTemplates | None) -> list[Array]:
    bare = continuum(teff, 4.5)
    spectra = [bare * np.exp(-cool_star_depth(teff, feh)) for feh in FEH]
    if templates:
        spectra = [with_template(flux, templates.nearest(name, feh)) for flux, feh in zip(spectra, FEH, strict=True)]
    return [_on_locus(flux, locus(np.array(colour), feh)) for flux, feh in zip(spectra, FEH, strict=True)]


def _hot(name: str, teff: float, templates: StarTemplates | None) -> Array:
    flux = with_helium(_atmosphere(teff, 4.0, 2), teff, 3.0)
    if not templates:
        return flux
    magnitudes = -2.5 * np.log10(flux @ band_weights(REST_WAVELENGTH, SDSS))
    return _on_locus(with_template(flux, templates.nearest(name, 0.0)), -np.diff(magnitudes))


def _black_body(teff: float) -> Array:
    return np.asarray(1e20 * REST_WAVELENGTH**-5 / np.expm1(1.438777e8 / REST_WAVELENGTH / teff))


def _helium_dwarf(teff: float) -> Array:
    """A black body with helium lines where they are excited, and with none below 11000 K."""
    return with_helium(_black_body(teff), teff, 18.0) if teff > 11000 else _black_body(teff)


@lru_cache(maxsize=2)
def library(templates: str = "") -> Wide:
    """Logarithms of the flux [nodes, L] on `atmospheres.REST_WAVELENGTH`, in 1e-17 erg/s/cm2/A for a nanomaggie in i.

    The nodes are those of cool stars (by colour, then metallicity), of hot ones (twice) and of white dwarfs (twice).

    Args:
        templates: Folder of published spectra, see `read_star_templates`; none by default.
    """
    real = read_star_templates(templates) if templates else None
    spectra = [flux for name, teff, colour in _SEQUENCE for flux in _cool(name, teff, colour, real)]
    spectra += [_hot(name, teff, real) for name, teff in zip(HOT_TYPES, HOT, strict=True)]
    spectra += [with_helium(_atmosphere(teff, 5.6, 3), teff, 5.0) for teff in HOT[_SUBDWARF:]]
    spectra += [_atmosphere(teff, 8.0, 5) for teff in WHITE] + [_helium_dwarf(teff) for teff in WHITE]
    nodes = np.stack(spectra)
    return np.log(nodes / (nodes @ band_weights(REST_WAVELENGTH, SDSS)[:, 3:4])).astype(np.float32)


def sequence_weights(stars: dict[str, npt.NDArray[Any]]) -> Wide:
    """Weights [B, nodes] of the nodes of `library` for stars of `draw_star_sample`; none for those of kind "a"."""
    kind = stars["kind"]
    cool = node_weights(stars["g_i"], COLOUR)[:, :, None] * node_weights(stars["feh"], FEH)[:, None]
    log = np.log(stars["teff"])
    hot, white = node_weights(log, np.log(HOT)), node_weights(log, np.log(WHITE))
    parts = (
        ("dwarf", cool.reshape(len(kind), -1)),
        ("hot", hot),
        ("subdwarf", hot[:, _SUBDWARF:]),
        ("da", white),
        ("db", white),
    )
    return np.concatenate([(kind == name)[:, None] * weights for name, weights in parts], axis=1).astype(np.float32)
