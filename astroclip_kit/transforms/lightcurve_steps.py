"""Light curves as AstroM3's encoder reads them: a window of steps of nine features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..errors import InputError, UsageError
from ..types import Modality
from .astrom3_columns import PHOTOMETRY, YEAR
from .chronology import BAND, TIME, VALUE, Chronology, chronology, parts
from .lightcurves import is_padding
from .spread import median_absolute_deviation
from .tables import given_statistics, standardised, statistics

__all__ = ["LightCurveSteps"]


@dataclass(frozen=True)
class LightCurveSteps:
    """Scales a whole light curve, then cuts its middle, and repeats what is known of the object at each step.

    The features of a step are, in this order: time from 0 to 1 over the whole light curve; value less its mean, and
    error, in units of the median absolute deviation of the values (MAD); the covariates; log10 of the MAD; duration in
    years of 365 days; with more than one band, which it is (0 or 1 for each). As AstroM3 was trained (Rizhko & Bloom
    2025, arXiv:2411.08842), and what its code leaves open is settled: a MAD of 0 is replaced by the mean distance from
    the median, or by 1 where all values are the same; a light curve of one point has time 0 and duration 0; an error
    that is not given is 0; of measurements that are the same one counts; unsorted ones are sorted. `RandomWindow` moves
    another part of a light curve to its middle. Magnitudes or fluxes.

    Args:
        length: Steps; behind the last point of a shorter light curve all features are NaN.
        covariates: Names of the channels after the four of a light curve; none are needed.
        log: Those whose log10 is taken; of a number that is not positive there is none.
        bands: Number of bands.
        mean: Of each covariate (after log10), over training objects; () until it is `measured_on` them, and nothing is
            subtracted.
        std: Its standard deviation; () as well.

    Raises:
        UsageError: If the length is none, a name of `log` is no covariate, or mean and std are not one number for each.

    Example:
        >>> curve = torch.tensor([[[0.0, 1.0, 0.1, 0.0], [365.0, 2.0, 0.1, 0.0], [730.0, 6.0, 0.2, 0.0]]])
        >>> LightCurveSteps(4, covariates=(), log=())(curve)[0, :3]
        tensor([[ 0.0000, -2.0000,  0.1000,  0.0000,  2.0000],
                [ 0.5000, -1.0000,  0.1000,  0.0000,  2.0000],
                [ 1.0000,  3.0000,  0.2000,  0.0000,  2.0000]])
    """

    length: int = 200
    covariates: Sequence[str] = PHOTOMETRY
    log: Sequence[str] = ("period",)
    bands: int = 1
    mean: Sequence[float] = ()
    std: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Refuses numbers that do not fit together."""
        if self.length < 1 or not set(self.log) <= set(self.covariates):
            raise UsageError(
                f"LightCurveSteps takes a length of at least 1 and the log10 of covariates; found {self.length}, and "
                f"log {', '.join(self.log)} of {', '.join(self.covariates) or 'none'}."
            )
        given_statistics(type(self).__name__, self.covariates, self.mean, self.std)

    @classmethod
    def for_modality(cls, modality: Modality, **arguments: Any) -> LightCurveSteps:
        """For the covariates and the bands of light curves; "period", where it is a covariate, as log10.

        Raises:
            InputError: If these are no light curves.
        """
        if modality.kind != "lightcurve":
            raise InputError(f"LightCurveSteps takes light curves, and {modality.name!r} is of kind {modality.kind!r}.")
        log = tuple(name for name in modality.covariates if name == "period")
        return cls(**{"covariates": modality.covariates, "log": log, "bands": max(1, len(modality.bands)), **arguments})

    @property
    def out_channels(self) -> int:
        """Features of a step."""
        return 5 + len(self.covariates) + (self.bands if self.bands > 1 else 0)

    def measured_on(self, x: torch.Tensor) -> LightCurveSteps:
        """The same with mean and std of the covariates of light curves [n, T, 4 + C]; give it training objects only.

        Those called ``scaled_...`` came scaled by the statistics of others and stay as they are.
        """
        if self.mean or not self.covariates:
            return self
        self._check(x)
        mean, std = statistics(self._numbers(x, ~is_padding(x)), self.covariates)
        return replace(self, mean=mean, std=std)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Steps float32 [B, length, out_channels] of light curves [B, T, 4 + C]."""
        self._check(x)
        steps = x.new_full((len(x), self.length, self.out_channels), torch.nan, dtype=torch.float32)
        for rows, part in parts(x):
            steps[rows] = self._steps(part)
        return steps

    def _check(self, x: torch.Tensor) -> None:
        channels = BAND + 1 + len(self.covariates)
        if x.ndim != 3 or x.shape[2] != channels:
            raise InputError(
                f"LightCurveSteps takes [B, T, {channels}] of time, value, error, band, "
                f"{', '.join(self.covariates) or 'nothing else'}; found {tuple(x.shape)}."
            )

    def _steps(self, x: torch.Tensor) -> torch.Tensor:
        found = chronology(x)
        value = x[..., VALUE].double().where(found.points, 0.0)
        mean = value.sum(dim=1, keepdim=True) / found.count.clamp(min=1)
        scale = median_absolute_deviation(value, found.points)
        start, end = _limits(x[..., TIME], found)
        rows, inside = found.window(self.length)
        time, at, error, band = x[..., : BAND + 1].gather(1, rows[..., None].expand(-1, -1, BAND + 1)).unbind(dim=2)
        duration = end - start
        features = [
            (time.double() - start) / duration.where(duration > 0, 1.0),
            (at.double() - mean) / scale,
            error.double().where(error.isfinite() & (error > 0), 0.0) / scale,
            *standardised(self._numbers(x, found.points), self.mean, self.std).unbind(dim=1),
            scale.log10()[:, 0],
            duration[:, 0] / YEAR,
        ]
        if self.bands > 1:
            features += [(band == number).double() for number in range(self.bands)]
        steps = torch.stack([one if one.ndim == 2 else one[:, None].expand(rows.shape) for one in features], dim=2)
        return steps.where(inside[..., None], torch.nan).float()

    def _numbers(self, x: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Covariates float64 [B, C], of the first point; NaN where one is not known or has no logarithm."""
        first = points.float().argmax(dim=1)
        numbers = x[torch.arange(len(x), device=x.device), first, BAND + 1 :].double()
        log = torch.tensor([name in self.log for name in self.covariates], dtype=torch.bool, device=x.device)
        return torch.where(log, numbers.where(numbers > 0, torch.nan).log10(), numbers)


def _limits(time: torch.Tensor, found: Chronology) -> tuple[torch.Tensor, torch.Tensor]:
    """Times of the first and of the last point, float64 [B, 1]; 0 where there is none."""
    low = time.double().masked_fill(~found.points, torch.inf).amin(dim=1, keepdim=True)
    high = time.double().masked_fill(~found.points, -torch.inf).amax(dim=1, keepdim=True)
    return low.where(found.count > 0, 0.0), high.where(found.count > 0, 0.0)
