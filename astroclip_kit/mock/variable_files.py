"""The files of mock variable stars: names, light curves of ASAS-SN and spectra of LAMOST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..surveys.asas_sn_variables import write_asassn_light_curve
from ..surveys.lamost_writer import lamost_file_name, write_lamost_spectrum
from .cadence import Measured
from .catalogue import Rows
from .instruments import LIGHT_KM_S
from .stellar_sequence import HOT, HOT_TYPES, TEFF, TYPES
from .variable_spectra import COEFF0, COEFF1, Spectra

__all__ = ["identify_variables", "pipeline_values", "write_variables"]

ZERO_POINT_MJY = 3.6308e6  # of V as ASAS-SN states fluxes: AB
FIRST_VISIT, FIBRES, SPECTROGRAPHS = 500_000_001, 250, 16
_SAME: dict[str, Any] = {"lmjd": 57400, "mjd": 57399, "objtype": "Star", "class": "STAR"}
Z_ERR = 2e-5  # 6 km/s
_TEMPERATURES, _TYPES = np.append(HOT[::-1], TEFF), np.array([*HOT_TYPES[::-1], *TYPES])  # the hottest first
_TEFF_ERROR, _TYPE_ERROR = 0.03, 0.8  # share, and subtypes
_CARBON_FOUND, _CARBON_WRONG = 0.8, 0.01  # shares of the carbon stars, and of other giants that are taken for one


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


def pipeline_values(stars: Rows, rng: np.random.Generator) -> Rows:
    """What a pipeline says of the spectra [B], with its errors: z, z_err and subclass, "gM3" of cool giants.

    Redshifts are of the systemic velocity, and off by 6 km/s; types follow a temperature that is off by 3 per cent:
    both a little more than in LAMOST's stars that do not vary (5 km/s and 110 K; Gao et al. 2015). Our assumptions are
    that templates are off by one subtype or two, and that four of five carbon stars are found and one of a hundred
    other giants is taken for one.

    Args:
        stars: Latents of `draw_variables` [B].
        rng: Source of the errors.
    """
    count = len(stars["teff"])
    teff = stars["teff"] * (1 + _TEFF_ERROR * rng.standard_normal(count))
    nearest = np.abs(np.log(teff[:, None] / _TEMPERATURES)).argmin(axis=1)
    off = np.rint(_TYPE_ERROR * rng.standard_normal(count)).astype(int)
    types = _TYPES[np.clip(nearest + off, 0, len(_TYPES) - 1)]
    types = np.where((stars["logg"] < 3) & np.char.startswith(types, "M"), np.char.add("g", types), types)
    giant = np.isin(stars["subclass"], ("carbon", "oxygen"))
    found = np.select([stars["subclass"] == "carbon", giant], [_CARBON_FOUND, _CARBON_WRONG], 0.0)
    types = np.where(rng.random(count) < found, "Carbon", types)
    redshift = stars["rv"] / LIGHT_KM_S + Z_ERR * rng.standard_normal(count)
    return {"z": redshift, "z_err": np.full(count, Z_ERR), "subclass": types}


def _described(names: Rows, stated: Rows, taken: Spectra) -> dict[str, list[Any]]:
    """What the header of a spectrum says, by name a value per star."""
    described = {name: names[name].tolist() for name in ("planid", "spid", "fiber", "ra", "dec")}
    described |= {f"snr_{band}": taken.snr[:, k].tolist() for k, band in enumerate("ugriz")}
    described |= {name: values.tolist() for name, values in stated.items()}
    return described | {"obsid": names["object_id"].astype(int).tolist()}


def write_variables(folder: Path, names: Rows, stated: Rows, seen: Measured, taken: Spectra, count: int) -> None:
    """Writes light curve and spectrum of the first `count` stars of a chunk.

    Args:
        folder: The survey's.
        names: See `identify_variables`.
        stated: See `pipeline_values`.
        seen: The points of all light curves.
        taken: The spectra.
        count: How many.

    Raises:
        OutputError: If the disk is full.
    """
    flux = ZERO_POINT_MJY * 10 ** (-0.4 * seen.magnitude)
    columns = (seen.time, seen.magnitude, seen.error, flux, flux * seen.error / 1.0857)
    ends = np.searchsorted(seen.owner, np.arange(count + 1))
    described = _described(names, stated, taken)
    for i in range(count):
        rows = slice(ends[i], ends[i + 1])
        write_asassn_light_curve(folder / names["light_curve_file"][i], *(values[rows] for values in columns))
        header = _SAME | {name: values[i] for name, values in described.items()}
        write_lamost_spectrum(folder / names["spectrum_file"][i], taken.flux[i], taken.ivar[i], COEFF0, COEFF1, header)
