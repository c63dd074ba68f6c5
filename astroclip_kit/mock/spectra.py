"""Observed spectra of galaxies from their latents: stars, dust, nebular lines, redshift and the spectrograph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .instruments import LOGLAM_STEP, OBSERVED_WAVELENGTH, Grid, output_wavelength, sky_spectrum, spectrum_sigma
from .population import Galaxies, luminosity_distance_mpc
from .stellar_populations import AGE_GYR, METALLICITY, REST_LOGLAM, REST_WAVELENGTH, VDISP, population_spectra

__all__ = ["BRIGHTSKY", "NODATA", "galaxy_spectra", "observe_spectra"]

Array = npt.NDArray[np.float32]
BRIGHTSKY, NODATA = 1 << 23, 1 << 21  # bits of and_mask that the mock sets, as in the SPPIXMASK of SDSS
SOLAR_LUMINOSITY = 3.828e33  # erg/s
_MPC_CM = 3.0857e24
_LIGHT_KM_S = 299792.458


def calzetti(wavelength: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Attenuation k = A / E(B-V) at rest wavelengths [L] in Angstrom (Calzetti et al. 2000, equation 4)."""
    micron = wavelength / 1e4
    blue = 2.659 * (-2.156 + 1.509 / micron - 0.198 / micron**2 + 0.011 / micron**3) + 4.05
    return np.asarray(np.maximum(np.where(micron < 0.63, blue, 2.659 * (-1.857 + 1.040 / micron) + 4.05), 0))


