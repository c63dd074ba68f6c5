"""A store, or what was found in it, as files that other tools read, with units and UCDs where they are known.

UCDs (https://www.ivoa.net/documents/UCD1+/) say what a column is: a VOTable has them as attributes of its fields, a
FITS table as the keywords TUCDn that STIL and TOPCAT read and write.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..storage import publish
from .votables import spelled, told_of, widened, write_votable

if TYPE_CHECKING:
    from astropy.table import Table

    from ..types import Drop, Sample
    from .store import EmbeddingStore

__all__ = ["FORMATS", "UCDS", "format_of", "to_table", "write_export"]

UCDS = {
    "object_id": "meta.id;meta.main",
    "group": "meta.id.parent",
    "ra": "pos.eq.ra;meta.main",
    "dec": "pos.eq.dec;meta.main",
    "z": "src.redshift",
    "redshift": "src.redshift",
    "z_err": "stat.error;src.redshift",
    "similarity": "stat.correlation",
    "rank": "meta.number",
    "class": "src.class",
    "morphology": "src.morph.type",
    "zwarning": "meta.code.qual",
    "period": "time.period",
    "fe_h": "phys.abund.Fe",
    "ebv": "phot.color.excess",
    "snr": "stat.snr",
    "sn_median": "stat.snr;stat.median",
    "teff": "phys.temperature.effective",
    "logg": "phys.gravity",
    "parallax": "pos.parallax",
    "pmra": "pos.pm;pos.eq.ra",
    "pmdec": "pos.pm;pos.eq.dec",
}
"""What a column of such a name is, in lower case."""

ENDINGS = {
    ".fits": "fits",
    ".fit": "fits",
    ".vot": "votable",
    ".xml": "votable",
    ".parquet": "parquet",
    ".csv": "csv",
    ".ecsv": "ecsv",
    ".npz": "numpy",
}
MOST_TEXT = 10_000  # rows of a VOTable that is written as text
LONGEST = 300  # letters of a description
MAIN = ("object_id", "group", "ra", "dec")


def to_table(store: EmbeddingStore, *, vectors: bool = False, rows: npt.NDArray[np.int64] | None = None) -> Table:
    """The catalogue of a store as an astropy Table, see `EmbeddingStore.to_table`; all its rows by default."""
    from astropy.table import Column, Table

    chosen = slice(None) if rows is None else rows
    table = Table(store.catalog if rows is None else store.catalog.at(rows))
    for name, saved in store.saved_columns.items():
        table[name].description = _how(saved.about)
    table.meta["comments"] = [_origin(store)]
    for name in store.names:
        table[f"has_{name}"] = Column(store.present(name)[chosen], description=f"whether the object has {name}")
        if vectors:
            store.check_finite(name, chosen)
            about = f"unit vector of {name} in the shared space"
            table[name] = Column(np.asarray(store.vectors(name)[chosen]), description=about)
    return described(table, store.units)


def _origin(store: EmbeddingStore) -> str:
    """Where the rows come from: whether they are mock data, of which dataset, model and store."""
    known = {one: store.manifest.get(one, "") for one in ("dataset", "model", "content", "astroclip_kit")}
    mock = "mock data, not observed; " if store.manifest.get("origin") == "mock" else ""
    return f"{mock}from {store.root.resolve().name}; {_how(known)}"


def _how(about: Mapping[str, Any]) -> str | None:
    """How a column was made, as one line; None where nothing is known."""
    told = "; ".join(f"{key}: {value}" for key, value in about.items() if value not in ("", None))
    return " ".join(told.split())[:LONGEST] or None


def described(table: Table, units: Mapping[str, str]) -> Table:
    """The same table with units, and with UCDs of columns whose name says what they are.

    A column "z" that has a unit is no redshift, but perhaps a magnitude.
    """
    for name in table.colnames:
        if unit := units.get(name):
            table[name].unit = unit
        ucd = UCDS.get(name.lower(), "")
        if ucd and not ("redshift" in ucd and table[name].unit):
            table[name].meta["ucd"] = ucd
    return table


def format_of(path: str | Path, to: str = "") -> str:
    """How a file, or folder, is written.

    Args:
        path: Its name.
        to: One of `FORMATS`; by default what the name ends with says, and a HATS catalogue where it says nothing.

    Raises:
        UsageError: If there is no such format, or no file has such an ending.
    """
    if to and to not in FORMATS:
        raise UsageError(f"cannot export embeddings to {to!r}; there is: {', '.join(FORMATS)}.")
    ending = Path(path).suffix.lower()
    if not to and ending and ending not in ENDINGS:
        raise UsageError(f"{path}: expected a name that ends with one of {', '.join(ENDINGS)}, or say how with --to.")
    if not to and not ending:
        return "hats"
    return to or ENDINGS[ending]


def write_export(table: Table, path: str | Path, to: str = "", origin: str = "real") -> list[Drop]:
    """Writes a table, in one step; columns may hold vectors.

    Args:
        table: One row per object.
        path: File, or folder for HATS; an older one is replaced.
        to: One of `FORMATS`; by default what the name ends with says.
        origin: "mock" or "real", for a HATS catalogue.

    Returns:
        Objects that were left out: those without coordinates, of a HATS catalogue.

    Raises:
        InputError: If no object has coordinates (HATS), or a text is not ASCII (FITS).
        UsageError: If there is no such format, or a folder has the name of the file.
        OutputError: If the file cannot be written.
    """
    to, path = format_of(path, to), Path(path)
    if to == "hats":
        return _hats(table, path, origin)
    if path.is_dir():
        raise UsageError(f"{path} is a folder, expected the name of a file to write.")
    publish(path, lambda temporary: FORMATS[to](table, temporary))
    return []


def _fits(table: Table, path: Path) -> None:
    for name in table.colnames:
        if not (name.isascii() and name.isprintable()):
            raise InputError(f"column {name!r}: FITS names columns in ASCII only. Export to .vot or .parquet.")
        values = np.asarray(table[name])
        foreign = [one for one in values.tolist() if not one.isascii()] if values.dtype.kind == "U" else []
        if foreign:
            raise InputError(
                f"column {name!r}: FITS holds ASCII only, found {foreign[0]!r}. Export to .vot or .parquet."
            )
    _fits_hdu(table).writeto(path, overwrite=True)


def _fits_hdu(table: Table) -> Any:
    """The table with units, UCDs and descriptions as keywords, which other tools read, and without astropy's own."""
    from astropy.io.fits import table_to_hdu

    plain = table.copy()
    plain.meta.clear()
    for name in [one for one in plain.colnames if plain[one].dtype.str[1:] in ("i1", "f2")]:
        plain[name] = widened(plain[name])  # FITS has neither, and i1 would be flags
    for column in plain.itercols():
        column.unit = column.description = None
        column.meta.clear()
    hdu = table_to_hdu(plain)
    for number, name in enumerate(table.colnames, 1):
        column = table[name]
        told = {"TUNIT": spelled(column.unit, "fits"), "TUCD": column.meta.get("ucd"), "TCOMM": column.description}
        for key, text in told.items():
            if text:
                hdu.header[f"{key}{number}"] = text.encode("ascii", "replace").decode()
    for text in table.meta.get("comments", []):
        hdu.header.add_comment(text.encode("ascii", "replace").decode())
    return hdu


