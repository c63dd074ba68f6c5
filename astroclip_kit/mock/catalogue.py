"""The truth about the galaxies of a mock survey, as the columns of its ``catalogue.fits``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..storage import writing
from .camera import Exposure
from .dust import calzetti
from .emission_lines import LINES, line_class, nuclear_lines, star_forming_lines
from .instruments import BANDS
from .population import Galaxies, morphology

__all__ = ["Rows", "single", "truth", "write_table"]

Rows = dict[str, npt.NDArray[Any]]
"""Column to values [B]."""

LATENTS = ("z", "logmstar", "sfr", "age_gyr", "tau_gyr", "metallicity", "oxygen", "ebv", "av", "ebv_galactic", "vdisp",
           "bulge_to_total", "bulge_radius", "disc_radius", "sersic_index", "inclination_deg", "axis_ratio",
           "position_angle_deg")  # fmt: skip
UNITS = {  # of the columns of all FITS tables, as astropy writes them
    "deg": ("ra", "dec", "l", "b", "inclination_deg", "position_angle_deg", "RA", "DEC"),
    "mag": ("ebv", "av", "ebv_galactic", *(f"mag_{band}" for band in "ugriz"), "mag_absolute", "g_i", "EBV", "MAG_G",
            "MAG_R", "MAG_Z", "FIBMAG_R", "mv", "v_mag", "extinction", "amplitude", "w1_w2", "e_w1_w2", "w2_w3",
            "e_w2_w3", *(f"{band}{end}" for band in ("w1", "w2", "w3", "w4") for end in ("", "mpro", "sigmpro"))),
    "K": ("teff", "teff_2"),
    "d": ("period",),
    "pc": ("distance",),
    "rad": ("argument",),
    "Gyr": ("age_gyr", "tau_gyr", "TAGE_MW"),
    "km / s": ("vdisp", "rv", "vsini", "wind", "VDISP", "VDISP_ERR"),
    "arcsec": ("size", "bulge_radius", "disc_radius", *(f"seeing_{band}" for band in "ugriz")),
    "solMass / yr": ("AVG_SFR",),
    "nmgy": tuple(f"{kind}_{band}" for kind in ("FLUX", "FIBERFLUX", "FIBERTOTFLUX") for band in "GRZ"),
    "1 / nmgy2": tuple(f"FLUX_IVAR_{band}" for band in "GRZ"),
    "dex(solMass)": ("logmstar", "LOG_MSTAR"),
    "dex(solMass / yr)": ("sfr",),
    "dex(1 / yr)": ("ssfr",),
    "dex(cm / s2)": ("logg",),
    "dex": ("metallicity", "oxygen", "feh", "alpha", "log_nii_ha", "log_oiii_hb"),
}  # fmt: skip


def truth(galaxies: Galaxies, flux: npt.NDArray[np.float32], exposure: Exposure) -> Rows:
    """The columns of what is known about galaxies because it was put in.

    Args:
        galaxies: Latents of B galaxies.
        flux: Fluxes [B, 3] in g, r, z in nanomaggies, before the dust of our Galaxy.
        exposure: Of their cutouts.

    Returns:
        The latents (see `draw_galaxies`), ssfr (log10, per year), size (half light, arcsec), morphology, mag_* (AB,
        before the dust of our Galaxy), seeing_* (full width at half maximum), log_nii_ha and log_oiii_hb (of all gas,
        before dust), balmer_decrement (H alpha over H beta behind the dust) and line_class.
    """
    rows: Rows = {name: galaxies[name].astype(np.float32) for name in LATENTS}
    rows["ssfr"] = (galaxies["sfr"] - galaxies["logmstar"]).astype(np.float32)
    share = galaxies["bulge_to_total"]
    rows["size"] = (share * galaxies["bulge_radius"] + (1 - share) * galaxies["disc_radius"]).astype(np.float32)
    rows["morphology"] = morphology(galaxies)
    magnitudes = 22.5 - 2.5 * np.log10(flux)
    rows |= {f"mag_{band}": magnitudes[:, k].astype(np.float32) for k, band in enumerate(BANDS)}
    rows |= {f"seeing_{band}": exposure["fwhm"][:, k] for k, band in enumerate(BANDS)}
    return rows | _lines(galaxies)


def single(rows: Rows) -> Rows:
    """The same columns, those of double precision in single precision."""
    return {name: one.astype(np.float32) if one.dtype == np.float64 else one for name, one in rows.items()}


def _lines(galaxies: Galaxies) -> Rows:
    total = dict(zip(LINES, (star_forming_lines(galaxies) + nuclear_lines(galaxies)).T, strict=True))
    nitrogen = np.log10(total["NII_6584"] / total["H_ALPHA"])
    oxygen = np.log10(total["OIII_5007"] / total["H_BETA"])
    alpha, beta = calzetti(np.array([LINES["H_ALPHA"], LINES["H_BETA"]]))
    reddening = 10 ** (0.4 * galaxies["ebv"] / 0.44 * (beta - alpha))
    rows = {"log_nii_ha": nitrogen, "log_oiii_hb": oxygen, "balmer_decrement": 2.86 * reddening}
    return {name: values.astype(np.float32) for name, values in rows.items()} | {
        "line_class": line_class(nitrogen, oxygen)
    }


def write_table(path: Path, rows: Rows) -> None:
    """Writes columns as a table in the format of the file's name, FITS with the units of `UNITS`.

    FITS has no spelling for logarithms and nanomaggies: they stand there as astropy writes them.

    Raises:
        OutputError: If the disk is full.
    """
    from astropy.io.fits import table_to_hdu
    from astropy.table import Table

    table = Table(rows)
    with writing(path):
        if path.suffix != ".fits":
            table.write(path)
            return
        hdu = table_to_hdu(table)
        for unit, names in UNITS.items():
            for name in names:
                if name in rows:
                    hdu.columns[name].unit = unit
        hdu.writeto(path)
