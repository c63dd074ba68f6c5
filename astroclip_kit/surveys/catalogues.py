"""A catalogue as it comes: its columns found by the names that surveys give them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError
from .files.table_files import column_names
from .provabgs import MASSES, PROVABGSCatalogue
from .tables import TableReader

__all__ = ["DECS", "IDS", "RAS", "catalogue", "column_called", "may_be_id"]

IDS = ("object_id", "objid", "targetid", "source_id", "id", "name", "iauname", "oid")
RAS = ("ra", "ra_deg", "raj2000", "_raj2000", "ra_icrs", "target_ra", "plug_ra", "alpha_j2000", "radeg", "ra_j2000")
DECS = (
    "dec",
    "dec_deg",
    "dej2000",
    "_dej2000",
    "de_icrs",
    "target_dec",
    "plug_dec",
    "delta_j2000",
    "dedeg",
    "dec_j2000",
)


def catalogue(path: str | Path, labels: Sequence[str] = ()) -> TableReader:
    """A reader of labels; id and coordinates are the columns that are called so (in any case).

    Args:
        path: FITS, HDF5, VOTable, ECSV, CSV (also .gz) or Parquet.
        labels: Columns that become labels; by default all that hold one value per row, and of a PROVABGS catalogue
            those of `PROVABGSCatalogue`.

    Raises:
        FileError: If the file cannot be read.
        UsageError: If no column is called like an id or like coordinates; `TableReader` takes any names.
    """
    names = column_names(path)
    if {"TARGETID", MASSES[0]} <= set(names):
        return PROVABGSCatalogue(path, labels)
    object_id, ra, dec = (column_called(names, known) for known in (IDS, RAS, DECS))
    if not object_id and not (ra and dec):
        raise UsageError(
            f"{path}: no column is called like an id ({', '.join(IDS[:4])}) or like coordinates (ra, dec); found "
            f"{', '.join(names[:10])}. Pass a TableReader that says which columns they are."
        )
    own = {object_id, ra, dec}
    return TableReader(
        path,
        id_column=object_id,
        ra_column=ra if dec else "",
        dec_column=dec if ra else "",
        labels=list(labels) or [name for name in names if name not in own],
    )


def column_called(names: Sequence[str], known: Sequence[str]) -> str:
    """The column whose name, in any case, comes first among the known ones; "" if there is none."""
    by_name = {name.lower(): name for name in reversed(names)}
    return next((by_name[name] for name in known if name in by_name), "")


def may_be_id(name: str) -> bool:
    """Whether a column is called as one of ids or names is.

    Example:
        >>> may_be_id("Gaia_source_id"), may_be_id("TIC"), may_be_id("redshift")
        (True, True, False)
    """
    words = name.lower()
    return words in IDS or words.endswith(("id", "name", "designation")) or words in ("tic", "kic", "epic", "source")
