"""What repeats in a light curve: its strongest frequencies, a Fourier series of each, and how well it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .periodogram import periodogram

__all__ = ["Oscillation", "highest_peak", "oscillations", "string_length"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Oscillation:
    """A Fourier series that was fitted to a light curve.

    Args:
        frequency: In units of one over that of the times; 0 where nothing can repeat.
        power: Of the sine alone, 0 to 1 (see `periodogram`).
        amplitudes: Of the fundamental and its overtones [H], in the unit of the values.
        phases: Of the overtones relative to the fundamental [H - 1], -pi to pi.
        explained: Share of the variance that the series explains.
        left: What it leaves of the values [T].
    """

    frequency: float
    power: float
    amplitudes: Floats
    phases: Floats
    explained: float
    left: Floats


def highest_peak(frequency: Floats, power: Floats) -> float:
    """The frequency of the highest power, between the computed ones: of a parabola through the three highest."""
    best = int(power.argmax())
    if not 0 < best < len(power) - 1:
        return float(frequency[best])
    low, middle, high = power[best - 1 : best + 2]
    shift = 0.5 * (low - high) / min(low - 2 * middle + high, -1e-12)
    return float(frequency[best] + np.clip(shift, -0.5, 0.5) * (frequency[1] - frequency[0]))


def oscillations(
    time: Floats, value: Floats, highest_frequency: float, count: int = 1, harmonics: int = 4
) -> Iterator[Oscillation]:
    """The strongest oscillations, one after the other: each is looked for in what the earlier ones leave.

    Richards et al. 2011 (ApJ 733, 10) describe variable stars by three, of four harmonics each.

    Args:
        time: Times [T].
        value: Values [T].
        highest_frequency: That is looked for.
        count: How many.
        harmonics: Terms of each series; fewer where there are hardly as many values.

    Example:
        >>> time = np.linspace(0, 8, 200) ** 2
        >>> [one] = oscillations(time, np.sin(2 * np.pi * time / 5) + 12, highest_frequency=10)
        >>> round(1 / one.frequency, 2), round(float(one.amplitudes[0]), 2), round(one.explained, 2)
        (5.0, 1.0, 1.0)
    """
    left = value - value.mean() if len(value) else value
    for _ in range(count):
        one = _strongest(time, left, highest_frequency, harmonics)
        yield one
        left = one.left


def _strongest(time: Floats, value: Floats, highest_frequency: float, harmonics: int) -> Oscillation:
    frequencies, power = periodogram(time, value, highest_frequency)
    fitted = min(harmonics, (len(time) - 1) // 4)
    if not len(frequencies) or fitted < 1:
        return Oscillation(0.0, 0.0, np.zeros(harmonics), np.zeros(harmonics - 1), 0.0, value)
    frequency = _refined(time, value, highest_peak(frequencies, power), fitted)
    design = _series(time, frequency, fitted)
    solution = np.linalg.lstsq(design, value, rcond=None)[0]
    left = value - design @ solution
    terms = solution[1 + fitted :] + 1j * solution[1 : 1 + fitted]
    turned = terms * np.exp(-1j * np.angle(terms[0]) * np.arange(1, fitted + 1))
    pad = (0, harmonics - fitted)
    explained = 1 - float(np.var(left)) / float(np.var(value))
    amplitudes, phases = np.pad(np.abs(terms), pad), np.pad(np.angle(turned[1:]), pad)
    return Oscillation(frequency, float(power.max()), amplitudes, phases, explained, left)


def _series(time: Floats, frequency: float, count: int) -> Floats:
    """A constant, sines and cosines [T, 1 + 2 count] of a frequency and its multiples."""
    angle = 2 * np.pi * np.outer((time - time[0]) * frequency, np.arange(1, count + 1))
    return np.concatenate([np.ones((len(time), 1)), np.sin(angle), np.cos(angle)], axis=1)


def _refined(time: Floats, value: Floats, frequency: float, count: int) -> float:
    """The frequency after a step of Gauss and Newton on the whole series: grids and sines alone place it less well."""
    design = _series(time, frequency, count)
    _, *terms = np.linalg.lstsq(design, value, rcond=None)[0]
    sines, cosines = np.array(terms[:count]), np.array(terms[count:])
    turning = 2 * np.pi * np.arange(1, count + 1)
    slope = (design[:, 1 + count :] @ (turning * sines) - design[:, 1 : 1 + count] @ (turning * cosines)) * (
        time - time[0]
    )
    step = np.linalg.lstsq(np.column_stack([design, slope]), value, rcond=None)[0][-1]
    allowed = 0.3 / float(np.ptp(time))
    return frequency + float(np.clip(step, -allowed, allowed))


def string_length(phase: Floats, value: Floats) -> float:
    """How rough a folded light curve is (Lafler & Kinman 1965, ApJS 11, 216): 1 for noise, near 0 for a smooth curve.

    Args:
        phase: Phases [T], of which the whole part does not count.
        value: Values [T].
    """
    spread = float(np.var(value)) * len(value) if len(value) else 0.0
    if not spread > 0:
        return 1.0
    ordered = value[np.argsort(phase % 1.0, kind="stable")]
    return float(np.sum(np.square(ordered - np.roll(ordered, 1)))) / (2 * spread)
