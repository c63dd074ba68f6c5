"""Light curves of giants that pulsate within months: Miras and semiregular variables.

A mode is an oscillator that is kicked: its amplitude and phase wander (an Ornstein-Uhlenbeck process), fast in
semiregular variables (Kiss, Szabo & Bedding 2006), slowly in Miras, whose cycles are alike and rise faster than they
fall (Ludendorff 1928, as told by Vardya 1988). A third of the semiregular ones has a long secondary period, some nine
times the other (Wood et al. 1999).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .cadence import SPAN_DAYS
from .catalogue import Rows

__all__ = ["draw_wander", "long_period_light"]

Array = npt.NDArray[np.float64]

_STEP_DAYS = 12.0
_STEPS = int(SPAN_DAYS / _STEP_DAYS) + 2


def draw_wander(kind: npt.NDArray[np.str_], period: Array, rng: np.random.Generator) -> Rows:
    """Draws how the oscillations change in time.

    Args:
        kind: "M" or "SR" [B]; of others what is drawn has no meaning.
        period: In days [B].
        rng: Source of all randomness.

    Returns:
        wander [B, steps] (complex, of variance 1), red [B, steps] (mag, of variance 1), skewness, second (amplitude of
        a second mode over the first), secondary (that of the long secondary period), offset_2 [B].
    """
    count, mira = len(kind), kind == "M"
    cycles = np.where(mira, 40.0, 10 ** rng.uniform(0.4, 1.4, count))  # over which the memory is lost
    kicks = rng.standard_normal((3, _STEPS, count))
    memory = np.exp(-_STEP_DAYS / np.maximum(cycles * period, 60))
    wander = _walk(memory, (kicks[0] + 1j * kicks[1]) / np.sqrt(2))
    red = _walk(np.full(count, np.exp(-_STEP_DAYS / 250)), kicks[2] + 0j).real
    return {
        "wander": wander.T,
        "red": red.T,
        "skewness": np.where(mira, 0.35 * rng.random(count), 0.1 * rng.standard_normal(count)),
        "second": np.where(mira, 0.05, 0.2 + 0.4 * rng.random(count)),
        "secondary": np.where(~mira & (rng.random(count) < 0.3), 0.4 + 0.8 * rng.random(count), 0.0),
        "offset_2": rng.random(count),
    }


def _walk(memory: Array, kicks: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """A stationary process [steps, B] that forgets by `memory` [B] a step."""
    state = kicks[0]
    states = [state]
    for kick in kicks[1:]:
        state = memory * state + np.sqrt(1 - memory**2) * kick
        states.append(state)
    return np.stack(states)


def _at(path: npt.NDArray[Any], owner: npt.NDArray[np.int64], time: Array) -> npt.NDArray[Any]:
    """Paths [B, steps] of the owners of points [M], interpolated."""
    step = np.clip(time / _STEP_DAYS, 0, _STEPS - 1.001)
    left = step.astype(int)
    part = step - left
    return np.asarray(path[owner, left] * (1 - part) + path[owner, left + 1] * part)


def long_period_light(stars: Rows, wander: Rows, owner: npt.NDArray[np.int64], time: Array) -> Array:
    """Magnitudes [M] around the mean.

    Args:
        stars: class, period (days), amplitude (mag, from maximum to minimum) and offset (in periods) [B].
        wander: See `draw_wander` [B].
        owner: The star of each point [M].
        time: Of the points [M] in days since the first night of the survey.
    """
    star = {name: stars[name][owner] for name in ("period", "amplitude", "offset")}
    own = {name: values[owner] for name, values in wander.items() if values.ndim == 1}
    mira = (stars["class"] == "M")[owner]
    mode = _at(wander["wander"], owner, time)
    mode = np.where(mira, 1 + 0.16 * mode, 0.35 + 0.9 * mode)
    phase = 2 * np.pi * (time / star["period"] + star["offset"])
    phase = phase + np.angle(mode)
    light = np.abs(mode) * np.cos(phase + own["skewness"] * np.sin(phase))
    light += own["second"] * np.cos(2 * np.pi * (time / (0.53 * star["period"]) + own["offset_2"]))
    light += own["secondary"] * np.cos(2 * np.pi * (time / (9 * star["period"]) + own["offset_2"]))
    drift = np.where(mira, 0.05, 0.12) * _at(wander["red"], owner, time)
    return np.asarray(star["amplitude"] / 2 * (light + drift))
