"""Light curves of stars that pulsate within hours: RR Lyrae and delta Scuti stars.

Fourier series of the shapes that are seen. RRAB rise steeply and fall slowly, with the ratios and phases of Jurcsik &
Kovacs (1996), and a third of them changes by the Blazhko effect (Szczygiel & Fabrycky 2007); RRC are all but sines
(Simon & Teays 1982). Delta Scuti stars (DSCT) have several modes, those of high amplitude (HADS) one or two radial ones
whose periods are 1 to 0.77 (Petersen & Christensen-Dalsgaard 1996).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .catalogue import Rows

__all__ = ["draw_pulsation", "pulsation"]

Array = npt.NDArray[np.float64]

EXPOSURE_DAYS = 90 / 86400
_HARMONICS = 7
# amplitudes over that of the fundamental, and phases (of sines, in magnitudes) less k times its own
_RATIOS = {
    "RRAB": (1, 0.46, 0.34, 0.22, 0.14, 0.09, 0.06),
    "RRC": (1, 0.13, 0.06, 0.03, 0, 0, 0),
    "HADS": (1, 0.34, 0.14, 0.06, 0.02, 0, 0),
    "DSCT": (1, 0.07, 0, 0, 0, 0, 0),
}
_PHASES = {
    "RRAB": (0, 2.4, 5.05, 1.45, 4.15, 0.6, 3.3),
    "RRC": (0, 3.1, 6.0, 3.0, 0, 0, 0),
    "HADS": (0, 2.5, 5.2, 1.7, 4.2, 0, 0),
    "DSCT": (0, 2.7, 0, 0, 0, 0, 0),
}
_OVERTONE = {"RRAB": 0.745, "RRC": 0.745, "HADS": 0.772, "DSCT": 0.772}
KINDS = tuple(_RATIOS)


def draw_pulsation(kind: npt.NDArray[np.str_], rng: np.random.Generator) -> Rows:
    """Draws what changes from star to star in the shape of the light curve.

    Args:
        kind: One of `KINDS` [B]; of others what is drawn has no meaning.
        rng: Source of all randomness.

    Returns:
        ratios and offsets [B, harmonics] of the Fourier series, mode_periods (over the period) and mode_amplitudes
        (over the amplitude) [B, 3] of further modes, mode_offsets [B, 3], blazhko (share by which amplitudes change),
        blazhko_period (days) and blazhko_offset [B].
    """
    count = len(kind)
    row = np.array([KINDS.index(name) if name in KINDS else 0 for name in kind])
    ratios = np.array([_RATIOS[name] for name in KINDS], dtype=float)[row]
    offsets = np.array([_PHASES[name] for name in KINDS])[row]
    scatter = np.exp(0.18 * rng.standard_normal((count, _HARMONICS)))
    scatter[:, 0] = 1
    multiple, single = kind == "DSCT", rng.random(count)
    periods = 1 / (1 + 0.9 * (rng.random((count, 3)) - 0.35))
    periods[:, 0] = np.where(multiple, periods[:, 0], np.array([_OVERTONE[name] for name in KINDS])[row])
    strength = np.where(multiple[:, None], 0.15 + 0.7 * rng.random((count, 3)), 0.0)
    strength[:, 0] = np.where((kind == "HADS") & (single < 0.3), 0.25 * rng.random(count), strength[:, 0])
    modulated = rng.random(count) < np.select([kind == "RRAB", kind == "RRC"], [0.3, 0.08], 0.0)
    return {
        "ratios": ratios * scatter,
        "offsets": offsets + 0.12 * np.arange(_HARMONICS) * rng.standard_normal((count, 1)),
        "mode_periods": periods,
        "mode_amplitudes": strength,
        "mode_offsets": 2 * np.pi * rng.random((count, 3)),
        "blazhko": modulated * rng.uniform(0.1, 0.4, count),
        "blazhko_period": 10 ** rng.uniform(1.3, 2.3, count),
        "blazhko_offset": 2 * np.pi * rng.random(count),
    }


def _smeared(period: Array) -> Array:
    """By how much an exposure reduces the amplitude of a sine [M]."""
    return np.asarray(np.sinc(EXPOSURE_DAYS / period))


def pulsation(stars: Rows, shapes: Rows, time: Array) -> Array:
    """Magnitudes [M] around the mean.

    Args:
        stars: period (days), amplitude (mag, from maximum to minimum of the first mode) and offset (of the phase, in
            periods), a value per point [M].
        shapes: See `draw_pulsation`, a value per point.
        time: Of the points [M] in days.
    """
    period = stars["period"]
    swing = np.sin(2 * np.pi * time / shapes["blazhko_period"] + shapes["blazhko_offset"])
    phase = 2 * np.pi * (time / period + stars["offset"]) + 0.6 * shapes["blazhko"] * swing
    total, half = np.zeros(len(time)), _half_range(shapes)
    for k in range(_HARMONICS):
        wave = np.sin((k + 1) * phase + shapes["offsets"][:, k])
        total += shapes["ratios"][:, k] * _smeared(period / (k + 1)) * wave
    for k in range(shapes["mode_periods"].shape[1]):
        own = period * shapes["mode_periods"][:, k]
        wave = np.sin(2 * np.pi * time / own + shapes["mode_offsets"][:, k])
        total += shapes["mode_amplitudes"][:, k] * _smeared(own) * wave
    return np.asarray(stars["amplitude"] / (2 * half) * (1 + shapes["blazhko"] * swing) * total)


def _half_range(shapes: Rows) -> Array:
    """Half of what a Fourier series [M, harmonics] of the mean shape spans, per unit of its first amplitude."""
    harmonics = shapes["ratios"][:, 1:].sum(axis=1)
    return np.asarray(1 + 0.27 * harmonics)
