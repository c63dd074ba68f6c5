"""The files of mock variable stars: names, light curves of ASAS-SN and spectra of LAMOST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..surveys.asas_sn_variables import write_asassn_light_curve
from ..surveys.lamost_writer import lamost_file_name, write_lamost_spectrum
from .cadence import Measured
from .instruments import LIGHT_KM_S
from .stellar_sequence import TEFF, TYPES
from .variable_spectra import COEFF0, COEFF1, Spectra

__all__ = ["identify_variables", "write_variables"]

Rows = dict[str, npt.NDArray[Any]]

ZERO_POINT_MJY = 3.6308e6  # of V as ASAS-SN states fluxes: AB
FIRST_VISIT, FIBRES, SPECTROGRAPHS = 500_000_001, 250, 16
_SAME: dict[str, Any] = {"lmjd": 57400, "mjd": 57399, "objtype": "Star", "class": "STAR", "z_err": 2e-5}


def identify_variables(number: npt.NDArray[np.int64], stars: Rows) -> Rows:
    """Ids, positions and file names of the stars of given numbers [B]."""
    fibre = 1 + number % FIBRES
    spectrograph = 1 + number // FIBRES % SPECTROGRAPHS
    plan = number // (FIBRES * SPECTROGRAPHS)
    ids = (FIRST_VISIT + number).astype(str)
    plans = np.char.add("VS", np.char.zfill(plan.astype(str), 4))
    spectra = [
        lamost_file_name(_SAME["lmjd"], str(p), int(s), int(f))
        for p, s, f in zip(plans, spectrograph, fibre, strict=True)
    ]
    return {
        "object_id": ids,  # the visit of LAMOST, which the readers of both files give
        "ra": stars["ra"],
        "dec": stars["dec"],
        "planid": plans,
        "spid": spectrograph,
        "fiber": fibre,
        "light_curve_file": np.char.add(np.char.add("lightcurves/", ids), ".dat"),
        "spectrum_file": np.array([f"spectra/{name}" for name in spectra]),
    }


def _subclass(stars: Rows) -> npt.NDArray[np.str_]:
    """Spectral types [B] as LAMOST's pipeline gives them: by temperature, "gM3" of cool giants."""
    teff = stars["teff"]
    dwarf = np.array(TYPES)[np.abs(teff[:, None] - TEFF).argmin(axis=1)]
    early = np.select([teff > 10000, teff > 7300], ["B6", "A5"], "F0")
    types = np.where(teff > 7000, early, dwarf)
    giant = (stars["logg"] < 3) & (teff < 3900)
    types = np.where(giant, np.char.add("g", types), types)
    return np.where(stars["subclass"] == "carbon", "Carbon", types)


def _described(names: Rows, stars: Rows, taken: Spectra) -> dict[str, list[Any]]:
    """What the header of a spectrum says, by name a value per star."""
    described = {name: names[name].tolist() for name in ("planid", "spid", "fiber", "ra", "dec")}
    described |= {f"snr_{band}": taken.snr[:, k].tolist() for k, band in enumerate("ugriz")}
    visits, redshifts = names["object_id"].astype(int), stars["rv"] / LIGHT_KM_S
    return described | {"obsid": visits.tolist(), "z": redshifts.tolist(), "subclass": _subclass(stars).tolist()}


def write_variables(folder: Path, names: Rows, stars: Rows, seen: Measured, taken: Spectra, count: int) -> None:
    """Writes light curve and spectrum of the first `count` stars of a chunk.

    Args:
        folder: The survey's.
        names: See `identify_variables`.
        stars: Latents.
        seen: The points of all light curves.
        taken: The spectra.
        count: How many.

    Raises:
        OutputError: If the disk is full.
    """
    flux = ZERO_POINT_MJY * 10 ** (-0.4 * seen.magnitude)
    columns = (seen.time, seen.magnitude, seen.error, flux, flux * seen.error / 1.0857)
    ends = np.searchsorted(seen.owner, np.arange(count + 1))
    described = _described(names, stars, taken)
    for i in range(count):
        rows = slice(ends[i], ends[i + 1])
        write_asassn_light_curve(folder / names["light_curve_file"][i], *(values[rows] for values in columns))
        header = _SAME | {name: values[i] for name, values in described.items()}
        write_lamost_spectrum(folder / names["spectrum_file"][i], taken.flux[i], taken.ivar[i], COEFF0, COEFF1, header)
