"""Which stars a survey of point sources meets far from the plane of our Galaxy, by apparent magnitude.

Dwarfs are counted: their luminosity function (Reid, Gizis & Hawley 2002; Bochanski et al. 2010) times the density of
thin disc, thick disc and halo at the distance at which a dwarf has the magnitude (Juric et al. 2008). Spectrographs
look at stars that might be quasars as often as at others, which makes the blue stars, rare by number, a good part of
what they see: shares are as among the spectra of SDSS (Yanny et al. 2009; Richards et al. 2002).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..settings import Observing
from .star_population import draw_stars
from .stellar_sequence import COLOUR, TEFF, TYPES, WHITE, locus

__all__ = ["KINDS", "POPULATIONS", "draw_star_sample", "dwarf_counts", "spectral_type"]

Array = npt.NDArray[np.float64]
Rows = dict[str, npt.NDArray[Any]]

KINDS = ("dwarf", "a", "hot", "subdwarf", "da", "db")
SHARE = (0.77, 0.13, 0.02, 0.02, 0.045, 0.015)
CANDIDATES = 0.4  # of the dwarfs, seen because their colours are near those of quasars
POPULATIONS = ("thin", "thick", "halo")
_HEIGHT_PC = (300.0, 900.0)  # scale heights of the discs
_LOCAL = (0.875, 0.12, 0.005)  # shares of the dwarfs near the Sun
_TURN_OFF = (0.2, 0.32, 0.26)  # g - i of the bluest dwarfs
_FEH = ((-0.1, 0.2), (-0.65, 0.25), (-1.5, 0.4))
_VELOCITY = ((-8.0, 30.0), (-25.0, 55.0), (-60.0, 130.0))  # km/s, mean and dispersion
_LUMINOSITY = (
    (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (0.4, 1.0, 2.2, 3.0, 3.1, 3.2, 4.0, 5.8, 7.8, 8.3, 6.8, 4.6, 3.6, 3.0),
)  # M_r; 1e-3 per pc3 and mag
_BINS = np.linspace(0.2, 3.7, 141)  # of g - i


def _absolute(colour: Array, feh: Array | float) -> Array:
    """Absolute magnitude M_r of dwarfs (Juric et al. 2008, equation 2; Ivezic et al. 2008, equation A2)."""
    x = np.minimum(locus(colour, feh)[..., 2], 1.9)
    disc = np.polynomial.polynomial.polyval(x, (3.2, 13.30, -11.50, 5.40, -0.70))
    metals = np.asarray(feh) + 0.5  # those of the stars of the first equation are -0.5
    return np.asarray(disc - metals * (0.93 + 0.18 * metals) * (x < 0.6))


@lru_cache(maxsize=1)
def dwarf_counts() -> tuple[Array, Array]:
    """Relative numbers of dwarfs by apparent magnitude.

    Returns:
        Magnitudes in i [M], and numbers per magnitude [M, population, colour] at high latitude.
    """
    magnitude = np.arange(13.0, 22.01, 0.25)
    numbers = []
    for k, (metals, _) in enumerate(_FEH):
        absolute = _absolute(_BINS, metals)
        density = np.interp(absolute, *_LUMINOSITY) * np.abs(np.gradient(absolute))
        colours = locus(_BINS, metals)
        distance = 10 ** (0.2 * (magnitude[:, None] - absolute + colours[:, 2]) + 1)
        height = distance * 0.9  # at a latitude of 64 degrees
        if k < 2:
            space = _LOCAL[k] * np.exp(-height / _HEIGHT_PC[k])
        else:
            space = _LOCAL[k] * (8000 / np.hypot(np.hypot(8000, 0.44 * distance), height / 0.64)) ** 2.77
        numbers.append(density * space * distance**3 * (_BINS > _TURN_OFF[k]))
    return magnitude, np.stack(numbers, axis=1)


@lru_cache(maxsize=1)
def _cumulative() -> Array:
    """Cumulative shares [2, M, population * colour] of dwarfs, as they are and as quasars' neighbours in colour."""
    counts = dwarf_counts()[1]
    near = np.exp(-0.5 * ((_BINS - 0.3) / 0.13) ** 2) + 0.25 * np.exp(-0.5 * ((_BINS - 2.3) / 0.6) ** 2)
    both = np.stack([counts, counts * near]).reshape(2, len(counts), -1)
    total = np.cumsum(both, axis=2)
    return np.asarray(total / total[:, :, -1:])