def _node_weights(values: npt.NDArray[np.float64], nodes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Linear interpolation as weights [B, nodes]."""
    values = np.clip(values, nodes[0], nodes[-1])
    return np.stack([np.interp(values, nodes, row) for row in np.eye(len(nodes))], axis=1)


def _age_weights(age_gyr: npt.NDArray[np.float64], tau_gyr: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Share [B, ages] of the mass formed in the neighbourhood of each age of a delayed-tau history."""
    edges = np.concatenate([[0], np.sqrt(AGE_GYR[1:] * AGE_GYR[:-1]), [20.0]])
    time = np.maximum(age_gyr[:, None] - edges, 0) / tau_gyr[:, None]  # since the first star, in units of tau
    formed = 1 - (1 + time) * np.exp(-time)
    return np.asarray(-np.diff(formed, axis=1) / formed[:, :1])


def _starlight(galaxies: Galaxies) -> tuple[Array, Array]:
    """Unattenuated bulge and disc [B, L] in solar luminosities per Angstrom.

    The bulge holds its share of the mass with the oldest stars first, so the disc is younger than the galaxy.
    """
    ages = _age_weights(galaxies["age_gyr"], galaxies["tau_gyr"])
    share = galaxies["bulge_to_total"][:, None]
    oldest_first = np.cumsum(ages[:, ::-1], axis=1)[:, ::-1]
    concentrated = ages - np.clip(oldest_first - share, 0, ages)  # the oldest stars, up to the share
    bulge = 0.7 * concentrated + 0.3 * share * ages
    metal, vdisp = _node_weights(galaxies["metallicity"], METALLICITY), _node_weights(galaxies["vdisp"], VDISP)
    basis = population_spectra().reshape(-1, len(REST_WAVELENGTH))
    mass = 10 ** (galaxies["logmstar"] + 0.2)

    def light(ages: npt.NDArray[np.float64]) -> Array:
        weights = np.einsum("bv,bm,ba->bvma", vdisp, metal, ages * mass[:, None])
        return np.asarray(weights.reshape(len(mass), -1).astype(np.float32) @ basis)

    return light(bulge), light(np.maximum(ages - bulge, 0))


def _line_luminosities(galaxies: Galaxies) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Rest wavelengths [K] and intrinsic luminosities [B, K] of nebular lines in solar luminosities.

    H alpha follows the star formation (Kennicutt & Evans 2012), the Balmer series case B, the metal lines the
    star-forming sequence of the BPT diagram (Kewley et al. 2013); old galaxies add faint LINER-like emission.
    """
    halpha = 10 ** (galaxies["sfr"] + 41.27) / SOLAR_LUMINOSITY
    n2 = np.clip(-0.62 + 0.65 * galaxies["metallicity"], -1.4, -0.22)  # log [NII]/H alpha
    o3 = np.clip(0.61 / (n2 - 0.02) + 1.15, -0.9, 0.75)  # log [OIII]/H beta
    o2 = 0.85 - 0.25 * galaxies["metallicity"]  # [OII]/H alpha, sum of the doublet
    sequence: dict[float, npt.NDArray[np.float64] | float] = {
        6564.6: np.ones_like(n2), 4862.7: 1 / 2.86, 4341.7: 0.468 / 2.86, 4102.9: 0.259 / 2.86,
        6585.3: 10**n2, 6549.9: 10**n2 / 3, 5008.2: 10**o3 / 2.86, 4960.3: 10**o3 / 2.86 / 3,
        3727.1: 0.45 * o2, 3729.9: 0.55 * o2, 6718.3: 0.24 * 10 ** (0.3 * n2), 6732.7: 0.18 * 10 ** (0.3 * n2),
        3869.9: 0.08 * 10**o3, 9533.2: 0.12 * np.ones_like(n2), 9071.1: 0.05 * np.ones_like(n2),
    }  # fmt: skip
    old = {6564.6: 1.0, 4862.7: 0.3, 6585.3: 1.2, 6549.9: 0.4, 5008.2: 0.6, 4960.3: 0.2, 3727.1: 0.6, 3729.9: 0.6}
    liner = 10 ** (galaxies["logmstar"] - 10.8 + 5.9) * galaxies["quiescent"]
    lines = [halpha * ratio + liner * old.get(line, 0) for line, ratio in sequence.items()]
    return np.array(list(sequence)), np.stack(lines, axis=1)


def _add_lines(spectra: Array, galaxies: Galaxies) -> None:
    """Adds Gaussian emission lines, of the gas's velocity dispersion, to spectra [B, L] in place."""
    lines, luminosity = _line_luminosities(galaxies)
    offsets = np.arange(-28, 29)
    centre = (np.log10(lines) - REST_LOGLAM[0]) / LOGLAM_STEP
    pixel = np.round(centre).astype(int)[:, None] + offsets  # [K, P]
    gas = np.sqrt(60.0**2 + (0.6 * galaxies["vdisp"]) ** 2 + 64.0**2)  # the last is the spectrograph's
    sigma = (gas / _LIGHT_KM_S / np.log(10) / LOGLAM_STEP)[:, None, None]
    profile = np.exp(-0.5 * ((pixel - centre[:, None]) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    width = REST_WAVELENGTH[pixel] * np.log(10) * LOGLAM_STEP
    for k in range(len(lines)):  # neighbouring lines overlap, so one at a time
        spectra[:, pixel[k]] += (luminosity[:, k, None] * profile[:, k] / width[k]).astype(np.float32)


def galaxy_spectra(galaxies: Galaxies) -> tuple[Array, Array]:
    """Noise-free observed spectra of bulge and disc; their sum is the galaxy.

    Args:
        galaxies: Latents of B galaxies.

    Returns:
        Two float32 arrays [B, L] in 1e-17 erg/s/cm2/Angstrom on `instruments.OBSERVED_WAVELENGTH`.
    """
    bulge, disc = _starlight(galaxies)
    attenuation = np.asarray(-0.4 * np.log(10) * calzetti(REST_WAVELENGTH), dtype=np.float32)
    dust = np.exp(galaxies["ebv"].astype(np.float32)[:, None] * attenuation)
    nebula = np.zeros_like(disc)
    _add_lines(nebula, galaxies)
    disc = disc * dust + nebula * dust ** np.float32(1 / 0.44)  # nebulae are dustier than stars
    return _redshift(bulge * dust, galaxies["z"]), _redshift(disc, galaxies["z"])


def _redshift(luminosity: Array, z: npt.NDArray[np.float64]) -> Array:
    """Flux densities [B, L] at the Earth: on a logarithmic grid a redshift is a shift."""
    area = 4 * np.pi * (luminosity_distance_mpc(z) * _MPC_CM) ** 2
    scale = (SOLAR_LUMINOSITY / area / (1 + z) * 1e17).astype(np.float32)
    first = (np.log10(OBSERVED_WAVELENGTH[0]) - np.log10(1 + z) - REST_LOGLAM[0]) / LOGLAM_STEP
    whole = np.floor(first).astype(int)
    part = (first - whole).astype(np.float32)
    flux = np.empty((len(z), len(OBSERVED_WAVELENGTH)), dtype=np.float32)
    for i, start in enumerate(whole):
        piece = luminosity[i, start : start + flux.shape[1] + 1]
        flux[i] = (piece[:-1] + part[i] * (piece[1:] - piece[:-1])) * scale[i]
    return flux


def observe_spectra(model: Array, grid: Grid, rng: np.random.Generator) -> tuple[Array, Array, npt.NDArray[np.int32]]:
    """What the spectrograph makes of noise-free spectra.

    Args:
        model: Spectra in the fibre [B, L] in 1e-17 erg/s/cm2/A on the observed grid.
        grid: "sdss" (BOSS) or "desi".
        rng: Source of all randomness.

    Returns:
        Flux [B, L] in the same unit, inverse variance [B, L] (0 where nothing was measured) and and_mask [B, L].
        Part of the sky's lines remains as a residual that the inverse variance does not know.
    """
    sky = sky_spectrum(grid)
    quality = np.exp(0.12 * rng.standard_normal((len(model), 1), dtype=np.float32))
    sigma = spectrum_sigma(model, grid) * quality
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
