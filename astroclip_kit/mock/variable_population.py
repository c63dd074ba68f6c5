"""The latent properties of mock variable stars of ten classes: what everything that is observed follows from.

Shares are those of the stars that ASAS-SN, LAMOST and Gaia share (Rizhko & Bloom 2025). Periods, temperatures and
luminosities follow what is known of each class: contact binaries the period-colour (Eggen 1967) and
period-colour-luminosity relations (Rucinski & Duerbeck 1997), RR Lyrae stars the period-amplitude relation (Clement &
Rowe 2000) and M_V by metals (Cacciari & Clementini 2003), delta Scuti stars (Ziaali et al. 2019), Miras and
semiregular variables (Whitelock, Feast & van Leeuwen 2008) their period-luminosity relations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..transforms.astrom3_columns import CLASSES
from .eclipses import draw_orbits
from .star_counts import POPULATIONS

__all__ = [
    "BRIGHT",
    "COUNTS",
    "ECLIPSING",
    "FAINT",
    "LONG_PERIOD",
    "PULSATING",
    "Variables",
    "draw_variables",
]

Array = npt.NDArray[np.float64]
Variables = dict[str, npt.NDArray[Any]]
"""Latent name to values [B]; see `draw_variables`."""

COUNTS = (255, 2916, 1976, 6168, 281, 268, 1839, 2351, 796, 4590)
"""Stars of each class among the 21,440 of Rizhko & Bloom (2025)."""
ECLIPSING, PULSATING, LONG_PERIOD = ("EA", "EB", "EW"), ("DSCT", "HADS", "RRAB", "RRC"), ("M", "SR")
_SEQUENCE = (  # temperature (K) and M_V of dwarfs (Pecaut & Mamajek 2013)
    (3000, 3500, 4000, 4500, 5000, 5500, 6000, 6500, 7000, 7500, 8500, 9700, 12000, 16000, 22000),
    (12.5, 10.2, 8.3, 7.1, 6.1, 5.2, 4.4, 3.6, 2.9, 2.3, 1.9, 1.1, 0.0, -1.0, -2.2),
)
_TIGHTEST = ((0.22, 0.29, 0.43, 0.46, 0.57, 0.93, 1.5), (4400, 5900, 7200, 8200, 9700, 15700, 22000))  # days, K
_VISUAL = {"EA": (13.2, 1.3), "EB": (13.3, 1.2), "EW": (13.9, 1.1), "RRAB": (15.0, 1.1), "RRC": (14.4, 1.1),
           "SR": (13.0, 1.2), "M": (13.0, 1.1), "ROT": (13.0, 1.1), "DSCT": (12.2, 1.0),
           "HADS": (14.3, 1.1)}  # fmt: skip
BRIGHT, FAINT = 10.2, 16.6  # V of the survey
_FEH = ((-0.12, 0.2), (-0.6, 0.25), (-1.45, 0.4))


def _main_sequence(teff: Array) -> Array:
    """M_V [B] of dwarfs of temperatures [B] in K."""
    return np.asarray(np.interp(np.log(teff), np.log(_SEQUENCE[0]), _SEQUENCE[1]))


def _temperature(colour: Array) -> Array:
    """Temperature in K of dwarfs of B - V (Ballesteros 2012)."""
    return np.asarray(4600 * (1 / (0.92 * colour + 1.7) + 1 / (0.92 * colour + 0.62)))


def _contact(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((4, count))
    period = 10 ** np.clip(-0.445 + 0.095 * n[0] + 0.05 * np.abs(n[1]), np.log10(0.212), -0.02)
    colour = np.clip(0.04 * period**-2.25 + 0.12 + 0.055 * n[2], 0.1, 1.4)
    luminosity = -4.44 * np.log10(period) + 3.02 * colour + 0.12 + 0.17 * n[3]
    return {"period": period, "teff": _temperature(colour), "logg": 4.3 + 0 * period, "mv": luminosity,
            "vsini": 140 + 20 * n[3]}  # fmt: skip


def _hottest(period: Array) -> Array:
    """Temperature [B] in K of the hottest dwarf that fits into an orbit: its density sets the shortest period."""
    return np.asarray(np.interp(period, *_TIGHTEST))


def _near(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((3, count))
    period = 10 ** np.clip(-0.3 + 0.2 * n[0] + 0.22 * np.abs(n[1]), np.log10(0.25), 1.2)
    teff = np.clip(6600 * (period / 0.6) ** 0.16 * 10 ** (0.07 * n[2]), 4300, _hottest(period))
    luminosity = _main_sequence(teff) - 0.4 - 0.8 * np.log10(np.maximum(period, 0.5) / 0.5) + 0.3 * n[1]
    return {"period": period, "teff": teff, "logg": 4.1 + 0 * period, "mv": luminosity, "vsini": 100 + 20 * n[1]}


def _detached(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((3, count))
    period = 10 ** np.clip(0.33 + 0.36 * n[0], np.log10(0.28), 1.9)
    teff = np.clip(6300 * 10 ** (0.085 * n[1] + 0.03 * n[0]), 3700, _hottest(period))
    luminosity = _main_sequence(teff) - 0.5 + 0.4 * n[2]
    return {"period": period, "teff": teff, "logg": 4.2 + 0 * period, "mv": luminosity,
            "vsini": 30 + 40 / period}  # fmt: skip


def _fundamental(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((4, count))
    period = 10 ** np.clip(-0.255 + 0.05 * n[0], np.log10(0.37), np.log10(0.95))
    second = rng.random(count) < 0.25  # Oosterhoff's other group: longer periods at the same amplitude
    amplitude = (-0.115 - np.log10(period) + 0.055 * second) / 0.14 + 0.1 * n[1]
    return {"period": period, "teff": 6450 + 350 * n[2], "logg": 2.7 + 0.1 * n[3], "mv": 0.62 + 0.12 * n[3],
            "amplitude": np.clip(amplitude, 0.25, 1.35), "vsini": 12 + 0 * period}  # fmt: skip


def _overtone(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((4, count))
    period = 10 ** np.clip(-0.495 + 0.055 * n[0], np.log10(0.2), np.log10(0.46))
    return {"period": period, "teff": 7050 + 230 * n[1], "logg": 2.9 + 0.1 * n[2], "mv": 0.58 + 0.12 * n[2],
            "amplitude": np.clip(0.42 + 0.07 * n[3], 0.18, 0.65), "vsini": 12 + 0 * period}  # fmt: skip


def _scuti(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((4, count))
    period = 10 ** np.clip(-0.95 + 0.16 * n[0], np.log10(0.035), np.log10(0.28))
    return {"period": period, "teff": 7450 + 330 * n[1], "logg": 3.9 + 0.15 * n[2],
            "mv": -2.94 * np.log10(period) - 1.34 + 0.25 * n[2],
            "amplitude": 10 ** np.clip(-1.0 + 0.14 * n[3], -1.6, -0.7), "vsini": 110 * np.exp(0.5 * n[2])}  # fmt: skip


def _high_amplitude(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((4, count))
    period = 10 ** np.clip(-1.05 + 0.16 * n[0], np.log10(0.038), np.log10(0.24))
    return {"period": period, "teff": 7350 + 330 * n[1], "logg": 3.9 + 0.15 * n[2],
            "mv": -2.94 * np.log10(period) - 1.34 + 0.25 * n[2], "amplitude": np.clip(0.4 + 0.14 * n[3], 0.17, 0.9),
            "vsini": 15 * np.exp(0.5 * n[2])}  # fmt: skip


def _semiregular(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((4, count))
    slow = np.clip(1.85 + 0.33 * n[0], 1.1, 2.9)
    teff = np.clip(3620 - 330 * (slow - 1.85) + 130 * n[1], 2900, 4300)
    amplitude = 10 ** np.clip(-0.55 + 0.45 * (slow - 1.85) + 0.2 * n[2], -1.2, 0.34)
    return {"period": 10**slow, "teff": teff, "logg": 0.8 - 0.5 * (slow - 1.85), "mv": _giant_mv(slow, teff, n[3]),
            "amplitude": amplitude, "vsini": 5 + 0 * slow, "carbon": rng.random(count) < 0.08}  # fmt: skip


def _mira(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((4, count))
    slow = np.clip(2.44 + 0.11 * n[0], 2.0, 2.8)
    teff = np.clip(3050 - 500 * (slow - 2.44) + 120 * n[1], 2500, 3400)
    return {"period": 10**slow, "teff": teff, "logg": 0.0 + 0.1 * n[3], "mv": _giant_mv(slow, teff, n[3]),
            "amplitude": np.clip(3.9 + 0.9 * n[2], 2.3, 6.5), "vsini": 5 + 0 * slow,
            "carbon": rng.random(count) < 0.25}  # fmt: skip


def _giant_mv(slow: Array, teff: Array, scatter: Array) -> Array:
    """M_V of giants from M_K by the logarithm of the period, and V - K by temperature."""
    infrared = -3.51 * (slow - 2.38) - 7.25 + 0.35 * scatter
    return np.asarray(
        infrared + np.interp(teff, (2500, 2800, 3000, 3300, 3600, 4000, 4500), (11, 9, 7.8, 6, 4.7, 3.5, 2.6))
    )


def _rotating(count: int, rng: np.random.Generator) -> Variables:
    n = rng.standard_normal((5, count))
    giant = rng.random(count) < 0.45
    period = 10 ** np.where(giant, np.clip(1.25 + 0.32 * n[0], 0.2, 2.1), np.clip(0.6 + 0.45 * n[0], -0.7, 1.6))
    teff = np.where(giant, 4700 + 220 * n[1], np.clip(4750 + 560 * n[1], 3250, 6300))
    dwarf = _main_sequence(teff) - 0.45 - 0.4 * np.abs(n[2])  # young ones and pairs are brighter
    return {"period": period, "teff": teff, "logg": np.where(giant, 2.9, 4.5) + 0.15 * n[3],
            "mv": np.where(giant, 1.4 + 0.8 * n[3], dwarf),
            "amplitude": 10 ** np.clip(-0.85 + 0.2 * n[4], -1.4, -0.2),
            "vsini": np.minimum(50.6 * np.where(giant, 8.0, 0.9) / period, 150), "giant": giant}  # fmt: skip


_DRAWN: dict[str, Callable[[int, np.random.Generator], Variables]] = {
    "DSCT": _scuti, "EA": _detached, "EB": _near, "EW": _contact, "HADS": _high_amplitude, "M": _mira,
    "ROT": _rotating, "RRAB": _fundamental, "RRC": _overtone, "SR": _semiregular,
}  # fmt: skip
_OLD = {"RRAB": (0.05, 0.25, 0.7), "RRC": (0.05, 0.25, 0.7), "HADS": (0.5, 0.25, 0.25), "SR": (0.65, 0.33, 0.02),
        "M": (0.7, 0.3, 0.0), "EW": (0.75, 0.24, 0.01)}  # fmt: skip


def draw_variables(count: int, rng: np.random.Generator) -> Variables:
    """Draws latent properties of variable stars.

    Args:
        count: Number of stars.
        rng: Source of all randomness.

    Returns:
        Arrays [count]: class, subclass ("carbon" or "oxygen" of giants M and SR, "giant" or "dwarf" of ROT), population
        (thin, thick, halo), period (days), offset (of the phase, in periods), amplitude (V, maximum to minimum; of
        eclipsing binaries what follows from the orbit is not stated here), teff (K), logg, feh, alpha, mv, v_mag (mean
        V), vsini, rv (km/s), dust (around Miras, from 0 to 1), and of eclipsing binaries those of `draw_orbits`.
    """
    kind = rng.choice(len(CLASSES), count, p=np.array(COUNTS) / sum(COUNTS))
    nothing = {"amplitude": np.zeros(count), "carbon": np.zeros(count, bool), "giant": np.zeros(count, bool)}
    parts = [nothing | _DRAWN[name](count, rng) for name in CLASSES]
    stars: Variables = {name: np.choose(kind, [part[name] for part in parts]) for name in parts[0]}
    names = np.array(CLASSES)[kind]
    carbon, giant = stars.pop("carbon"), stars.pop("giant")
    subclass = np.select([carbon, np.isin(names, LONG_PERIOD), giant, names == "ROT"],
                         ["carbon", "oxygen", "giant", "dwarf"], "")  # fmt: skip
    shares = np.array([_OLD.get(name, (0.86, 0.13, 0.01)) for name in CLASSES])[kind]
    population = (rng.random((count, 1)) > np.cumsum(shares, axis=1)[:, :2]).sum(axis=1)
    normal = rng.standard_normal((4, count))
    metals = np.array(_FEH)[population]
    feh = metals[:, 0] + metals[:, 1] * normal[0]
    velocity = np.array([(-5.0, 28.0), (-20.0, 50.0), (-60.0, 130.0)])[population]
    middle = np.array([_VISUAL[name] for name in CLASSES])[kind]
    drawn = stars | {
        "class": names,
        "subclass": subclass,
        "population": np.array(POPULATIONS)[population],
        "offset": rng.random(count),
        "feh": feh,
        "alpha": 0.3 * np.clip(-feh, 0, 1),
        "mv": stars["mv"] + np.where(np.char.startswith(names, "RR"), 0.23 * (feh + 1.4), 0),
        "v_mag": _between(middle[:, 0] + middle[:, 1] * normal[1]),
        "rv": velocity[:, 0] + velocity[:, 1] * normal[2],
        "dust": np.select([names == "M", names == "SR"], [0.35 + 0.15 * normal[3], 0.08 * np.abs(normal[3])], 0.0),
    }
    drawn["dust"] = np.clip(drawn["dust"] + 0.2 * (carbon & (names == "M")), 0, 1)
    return drawn | draw_orbits(names, stars["period"], stars["teff"], rng)


def _between(magnitude: Array) -> Array:
    """Magnitudes outside the limits of the survey reflected into them."""
    inside = np.where(magnitude > FAINT, 2 * FAINT - magnitude, magnitude)
    return np.asarray(np.clip(np.where(inside < BRIGHT, 2 * BRIGHT - inside, inside), BRIGHT, FAINT))
