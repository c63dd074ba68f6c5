"""What a delayed-tau star-formation history says about ages and past rates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .population import FORMED_DEX, Galaxies

__all__ = ["mass_weighted_age_gyr", "mean_rate"]

Array = npt.NDArray[np.float64]


def _formed(time: Array) -> Array:
    """Mass [B] formed up to times [B] in units of tau, over that formed in all eternity."""
    return np.asarray(1 - (1 + time) * np.exp(-time))


def mass_weighted_age_gyr(galaxies: Galaxies) -> Array:
    """Mean age [B] of the stars formed, weighted with their mass: the mean of t^2 exp(-t) up to now in closed form."""
    now = galaxies["age_gyr"] / galaxies["tau_gyr"]
    mean = (2 - (now**2 + 2 * now + 2) * np.exp(-now)) / _formed(now)
    return np.asarray(galaxies["age_gyr"] - mean * galaxies["tau_gyr"])


def mean_rate(galaxies: Galaxies, gyr: float = 1.0) -> Array:
    """Star-formation rate [B] in solar masses a year, averaged over the last `gyr`."""
    now, tau = galaxies["age_gyr"] / galaxies["tau_gyr"], galaxies["tau_gyr"]
    before = np.maximum(galaxies["age_gyr"] - gyr, 0) / tau
    share = np.maximum(_formed(now) - _formed(before), 0) / _formed(now)
    return np.asarray(10 ** (galaxies["logmstar"] + FORMED_DEX) * share / (np.minimum(gyr, galaxies["age_gyr"]) * 1e9))
