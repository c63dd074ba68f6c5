"""What a catalogue of variable stars says about a light curve: period, amplitude and how well the period fits.

The features are those of ASAS-SN (Jayasinghe et al. 2018, 2019), measured on the mock light curves. Periods are what a
search would give: right within their errors but for some that are half or twice the true one, or an alias of the day.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .cadence import Measured

__all__ = ["catalogue_periods", "features"]

Array = npt.NDArray[np.float64]

_BINS = 24
# share of the periods that are half, twice or an alias of the day; scatter of the logarithm of the others
_ERRORS = {
    "EW": (0.04, 0.0, 0.005, 2e-6), "EB": (0.06, 0.01, 0.005, 2e-6), "EA": (0.07, 0.05, 0.01, 4e-6),
    "RRAB": (0.0, 0.0, 0.006, 3e-6), "RRC": (0.0, 0.02, 0.03, 3e-6), "DSCT": (0.0, 0.06, 0.08, 3e-6),
    "HADS": (0.0, 0.01, 0.04, 2e-6), "ROT": (0.10, 0.03, 0.05, 8e-3), "SR": (0.10, 0.08, 0.01, 5e-2),
    "M": (0.0, 0.01, 0.0, 5e-3),
}  # fmt: skip


def catalogue_periods(kind: npt.NDArray[np.str_], period: Array, rng: np.random.Generator) -> Array:
    """The periods [B] in days that a catalogue gives stars of classes [B] and true periods [B]."""
    errors = np.array([_ERRORS[name] for name in kind])
    chance = rng.random(len(period))
    limits = np.cumsum(errors[:, :3], axis=1)
    alias = 1 / np.abs(1 / period + np.where(rng.random(len(period)) < 0.5, -1.0027, 1.0027))
    found = np.select([chance < limit for limit in limits.T], [period / 2, 2 * period, alias], period)
    return np.asarray(np.clip(found * np.exp(errors[:, 3] * rng.standard_normal(len(period))), 0.02, 1500))


def features(seen: Measured, period: Array) -> dict[str, Array]:
    """Features of light curves of B stars folded with periods [B].

    Returns:
        Arrays [B]: mean_vmag; amplitude (V, between the percentiles 2.5 and 97.5); lksl_statistic (string length of
        Lafler & Kinman 1965 over what noise alone would give, 1); rfr_score (share of the variance that the other
        points of the same phase explain: a stand-in for the survey's random forest regression).
    """
    count, owner, value = len(period), seen.owner, seen.magnitude
    number = np.bincount(owner, minlength=count)
    first = np.cumsum(number) - number
    mean = np.bincount(owner, value, count) / number
    spread = np.maximum(np.bincount(owner, (value - mean[owner]) ** 2, count), 1e-9)
    ranked = value[np.lexsort((value, owner))]
    low, high = (ranked[first + np.round(share * (number - 1)).astype(int)] for share in (0.025, 0.975))
    phase = (seen.time - 2456000) / period[owner] % 1
    order = np.lexsort((phase, owner))
    folded = value[order]
    steps = np.diff(folded, append=folded[-1:]) ** 2
    last = first + number - 1
    steps[last] = (folded[first] - folded[last]) ** 2
    string = np.bincount(owner, steps, count) / (2 * spread)
    return {
        "mean_vmag": mean,
        "amplitude": high - low,
        "lksl_statistic": string,
        "rfr_score": _explained(owner * _BINS + (phase * _BINS).astype(int), value, count, spread),
    }


def _explained(place: npt.NDArray[np.int64], value: Array, count: int, spread: Array) -> Array:
    """Share of the variance [B] that the mean of the other points of the same bin explains."""
    number = np.bincount(place, minlength=count * _BINS)[place]
    total = np.bincount(place, value, count * _BINS)[place]
    others = (total - value) / np.maximum(number - 1, 1)
    known = number > 1
    left = np.bincount(place[known] // _BINS, (value - others)[known] ** 2, count)
    share = np.bincount(place[known] // _BINS, minlength=count) / np.maximum(
        np.bincount(place // _BINS, minlength=count), 1
    )
    return np.asarray(np.maximum(1 - left / np.maximum(share, 1e-3) / spread, -1))
