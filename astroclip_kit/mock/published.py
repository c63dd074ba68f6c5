"""What surveys would publish about mock galaxies: measurements with noise, as the columns of ``published.fits``.

The names are those of DESI's redshift and photometry tables and of PROVABGS (Hahn et al. 2023). They differ from the
truth's in case alone, which FITS does not tell apart, so that they are a table of their own, joined by ``object_id``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .camera import Exposure
from .catalogue import Rows
from .dust import milky_way
from .history import mass_weighted_age_gyr, mean_rate
from .instruments import BAND_CENTRE
from .population import Z_MAX, Z_MIN, Galaxies

__all__ = ["Photometry", "published"]

Array = npt.NDArray[np.float32]
Photometry = dict[str, Array]
"""Of the cutouts, without noise, all [B, 3]: flux, fibre and fibre_total (nanomaggies) and pixels (effective area)."""

SOLAR_METALLICITY = 0.0142  # mass fraction (Asplund et al. 2009)
LITTLE_DATA = 4  # the bit of ZWARN that redrock sets where the second-best redshift fits as well
BGS_BRIGHT, BGS_FAINT = 19.5, 20.175  # r limits of DESI's Bright Galaxy Survey (Hahn et al. 2023)


def published(
    galaxies: Galaxies, photometry: Photometry, exposure: Exposure, sn_median: Array, rng: np.random.Generator
) -> Rows:
    """Measured columns.

    Args:
        galaxies: Latents of B galaxies.
        photometry: What the camera would see without noise.
        exposure: Of the cutouts.
        sn_median: Signal to noise [B] of the spectra.
        rng: Source of the measurement errors.

    Returns:
        Z, ZERR, ZWARN, SPECTYPE, VDISP, VDISP_ERR (of the spectra); EBV, FLUX_* and FLUX_IVAR_* (as observed, behind
        EBV), FIBERFLUX_* (in a fibre of 2 arcsec), FIBERTOTFLUX_* (with the neighbours), MAG_* and FIBMAG_R (corrected
        for EBV); LOG_MSTAR, Z_HP (the redshift that PROVABGS took), Z_MW (mass fraction), TAGE_MW (mass-weighted, Gyr),
        AVG_SFR (of 1 Gyr, solar masses a year), IS_BGS_BRIGHT, IS_BGS_FAINT.
    """
    rows = _redshifts(galaxies, sn_median, rng) | _fluxes(galaxies["ebv_galactic"], photometry, exposure, rng)
    noise = rng.standard_normal((4, len(sn_median)))
    rows |= {
        "LOG_MSTAR": galaxies["logmstar"] + 0.08 * noise[0],
        "Z_HP": rows["Z"],
        "Z_MW": SOLAR_METALLICITY * 10 ** (galaxies["metallicity"] + 0.12 * noise[1]),
        "TAGE_MW": mass_weighted_age_gyr(galaxies) * 10 ** (0.08 * noise[2]),
        "AVG_SFR": mean_rate(galaxies) * 10 ** (0.2 * noise[3]),
        "IS_BGS_BRIGHT": rows["MAG_R"] < BGS_BRIGHT,
        "IS_BGS_FAINT": (rows["MAG_R"] >= BGS_BRIGHT) & (rows["MAG_R"] < BGS_FAINT),
    }
    return {name: values.astype(np.float32) if values.dtype == np.float64 else values for name, values in rows.items()}


def _redshifts(galaxies: Galaxies, sn_median: Array, rng: np.random.Generator) -> Rows:
    """Redshifts that fail more often where the signal is low, and then say so; velocity dispersions."""
    count, signal = len(sn_median), np.maximum(sn_median, 0.3)
    error = (1 + galaxies["z"]) * (8e-6 + 4e-5 / signal)
    z = galaxies["z"] + error * rng.standard_normal(count)
    failed = rng.random(count) < 0.3 * np.exp(-signal / 0.6) + 0.001
    width_error = np.hypot(0.03 * galaxies["vdisp"], 60 / signal)
    return {
        "Z": np.where(failed, rng.uniform(Z_MIN, Z_MAX, count), z),
        "ZERR": error,
        "ZWARN": np.where(failed | (rng.random(count) < 0.01), LITTLE_DATA, 0).astype(np.int32),
        "SPECTYPE": np.full(count, "GALAXY"),
        "VDISP": np.abs(galaxies["vdisp"] + width_error * rng.standard_normal(count)),
        "VDISP_ERR": width_error,
    }


def _fluxes(ebv: npt.NDArray[np.float64], photometry: Photometry, exposure: Exposure, rng: np.random.Generator) -> Rows:
    """Fluxes with the noise of the pixels that the galaxy covers and an error of 0.5 % in the calibration."""
    flux = photometry["flux"]
    variance = exposure["sigma"] ** 2 * photometry["pixels"] + (0.005 * flux) ** 2
    measured = flux + np.sqrt(variance) * rng.standard_normal(flux.shape)
    transmission = 10 ** (-0.4 * ebv[:, None] * milky_way(np.array(BAND_CENTRE)))
    rows: Rows = {"EBV": ebv}
    for k, band in enumerate("GRZ"):
        rows |= {
            f"FLUX_{band}": measured[:, k],
            f"FLUX_IVAR_{band}": 1 / variance[:, k],
            f"FIBERFLUX_{band}": photometry["fibre"][:, k],
            f"FIBERTOTFLUX_{band}": photometry["fibre_total"][:, k],
            f"MAG_{band}": _magnitude(measured[:, k] / transmission[:, k]),
        }
    rows["FIBMAG_R"] = _magnitude(photometry["fibre"][:, 1] / transmission[:, 1])
    return rows


def _magnitude(flux: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """AB magnitudes; NaN where noise leaves no flux."""
    return 22.5 - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))
