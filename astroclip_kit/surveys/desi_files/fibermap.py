"""What DESI's FIBERMAP says of each spectrum of a file: its id, place and labels, or why it is none of a target."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import FileError
from ...types import Drop, Sample
from ..files.coordinates import in_range
from ..files.fits_files import Hdu
from .redrock import read_redshifts, redrock_path

__all__ = ["read_targets"]

BANDS = ("g", "r", "z", "w1", "w2")
NEEDED = ("TARGETID", "TARGET_RA", "TARGET_DEC")
BITS = {"target_lrg": 0, "target_elg": 1, "target_qso": 2, "target_bgs": 60, "target_mws": 61}  # the same since SV1
TARGETING = ("DESI_TARGET", "SV1_DESI_TARGET", "SV2_DESI_TARGET", "SV3_DESI_TARGET")
FLUXES = tuple(f"FLUX_{kind}{band}" for kind in ("", "IVAR_") for band in map(str.upper, BANDS))
OPTIONAL = ("OBJTYPE", "COADD_FIBERSTATUS", "EBV", *FLUXES, *TARGETING)


def read_targets(path: Path, hdus: Mapping[str, Hdu], size: int, redrock: str, allowed: int) -> list[Sample | Drop]:
    """One sample without a view per spectrum, or the reason why it is left out.

    Args:
        path: The file.
        hdus: Its HDUs; without FIBERMAP the spectra have no ids (""), places or labels.
        size: Number of spectra.
        redrock: What the name of the file of redshifts has in the place of "coadd"; "" to read none.
        allowed: Bits of COADD_FIBERSTATUS that do not make a spectrum bad.

    Raises:
        FileError: If FIBERMAP lacks a column or has another number of rows, or the file of redshifts is damaged.
    """
    if "FIBERMAP" not in hdus:
        return [Sample("") for _ in range(size)]
    table = hdus["FIBERMAP"].columns(NEEDED, OPTIONAL)
    targetid, ra, dec = (table[name] for name in NEEDED)
    if len(targetid) != size:
        raise FileError(path, f"FIBERMAP has {len(targetid)} rows for {size} spectra. The file is damaged.")
    labels = _labels(table, hdus)
    redshifts = redrock_path(path, redrock)
    if redshifts is not None:
        labels |= read_redshifts(redshifts, targetid)
    ids, groups, places = _numbered(targetid), targetid.tolist(), zip(ra.tolist(), dec.tolist(), strict=True)
    rows = zip(_reasons(table, allowed), ids, places, _plain(labels, size), groups, strict=True)
    return [
        Drop(f"{path}: TARGETID {group}", reason) if reason else Sample(object_id, {}, *place, values, str(group))
        for reason, object_id, place, values, group in rows
    ]


def _reasons(table: Mapping[str, npt.NDArray[Any]], allowed: int) -> list[str]:
    """Why each row is no spectrum of a target; "" where it is one."""
    none = np.zeros(len(table["TARGETID"]), dtype=np.int64)
    kind, status = table.get("OBJTYPE", none.astype(str)), table.get("COADD_FIBERSTATUS", none)
    ra, dec = table["TARGET_RA"], table["TARGET_DEC"]
    cases = {
        "a sky fibre.": kind == "SKY",
        "a negative TARGETID: the fibre is on no target.": table["TARGETID"] < 0,
        "OBJTYPE BAD: the fibre is on no target.": kind == "BAD",
        "COADD_FIBERSTATUS has bits that are not allowed: the fibre is bad.": status & ~allowed != 0,
        "coordinates out of range.": ~in_range(ra, dec),
    }
    return [str(reason) for reason in np.select(list(cases.values()), list(cases), "")]


def _labels(table: Mapping[str, npt.NDArray[Any]], hdus: Mapping[str, Hdu]) -> dict[str, npt.NDArray[Any]]:
    size = len(table["TARGETID"])
    labels: dict[str, npt.NDArray[Any]] = {}
    for name in ("survey", "program"):
        value = hdus["PRIMARY"].header.get(name.upper(), hdus["FIBERMAP"].header.get(name.upper(), ""))
        labels[name] = np.full(size, str(value).strip())
    for name, weight in (("EBV", "EBV"), *zip(FLUXES[: len(BANDS)], FLUXES[len(BANDS) :], strict=True)):
        if name in table:
            labels[name.lower()] = np.where(table.get(weight, 1) > 0, table[name], np.nan)  # 0 where never measured
    given = [table[name] for name in TARGETING if name in table]
    if given:
        bits = np.bitwise_or.reduce(given)
        labels |= {name: (bits >> bit & 1).astype(np.float64) for name, bit in BITS.items()}
    return labels


def _plain(labels: Mapping[str, npt.NDArray[Any]], size: int) -> Iterator[dict[str, float | str]]:
    """The labels of each row, without those that are missing."""
    columns = [
        values.tolist() if values.dtype.kind == "U" else values.astype(float).tolist() for values in labels.values()
    ]
    for row in zip(*columns, strict=True) if columns else [()] * size:
        yield {name: value for name, value in zip(labels, row, strict=True) if value == value and value != ""}


def _numbered(targetid: npt.NDArray[np.int64]) -> list[str]:
    """Ids, numbered where a file has one several times."""
    times = Counter(targetid.tolist())
    number: defaultdict[int, count[int]] = defaultdict(count)
    return [str(key) if times[key] == 1 else f"{key}#{next(number[key])}" for key in targetid.tolist()]
