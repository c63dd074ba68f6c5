"""The instruments of the mock surveys: wavelength grids, bands, point spread functions, noise and sky.

Depths, seeing and noise levels are those of the Legacy Surveys (Dey et al. 2019), of the SDSS camera and of SDSS/BOSS
spectra; they are what makes the mock as hard as the sky, so they are constants and not settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..transforms.spectral_lines import LIGHT_KM_S

__all__ = [
    "BANDS",
    "BAND_CENTRE",
    "DEPTH",
    "FIBRE_RADIUS_ARCSEC",
    "LEGACY_SURVEYS",
    "LIGHT_KM_S",
    "LOGLAM_STEP",
    "MOFFAT_SCALE",
    "OBSERVED_WAVELENGTH",
    "PIXEL_SCALE_ARCSEC",
    "RESOLUTION_KM_S",
    "SDSS",
    "SEEING_ARCSEC",
    "SKY_BRIGHTNESS",
    "Camera",
    "Grid",
    "band_fluxes",
    "band_weights",
    "output_wavelength",
    "sky_spectrum",
    "spectrum_sigma",
]

Array = npt.NDArray[np.float32]
Grid = Literal["sdss", "desi"]

LOGLAM_STEP = 1e-4
OBSERVED_WAVELENGTH: npt.NDArray[np.float64] = np.power(
    10, 3.55 + LOGLAM_STEP * np.arange(4671)
)  # the grid of BOSS: 3548 to 10399 A
BANDS = ("g", "r", "z")
PIXEL_SCALE_ARCSEC = 0.262
DEPTH = (24.7, 23.9, 23.0)  # 5 sigma, point source, AB
SEEING_ARCSEC = (1.30, 1.20, 1.10)  # full width at half maximum
MOFFAT_SCALE = float(0.5 / np.sqrt(2**0.4 - 1))  # scale radius over FWHM of a Moffat profile of beta 2.5
SKY_BRIGHTNESS = (22.0, 21.0, 19.0)  # AB magnitude per square arcsec, dark sky at Cerro Tololo
FIBRE_RADIUS_ARCSEC = 1.0  # BOSS
BOSS_COUNTS, LEGACY_COUNTS = 55.0, 18.0  # electrons per 1e-17 erg/s/cm2/A: BOSS, and the SDSS before it
RESOLUTION_KM_S = 64.0  # standard deviation of the spectrograph's line spread: R = 2000
BAND_CENTRE = (4770.0, 6420.0, 9240.0)  # DECam, Angstrom
_BAND_WIDTH = (1480.0, 1480.0, 1520.0)


@dataclass(frozen=True)
class Camera:
    """What images of a survey are taken with.

    Args:
        bands: Names of the filters.
        centre: Their central wavelengths in Angstrom.
        width: Their full widths at half maximum in Angstrom.
        pixel_scale_arcsec: Size of a pixel.
        depth: AB magnitude per band of a point source at 5 sigma.
        seeing_arcsec: Full width at half maximum of the point spread function per band.
        sky_brightness: AB magnitude of a square arcsecond of sky per band.
    """

    bands: tuple[str, ...]
    centre: tuple[float, ...]
    width: tuple[float, ...]
    pixel_scale_arcsec: float
    depth: tuple[float, ...]
    seeing_arcsec: tuple[float, ...]
    sky_brightness: tuple[float, ...]


LEGACY_SURVEYS = Camera(BANDS, BAND_CENTRE, _BAND_WIDTH, PIXEL_SCALE_ARCSEC, DEPTH, SEEING_ARCSEC, SKY_BRIGHTNESS)
SDSS = Camera(  # Fukugita et al. (1996); median depth and seeing of the imaging (sdss.org/dr16/imaging/other_info)
    ("u", "g", "r", "i", "z"),
    (3551.0, 4686.0, 6166.0, 7480.0, 8932.0),
    (560.0, 1379.0, 1382.0, 1535.0, 1370.0),
    0.396,
    (22.15, 23.13, 22.70, 22.20, 20.71),
    (1.53, 1.44, 1.32, 1.26, 1.29),
    (22.1, 21.8, 20.8, 20.3, 18.8),
)
_SKY_LINES = ((5578.9, 60.0), (5891.6, 8.0), (5897.6, 5.0), (6302.0, 22.0), (6365.5, 8.0))


def band_weights(grid: npt.NDArray[np.float64], camera: Camera = LEGACY_SURVEYS) -> Array:
    """Matrix [L, bands] from flux density (1e-17 erg/s/cm2/A) at wavelengths [L] in Angstrom to nanomaggies (AB).

    The bands are box filters with soft edges.
    """
    wavelength = grid[:, None]
    centre, width = np.array(camera.centre), np.array(camera.width)
    edge = np.clip((np.abs(wavelength - centre) - width / 2) / 45.0, -50.0, 50.0)
    photons = 1 / (1 + np.exp(edge)) * wavelength * np.gradient(grid)[:, None]
    per_hertz = 2.99792458e18 / wavelength**2 * 3.6308e-20 * 1e-9  # one nanomaggie in erg/s/cm2/A
    return np.asarray(1e-17 * photons / (photons * per_hertz).sum(axis=0), dtype=np.float32)


@lru_cache(maxsize=1)
def _observed_band_weights() -> Array:
    return band_weights(OBSERVED_WAVELENGTH)


def band_fluxes(flux: Array) -> Array:
    """Fluxes [B, 3] in nanomaggies through g, r, z of spectra [B, L] in 1e-17 erg/s/cm2/A on the observed grid.

    The bands are those of DECam (Flaugher et al. 2015), see `band_weights`.
    """
    return flux @ _observed_band_weights()


def output_wavelength(grid: Grid) -> npt.NDArray[np.float64]:
    """Vacuum wavelengths in Angstrom of the written spectra: BOSS (logarithmic) or DESI (3600 to 9824 A by 0.8 A)."""
    return OBSERVED_WAVELENGTH if grid == "sdss" else np.asarray(3600 + 0.8 * np.arange(7781), dtype=np.float64)


@lru_cache(maxsize=2)
def sky_spectrum(grid: Grid) -> Array:
    """Sky in the fibre [L], in 1e-17 erg/s/cm2/A: continuum, mercury-free atomic lines and bands of hydroxyl lines."""
    wavelength = output_wavelength(grid)
    sky = 1.6 + 0.9 * np.clip((wavelength - 7000) / 3000, 0, None) + 0.8 * np.exp(-(wavelength - 3550) / 350)
    rng = np.random.default_rng(6300)  # the same forest for every survey
    heads = np.array([6860.0, 7240.0, 7720.0, 8280.0, 8770.0, 9310.0, 9790.0, 10010.0])
    strength = np.array([3.0, 8.0, 14.0, 18.0, 28.0, 36.0, 30.0, 30.0])
    lines = [(h + d, s * np.exp(-d / 90) * a) for h, s in zip(heads, strength, strict=True)
             for d, a in zip(np.sort(rng.uniform(0, 260, 22)), rng.uniform(0.1, 1.2, 22), strict=True)]  # fmt: skip
    for centre, height in (*_SKY_LINES, *lines):
        sky = sky + height * np.exp(-0.5 * ((wavelength - centre) / (centre / 4700)) ** 2)
    return np.asarray(sky, dtype=np.float32)


def spectrum_sigma(flux: Array, grid: Grid, counts: float = BOSS_COUNTS) -> Array:
    """Standard deviation [B, L] of the noise of spectra [B, L], both in 1e-17 erg/s/cm2/A.

    Read-out noise, and photon noise of sky and object, over a throughput that falls at both ends; by default as in
    BOSS spectra of about an hour. `counts` are the electrons per pixel of 1e-17 erg/s/cm2/A at full throughput.
    """
    wavelength = output_wavelength(grid)
    throughput = 1 / (1 + np.exp((3850 - wavelength) / 120)) / (1 + np.exp((wavelength - 9900) / 160)) + 0.04
    pixel = np.gradient(wavelength) / np.gradient(OBSERVED_WAVELENGTH).mean()
    gain = np.asarray(counts * throughput * pixel, dtype=np.float32)
    return np.asarray(np.sqrt(9.0 + gain * (sky_spectrum(grid) + np.maximum(flux, 0))) / gain, dtype=np.float32)
