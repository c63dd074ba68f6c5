"""A variable star's light curve as its period, its shape over the period and its spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..transforms.bands import LIMIT
from ..transforms.compose import Compose, Transform
from ..transforms.lightcurves import is_padding
from ..transforms.periodogram import periodogram
from ..transforms.smoothing import soft_bins
from ..transforms.variability import highest_peak
from ..types import Modality
from .layers import check_kind, check_light_curves

__all__ = ["FoldedLightCurve"]

Floats = npt.NDArray[np.float64]
FEWEST = 8  # points that a period is looked for in
PERCENTILES = (2, 5, 10, 25, 75, 90, 95, 98)
PERIOD_BINS = tuple(np.linspace(-1.25, 3.25, 19).tolist())  # log10 of days
LAGS = (1, 3, 10, 30, 100, 300, 1000)  # days
OUTLIERS = (1, 99)  # percentiles: what lies beyond them counts as they do
POINTS = 200  # whose differences are looked at, evenly chosen
SMALLEST_SCATTER = 1e-3


class FoldedLightCurve(nn.Module):
    """The best period of a Lomb-Scargle periodogram, the light curve folded with it, and its distribution.

    Nothing is learned. Of the values relative to the median of their band: the highest power (see
    `astroclip_kit.transforms.periodogram`) in bins of frequency, the period as soft bins, the curve folded with the
    period and with twice that (so that the two eclipses of a binary differ) with its faintest phase first, the
    percentiles, and how much values differ after some days. Scatter enters as a logarithm, brightness and
    covariates not at all. Upper limits (bands ``<band>_limit``) are left out; of an object with fewer than 8 points
    all is 0.

    Args:
        bands: Names of the bands.
        highest_frequency: Per day; the search takes time in proportion.
        samples_per_peak: Frequencies within the width of a peak.
        phases: Points of a folded curve.
        power_bins: Number of bins of frequency, even in the logarithm.
        preprocess: What is done to light curves [B, T, 4] first; by default nothing.

    Example:
        >>> encoder = FoldedLightCurve()
        >>> time = torch.linspace(0, 8, 200) ** 2
        >>> points = [time, torch.sin(time * 2 * torch.pi / 5), 0 * time + 0.1, 0 * time]
        >>> period = encoder(torch.stack(points, dim=1)[None])[0, 24:43]
        >>> round(float(10 ** (period @ torch.linspace(-1.25, 3.25, 19))))
        5
    """

    def __init__(
        self,
        bands: Sequence[str] = ("V",),
        highest_frequency: float = 10.0,
        samples_per_peak: int = 3,
        phases: int = 24,
        power_bins: int = 24,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.bands, self.highest_frequency, self.samples_per_peak = tuple(bands), highest_frequency, samples_per_peak
        self.phases, self.power_bins = phases, power_bins
        self.preprocess = preprocess if preprocess is not None else Compose()
        self.out_features = power_bins + len(PERIOD_BINS) + 2 * (phases + 1) + 2 + len(PERCENTILES) + len(LAGS)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Of the bands of a light-curve modality."""
        check_kind(modality, "lightcurve", cls)
        return cls(modality.bands, **arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of light curves [B, T, 4], NaN where padded."""
        check_light_curves(x)
        detection = [number for number, band in enumerate(self.bands) if not band.endswith(LIMIT)]
        used = ~is_padding(x) & torch.isin(x[..., 3], torch.tensor(detection, dtype=x.dtype, device=x.device))
        curves = [rows[mask].double().cpu().numpy() for rows, mask in zip(x.detach(), used, strict=True)]
        features = [torch.from_numpy(self._one(rows)) for rows in curves]
        empty = torch.zeros(0, self.out_features, dtype=torch.float32)
        return (torch.stack(features).float() if features else empty).to(x.device)

    def _one(self, rows: Floats) -> Floats:
        """Features of one light curve [T, 4] without padding."""
        if len(rows) < FEWEST or not np.ptp(rows[:, 0]) > 0:
            return np.zeros(self.out_features)
        time, value = rows[:, 0], rows[:, 1].copy()
        for band in np.unique(rows[:, 3]):
            value[rows[:, 3] == band] -= np.median(value[rows[:, 3] == band])
        error = np.where(rows[:, 2] > 0, rows[:, 2], np.nan)
        scatter = max(1.4826 * float(np.median(np.abs(value))), SMALLEST_SCATTER)
        tame = np.clip(value, *np.percentile(value, OUTLIERS))
        powers, period = self._periodogram(time, tame)
        bins = soft_bins(torch.tensor(np.log10(period)), PERIOD_BINS).numpy()
        folded = [_folded(time / each, tame, self.phases, scatter) for each in (period, 2 * period)]
        typical = float(np.nanmedian(error)) if np.isfinite(error).any() else scatter
        spread = [np.log10(scatter), np.log10(scatter / typical)]
        shape = np.clip(np.percentile(value, PERCENTILES) / scatter, -10, 10)
        return np.concatenate([powers, bins, *folded, spread, shape, _differences(time, value, scatter)])

    def _periodogram(self, time: Floats, value: Floats) -> tuple[Floats, float]:
        """Highest power in each bin of frequency [power_bins], and the period in days of the highest of all."""
        frequency, power = periodogram(time, value, self.highest_frequency, self.samples_per_peak)
        if not len(frequency):
            return np.zeros(self.power_bins), float(np.ptp(time))
        edges = np.geomspace(1e-3, self.highest_frequency, self.power_bins + 1)
        number = np.clip(np.searchsorted(edges, frequency) - 1, 0, self.power_bins - 1)
        highest = np.zeros(self.power_bins)
        np.maximum.at(highest, number, power)
        return highest, 1 / highest_peak(frequency, power)


def _folded(phase: Floats, value: Floats, phases: int, scatter: float) -> Floats:
    """A folded curve [phases + 1]: from 0 (brightest) to 1, the faintest phase first, and log10 of its range."""
    at = np.arange(phases) / phases
    away = (phase[:, None] - at + 0.5) % 1.0 - 0.5
    weight = np.exp(-0.5 * (away * phases / 0.7) ** 2) + 1e-9
    curve = value @ weight / weight.sum(axis=0)
    spread = max(float(np.ptp(curve)), SMALLEST_SCATTER)
    turned = np.roll((curve - curve.min()) / spread, -int(curve.argmax()))
    return np.append(turned, np.log10(spread / scatter))


def _differences(time: Floats, value: Floats, scatter: float) -> Floats:
    """Median difference of values that lie some days apart, in units of the scatter; 0 where none do."""
    every = -(-len(time) // POINTS)
    time, value = time[::every], value[::every]
    one, other = np.triu_indices(len(time), 1)
    apart, differ = np.abs(time[other] - time[one]), np.abs(value[other] - value[one])
    near = [differ[(apart > lag / 1.5) & (apart < lag * 1.5)] for lag in LAGS]
    return np.array([np.clip(np.median(each) / scatter, 0, 10) if len(each) else 0.0 for each in near])
