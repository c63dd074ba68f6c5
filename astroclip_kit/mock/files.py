"""The files of a mock survey's objects: names, positions, cutouts and spectra."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..surveys.legacysurvey import write_legacysurvey_cutout
from ..surveys.sdss import spectrum_file_name, write_sdss_spectrum
from .catalogue import Rows
from .instruments import PIXEL_SCALE_ARCSEC, Grid, output_wavelength, sky_spectrum

__all__ = ["Observation", "identify", "write_objects"]

Array = npt.NDArray[np.float32]
FIRST_PLATE, MJD, FIBRES = 9000, 57000, 1000
FOOTPRINT = (120.0, 250.0, -5.0, 32.0)  # ra and dec in degrees


class Observation(NamedTuple):
    """Cutouts [B, 3, H, W] in nanomaggies and spectra [B, L] in 1e-17 erg/s/cm2/A, as written."""

    image: Array
    image_ivar: Array
    spectrum: Array
    spectrum_ivar: Array
    mask: npt.NDArray[np.int32]
    model: Array


def identify(number: npt.NDArray[np.int64], rng: np.random.Generator) -> Rows:
    """Ids, random positions and file names of the galaxies of given numbers [B]."""
    west, east, south, north = FOOTPRINT
    plate, fibre = FIRST_PLATE + number // FIBRES, 1 + number % FIBRES
    sine = rng.uniform(np.sin(np.radians(south)), np.sin(np.radians(north)), len(number))
    ids = [f"{p}-{MJD}-{f}" for p, f in zip(plate, fibre, strict=True)]  # as the spectra's reader gives them
    spectra = [spectrum_file_name(int(p), MJD, int(f)) for p, f in zip(plate, fibre, strict=True)]
    return {
        "object_id": np.array(ids),
        "ra": rng.uniform(west, east, len(number)),
        "dec": np.degrees(np.arcsin(sine)),
        "plate": plate,
        "mjd": np.full(len(number), MJD),
        "fiber": fibre,
        "cutout_file": np.array([f"cutouts/{object_id}.fits" for object_id in ids]),
        "spectrum_file": np.array([f"spectra/{name}" for name in spectra]),
    }


def write_objects(folder: Path, known: Rows, measured: Rows, seen: Observation, grid: Grid, count: int) -> None:
    """Writes cutout and spectrum of the first `count` objects of a chunk.

    Args:
        folder: The survey's.
        known: The truth.
        measured: What was measured; its redshift is the one that the spectrum's file reports.
        seen: The observations.
        grid: Of the spectra.
        count: How many.

    Raises:
        OutputError: If the disk is full.
    """
    for i in range(count):
        row = {name: values[i] for name, values in (known | measured).items()}
        write_legacysurvey_cutout(
            folder / row["cutout_file"],
            seen.image[i],
            row["ra"],
            row["dec"],
            object_id=str(row["object_id"]),
            pixel_scale_arcsec=PIXEL_SCALE_ARCSEC,
            ivar=seen.image_ivar[i],
        )
        write_sdss_spectrum(
            folder / row["spectrum_file"],
            output_wavelength(grid),
            seen.spectrum[i],
            seen.spectrum_ivar[i],
            _header(row),
            mask=seen.mask[i],
            model=seen.model[i],
            sky=sky_spectrum(grid),
        )


def _header(row: dict[str, Any]) -> dict[str, Any]:
    """The row that the survey's pipeline would write into the spectrum's file."""
    header = {name: row[name] for name in ("plate", "mjd", "fiber", "ra", "dec", "sn_median")}
    return header | {
        "z": row["Z"],
        "z_err": row["ZERR"],
        "zwarning": row["ZWARN"],
        "class": "GALAXY",
        "subclass": _subclass(row),
    }


def _subclass(row: dict[str, Any]) -> str:
    """SDSS subclasses of galaxies with emission lines, by line ratios and specific star-formation rate."""
    if row["line_class"] == "agn" and row["log_oiii_hb"] > 0.3:
        return "AGN"
    return "STARBURST" if row["ssfr"] > -9.3 else "STARFORMING" if row["ssfr"] > -10.8 else ""
