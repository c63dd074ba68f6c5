"""Spectra and magnitudes of stars from their latents, without noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .atmospheres import REST_WAVELENGTH, flux_grid, grid_weights
from .instruments import LIGHT_KM_S, LOGLAM_STEP, OBSERVED_WAVELENGTH, RESOLUTION_KM_S, SDSS, band_weights
from .metal_lines import LINE_WIDTH_KM_S, equivalent_widths, line_shapes
from .star_population import Stars

__all__ = ["blurred", "on_observed_grid", "star_fluxes", "star_spectra"]

Array = npt.NDArray[np.float32]
PIXEL_KM_S = float(LIGHT_KM_S * np.log(10) * LOGLAM_STEP)
_FIRST = round((np.log10(OBSERVED_WAVELENGTH[0]) - np.log10(REST_WAVELENGTH[0])) / LOGLAM_STEP)


@lru_cache(maxsize=1)
def _filters() -> Array:
    return band_weights(REST_WAVELENGTH, SDSS)


def star_spectra(stars: Stars) -> Array:
    """Spectra at rest and unbroadened, before the dust of our Galaxy.

    Args:
        stars: Latents of B stars.

    Returns:
        Float32 [B, L] in 1e-17 erg/s/cm2/A on `atmospheres.REST_WAVELENGTH`, of the magnitudes `mag_g`.
    """
    weights = grid_weights(stars["teff"], stars["logg"])
    widths = equivalent_widths(weights, stars["feh"], stars["alpha"])
    flux = np.exp(weights @ flux_grid() - widths @ line_shapes() - 17)
    flux *= (10 ** (-0.4 * (stars["mag_g"] - 22.5)) / (flux @ _filters()[:, 1])).astype(np.float32)[:, None]
    return np.asarray(flux)


def star_fluxes(spectra: Array) -> Array:
    """Fluxes [B, 5] in nanomaggies through u, g, r, i, z of spectra [B, L] of `star_spectra`."""
    return spectra @ _filters()


def blurred(spectra: Array, stars: Stars) -> Array:
    """Spectra [B, L] on the same grid as a spectrograph sees them: moved, and broadened by rotation and the slit.

    On a logarithmic grid all three are one product in Fourier space; rotation without limb darkening has the
    transform 2 J1(x) / x.
    """
    from scipy.special import j1

    length = spectra.shape[1]
    wave = 2 * np.pi * np.fft.rfftfreq(length) / PIXEL_KM_S
    turn = np.maximum(wave * stars["vsini"][:, None], 1e-6)
    slit = wave**2 * (RESOLUTION_KM_S**2 - LINE_WIDTH_KM_S**2) / 2
    transfer = 2 * j1(turn) / turn * np.exp(-slit - 1j * wave * stars["rv"][:, None])
    return np.asarray(np.fft.irfft(np.fft.rfft(spectra) * transfer, length), dtype=np.float32)


def on_observed_grid(spectra: Array) -> Array:
    """The pixels [B, 4671] of the observed grid: that of the atmospheres goes on with the same steps."""
    return spectra[:, _FIRST : _FIRST + len(OBSERVED_WAVELENGTH)]
