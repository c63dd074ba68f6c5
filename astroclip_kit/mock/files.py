"""The files of a mock survey's objects: names, positions, cutouts and spectra."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..surveys.legacysurvey import write_legacysurvey_cutout
from ..surveys.sdss import spectrum_file_name, write_sdss_spectrum
from .catalogue import Rows
from .instruments import LEGACY_SURVEYS, Camera, Grid, output_wavelength, sky_spectrum

__all__ = ["Observation", "fitted_redshifts", "identify", "write_objects"]

Array = npt.NDArray[np.float32]
FIRST_PLATE, MJD, FIBRES = 9000, 57000, 1000
FOOTPRINT = (120.0, 250.0, -5.0, 32.0)  # ra and dec in degrees


class Observation(NamedTuple):
    """Cutouts [B, bands, H, W] in nanomaggies and spectra [B, L] in 1e-17 erg/s/cm2/A, as written."""

    image: Array
    image_ivar: Array
    spectrum: Array
    spectrum_ivar: Array
    mask: npt.NDArray[np.int32]
    model: Array

    @property
    def sn_median(self) -> Array:
        """Median signal to noise [B] of a pixel of the spectra."""
        return np.asarray(np.median(self.spectrum * np.sqrt(self.spectrum_ivar), axis=1), dtype=np.float32)


def identify(number: npt.NDArray[np.int64], rng: np.random.Generator) -> Rows:
    """Ids, random positions and file names of the objects of given numbers [B]."""
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


def fitted_redshifts(
    z: npt.NDArray[np.float64],
    error: npt.NDArray[np.float64],
    rng: np.random.Generator,
    classes: npt.NDArray[np.str_],
    subclasses: npt.NDArray[np.str_],
) -> Rows:
    """What a survey's pipeline says about spectra that it understands.

    Args:
        z: True redshifts [B].
        error: Standard deviation [B] of what is fitted.
        rng: Source of the errors.
        classes: Class [B] that is fitted.
        subclasses: Its subclass [B].
    """
    return {
        "z": z + error * rng.standard_normal(len(error)),
        "z_err": error,
        "zwarning": np.zeros(len(error), dtype=np.int32),
        "class": classes,
        "subclass": subclasses,
    }


def write_objects(
    folder: Path,
    known: Rows,
    pipeline: Rows,
    seen: Observation,
    grid: Grid,
    count: int,
    camera: Camera = LEGACY_SURVEYS,
) -> None:
    """Writes cutout and spectrum of the first `count` objects of a chunk.

    Args:
        folder: The survey's.
        known: The truth.
        pipeline: What the survey's pipeline says about the spectra: z, z_err, zwarning, class, subclass.
        seen: The observations.
        grid: Of the spectra.
        count: How many.
        camera: Of the cutouts.

    Raises:
        OutputError: If the disk is full.
    """
    for i in range(count):
        row = {name: values[i] for name, values in known.items()}
        header = {name: row[name] for name in ("plate", "mjd", "fiber", "ra", "dec", "sn_median")}
        write_legacysurvey_cutout(
            folder / row["cutout_file"],
            seen.image[i],
            row["ra"],
            row["dec"],
            object_id=str(row["object_id"]),
            bands=camera.bands,
            pixel_scale_arcsec=camera.pixel_scale_arcsec,
            ivar=seen.image_ivar[i],
        )
        write_sdss_spectrum(
            folder / row["spectrum_file"],
            output_wavelength(grid),
            seen.spectrum[i],
            seen.spectrum_ivar[i],
            header | {name: values[i] for name, values in pipeline.items()},
            mask=seen.mask[i],
            model=seen.model[i],
            sky=sky_spectrum(grid),
        )
