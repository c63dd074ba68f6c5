"""Light curves [B, T, 4] onto fixed phases and wavelengths, by Gaussian processes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .lightcurves import is_padding

__all__ = ["Kernel", "average_nights", "interpolate", "since_peak"]

DEFAULT_ERROR, SMALLEST_ERROR, JITTER = 0.1, 0.02, 0.05  # mag


@dataclass(frozen=True)
class Kernel:
    """How magnitudes of one supernova vary together, in time and wavelength.

    The covariance is that of a Matern-3/2 process of `days`, one of `slow` times as long (Gaussian), and a constant
    per wavelength; each falls with the distance in ln(wavelength) as a Gaussian of `width` (as in Boone 2019,
    arXiv:1907.04690, there in flux).

    Args:
        days: Time scale in days.
        slow: How much longer the slow part's time scale is.
        width: Scale in ln(wavelength).
        fast: Amplitude of the fast part, mag.
        steady: Amplitude of the slow part, mag.
        colour: Amplitude of the constant part, mag.
    """

    days: float = 25.0
    slow: float = 8.0
    width: float = 0.6
    fast: float = 1.2
    steady: float = 1.0
    colour: float = 0.7

    @property
    def variance(self) -> float:
        """Of a magnitude before any measurement."""
        return self.fast**2 + self.steady**2 + self.colour**2

    def __call__(
        self, time: torch.Tensor, position: torch.Tensor, other_time: torch.Tensor, other_position: torch.Tensor
    ) -> torch.Tensor:
        """Covariances [B, P, Q] of points at times [B, P] and ln(wavelengths) [B, P] with others [B or 1, Q]."""
        lag = (time[:, :, None] - other_time[:, None]).abs() / self.days
        matern = (1 + 3**0.5 * lag) * torch.exp(-(3**0.5) * lag)
        slow = torch.exp(-0.5 * (lag / self.slow) ** 2)
        near = torch.exp(-0.5 * ((position[:, :, None] - other_position[:, None]) / self.width) ** 2)
        return near * (self.fast**2 * matern + self.steady**2 * slow + self.colour**2)


def since_peak(x: torch.Tensor, eligible: torch.Tensor) -> torch.Tensor:
    """Counts time from the brightest point in the band that has most points; of magnitudes.

    A point's error counts half against it, so that one bad measurement is no maximum.

    Args:
        x: Light curves [B, T, 4].
        eligible: Which bands may define the peak, bool [number of bands]; all do where none of them has a point.

    Returns:
        Light curves [B, T, 4].
    """
    measured = ~is_padding(x)
    band = x[..., 3].where(measured, 0.0).long()
    allowed = measured & eligible.to(x.device)[band]
    allowed = torch.where(allowed.any(dim=1, keepdim=True), allowed, measured)
    counts = torch.zeros(len(x), len(eligible), device=x.device).scatter_add(1, band, allowed.float())
    allowed &= band == counts.argmax(dim=1, keepdim=True)
    faintness = (x[..., 1] + 0.5 * x[..., 2].nan_to_num(DEFAULT_ERROR)).masked_fill(~allowed, torch.inf)
    peak = x[..., 0].gather(1, faintness.argmin(dim=1, keepdim=True)).nan_to_num(0.0)
    return torch.cat([(x[..., 0] - peak)[..., None], x[..., 1:]], dim=-1)


def average_nights(x: torch.Tensor, bands: int, window: tuple[int, int], points: int) -> torch.Tensor:
    """Averages the measurements of each band and day, weighted by their errors.

    Args:
        x: Light curves [B, T, 4], times since peak.
        bands: Number of bands.
        window: First day and the day after the last; the rest is left out.
        points: Most points kept of each light curve: those nearest to time zero.

    Returns:
        Light curves [B, P, 4], P at most `points` and at least 1, NaN behind the last point of each.
    """
    nights = window[1] - window[0]
    day = x[..., 0].nan_to_num(torch.inf).floor() - window[0]
    used = ~is_padding(x) & (day >= 0) & (day < nights)
    cell = (day.where(used, 0.0) * bands + x[..., 3].where(used, 0.0)).long()
    weight = x[..., 2].nan_to_num(DEFAULT_ERROR).clamp(min=SMALLEST_ERROR).pow(-2).where(used, 0.0)
    empty = x.new_zeros(len(x), nights * bands)
    total = empty.scatter_add(1, cell, weight)
    sums = [empty.scatter_add(1, cell, weight * x[..., column].where(used, 0.0)) for column in (0, 1)]
    time, value = (one / total.clamp(min=1e-12) for one in sums)
    longest = int((total > 0).sum(dim=1).max()) if len(x) else 0
    nearest = time.abs().masked_fill(total == 0, torch.inf).topk(max(1, min(points, longest)), largest=False)
    error = total.rsqrt().clamp(min=SMALLEST_ERROR)
    band = torch.arange(nights * bands, device=x.device).remainder(bands).to(x.dtype).expand_as(total)
    kept = torch.stack([one.gather(1, nearest.indices) for one in (time, value, error, band)], dim=-1)
    return kept.where(nearest.values.isfinite()[..., None], torch.nan)


def interpolate(
    x: torch.Tensor, log_wavelength: torch.Tensor, time: torch.Tensor, position: torch.Tensor, kernel: Kernel
) -> tuple[torch.Tensor, torch.Tensor]:
    """Most likely magnitudes at other times and wavelengths, given those measured.

    Args:
        x: Light curves [B, P, 4], times since peak.
        log_wavelength: ln(wavelength) of each band; points of bands where it is NaN are left out.
        time: Where to predict [Q], days since peak.
        position: Where to predict [Q], ln(wavelength).
        kernel: The covariance.

    Returns:
        Magnitudes [B, Q] and what share of their prior variance the measurements took away [B, Q], in float64; a
        light curve without a point is 0 with share 0.
    """
    x, log_wavelength = x.double(), log_wavelength.double().to(x.device)
    at = log_wavelength[x[..., 3].nan_to_num(0.0).long()]
    measured = ~is_padding(x) & at.isfinite()
    days, at = x[..., 0].where(measured, 0.0), at.where(measured, 0.0)
    weight = (torch.exp(-days.abs() / 30.0) + 1e-6).where(measured, 0.0)
    value = x[..., 1].where(measured, 0.0)
    mean = (weight * value).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True).clamp(min=1e-12)
    both = measured[:, :, None] & measured[:, None]
    noise = (x[..., 2].nan_to_num(DEFAULT_ERROR) ** 2 + JITTER**2).where(measured, 1.0)
    covariance = kernel(days, at, days, at).where(both, 0.0) + torch.diag_embed(noise)
    there = time.double().to(x.device)[None], position.double().to(x.device)[None]
    cross = kernel(days, at, *there).where(measured[..., None], 0.0)
    factor = torch.linalg.cholesky(covariance)
    whitened = torch.linalg.solve_triangular(factor, cross, upper=False)
    residual = (value - mean).where(measured, 0.0)[..., None]
    shift = (whitened * torch.linalg.solve_triangular(factor, residual, upper=False)).sum(dim=1)
    return mean + shift, whitened.square().sum(dim=1) / kernel.variance
