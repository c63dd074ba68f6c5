"""Writes spectra in the layout of DESI's coadds, and their redshifts as a redrock file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..files.fits_headers import Card, header_block, padded, table_header, write_blocks
from .coaddition import Arm

__all__ = ["write_desi_coadd"]

UNITS = {"WAVELENGTH": "Angstrom", "FLUX": "10**-17 erg/(s cm2 Angstrom)", "IVAR": "10**+34 (s2 cm4 Angstrom2) / erg2"}
BITPIX = {">f8": -64, ">f4": -32, ">i4": 32}
FIBERMAP = {
    "targetid": ("TARGETID", ">i8"),
    "ra": ("TARGET_RA", ">f8"),
    "dec": ("TARGET_DEC", ">f8"),
    "objtype": ("OBJTYPE", "S3"),
    "fiberstatus": ("COADD_FIBERSTATUS", ">i4"),
    "desi_target": ("DESI_TARGET", ">i8"),
    "ebv": ("EBV", ">f4"),
} | {f"flux_{band}": (f"FLUX_{band.upper()}", ">f4") for band in ("g", "r", "z", "w1", "w2")}
REDSHIFTS = {
    "targetid": ("TARGETID", ">i8"),
    "z": ("Z", ">f8"),
    "z_err": ("ZERR", ">f8"),
    "zwarning": ("ZWARN", ">i8"),
    "class": ("SPECTYPE", "S6"),
    "subclass": ("SUBTYPE", "S20"),
    "deltachi2": ("DELTACHI2", ">f8"),
}


def write_desi_coadd(
    path: str | Path,
    arms: Mapping[str, Arm],
    targets: Mapping[str, npt.ArrayLike],
    *,
    survey: str = "",
    program: str = "",
) -> None:
    """Writes the spectra of N targets as a DESI coadd; the same input gives the same bytes.

    Args:
        path: ``coadd-NAME.fits``. Replaced if it exists.
        arms: Name of the arm ("b", "r", "z", or "brz" for spectra that are joined already) to its spectra, flux in
            1e-17 erg/s/cm2/Angstrom.
        targets: Values [N] of each target, named as the reader's labels: targetid (integers), ra and dec (deg) are
            needed; objtype ("TGT"), fiberstatus (0), desi_target, ebv and flux_g, flux_r, flux_z, flux_w1, flux_w2
            (nanomaggies) are optional. Where z is given, ``redrock-NAME.fits`` is written beside, with z_err,
            zwarning, class, subclass and deltachi2 if they are given.
        survey: Keyword SURVEY, such as "main".
        program: Keyword PROGRAM, such as "dark".

    Raises:
        InputError: If arrays differ in shape, a name is unknown or missing, or an id is no integer.
        OutputError: If the disk is full or the folder may not be written.
    """
    path = Path(path)
    unknown = set(targets) - set(FIBERMAP) - set(REDSHIFTS)
    missing = {"targetid", "ra", "dec"} - set(targets)
    if unknown or missing:
        what = f"unknown {sorted(unknown)}" if unknown else f"missing {sorted(missing)}"
        raise InputError(f"{path}: targets of a DESI coadd: {what}, expected of {[*FIBERMAP, *REDSHIFTS][:12]}, ...")
    if np.asarray(targets["targetid"]).dtype.kind not in "iu":
        raise InputError(f"{path}: targetid must be integers; as floats or text the ids would be damaged.")
    blocks = [header_block(_primary(survey, program)), *_table("FIBERMAP", FIBERMAP, targets, path)]
    for name, arm in arms.items():
        blocks += _arm(path, name.upper(), arm, len(np.asarray(targets["targetid"])))
    if "z" in targets:
        redrock = path.with_name(path.name.replace("coadd", "redrock", 1))
        if redrock == path:
            raise InputError(f"{path}: redshifts go to a file beside it, so its name must begin with 'coadd'.")
        write_blocks(redrock, [header_block(_primary(survey, program)), *_table("REDSHIFTS", REDSHIFTS, targets, path)])
    write_blocks(path, blocks)


def _primary(survey: str, program: str) -> list[Card]:
    cards: list[Card] = [("SIMPLE", True, "conforms to FITS standard"), ("BITPIX", 8, ""), ("NAXIS", 0, "")]
    given: list[Card] = [("SURVEY", survey, ""), ("PROGRAM", program, "")]
    return [*cards, ("EXTEND", True, ""), *(card for card in given if card[1])]


def _table(
    name: str, columns: Mapping[str, tuple[str, str]], targets: Mapping[str, npt.ArrayLike], path: Path
) -> list[bytes]:
    given: dict[str, Any] = {"objtype": "TGT", "fiberstatus": 0} | dict(targets)
    kinds = [columns[label] for label in columns if label in given]
    rows = np.zeros(len(np.asarray(targets["targetid"])), dtype=kinds)
    for label, (column, _) in columns.items():
        if label not in given:
            continue
        if np.shape(given[label]) not in ((), rows.shape):
            raise InputError(f"{path}: {label} has shape {np.shape(given[label])}, there are {len(rows)} targets.")
        rows[column] = given[label]
    return [table_header(rows.dtype, len(rows), name), padded(rows.tobytes())]


def _arm(path: Path, name: str, arm: Arm, count: int) -> list[bytes]:
    shape = (count, len(arm.wavelength))
    images = {"FLUX": (arm.flux, ">f4"), "IVAR": (arm.ivar, ">f4"), "MASK": (arm.mask, ">i4")}
    blocks = _image(f"{name}_WAVELENGTH", np.asarray(arm.wavelength, dtype=">f8"))
    for what, (values, kind) in images.items():
        if values is None:
            continue
        if np.shape(values) != shape:
            raise InputError(f"{path}: {what.lower()} of arm {name} has shape {np.shape(values)}, expected {shape}.")
        blocks += _image(f"{name}_{what}", np.asarray(values).astype(kind))
    return blocks


def _image(name: str, values: npt.NDArray[Any]) -> list[bytes]:
    axes: list[Card] = [(f"NAXIS{axis}", size, "") for axis, size in enumerate(reversed(values.shape), start=1)]
    cards: list[Card] = [
        ("XTENSION", "IMAGE", "image extension"),
        ("BITPIX", BITPIX[values.dtype.str], ""),
        ("NAXIS", values.ndim, ""),
        *axes,
        ("PCOUNT", 0, ""),
        ("GCOUNT", 1, ""),
        ("EXTNAME", name, ""),
    ]
    unit: list[Card] = [("BUNIT", text, "") for what, text in UNITS.items() if name.endswith(f"_{what}")]
    return [header_block([*cards, *unit]), padded(values.tobytes())]
