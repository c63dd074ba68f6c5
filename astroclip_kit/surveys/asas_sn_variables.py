"""Light curves of ASAS-SN's catalogue of variable stars in V: ``ASASSN-VJ235959.33+532742.6.dat``, one per star.

A line of title, a line that names HJD, MAG, MAG_ERR, FLUX and FLUX_ERR (mJy), then the measurements between blanks or
tabs; 99.99 stands for a magnitude that was not measured (Jayasinghe et al. 2018, MNRAS 477, 3145; 2021, MNRAS 503,
200). The survey publishes 650,000 of them, so they are read and written in one go each, without a table in between.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import FileError, InputError
from ..storage import publish
from .files.csv_files import opened_text, titled_names

__all__ = ["COLUMNS", "is_variable_star", "read_variable_star", "write_asassn_light_curve"]

COLUMNS = ("hjd", "mag", "mag_err", "flux", "flux_err")
NO_MAGNITUDE = 99.99
ROW = "%.5f\t%.3f\t%.3f\t%.4f\t%.4f\n"


def is_variable_star(path: Path) -> bool:
    """Whether a file is called as those of the catalogue are."""
    return path.name.lower().removesuffix(".gz").endswith(".dat")


def read_variable_star(path: Path) -> npt.NDArray[np.float64]:
    """The measurements of a file as they are written.

    Returns:
        HJD, magnitude, its error, flux in mJy, its error [T, 5].

    Raises:
        FileError: If the file cannot be read, is of another layout, or has no measurement.
    """
    try:
        with opened_text(path) as file:
            lines = file.read().splitlines()
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise FileError(path, f"cannot be read as text ({str(error).splitlines()[0]}).") from error
    if titled_names(lines) != COLUMNS:
        raise FileError(path, f"no light curve of ASAS-SN: its second line does not name {', '.join(COLUMNS).upper()}.")
    try:
        rows = np.loadtxt(lines[2:], ndmin=2) if any(map(str.strip, lines[2:])) else np.empty((0, len(COLUMNS)))
    except ValueError as error:
        raise FileError(path, f"damaged: rows of five numbers were expected ({str(error)[:80]}).") from error
    if rows.shape[1] != len(COLUMNS) or not len(rows):
        raise FileError(path, f"{len(rows)} measurements of {rows.shape[1]} numbers, expected some of five each.")
    return rows


def write_asassn_light_curve(
    path: str | Path,
    hjd: npt.ArrayLike,
    mag: npt.ArrayLike,
    mag_err: npt.ArrayLike,
    flux: npt.ArrayLike,
    flux_err: npt.ArrayLike,
) -> None:
    """Writes the light curve of one star; the same input gives the same bytes, and nobody finds half a file.

    Args:
        path: ``ID.dat``; `ASASSNLightCurves` takes its name for the object's id. Replaced if it exists.
        hjd: Heliocentric Julian dates [T] in days, kept to 1e-5.
        mag: V magnitudes [T], kept to 0.001; NaN where the star was not detected, which is written as 99.99.
        mag_err: Their errors [T] in mag; NaN where there is none.
        flux: Fluxes [T] in mJy, kept to 1e-4.
        flux_err: Their errors [T] in mJy.

    Raises:
        InputError: If there is no row, the arrays differ in length, or a date or a flux is not finite.
        OutputError: If the disk is full or the folder may not be written.
    """
    columns = [np.asarray(values, dtype=np.float64) for values in (hjd, mag, mag_err, flux, flux_err)]
    shapes = {values.shape for values in columns}
    if len(shapes) > 1 or columns[0].ndim != 1 or not len(columns[0]):
        found = ", ".join(f"{name} {values.shape}" for name, values in zip(COLUMNS, columns, strict=True))
        raise InputError(f"{path}: expected columns of one length, found {found}.")
    rows = np.stack(columns, axis=1)
    if not np.isfinite(rows[:, [0, 3, 4]]).all():
        raise InputError(f"{path}: a date, a flux or its error is not finite. Leave such rows out.")
    rows[:, 1:3] = np.where(np.isfinite(rows[:, 1:3]), rows[:, 1:3], NO_MAGNITUDE)
    head = f"# {Path(path).name.removesuffix('.gz').removesuffix('.dat')}\n" + "\t".join(COLUMNS).upper() + "\n"
    data = (head + ROW * len(rows) % tuple(rows.ravel())).encode()
    packed = gzip.compress(data, mtime=0) if Path(path).suffix == ".gz" else data
    publish(path, lambda new: new.write_bytes(packed), lasting=False)
