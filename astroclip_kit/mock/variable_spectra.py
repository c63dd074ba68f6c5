"""Low-resolution spectra of mock variable stars as LAMOST takes them: light, lines in emission, and noise.

A pair shows the light of both stars, moved by their orbit. Pulsating stars are taken at any phase, so that their
temperature is not quite the mean one. In Miras a shock makes hydrogen shine (Yao et al. 2017), in fast rotating cool
stars the chromosphere fills H alpha and the cores of Ca II (Newton et al. 2017). Fluxes are relative: their
calibration bends by some 10 per cent (Du et al. 2016).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .atmospheres import REST_WAVELENGTH
from .catalogue import Rows
from .cool_giants import giant_library, giant_weights
from .spectra import redden
from .star_spectra import blurred, star_spectra
from .stellar_sequence import COLOUR, TEFF, library, sequence_weights
from .variable_population import ECLIPSING, LONG_PERIOD

__all__ = ["COEFF0", "COEFF1", "PIXELS", "Spectra", "observe_lamost", "stellar_light", "variable_light"]

Array = npt.NDArray[np.float64]
Wide = npt.NDArray[np.float32]

COEFF0, COEFF1, PIXELS = 3.5682, 1e-4, 3909  # of LAMOST: 3700 to 9100 A
_FIRST = round((COEFF0 - np.log10(REST_WAVELENGTH[0])) / COEFF1)
_VISUAL = slice(*np.searchsorted(REST_WAVELENGTH, [5100, 5900]))
WARM, GIANT = 6700.0, 3.7  # K above which dwarfs, and log g below which giants have atmospheres of their own
# lines in emission (A), and how strong each is in Miras and in chromospheres
_EMISSION = ((6564.6, 0.35, 1.0), (4862.7, 0.25, 0.25), (4341.7, 0.7, 0.12), (4102.9, 1.0, 0.08), (3934.8, 0.0, 0.8),
             (3969.6, 0.0, 0.7))  # fmt: skip


class Spectra(NamedTuple):
    """Relative flux and inverse variance [B, 3909] on the grid of LAMOST, and signal to noise [B, 5] in ugriz."""

    flux: Wide
    ivar: Wide
    snr: Array


def _scaled(flux: Wide) -> Wide:
    """Spectra [B, L] of the same light in V."""
    return np.asarray(flux / flux[:, _VISUAL].mean(axis=1, keepdims=True))


def stellar_light(teff: Array, logg: Array, feh: Array, carbon: npt.NDArray[np.bool_], templates: str = "") -> Wide:
    """Spectra of single stars at rest, unbroadened, of unit flux in V.

    Args:
        teff: Effective temperatures [B] in K.
        logg: Surface gravities [B].
        feh: [Fe/H] [B] in dex.
        carbon: Whether there is more carbon than oxygen [B].
        templates: Folder of published spectra, see `read_star_templates`; none by default.

    Returns:
        Float32 [B, L] on `atmospheres.REST_WAVELENGTH`.
    """
    giant = (logg < GIANT) & (teff < 5400)
    warm = ~giant & ((teff > WARM) | (logg < GIANT)) & (teff < 12000)
    kind = np.where(teff >= 12000, "hot", "dwarf")
    stars = {"teff": teff, "feh": feh, "kind": kind, "g_i": np.interp(-teff, -TEFF, COLOUR)}
    light = np.empty((len(teff), len(REST_WAVELENGTH)), dtype=np.float32)
    for rows, made in (
        (giant, lambda r: np.exp(giant_weights(teff[r], feh[r], carbon[r]) @ giant_library())),
        (warm, lambda r: star_spectra(_warm(teff[r], logg[r], feh[r]))),
        (~giant & ~warm, lambda r: np.exp(sequence_weights({k: v[r] for k, v in stars.items()}) @ library(templates))),
    ):
        if rows.any():
            light[rows] = made(rows)
    return _scaled(light)


def _warm(teff: Array, logg: Array, feh: Array) -> Rows:
    alpha = 0.3 * np.clip(-feh, 0, 1)
    return {"teff": teff, "logg": logg, "feh": feh, "alpha": alpha, "mag_g": np.zeros(len(teff))}


def variable_light(stars: Rows, rng: np.random.Generator, templates: str = "") -> Wide:
    """Spectra of variable stars as they reach us, without noise, of unit flux in V.

    Args:
        stars: Latents of `draw_variables` and `draw_places` [B].
        rng: Source of the phases at which they are taken.
        templates: See `stellar_light`.

    Returns:
        Float32 [B, 3909] on the grid of LAMOST.
    """
    carbon, phase = stars["subclass"] == "carbon", 2 * np.pi * rng.random(len(stars["teff"]))
    swing = np.select([np.isin(stars["class"], ECLIPSING), np.isin(stars["class"], LONG_PERIOD)], [0, 0.03], 0.075)
    teff = stars["teff"] * (1 + swing * stars["amplitude"] * np.cos(phase))
    light = stellar_light(teff, stars["logg"], stars["feh"], carbon, templates)
    light = _emission(light, stars, phase, rng)
    light = blurred(light, stars | {"rv": stars["rv"] + _orbital(stars, phase)})
    pair = np.isin(stars["class"], ECLIPSING)
    if pair.any():
        two = {name: values[pair] for name, values in stars.items()}
        single = np.zeros(pair.sum(), dtype=bool)
        second = stellar_light(two["teff_2"], two["logg"], two["feh"], single, templates)
        speed = -_orbital(two, phase[pair]) / two["mass_ratio"]
        second = blurred(second, two | {"rv": two["rv"] + speed})
        share = two["share_2"].astype(np.float32)[:, None]
        light[pair] = (1 - share) * light[pair] + share * second
    light = redden(light, stars["extinction"] / 3.1, REST_WAVELENGTH)
    return _scaled(light)[:, _FIRST : _FIRST + PIXELS]


def _orbital(stars: Rows, phase: Array) -> Array:
    """Radial velocity [B] in km/s of the first star of a pair of some two solar masses (Kepler's third law)."""
    pair = np.isin(stars["class"], ECLIPSING)
    speed = 270 * stars["period"] ** (-1 / 3) * np.sqrt(1 - stars["cos_inclination"] ** 2)
    return np.asarray(pair * speed * stars["mass_ratio"] / (1 + stars["mass_ratio"]) * np.sin(phase))


def _emission(light: Wide, stars: Rows, phase: Array, rng: np.random.Generator) -> Wide:
    """Spectra [B, L] with the lines of shocks in Miras, and of chromospheres, by how fast a cool star spins."""
    mira, locked = stars["class"] == "M", np.isin(stars["class"], ("ROT", *ECLIPSING))
    shock = np.where(mira, 14 * np.clip(np.cos(phase - 0.5) + 0.35, 0, None), 0.0) * rng.lognormal(0, 0.6, len(phase))
    turnover = np.where(stars["logg"] < GIANT, 1.6, 1.0)  # of convection: longer in giants
    spin = np.clip(1.1 - 0.55 * np.log10(np.maximum(stars["period"] / turnover, 0.5)), 0.05, 1.3)
    cool = np.clip((6200 - stars["teff"]) / 1500, 0, 1.5)
    active = np.where(locked, 0.9 * spin * cool, 0.0) * rng.lognormal(0, 0.6, len(phase))
    for line, of_shock, of_chromosphere in _EMISSION:
        width = line * 1.2e-4
        near = slice(*np.searchsorted(REST_WAVELENGTH, [line - 8 * width, line + 8 * width]))
        aside = slice(*np.searchsorted(REST_WAVELENGTH, [line + 15, line + 45]))
        shape = np.exp(-0.5 * ((REST_WAVELENGTH[near] - line) / width) ** 2) / (width * np.sqrt(2 * np.pi))
        strength = (of_shock * shock + of_chromosphere * active) * light[:, aside].mean(axis=1)
        light[:, near] += (strength[:, None] * shape).astype(np.float32)
    return light


_WAVELENGTH = 10 ** (COEFF0 + COEFF1 * np.arange(PIXELS))
_THROUGHPUT = (  # of both arms, which meet at 5800 A
    0.05
    + 1 / (1 + np.exp((3950 - _WAVELENGTH) / 130)) * (1 - 0.45 * np.exp(-(((_WAVELENGTH - 5820) / 110) ** 2)))
    * (1 - 0.5 * np.clip((_WAVELENGTH - 8000) / 1100, 0, 1))
)  # fmt: skip
_SKY = 0.25 + 0.5 * np.clip((_WAVELENGTH - 6800) / 2000, 0, 1)
_SKY_LINES = (5578.9, 5891.6, 6302.0, 6365.5, 7278.0, 7343.0, 7752.8, 7796.4, 7915.9, 7966.0, 8346.7, 8401.7, 8432.5,
              8467.7, 8829.5, 8888.3, 8960.5)  # fmt: skip
_BANDS = ((3700, 4000), (4000, 5500), (5600, 6900), (6900, 8200), (8200, 9100))


def _sky_lines() -> Array:
    """Profiles [lines, 3909] of the lines of the sky, of which more or less is subtracted than there is."""
    return np.asarray(np.exp(-0.5 * ((_WAVELENGTH - np.array(_SKY_LINES)[:, None]) / 2.0) ** 2))


def observe_lamost(light: Wide, v_mag: Array, rng: np.random.Generator) -> Spectra:
    """What LAMOST makes of noise-free spectra [B, 3909] of unit flux in V of stars of mean magnitudes V [B].

    Bright plates are exposed for less time, so that the signal to noise falls slowly with magnitude. Residuals of the
    lines of the sky are not in the inverse variance.
    """
    count = len(light)
    middling = 1.85 - 0.13 * (v_mag - 14) - 0.1 * np.maximum(v_mag - 15, 0)
    level = 10 ** np.clip(middling + 0.25 * rng.standard_normal(count), 0.8, 2.6)
    x = np.linspace(-1, 1, PIXELS)
    bend = rng.standard_normal((count, 3)) * (0.2, 0.1, 0.07)
    red = 1 / (1 + np.exp((5850 - _WAVELENGTH) / 25))
    calibration = np.exp(bend @ np.stack([x, x**2 - 1 / 3, red - 0.5]))
    flux = np.asarray(light * calibration, dtype=np.float32)
    sky = _SKY * 10 ** (0.4 * (v_mag[:, None] - 15.5))
    middle = np.median(flux, axis=1, keepdims=True)
    noise = middle / level[:, None] * np.sqrt((np.maximum(flux / middle, 0) + sky) / (1 + 0.4 * sky) / _THROUGHPUT)
    left = 10 ** (0.2 * (v_mag[:, None] - 15)) * rng.standard_normal((count, len(_SKY_LINES)))
    seen = flux + noise * rng.standard_normal(flux.shape, dtype=np.float32) + 0.05 * middle * (left @ _sky_lines())
    scale = 900 * 10 ** (-0.4 * (v_mag[:, None] - 14))
    snr = np.stack(
        [np.median((flux / noise)[:, slice(*np.searchsorted(_WAVELENGTH, ends))], axis=1) for ends in _BANDS]
    )
    return Spectra((seen * scale).astype(np.float32), (1 / (noise * scale) ** 2).astype(np.float32), snr.T)
