"""Rest-frame and observed spectra of galaxies from their latents: stars, gas, dust and redshift, without noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .dust import calzetti, milky_way
from .emission_lines import LINES, SOLAR_LUMINOSITY, line_spectra, nuclear_lines, star_forming_lines
from .instruments import LOGLAM_STEP, OBSERVED_WAVELENGTH, RESOLUTION_KM_S
from .population import FORMED_DEX, Galaxies, luminosity_distance_mpc
from .stellar_populations import (
    AGE_GYR,
    METALLICITY,
    REST_LOGLAM,
    REST_WAVELENGTH,
    VDISP,
    node_weights,
    population_spectra,
)
from .templates import with_real_shapes

__all__ = ["galaxy_spectra", "redden", "redshifted", "rest_spectra", "shifted"]

Array = npt.NDArray[np.float32]
_MPC_CM = 3.0857e24


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
    metal = node_weights(galaxies["metallicity"], METALLICITY)
    width = node_weights(np.hypot(galaxies["vdisp"], RESOLUTION_KM_S), VDISP)
    basis = population_spectra().reshape(-1, len(REST_WAVELENGTH))
    mass = 10 ** (galaxies["logmstar"] + FORMED_DEX)

    def light(ages: npt.NDArray[np.float64]) -> Array:
        weights = np.einsum("bv,bm,ba->bvma", width, metal, ages * mass[:, None])
        return np.asarray(weights.reshape(len(mass), -1).astype(np.float32) @ basis)

    return light(bulge), light(np.maximum(ages - bulge, 0))


def rest_spectra(galaxies: Galaxies) -> tuple[Array, Array]:
    """Spectra of bulge and disc in their rest frame, behind their own dust.

    Star-forming gas belongs to the disc, the nucleus to the bulge; gas is dustier than stars by 1 / 0.44.

    Args:
        galaxies: Latents of B galaxies.

    Returns:
        Two float32 arrays [B, L] in solar luminosities per Angstrom on `stellar_populations.REST_WAVELENGTH`.
    """
    bulge, disc = _starlight(galaxies)
    reddening = galaxies["ebv"][:, None]
    dust = np.exp(reddening.astype(np.float32) * (-0.4 * np.log(10) * calzetti(REST_WAVELENGTH)).astype(np.float32))
    through = 10 ** (-0.4 * reddening / 0.44 * calzetti(np.array(list(LINES.values()))))
    width = np.sqrt(60.0**2 + (0.6 * galaxies["vdisp"]) ** 2 + RESOLUTION_KM_S**2)
    bulge *= dust
    disc *= dust
    bulge += line_spectra(nuclear_lines(galaxies) * through, np.hypot(galaxies["vdisp"], RESOLUTION_KM_S))
    disc += line_spectra(star_forming_lines(galaxies) * through, width)
    return bulge, disc


def galaxy_spectra(galaxies: Galaxies, templates: str = "") -> tuple[Array, Array]:
    """Noise-free observed spectra of bulge and disc, before the dust of our Galaxy; their sum is the galaxy.

    Args:
        galaxies: Latents of B galaxies.
        templates: Folder of eigenspectra for real spectral shapes; none by default.

    Returns:
        Two float32 arrays [B, L] in 1e-17 erg/s/cm2/Angstrom on `instruments.OBSERVED_WAVELENGTH`.
    """
    bulge, disc = rest_spectra(galaxies)
    if templates:
        bulge, disc = with_real_shapes(bulge, templates), with_real_shapes(disc, templates)
    return redshifted(bulge, galaxies["z"]), redshifted(disc, galaxies["z"])


def redshifted(
    luminosity: Array, z: npt.NDArray[np.float64], wavelength: npt.NDArray[np.float64] = OBSERVED_WAVELENGTH
) -> Array:
    """Flux densities at the Earth: on a logarithmic grid a redshift is a shift.

    Args:
        luminosity: Rest-frame spectra [B, rest L] in solar luminosities per Angstrom.
        z: Redshifts [B].
        wavelength: Observed wavelengths [L] in Angstrom, in steps of `instruments.LOGLAM_STEP`, within what the
            rest-frame grid reaches.

    Returns:
        Float32 [B, L] in 1e-17 erg/s/cm2/Angstrom.
    """
    area = 4 * np.pi * (luminosity_distance_mpc(z) * _MPC_CM) ** 2
    scale = (SOLAR_LUMINOSITY / area / (1 + z) * 1e17).astype(np.float32)
    return np.asarray(shifted(luminosity, z, REST_LOGLAM[0], wavelength) * scale[:, None])


def shifted(
    spectra: Array, z: npt.NDArray[np.float64], loglam: float, wavelength: npt.NDArray[np.float64] = OBSERVED_WAVELENGTH
) -> Array:
    """Spectra [B, L] at observed wavelengths [L] of rest-frame ones [B, rest L] of the same steps, not dimmed.

    Args:
        spectra: Rest-frame spectra.
        z: Redshifts [B].
        loglam: Logarithm of the first rest-frame wavelength in Angstrom.
        wavelength: See `redshifted`.
    """
    first = (np.log10(wavelength[0]) - np.log10(1 + z) - loglam) / LOGLAM_STEP
    whole = np.floor(first).astype(int)
    part = (first - whole).astype(np.float32)
    flux = np.empty((len(z), len(wavelength)), dtype=np.float32)
    for i, start in enumerate(whole):
        piece = spectra[i, start : start + flux.shape[1] + 1]
        flux[i] = piece[:-1] + part[i] * (piece[1:] - piece[:-1])
    return flux


def redden(
    flux: Array, ebv: npt.NDArray[np.float64], wavelength: npt.NDArray[np.float64] = OBSERVED_WAVELENGTH
) -> Array:
    """Spectra [B, L] at wavelengths [L] in Angstrom behind the dust of our Galaxy of reddening E(B-V) [B]."""
    curve = (-0.4 * np.log(10) * milky_way(wavelength)).astype(np.float32)
    return np.asarray(flux * np.exp(ebv.astype(np.float32)[:, None] * curve))
