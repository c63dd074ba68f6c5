"""How well a sine of each frequency follows measurements at irregular times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["periodogram"]

Floats = npt.NDArray[np.float64]
CELLS = 8  # of time within the shortest period: the power of the highest frequency suffers by a few per cent


def periodogram(
    time: Floats, value: Floats, highest_frequency: float, samples_per_peak: int = 3
) -> tuple[Floats, Floats]:
    """Generalised Lomb-Scargle power with a free mean (Zechmeister & Kuerster 2009, A&A 496, 577, Eqs. 4 to 15).

    Times are rounded to a grid, so that all sums over the measurements are two fast Fourier transforms.

    Args:
        time: Times [T].
        value: Values [T].
        highest_frequency: In units of one over that of the times.
        samples_per_peak: Frequencies within one over the span of the times.

    Returns:
        Frequencies [F], ascending from one over the span, and powers [F] from 0 to 1; none where there are fewer than
        three values, all are the same, or the span holds no period of the highest frequency.

    Example:
        >>> time = np.linspace(0, 8, 200) ** 2
        >>> frequency, power = periodogram(time, np.sin(2 * np.pi * time / 5), highest_frequency=10)
        >>> round(float(1 / frequency[power.argmax()]), 1)
        5.0
    """
    from scipy.fft import next_fast_len, rfft

    span = float(np.ptp(time)) if len(time) else 0.0
    if len(time) < 3 or not np.ptp(value) > 0 or not span * highest_frequency > 1:
        return np.empty(0), np.empty(0)
    step = 1 / (highest_frequency * CELLS)
    cell = np.rint((time - time.min()) / step).astype(np.int64)
    size = int(next_fast_len(samples_per_peak * (int(cell.max()) + 1), real=True))
    centred = value - value.mean()
    w = rfft(np.bincount(cell, minlength=size).astype(np.float32)) / len(time)
    y = rfft(np.bincount(cell, centred, minlength=size).astype(np.float32)) / len(time)
    number = np.arange(max(1, int(np.ceil(size * step / span))), int(size * step * highest_frequency) + 1)
    one, two, y = (each.astype(np.complex128) for each in (w[number], w[2 * number], y[number]))
    cc, ss = 0.5 * (1 + two.real) - one.real**2, 0.5 * (1 - two.real) - one.imag**2
    cs = 0.5 * two.imag - one.real * one.imag
    explained = ss * y.real**2 + cc * y.imag**2 - 2 * cs * y.real * y.imag
    power = explained / np.maximum((cc * ss - cs**2) * np.mean(centred**2), 1e-12 * np.mean(centred**2))
    return number / (size * step), np.clip(power, 0.0, 1.0)
