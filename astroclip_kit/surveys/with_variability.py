"""Light curves of any reader with their period and amplitude, as a catalogue of variable stars has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..transforms.bands import LIMIT
from ..transforms.variability import oscillations, string_length
from ..types import Drop, Modality, Reader, Sample
from .wrapping import Wrapping

__all__ = ["WithVariability"]

MEASURED = ("amplitude", "period", "lksl_statistic", "explained")
FEWEST = 8  # points


class WithVariability(Wrapping):
    """Reads light curves as another reader does and measures their variability, as covariates beside each point.

    ``amplitude`` between the percentiles 2.5 and 97.5, in the unit of the values; ``period`` in days, of the strongest
    of up to four harmonics (see `oscillations`; an eclipsing binary has half of its orbital period);
    ``lksl_statistic``, how rough the curve is that is folded with it (`string_length`); ``explained``, the share of the
    variance that the harmonics explain. AstroM3's light-curve encoder takes such numbers of ASAS-SN's catalogue. All
    are measured on the object's own light curve, relative to the median of each band, without upper limits; NaN for one
    with fewer than 8 points.

    Args:
        reader: Of light curves.
        highest_frequency: Per day; the search takes time in proportion.

    Raises:
        UsageError: If the reader reads something else.

    Example:
        >>> from astroclip_kit.surveys import ASASLightCurves
        >>> WithVariability(ASASLightCurves("asas.tar.gz")).modality.channels[4:]
        ('amplitude', 'period', 'lksl_statistic', 'explained')
    """

    def __init__(self, reader: Reader, highest_frequency: float = 10.0) -> None:
        super().__init__(reader)
        self.highest_frequency = highest_frequency

    def __repr__(self) -> str:
        return f"WithVariability({self.reader!r})"

    @cached_property
    def modality(self) -> Modality:
        """That of the reader, with the measured numbers as channels."""
        inner = self.reader.modality
        if inner is None or inner.kind != "lightcurve":
            raise UsageError(f"WithVariability: {self.reader!r} reads no light curves.")
        channels = (*inner.channels, *MEASURED)
        return replace(inner, channels=channels, shape=(-1, len(channels)))

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The samples of the reader with further channels.

        Raises:
            FileError: If the whole file cannot be used.
        """
        name = self.modality.name
        detected = [number for number, band in enumerate(self.modality.bands) if not band.endswith(LIMIT)]
        for item in self.reader.read(path):
            if isinstance(item, Sample) and name in item.views:
                view = item.views[name]
                numbers = self._measured(view[np.isin(view[:, 3], detected)].astype(np.float64))
                item.views[name] = np.concatenate([view, np.tile(numbers, (len(view), 1))], axis=1)
            yield item

    def _measured(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        time, value = points[:, 0], points[:, 1].copy()
        if len(points) < FEWEST:
            return np.full(len(MEASURED), np.nan, dtype=np.float32)
        for band in np.unique(points[:, 3]):
            value[points[:, 3] == band] -= np.median(value[points[:, 3] == band])
        amplitude = np.ptp(np.percentile(value, (2.5, 97.5)))
        [one] = oscillations(time, value, self.highest_frequency)
        period = 1 / one.frequency if one.frequency > 0 else np.nan
        length = string_length(time * one.frequency, value)
        return np.array([amplitude, period, length, one.explained], dtype=np.float32)
