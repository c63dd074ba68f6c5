"""A light curve of any bands and cadence as magnitudes on one grid of phases and wavelengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch import nn

from ..errors import InputError
from ..transforms.bands import band_wavelengths
from ..transforms.compose import Compose, Transform
from ..transforms.interpolation import Kernel, average_nights, interpolate, since_peak
from ..transforms.smoothing import soft_bins
from ..types import Modality
from .layers import check_kind, check_light_curves

__all__ = ["InterpolatedLightCurve"]

WINDOW = (-60, 200)  # days from peak that are used
POINTS = 256  # of a light curve: the cost of a Gaussian process grows with the cube
OPTICAL = (3800.0, 9500.0)  # bands that may define the peak
NEAR_PEAK = 6.0  # days


class InterpolatedLightCurve(nn.Module):
    """Magnitudes that a Gaussian process expects at fixed phases and wavelengths; nothing is learned.

    Bands of several systems are brought together by their effective wavelengths. Magnitudes are relative to the
    peak and shrunk to 0 where no measurement is near; beside them stands how much the measurements tell. The peak
    magnitude itself enters as soft bins. Dates and covariates do not enter.

    Args:
        wavelength_angstrom: Effective wavelength of each band; points of a band where it is 0 are left out.
        phase_day: Days since the brightest point.
        at_angstrom: Wavelengths.
        peak_bins: Centers of the soft bins of the peak magnitude.
        kernel: How magnitudes vary together, see `astroclip_kit.transforms.interpolation.Kernel`.
        preprocess: What is done to light curves [B, T, 4] first; by default nothing.

    Example:
        >>> point = torch.tensor([[[0.0, 18.3, torch.nan, 1.0]]])
        >>> InterpolatedLightCurve((4800.0, 6300.0), phase_day=(0, 20), at_angstrom=(6300,), peak_bins=(15, 20))(point)
        tensor([[0.0000, 0.0000, 0.9958, 0.6375, 0.3400, 0.6600]])
    """

    def __init__(
        self,
        wavelength_angstrom: Sequence[float],
        phase_day: Sequence[float] = (-15, -10, -5, 0, 5, 10, 15, 20, 30, 40, 50, 65, 80, 100),
        at_angstrom: Sequence[float] = (3600, 4500, 5500, 6400, 7900),
        peak_bins: Sequence[float] = (11, 12.5, 14, 15.5, 17, 18.5, 20, 21.5),
        kernel: Kernel | None = None,
        preprocess: Transform | None = None,
    ) -> None:
        super().__init__()
        self.wavelength_angstrom, self.phase_day = tuple(wavelength_angstrom), tuple(phase_day)
        self.at_angstrom, self.peak_bins = tuple(at_angstrom), tuple(peak_bins)
        self.kernel = kernel if kernel is not None else Kernel()
        self.preprocess = preprocess if preprocess is not None else Compose()
        self.out_features = 2 * len(self.phase_day) * len(self.at_angstrom) + len(self.peak_bins)

    @classmethod
    def for_modality(cls, modality: Modality, wavelengths: Mapping[str, float] | None = None, **arguments: Any) -> Self:
        """Looks the bands of a light-curve modality up by name.

        Args:
            modality: A light curve in magnitudes.
            wavelengths: Effective wavelengths in Angstrom of bands whose names the kit does not know.
            **arguments: See the class.

        Raises:
            InputError: If the modality is no light curve, or no band is known.
        """
        check_kind(modality, "lightcurve", cls)
        found = band_wavelengths(modality.bands, wavelengths)
        if not any(value > 0 for value in found):
            raise InputError(
                f"no effective wavelength is known of the bands {', '.join(modality.bands)}: give `wavelengths`."
            )
        return cls([value if value > 0 else 0.0 for value in found], **arguments)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features [B, out_features] of light curves [B, T, 4] in magnitudes, NaN where padded."""
        check_light_curves(x)
        with torch.autocast(x.device.type, enabled=False):
            x = nn.functional.pad(x.float(), (0, 0, 0, 1), value=torch.nan)  # so that there is a row to look for
            wavelength = torch.tensor(self.wavelength_angstrom, device=x.device)
            band = x[..., 3].nan_to_num(0.0).long().clamp(0, len(wavelength) - 1)
            x = x.where(wavelength[band][..., None] > 0, torch.nan)
            x = since_peak(x, (wavelength > OPTICAL[0]) & (wavelength < OPTICAL[1]))
            x = average_nights(x, len(wavelength), WINDOW, POINTS)
            near = x[..., 1].where(x[..., 0].abs() < NEAR_PEAK, torch.inf).nan_to_num(torch.inf)
            peak = near.amin(dim=1)
            time = torch.tensor(self.phase_day, dtype=torch.float64).repeat(len(self.at_angstrom))
            position = torch.tensor(self.at_angstrom, dtype=torch.float64).log().repeat_interleave(len(self.phase_day))
            value, told = interpolate(x, wavelength.log(), time, position, self.kernel)
            relative = (value - peak.where(peak.isfinite(), 0.0)[:, None]).clamp(-2.0, 6.0) * told
            bins = soft_bins(peak.where(peak.isfinite(), torch.nan), self.peak_bins)
            return torch.cat([relative.float(), told.float(), bins], dim=1)
