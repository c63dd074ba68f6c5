"""What a fibre spectrograph makes of noise-free spectra: its grid, noise, residuals of the sky and lost pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .instruments import (
    BOSS_COUNTS,
    LOGLAM_STEP,
    OBSERVED_WAVELENGTH,
    Grid,
    output_wavelength,
    sky_spectrum,
    spectrum_sigma,
)

__all__ = ["BRIGHTSKY", "NODATA", "observe_spectra", "resample"]

Array = npt.NDArray[np.float32]
BRIGHTSKY, NODATA = 1 << 23, 1 << 21  # bits of and_mask that the mock sets, as in the SPPIXMASK of SDSS


def observe_spectra(
    model: Array, grid: Grid, rng: np.random.Generator, counts: float = BOSS_COUNTS
) -> tuple[Array, Array, npt.NDArray[np.int32]]:
    """What the spectrograph makes of noise-free spectra.

    Args:
        model: Spectra in the fibre [B, L] in 1e-17 erg/s/cm2/A on the observed grid.
        grid: "sdss" (BOSS) or "desi".
        rng: Source of all randomness.
        counts: Of the exposure, see `spectrum_sigma`.

    Returns:
        Flux [B, L] in the same unit, inverse variance [B, L] (0 where nothing was measured) and and_mask [B, L].
        Part of the sky's lines remains as a residual that the inverse variance does not know.
    """
    sky = sky_spectrum(grid)
    quality = np.exp(0.12 * rng.standard_normal((len(model), 1), dtype=np.float32))
    sigma = spectrum_sigma(model, grid, counts) * quality
    flux = model + sigma * rng.standard_normal(model.shape, dtype=np.float32)
    flux += 0.012 * rng.standard_normal((len(model), 1), dtype=np.float32) * (sky - sky.min())
    mask = np.zeros(model.shape, dtype=np.int32)
    mask[:, sky > 25] |= BRIGHTSKY
    lost = rng.random((len(model), 6)) * model.shape[1] * 3  # cosmic rays: two a spectrum, a few pixels each
    for i, j in zip(*np.nonzero(lost < model.shape[1] - 3), strict=True):
        mask[i, int(lost[i, j]) : int(lost[i, j]) + 3] |= NODATA
    ivar = np.where(mask & NODATA, 0, sigma**-2).astype(np.float32)
    return np.where(mask & NODATA, 0, flux).astype(np.float32), ivar, mask


def resample(model: Array, grid: Grid) -> Array:
    """Noise-free spectra [B, L] of the observed grid on the grid that is written."""
    if grid == "sdss":
        return model
    wavelength = output_wavelength(grid)
    position = (np.log10(wavelength) - np.log10(OBSERVED_WAVELENGTH[0])) / LOGLAM_STEP
    left = position.astype(int)
    part = (position - left).astype(np.float32)
    return np.asarray(model[:, left] * (1 - part) + model[:, left + 1] * part)