def _dwarfs(mag_i: Array, rng: np.random.Generator) -> Rows:
    grid, _ = dwarf_counts()
    row = np.clip(np.round((mag_i - grid[0]) / (grid[1] - grid[0])), 0, len(grid) - 1).astype(int)
    candidate = (rng.random(len(mag_i)) < CANDIDATES).astype(int)
    table, chance = _cumulative(), rng.random(len(mag_i))
    place = np.array([np.searchsorted(table[c, r], x) for c, r, x in zip(candidate, row, chance, strict=True)])
    population, colour = np.divmod(place, len(_BINS))
    metals, velocity = np.array(_FEH)[population], np.array(_VELOCITY)[population]
    noise = rng.standard_normal((3, len(mag_i)))
    shade = _BINS[colour] + (_BINS[1] - _BINS[0]) * (rng.random(len(mag_i)) - 0.5)
    return {
        "population": np.array(POPULATIONS)[population],
        "g_i": shade,
        "teff": np.interp(shade, COLOUR, TEFF),
        "logg": np.full(len(mag_i), 4.5),
        "feh": metals[:, 0] + metals[:, 1] * noise[0],
        "rv": velocity[:, 0] + velocity[:, 1] * noise[1],
        "vsini": np.abs(6 * noise[2]),
    }


def _warm(count: int, rng: np.random.Generator) -> Rows:
    """Horizontal branch stars, blue stragglers and A stars, as in the survey of these."""
    stars = draw_stars(count, rng, Observing())
    population = np.where(stars["class"] == "a", "thin", "halo")
    return {name: stars[name] for name in ("teff", "logg", "feh", "rv", "vsini")} | {
        "population": population,
        "g_i": np.zeros(count),
    }


def _hot(teff: Array, logg: float, rng: np.random.Generator) -> Rows:
    """Stars of old populations whose light says nothing about metals."""
    slow = {name: np.full(len(teff), value) for name, value in (("logg", logg), ("feh", 0.0), ("vsini", 1.0))}
    velocity = _VELOCITY[1][0] + _VELOCITY[1][1] * rng.standard_normal(len(teff))
    thick = np.full(len(teff), "thick")
    return slow | {"teff": teff, "rv": velocity, "g_i": np.zeros(len(teff)), "population": thick}


def draw_star_sample(mag_i: Array, rng: np.random.Generator) -> Rows:
    """Draws latent properties of stars of given magnitudes.

    Args:
        mag_i: Apparent magnitudes in i [B].
        rng: Source of all randomness.

    Returns:
        Arrays [B]: mag_i, kind (one of `KINDS`), population, type ("F5", "sdB", "DA"), teff (K), logg (cm/s2), feh and
        alpha (dex), g_i (colour of a dwarf, 0 of others), rv and vsini (km/s).
    """
    count = len(mag_i)
    kind = rng.choice(len(KINDS), count, p=SHARE)
    heat, cool = rng.random((2, count))
    parts = (
        _dwarfs(mag_i, rng),
        _warm(count, rng),
        _hot(9500 * 4.0**heat, 4.0, rng),
        _hot(22000 * 2.2 ** (heat**2), 5.6, rng),
        _hot(WHITE[0] - 3500 * np.log1p(-0.999 * heat), 8.0, rng),
        _hot(np.where(cool < 0.5, 6000 + 4500 * heat, 10500 * 2.2**heat), 8.0, rng),
    )
    stars = {name: np.stack([part[name] for part in parts])[kind, np.arange(count)] for name in parts[0]}
    stars |= {"mag_i": mag_i, "kind": np.array(KINDS)[kind], "alpha": 0.3 * np.clip(-stars["feh"], 0, 1)}
    return stars | {"type": spectral_type(stars)}


def spectral_type(stars: Rows) -> npt.NDArray[np.str_]:
    """Spectral types [B] by kind and temperature, of dwarfs the nearest of `stellar_sequence.TYPES`."""
    kind, teff = stars["kind"], stars["teff"]
    nearest = np.abs(np.asarray(stars["g_i"])[:, None] - COLOUR).argmin(axis=1)
    hotter = [teff > limit for limit in (30000, 18000, 10500, 9000, 7600)]
    main = np.select(hotter, ["O9", "B2", "B8", "A0", "A5"], "F0")
    return np.select(
        [kind == "dwarf", kind == "subdwarf", kind == "da", kind == "db"],
        [np.array(TYPES)[nearest], np.where(teff > 38000, "sdO", "sdB"), "DA", np.where(teff > 11000, "DB", "DC")],
        main,
    )
