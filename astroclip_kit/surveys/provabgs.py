"""PROVABGS: stellar masses, metallicities, ages and star formation rates of DESI's bright galaxies.

The value-added catalogue of DESI's early data release (``BGS_ANY_full.provabgs.sv3.v0.hdf5``) has one row per galaxy:
TARGETID, RA, DEC, the redshift Z_HP, magnitudes, and the best fit of a model of its spectrum and photometry
(PROVABGS_LOGMSTAR_BF, PROVABGS_THETA_BF). AstroCLIP computes three more columns from that fit with the package
``provabgs`` and keeps them beside the others: Z_MW, TAGE_MW and AVG_SFR. See Hahn et al. 2023, ApJ 945, 16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import UsageError
from .files.table_files import column_names, numbers, read_columns
from .tables import TableReader

__all__ = ["QUANTITIES", "PROVABGSCatalogue"]

Values = npt.NDArray[np.float64]
QUANTITIES = {  # label to its unit
    "log_mstar": "dex(solMass)",
    "z": "",
    "ln_z_mw": "",
    "t_age": "Gyr",
    "ssfr": "dex(1 / yr)",
    "ssfr_astroclip": "",
}
MASSES = ("PROVABGS_LOGMSTAR_BF", "LOG_MSTAR")
MAGNITUDES = ("MAG_G", "MAG_R", "MAG_Z")
MODELLED = ("Z_MW", "TAGE_MW", "AVG_SFR")
PAIRED = "sSFR"  # only AstroCLIP's files of pairs have it, and in those Z_MW is a logarithm already


class PROVABGSCatalogue(TableReader):
    """Reads the labels of a PROVABGS catalogue: DESI's own, the same with AstroCLIP's columns, or AstroCLIP's pairs.

    The object's id is its TARGETID, by which it joins DESI's spectra and AstroCLIP's joint file. As AstroCLIP does,
    galaxies without a positive stellar mass, or without positive magnitudes in g, r and z, are left out, as drops.

    | label | what it is | columns |
    |---|---|---|
    | ``log_mstar`` | log10 of the stellar mass in solar masses | PROVABGS_LOGMSTAR_BF (or LOG_MSTAR) |
    | ``z`` | redshift | Z_HP |
    | ``ln_z_mw`` | natural logarithm of the mass-weighted metallicity (a mass fraction) | Z_MW |
    | ``t_age`` | mass-weighted age in Gyr | TAGE_MW |
    | ``ssfr`` | log10 of the star formation rate per stellar mass in 1/yr | AVG_SFR, PROVABGS_LOGMSTAR_BF |
    | ``ssfr_astroclip`` | ln AVG_SFR - ln Z_MW | AVG_SFR, Z_MW |

    AstroCLIP publishes the last as sSFR, though it divides by metallicity, not by mass: it is there for comparisons.
    AVG_SFR is in solar masses per year. A label whose columns are not there is given to no galaxy.

    Args:
        path: HDF5, FITS or any other table.
        labels: Which of these labels, or of the file's own columns; () for all six.

    Raises:
        UsageError: If labels are given twice.

    Example:
        >>> PROVABGSCatalogue("BGS_ANY_full.provabgs.sv3.v0.hdf5", ["z", "ssfr"]).label_units()["ssfr"]
        'dex(1 / yr)'
    """

    def __init__(self, path: str | Path, labels: Sequence[str] = ()) -> None:
        chosen = tuple(labels) or tuple(QUANTITIES)
        if len(set(chosen)) < len(chosen):
            raise UsageError(f"labels are {list(chosen)}, expected each once.")
        super().__init__(path, id_column="TARGETID", ra_column="RA", dec_column="DEC", labels=chosen)

    def __repr__(self) -> str:
        return f"PROVABGSCatalogue({self.path!r}, {list(self.labels)})"

    def label_units(self) -> dict[str, str]:
        """Units of the labels, by name."""
        return {name: QUANTITIES[name] for name in self.labels if QUANTITIES.get(name)}

    def _frame(self, path: Path) -> pd.DataFrame:
        """The columns of the file that are needed, and each label as a column of its own."""
        there = column_names(path)
        mass = next((name for name in MASSES if name in there), MASSES[0])
        optional = [name for name in ("RA", "DEC", *MODELLED, PAIRED) if name in there]
        own = [name for name in self.labels if name not in QUANTITIES]
        raw = read_columns(path, ["TARGETID", mass, "Z_HP", *MAGNITUDES, *optional, *own])
        column = partial(_column, raw)
        quantities = _quantities(column, column(mass))
        frame = raw.reindex(columns=[*dict.fromkeys(["TARGETID", "RA", "DEC", *MAGNITUDES, *own])])
        frame = frame.assign(**{name: quantities[name] for name in QUANTITIES}, **{MASSES[0]: column(mass)})
        frame.attrs["units"] = raw.attrs.get("units", {})
        return frame

    def _problems(
        self, frame: pd.DataFrame, ids: Sequence[str], ra: Values, dec: Values, views: npt.NDArray[np.float32]
    ) -> list[str]:
        """Why each row cannot be used; "" if it can."""
        found = np.array(super()._problems(frame, ids, ra, dec, views), dtype=object)
        for name in (MASSES[0], *MAGNITUDES):
            found[(found == "") & ~(numbers(frame[name]) > 0)] = f"{name} is not positive"
        return list(found)


def _column(frame: pd.DataFrame, name: str) -> Values:
    """A column as numbers; NaN where there is none."""
    return numbers(frame[name]) if name in frame else np.full(len(frame), np.nan)


def _quantities(column: Callable[[str], Values], log_mstar: Values) -> dict[str, Values]:
    """The labels [N], NaN where they cannot be told."""
    paired = column(PAIRED)
    ln_sfr = _ln(column("AVG_SFR"))
    ln_z_mw = _ln(column("Z_MW")) if np.isnan(paired).all() else column("Z_MW")
    return {
        "log_mstar": log_mstar,
        "z": column("Z_HP"),
        "ln_z_mw": ln_z_mw,
        "t_age": column("TAGE_MW"),
        "ssfr": ln_sfr / np.log(10) - log_mstar,
        "ssfr_astroclip": ln_sfr - ln_z_mw,
    }


def _ln(values: Values) -> Values:
    """Natural logarithm; NaN where there is none."""
    return np.log(values, out=np.full(len(values), np.nan), where=values > 0)
