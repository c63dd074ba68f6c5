"""The emission lines of the night sky, and spectra without them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from ..errors import InputError, UsageError
from .gaps import interpolate_gaps
from .regrid import named_grid
from .resampling import Grid, wavelength_grid
from .spectra import observed, with_flux

__all__ = ["MaskSkyLines", "sky_lines"]

# Vacuum wavelength in Angstrom and relative intensity: [O I] 5577, 6300, 6364 and Na I D; the others are OH. Those
# brighter than 2 of the list of the Subaru PFS pipeline that spender uses (Melchior et al. 2023, AJ 166, 74). Street
# lamps and O2 bands are not among them.
_LINES = """
5578.89 100  5891.58 800  5897.56 400  6172.35 2.06  6302.05 10  6365.54 10  6500.52 3  6534.85 3  6555.43 3
6865.85 3.07  6902.74 2.31  6925.13 2.66  6950.96 3  7242.17 2.41  7246.90 2.66  7278.41 6.54  7286.45 2.56
7318.30 4.83  7342.91 5.66  7371.40 4.3  7403.90 2.48  7475.74 2.02  7485.54 2.5  7526.07 6.88  7532.79 2.4
7573.83 5.13  7600.53 5.34  7630.72 3.51  7714.33 2.24  7714.74 3.61  7719.03 3.8  7752.77 9.12  7762.13 3.67
7796.26 6.67  7810.62 2.73  7823.65 7.95  7843.42 2.45  7855.52 6.24  7855.77 2.73  7862.82 5.25  7869.90 2.15
7872.90 6.31  7883.85 2.29  7892.02 3.74  7915.88 16.6  7923.30 6.04  7933.95 2.04  7951.39 3.68  7966.84 12.4
7981.96 4.72  7995.53 13.5  8016.26 3.78  8028.02 9.29  8054.23 2.15  8064.39 4.68  8280.57 2.57  8283.96 6.37
8288.67 2.89  8290.88 11.7  8298.52 4.71  8301.18 13.6  8313.00 4.84  8345.33 3.69  8346.90 34.4  8355.16 12.8
8367.02 4.49  8384.69 7.49  8401.48 25.2  8417.54 9.75  8432.49 27.9  8454.57 7.97  8467.68 19.8  8495.72 4.7
8507.18 10.4  8541.02 2.09  8551.06 4.2  8761.12 4.45  8763.72 10.4  8763.96 2.19  8764.05 2.19  8768.77 4.67
8768.84 4.67  8770.32 18.2  8778.62 7.29  8780.74 20.5  8793.60 7.25  8827.87 5.39  8829.52 50.5  8838.86 19.3
8852.25 6.99  8869.85 2.23  8870.02 10.9  8888.29 36.6  8905.56 14.4  8922.08 41.4  8945.85 12.1  8960.54 30.2
8990.83 7.39  9003.82 16.5  9040.54 3.45  9052.02 7.01  9095.22 2.26  9105.27 2.37  9308.55 6.8  9309.92 15
9311.61 3.3  9311.94 2.43  9315.46 6.64  9315.90 24.9  9325.01 9.88  9326.29 27  9340.42 9.48  9376.89 6.87
9378.53 64.7  9385.49 2.17  9389.28 25.4  9404.66 9.56  9422.31 13.9  9424.86 3.21  9442.24 46.6  9461.12 18.6
9479.45 53.8  9505.42 16.1  9521.97 40.6  9555.15 10.3  9569.96 23.1  9610.36 5.07  9623.60 10.4  9671.32 5.24
9671.52 5.24  9676.89 2.69  9683.04 3.76  9684.90 15.2  9693.16 7.12  9702.00 31.8  9714.37 13.2  9722.50 40.8
9740.76 14.8  9792.10 12  9793.80 110  9799.23 3.55  9802.36 38.1  9814.67 12  9830.92 3.2  9851.19 24.4  9874.84 81.6
9897.46 30.1  9917.39 84.3  9944.37 22  9944.92 10.7  9947.99 22.5  9948.20 5.1  9949.24 34.6  9950.47 9.61
9951.09 4.12  9952.42 2.13  9959.31 36  9959.38 13.6  9964.66 54.1  9975.08 12.6  10002.74 11.7  10014.09 8.85
10015.56 83.6  10016.73 24.9  10024.08 2.84  10028.20 33.9  10046.27 13.2  10061.78 4.43  10063.41 17.8  10063.54 17.8
10069.99 4.68  10073.64 8.61  10085.23 59.6  10106.37 24.3  10126.78 70.5  10134.96 2.27  10135.89 2.27  10151.78 4.87
10155.61 2.66  10155.76 21.7  10161.27 17.6  10167.16 8.93  10174.49 55.1  10174.90 48.2  10183.83 22.2  10192.50 95.4
10205.84 39.1  10211.58 14.5  10213.85 118  10228.59 32.9  10233.46 42.5  10273.90 7.56  10287.59 33.4  10288.92 15.7
10289.46 308  10289.67 15.7  10295.34 10.1  10298.85 109  10308.08 3.88  10312.34 35.7  10330.13 10  10342.86 3.16
10350.13 67.3  10352.33 2.35  10356.83 6.1  10375.72 225  10399.39 84.1  10421.22 237
"""


def sky_lines(min_intensity: float = 2.0) -> npt.NDArray[np.float64]:
    """The bright lines between 5578 and 10430 Angstrom.

    Args:
        min_intensity: Only those that are brighter, on a scale on which [O I] 5577 has 100; at least 2.

    Returns:
        Vacuum wavelength in Angstrom and intensity [N, 2].

    Example:
        >>> sky_lines(50.0)[:3].tolist()
        [[5578.89, 100.0], [5891.58, 800.0], [5897.56, 400.0]]
    """
    lines = np.array(_LINES.split(), dtype=np.float64).reshape(-1, 2)
    return lines[lines[:, 1] > min_intensity]


@dataclass(frozen=True)
class MaskSkyLines:
    """Takes the weight from pixels near bright sky lines: ivar 0, and a straight flux across.

    The half width around a line of intensity I is ``half_width * (1 + log10(I / min_intensity))``, as in spender; the
    defaults mask 17 % of an SDSS spectrum and 25 % of a DESI spectrum. Other gaps are filled on the way, as by
    `FillGaps`.

    Args:
        wavelength: Of the spectra, in vacuum: a name, (start, stop, step), or the wavelengths, as `Modality.grid`.
        min_intensity: Fainter lines stay, see `sky_lines`.
        half_width: For the faintest masked line, in Angstrom.

    Raises:
        UsageError: If the grid is none, or a number is not one that the list allows.

    Example:
        >>> masked = MaskSkyLines("desi")(torch.ones(1, 2, 7781))
        >>> int((masked[0, 1] == 0).sum()), masked[0, 0].min()
        (1941, tensor(1.))
    """

    wavelength: Grid
    min_intensity: float = 2.0
    half_width: float = 5.0

    def __post_init__(self) -> None:
        """Keeps the grid as plain values."""
        object.__setattr__(self, "wavelength", named_grid(self.wavelength))
        if self.min_intensity < 2 or self.half_width <= 0:
            raise UsageError(
                f"MaskSkyLines: min_intensity {self.min_intensity} and half_width {self.half_width} must be at least "
                f"2 and above 0: the list of lines ends there."
            )

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Spectra [B, C, L] of finite flux."""
        near = _near_lines(self.wavelength, self.min_intensity, self.half_width)  # type: ignore[arg-type]
        if len(near) != x.shape[-1]:
            raise InputError(f"spectra have {x.shape[-1]} pixels, but the wavelengths of MaskSkyLines {len(near)}.")
        kept = ~near.to(x.device)
        flux = interpolate_gaps(x[:, 0], observed(x) & kept)
        return with_flux(x, flux, x[:, 1].where(kept, 0.0) if x.shape[1] > 1 else None)


@lru_cache(maxsize=16)
def _near_lines(grid: str | tuple[float, ...], min_intensity: float, half_width: float) -> torch.Tensor:
    """Which pixels [L] to mask."""
    line, intensity = sky_lines(min_intensity).T
    width = half_width * (1 + np.log10(intensity / min_intensity))
    near = np.abs(wavelength_grid(grid)[:, None] - line) < width
    return torch.from_numpy(near.any(axis=1))
