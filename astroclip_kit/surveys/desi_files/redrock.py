"""Redshifts of DESI's redrock files, joined to spectra by TARGETID."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..files.fits_files import read_hdus

__all__ = ["COLUMNS", "read_redshifts", "redrock_path"]

COLUMNS = {
    "Z": "z",
    "ZERR": "z_err",
    "ZWARN": "zwarning",
    "SPECTYPE": "class",
    "SUBTYPE": "subclass",
    "DELTACHI2": "deltachi2",
}


def redrock_path(coadd: Path, word: str) -> Path | None:
    """The file of redshifts beside a file of coadds; None where there is none.

    Args:
        coadd: ``coadd-SUFFIX.fits``, or the same packed.
        word: What its name has in the place of "coadd".
    """
    name = coadd.name.replace("coadd", word, 1)
    if not word or name == coadd.name:
        return None
    candidates = (name, f"{name}.gz", name.removesuffix(".gz"))
    return next((path for path in map(coadd.with_name, candidates) if path.is_file()), None)


def read_redshifts(path: Path, targetid: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """The redshifts of some targets.

    Args:
        path: redrock (or older zbest) file; HDU 1 has a row per target.
        targetid: Whose, int64 [N].

    Returns:
        Label (z, z_err, zwarning, class, subclass, deltachi2) to float64 or text [N]; NaN or "" for a target that is
        not in the file.

    Raises:
        FileError: If the file is no whole redrock file.
    """
    [hdu] = read_hdus(path, (1,))
    columns = hdu.columns(("TARGETID", "Z"), optional=tuple(COLUMNS)[1:])
    given = columns.pop("TARGETID")
    row, known = _rows(given, targetid)
    labels = {}
    for name, values in columns.items():
        nothing: Any = "" if values.dtype.kind == "U" else np.nan
        labels[COLUMNS[name]] = np.where(known, values[row], nothing) if len(given) else np.full(len(row), nothing)
    return labels


def _rows(
    given: npt.NDArray[np.int64], targetid: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The row of each target (the first, if it has several), and whether it has one."""
    if np.array_equal(given, targetid):
        return np.arange(len(given)), np.ones(len(given), dtype=bool)
    order = np.argsort(given, kind="stable")
    place = np.searchsorted(given[order], targetid)
    row = np.append(order, 0)[place]
    return row, np.append(given, 0)[row] == targetid if len(given) else np.zeros(len(row), dtype=bool)