def _votable(table: Table, path: Path) -> None:
    """A small table as text, which every tool reads; vectors and many rows as binary."""
    if len(table) > MOST_TEXT or any(table[name].ndim > 1 for name in table.colnames):
        write_votable(table, path)
    else:
        plain = table.copy()
        plain.meta = {"description": told_of(table)}
        for name in plain.colnames:
            plain[name] = widened(plain[name])
            if plain[name].dtype in ("U0", "U1"):  # a field of one letter may not be empty
                plain[name] = plain[name].astype("U2")
        plain.write(path, format="votable", tabledata_format="tabledata", overwrite=True)


def _parquet(table: Table, path: Path) -> None:
    plain = table.copy()
    plain.meta.clear()
    plain.write(path, format="parquet", overwrite=True)


def _csv(table: Table, path: Path) -> None:
    """Through Arrow: a hundred times as fast as a table of text for many columns of numbers."""
    import pyarrow as pa
    from pyarrow import csv

    columns = {name: column for name, column in _flat(table)}
    csv.write_csv(pa.table({name: pa.array(np.asarray(column)) for name, column in columns.items()}), path)


def _ecsv(table: Table, path: Path) -> None:
    plain = table.copy()
    plain.meta.clear()
    plain.write(path, format="ascii.ecsv", overwrite=True)


def _numpy(table: Table, path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **{name: np.asarray(table[name]) for name in table.colnames})


def _flat(table: Table) -> Iterator[tuple[str, Any]]:
    """Columns of single values: a vector of D values becomes ``name_0`` to ``name_<D - 1>``."""
    for name in table.colnames:
        if table[name].ndim == 1:
            yield name, table[name]
        else:
            yield from ((f"{name}_{number}", table[name][:, number]) for number in range(table[name].shape[1]))


def _hats(table: Table, path: Path, origin: str) -> list[Drop]:
    from ..surveys import write_hats
    from ..types import Modality

    vectors = [name for name in table.colnames if table[name].ndim > 1]
    if not vectors:
        raise InputError("a HATS catalogue needs vectors. Export the catalogue alone to .parquet.")
    spaces = {}
    for name in vectors:
        width = table[name].shape[1]
        spaces[name] = Modality(name, "table", tuple(f"{name}_{number}" for number in range(width)), (width,))
    return list(write_hats(path, _samples(table, vectors), spaces, origin=origin))


def _samples(table: Table, vectors: list[str]) -> Iterator[Sample]:
    """Rows one by one; a vector that is zero is none, a number that is missing no label; text stays "", never null."""
    from ..types import Sample

    labels = [name for name in table.colnames if name not in (*MAIN, *vectors)]
    columns = {name: np.asarray(table[name]).tolist() for name in (*MAIN, *labels)}
    matrices = {name: np.asarray(table[name]) for name in vectors}
    for row in range(len(table)):
        views = {name: matrix[row] for name, matrix in matrices.items() if matrix[row].any()}
        known = {name: columns[name][row] for name in labels}
        given = {name: _plain(value) for name, value in known.items() if value == value}
        yield Sample(
            columns["object_id"][row], views, columns["ra"][row], columns["dec"][row], given, columns["group"][row]
        )


def _plain(value: Any) -> float | str:
    return value if isinstance(value, str) else float(value) if math.isfinite(value) else math.nan


FORMATS: dict[str, Callable[..., Any]] = {
    "fits": _fits,
    "votable": _votable,
    "parquet": _parquet,
    "csv": _csv,
    "ecsv": _ecsv,
    "numpy": _numpy,
    "hats": _hats,
}
