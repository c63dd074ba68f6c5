"""A small synthetic survey in every format that the readers read."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from astroclip_kit.surveys import (
    LegacySurveyCutouts,
    LightCurveTable,
    RaggedSpectra,
    SDSSSpectra,
    TableReader,
    spectrum_file_name,
    write_legacysurvey_cutout,
    write_sdss_spectrum,
)

WAVELENGTH = 10 ** (3.6 + 1e-4 * np.arange(600))
RAGGED = {"id": "name", "offset": "offset", "n_pix": "n_pix", "wavelength": "wave", "flux": "flux", "error": "error"}
LONG = {"id": "name", "time": "mjd", "value": "mag", "error": "e_mag", "band": "band"}


def write_spectrum(folder: Path, fiber: int = 1, **changes: object) -> Path:
    """One small SDSS spectrum; `changes` replace its flux, its ivar or values of its catalogue row."""
    rng = np.random.default_rng(fiber)
    flux = changes.pop("flux", rng.normal(10, 1, len(WAVELENGTH)))
    ivar = changes.pop("ivar", np.ones(len(WAVELENGTH)))
    mask = changes.pop("mask", None)
    row = {"plate": 266, "mjd": 51602, "fiber": fiber, "ra": 150.1 + fiber, "dec": -1.5, "z": 0.1, "class": "GALAXY"}
    path = folder / spectrum_file_name(266, 51602, fiber)
    write_sdss_spectrum(path, WAVELENGTH, flux, ivar, {**row, **changes}, mask=mask)
    return path


def write_ragged(folder: Path, index: pd.DataFrame | None = None, **arrays: np.ndarray) -> tuple[Path, Path]:
    """Three spectra of two objects; `arrays` replace those of the HDF5 file."""
    rng = np.random.default_rng(0)
    wave = np.concatenate([np.arange(4000.0, 4000 + 2 * n, 2) for n in (200, 300, 250)])
    if index is None:
        index = pd.DataFrame(
            {
                "name": ["SN1", "SN2", "SN1"],
                "offset": [0, 200, 500],
                "n_pix": [200, 300, 250],
                "mjd": [56533.0, 56540.0, np.nan],
                "u_flux": ["erg/s/cm^2/Angstrom", "Uncalibrated", "erg/s/cm^2/Angstrom"],
                "deredshifted": [False, False, True],
            }
        )
    index.to_csv(folder / "spectra.csv", index=False)
    content = {"wave": wave, "flux": rng.normal(5, 1, 750).astype("f4"), "error": np.ones(750, "f4"), **arrays}
    with h5py.File(folder / "spectra.h5", "w") as file:
        for name, values in content.items():
            file[name] = values
    return folder / "spectra.h5", folder / "spectra.csv"


def write_photometry(folder: Path, **columns: list) -> Path:
    """Two light curves in a long table; `columns` replace columns."""
    table = {
        "name": ["SN1", "SN2", "SN1", "SN1", "SN2", "SN1"],
        "mjd": [56002.5, 56100.0, 56000.0, 56001.0, 56103.0, 56004.0],
        "mag": [17.5, 19.0, 17.0, 17.2, 19.3, 17.9],
        "e_mag": [0.1, np.nan, 0.2, 0.0, 0.1, 0.1],
        "band": ["r", "g", "r", "g", "g", "r"],
    }
    pd.DataFrame({**table, **columns}).to_parquet(folder / "photometry.parquet")
    return folder / "photometry.parquet"


def write_catalogue(folder: Path, **columns: list) -> Path:
    """Three objects as published text; `columns` replace columns."""
    table = {
        "name": ["SN1", "SN2", "SN3"],
        "ra": ["16:16:34.06", "21:40:38.740", "09:07:36.75"],
        "dec": ["-00:35:27.4", "+06:30:36.87", "+03:23:39.7"],
        "type": ["Ia Pec", "II P", "Candidate"],
        "z": [0.1, None, 0.01],
        "ebv": [0.1, 99.0, 0.3],
        "mag": [15.0, None, 14.0],
        "maxdate": ["2013/08/30", "", "2013/09/30"],
    }
    pd.DataFrame({**table, **columns}).to_csv(folder / "objects.csv", index=False)
    return folder / "objects.csv"


def write_survey(folder: Path) -> Path:
    """Three objects in every format."""
    for name in ("spectra", "cutouts"):
        (folder / name).mkdir()
    rng = np.random.default_rng(0)
    for number in (1, 2, 3):
        write_spectrum(folder / "spectra", number)
        path = folder / "cutouts" / f"object-{number}.fits"
        write_legacysurvey_cutout(path, rng.normal(size=(3, 20, 24)), 150.1 + number, -1.5)
    write_ragged(folder)
    write_photometry(folder)
    write_catalogue(folder)
    return folder


READERS = ("sdss", "legacysurvey", "ragged", "lightcurves", "table", "catalogue")


def make_reader(kind: str, root: Path):
    """A reader of the synthetic survey."""
    readers = {
        "sdss": lambda: SDSSSpectra(root / "spectra", grid="sdss"),
        "legacysurvey": lambda: LegacySurveyCutouts(root / "cutouts", size=16),
        "ragged": lambda: RaggedSpectra(root / "spectra.h5", root / "spectra.csv", RAGGED, (4000, 4500, 5)),
        "lightcurves": lambda: LightCurveTable(root / "photometry.parquet", LONG, bands=2),
        "table": lambda: TableReader(root / "objects.csv", ["ebv", "mag"], "name", "ra", "dec", ["type", "z"]),
        "catalogue": lambda: TableReader(root / "objects.csv", (), "name", "ra", "dec", ["type", "z"]),
    }
    return readers[kind]()
