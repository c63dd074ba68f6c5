"""The standard features of variable stars, by which light curves were classified before networks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..errors import UsageError
from ..transforms.bands import LIMIT
from ..transforms.compose import Compose, Transform
from ..transforms.lightcurves import is_padding
from ..transforms.variability import oscillations, string_length
from ..types import Modality
from .layers import check_kind, check_light_curves

__all__ = ["LightCurveFeatures"]

Floats = npt.NDArray[np.float64]
OSCILLATIONS, HARMONICS = 3, 4
PERIODIC = OSCILLATIONS * (2 + 2 * HARMONICS) + 6  # numbers of `_periodic`
FEWEST = 8  # points
LARGEST = 1e3


class LightCurveFeatures(nn.Module):
    """Statistics of the values and of the three strongest oscillations, after Richards et al. 2011 (ApJ 733, 10).

    Of each band: 34 numbers by the package ``light-curve`` (Malanchev et al. 2021, MNRAS 502, 5147): amplitude,
    scatter, percentiles, skewness, kurtosis, trends, slopes, autocorrelation, excess over the errors; and 36 by the
    kit's periodogram: of three frequencies, each looked for in what the earlier leave, period, power, amplitudes and
    phases of four harmonics and what they explain; how rough the curve is when folded with the period and with twice
    that. The statistics enter as their inverse hyperbolic sines, since slopes have no bounds. Nothing is learned and
    brightness does not enter; all is 0 for a band with fewer than 8 points.

    Args:
        bands: Names of the bands; upper limits (``<band>_limit``) are left out.
        highest_frequency: Per day; the search takes time in proportion.
        preprocess: What is done to light curves [B, T, 4] first; by default nothing.

    Raises:
        UsageError: If ``light-curve`` is not installed.

    Example:
        >>> time = torch.linspace(0, 8, 200) ** 2
        >>> points = [time, torch.sin(time * 2 * torch.pi / 5), 0 * time + 0.1, 0 * time]
        >>> features = LightCurveFeatures()(torch.stack(points, dim=1)[None])[0]
        >>> features.shape, round(float(10 ** features[34]), 1)
        (torch.Size([70]), 5.0)
    """

    def __init__(
        self, bands: Sequence[str] = ("V",), highest_frequency: float = 10.0, preprocess: Transform | None = None
    ) -> None:
        super().__init__()
        self.bands, self.highest_frequency = tuple(bands), highest_frequency
        self.preprocess = preprocess if preprocess is not None else Compose()
        self._detections = [number for number, band in enumerate(self.bands) if not band.endswith(LIMIT)]
        self.out_features = len(self._detections) * (len(_statistics().names) + PERIODIC)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> Self:
        """Of the bands of a light-curve modality."""
        check_kind(modality, "lightcurve", cls)
        return cls(modality.bands, **arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of light curves [B, T, 4 + C], NaN where padded; covariates do not count."""
        check_light_curves(x)
        views = x.detach().double().cpu().numpy()
        curves = [rows[mask] for rows, mask in zip(views, (~is_padding(x)).cpu().numpy(), strict=True)]
        features = np.zeros((len(curves), len(self._detections), self.out_features // max(1, len(self._detections))))
        for row, points in enumerate(curves):
            for place, band in enumerate(self._detections):
                features[row, place] = self._of_band(points[points[:, 3] == band])
        return torch.from_numpy(features.reshape(len(curves), self.out_features)).to(x.device, torch.float32)

    def _of_band(self, points: Floats) -> Floats:
        points = points[np.unique(points[:, 0], return_index=True)[1]]
        time, value = points[:, 0], points[:, 1] - np.median(points[:, 1]) if len(points) else points[:, 1]
        if len(points) < FEWEST or not np.ptp(value) > 0:
            return np.zeros(1)
        known = points[:, 2] > 0
        error = np.where(known, points[:, 2], np.median(points[known, 2]) if known.any() else np.std(value))
        statistics = _statistics()(time, value, error, sorted=True, check=False, fill_value=0.0)
        found = np.concatenate([np.arcsinh(statistics), _periodic(time, value, self.highest_frequency)])
        return np.asarray(np.clip(np.nan_to_num(found, nan=0.0), -LARGEST, LARGEST))


@cache
def _statistics() -> Any:
    """What takes times, values and errors [T] of a light curve and gives numbers with ``names``."""
    try:
        import light_curve as lc
    except ImportError as error:
        message = "light-curve is not installed: pip install astroclip_kit[baselines], or take FoldedLightCurve."
        raise UsageError(message) from error
    ranges = [lc.InterPercentileRange(share) for share in (0.25, 0.1, 0.02)]
    ratios = [lc.MagnitudePercentageRatio(share, 0.05) for share in (0.4, 0.2)]
    plain = "Amplitude AndersonDarlingNormal Cusum Eta EtaE Kurtosis LinearFit LinearTrend MaximumSlope OtsuSplit"
    plain += " MedianAbsoluteDeviation PercentAmplitude ReducedChi2 Roms Skew StandardDeviation StetsonK"
    others = [lc.BeyondNStd(1.0), lc.BeyondNStd(2.0), lc.BiweightScale(), lc.MedianBufferRangePercentage(0.1)]
    others.append(lc.PercentDifferenceMagnitudePercentile(0.05))
    return lc.Extractor(*(getattr(lc, name)() for name in plain.split()), *ranges, *ratios, *others)


def _periodic(time: Floats, value: Floats, highest_frequency: float) -> Floats:
    """Three oscillations, log10 of the period of the first one first, and how rough the folded curve is."""
    found = list(oscillations(time, value, highest_frequency, OSCILLATIONS, HARMONICS))
    span, spread = max(float(np.ptp(time)), 1e-6), max(float(np.std(value)), 1e-9)
    first, second = found[0], found[1]
    rows = []
    for one in found:
        period = np.log10(1 / one.frequency if one.frequency > 0 else span)
        rows.append([period, one.power, *one.amplitudes / spread, *one.phases, one.explained])
    frequency = first.frequency or 1 / span
    lengths = [string_length(time * share * frequency, value) for share in (1, 0.5)]
    raw = np.median(np.abs(np.diff(value))) / spread
    smooth = np.median(np.abs(np.diff(value[np.argsort(time * frequency % 1)]))) / spread
    ratio = second.amplitudes[0] / max(float(first.amplitudes[0]), 1e-9)
    return np.concatenate([*rows, [*lengths, raw, smooth, ratio, np.std(found[-1].left) / spread]])
