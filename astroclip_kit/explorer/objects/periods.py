"""The period of a light curve: what the catalogue says, or else what the light curve itself shows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...types import Modality
from ..space import Space
from .measured import LIMIT, Measured, measured
from .plots import in_unit

__all__ = ["Period", "period_of", "period_shown"]

PERIODS = ("period", "period_days", "period_day", "period_d", "per", "p_days")
FEWEST = 40  # measurements in which a period is looked for
MOST_CELLS = 1_000_000  # days times frequency that are searched at a click
HIGHEST_FREQUENCY = 10.0  # per day
CYCLES = 5  # that a light curve has to hold
EXPLAINED = 0.5  # share of the variance that four harmonics have to explain
SMOOTHER = 0.5  # how rough the folded curve may be, relative to that in time
SLOW, SMOOTH = 20.0, 0.3  # days, and roughness: a slow variable is smooth in time, too
View = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Period:
    """A period, and who says so.

    Args:
        days: How long it is; NaN where none is known.
        source: Where it is from, in words.
        is_measured: Whether it is only what the light curve shows, and may be half or twice the true one.
    """

    days: float
    source: str = ""
    is_measured: bool = False


def period_of(space: Space, row: int, modality: Modality, view: View, *, measure: bool = False) -> Period:
    """The period of an object, from the light curve's own covariate or else the catalogue.

    Args:
        space: What is explored.
        row: The object.
        modality: The light curves.
        view: That of the object [T, C].
        measure: Whether to look for one in the light curve where none is known, for about 50 ms.
    """
    found = [
        Period(float(view[0, modality.channels.index(name)]), f"the channel {name} of {modality.name}")
        for name in _periods(modality.covariates)
        if len(view)
    ]
    if names := _periods(name for name, column in space.columns.items() if not column.is_class):
        values = space.store.catalog.at([row], names)
        days = (in_unit(float(values[name][0]), space.columns[name].unit, "d") for name in names)
        found += [Period(one, f"the column {name} of the catalogue") for one, name in zip(days, names, strict=True)]
    known = next((one for one in found if math.isfinite(one.days) and one.days > 0), None)
    if known or not measure:
        return known or Period(math.nan)
    return space.kept.get(("period", row, modality.name), lambda: period_shown(measured(view), modality.bands))


def _periods(names: Iterable[str]) -> list[str]:
    """Those that are called like a period in days, the most usual first."""
    return sorted((name for name in names if name.lower() in PERIODS), key=lambda name: PERIODS.index(name.lower()))


def period_shown(points: Measured, bands: tuple[str, ...]) -> Period:
    """The period with which a light curve repeats, NaN where it does not clearly.

    It is that of the highest peak of a Lomb-Scargle periodogram (see `astroclip_kit.transforms.variability`), where
    four harmonics explain most of the variance and the folded curve is much smoother than that in time: what rises
    and fades once, as a supernova, has none.

    Args:
        points: The measurements.
        bands: Their names; upper limits do not count.
    """
    from ...transforms.variability import oscillations, string_length

    seen = np.array([not band.endswith(LIMIT) for band in bands] or [True])
    used = seen[points.band.clip(0, len(seen) - 1)]
    time, value, band = points.time[used], points.value[used].copy(), points.band[used]
    span = float(np.ptp(time)) if len(time) else 0.0
    if len(time) < FEWEST or not 0 < span * HIGHEST_FREQUENCY < MOST_CELLS:
        return Period(math.nan)
    for one in np.unique(band):
        value[band == one] -= np.median(value[band == one])
    value = np.clip(value, *np.percentile(value, [1, 99]))
    [found] = oscillations(time, value, HIGHEST_FREQUENCY)
    if found.explained < EXPLAINED or found.frequency * span < CYCLES:
        return Period(math.nan)
    in_time, folded = (string_length(along, value) for along in (time / (2 * span), time * found.frequency))
    days = 1 / found.frequency
    if folded < SMOOTHER * in_time or (days > SLOW and folded < SMOOTH):
        return Period(days, f"this light curve, of which it explains {100 * found.explained:.0f} %", True)
    return Period(math.nan)
