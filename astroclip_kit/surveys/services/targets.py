"""What is to be fetched: the objects of a table, and the names of their files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import FileError
from ...storage import hash_text
from ..catalogues import catalogue
from ..files.coordinates import angles
from ..files.table_files import column_names, read_columns, text

__all__ = ["Target", "safe_name", "separation_arcsec", "targets_of"]

SDSS_ID = re.compile(r"(\d{1,5})-(\d{5})-(\d{1,4})")
SDSS_COLUMNS = (("plate", "plateid"), ("mjd",), ("fiber", "fiberid"))
LONGEST_NAME = 100  # characters


@dataclass(frozen=True, slots=True)
class Target:
    """One object whose observations are wanted.

    Args:
        object_id: Its id in the table; its coordinates where the table has no ids.
        ra: Right ascension in degrees, NaN where unknown.
        dec: Declination in degrees, NaN where unknown.
        sdss: Plate, MJD and fibre of its SDSS spectrum, where known.
        run2d: The SDSS reduction that has it, where known.
        targetid: Its DESI TARGETID, where known.
    """

    object_id: str
    ra: float = np.nan
    dec: float = np.nan
    sdss: tuple[int, ...] = ()
    run2d: str = ""
    targetid: int | None = None

    @property
    def key(self) -> str:
        """The same as long as nothing changes that decides what is fetched."""
        return hash_text(repr((self.object_id, self.ra, self.dec, self.sdss, self.run2d, self.targetid)))

    @property
    def is_placed(self) -> bool:
        """Whether its coordinates are known and on the sphere."""
        return 0 <= self.ra <= 360 and abs(self.dec) <= 90  # of a million objects, one by one


def targets_of(path: str | Path) -> tuple[list[Target], dict[int, str]]:
    """The objects of a table: id and coordinates are the columns that are called so.

    SDSS spectra are known by columns plate, mjd and fiber (and run2d), or ids like "266-51602-31"; DESI spectra
    by a column targetid.

    Args:
        path: FITS, VOTable, ECSV, CSV (also .gz) or Parquet.

    Returns:
        The targets, and the number of each row that is none (from 1) with the reason.

    Raises:
        FileError: If the file cannot be read, or none of its rows can be used.
        UsageError: If no column is called like an id or like coordinates.
    """
    reader = catalogue(path)
    by_name = {name.lower(): name for name in reversed(column_names(path))}
    sdss = [next((by_name[name] for name in known if name in by_name), "") for known in SDSS_COLUMNS]
    texts = [str(reader.id_column), by_name.get("run2d", ""), by_name.get("targetid", ""), *(sdss if all(sdss) else [])]
    frame = read_columns(path, [*texts, reader.ra_column, reader.dec_column], texts=[name for name in texts if name])
    ids, run2d, targetid, *keys = (text(frame[name]) if name else [""] * len(frame) for name in texts)
    ra, dec = (
        angles(path, frame, name, hours) for name, hours in ((reader.ra_column, True), (reader.dec_column, False))
    )
    targets: dict[str, Target] = {}
    left_out: dict[int, str] = {}
    for row, (name, place) in enumerate(zip(ids, zip(ra.tolist(), dec.tolist(), strict=True), strict=True)):
        object_id = name if reader.id_column else _named_by_place(*place)
        if not object_id or object_id in targets:
            left_out[row + 1] = f"duplicated id {object_id}" if object_id else "neither an id nor coordinates"
            continue
        key = SDSS_ID.fullmatch("-".join(column[row] for column in keys) or object_id)
        number = targetid[row] if targetid[row].isdigit() else None
        known = tuple(map(int, key.groups())) if key else ()
        targets[object_id] = Target(object_id, *place, known, run2d[row], int(number) if number else None)
    if not targets:
        raise FileError(path, f"none of its {len(frame)} rows can be used; the first: {left_out[1]}.")
    return list(targets.values()), left_out


def _named_by_place(ra: float, dec: float) -> str:
    """An object without a name is called like 150.116010+2.205830."""
    return f"{ra:.6f}{dec:+.6f}" if Target("", ra, dec).is_placed else ""


def safe_name(object_id: str) -> str:
    """A file name without its ending: the id where it is harmless, else what is harmless of it and a hash.

    Example:
        >>> safe_name("266-51602-31"), safe_name("NGC 224")
        ('266-51602-31', 'NGC_224-5f6864d1')
    """
    name = re.sub(r"[^A-Za-z0-9+._-]", "_", object_id)[:LONGEST_NAME].lstrip(".-")
    return name if name == object_id else f"{name or 'object'}-{hash_text(object_id)[:8]}"


def separation_arcsec(
    ra: npt.ArrayLike, dec: npt.ArrayLike, other_ra: npt.ArrayLike, other_dec: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Angles between places in degrees, by the haversine formula; the shapes broadcast.

    Example:
        >>> separation_arcsec(359.9999, 0, 0.0001, 0).round(3).item()
        0.72
    """
    a, d, b, e = (np.deg2rad(np.asarray(angle, dtype=np.float64)) for angle in (ra, dec, other_ra, other_dec))
    chord = np.sin((d - e) / 2) ** 2 + np.cos(d) * np.cos(e) * np.sin((a - b) / 2) ** 2
    return np.asarray(np.rad2deg(2 * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))) * 3600)
