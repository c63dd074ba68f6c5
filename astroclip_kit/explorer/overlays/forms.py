"""The bytes of a catalogue in a form that tables are read from: unpacked, one table of several, text with commas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ...errors import FileError
from ...surveys.catalogues import DECS, RAS, column_called, may_be_id
from ...surveys.files.references import check_contained
from .. import unpacking

__all__ = ["ACCEPT", "unpacked"]

ACCEPT = ".fits,.fit,.fits.gz,.vot,.vot.gz,.votable,.xml,.csv,.csv.gz,.ecsv,.parquet,.txt,.dat,.tsv,.hdf5,.h5"
BEGINNINGS = {b"SIMPLE  =": ".fits", b"PAR1": ".parquet", b"\x89HDF": ".hdf5", b"<?xml": ".vot", b"<VOTABLE": ".vot"}
FOREIGN = {
    b"PK\x03\x04": "a spreadsheet or an archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"%PDF": "a PDF file",
    b"<!DOCTYPE HTML": "a web page",
    b"<HTML": "a web page",
    b"{": "a JSON file",
    b"[": "a JSON file",
}
BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
TABLES = re.compile(rb"<(?:\w+:)?TABLE[\s>]")
SEPARATED = (".csv", ".tsv")
ROOM = 2_000_000_000  # bytes that the columns of a file may take, which its own packing hides
POINT, COMMA = re.compile(r"\s*[+-]?\d*\.\d+"), re.compile(r"\s*[+-]?[\d: ]*\d,\d+\s*")


def unpacked(name: str, content: bytes) -> tuple[str, bytes, str]:
    """What a file holds, in a form that its readers take.

    Args:
        name: Its name.
        content: Its bytes, which may be packed by gzip or bzip2.

    Returns:
        An ending that says the format, the bytes, and a sentence on which of several tables was taken, or "".

    Raises:
        FileError: If it is damaged, too large, refers to other files, or is of a program that does not write tables.
    """
    content = unpacking.unpacked(name, content)
    name = name.lower().removesuffix(".gz").removesuffix(".bz2")
    check_contained(name, io.BytesIO(content))
    begin = content[:100].lstrip(b"\xef\xbb\xbf \t\r\n").upper()
    if what := next((told for first, told in FOREIGN.items() if begin.startswith(first)), ""):
        raise FileError(name, f"is {what}, no table. Save it as CSV, FITS or VOTable.")
    ending = next((one for first, one in BEGINNINGS.items() if begin.startswith(first.upper())), "")
    if ending == ".fits":
        return ending, *_one_of_fits(content)
    if ending == ".vot" and len(TABLES.findall(content)) > 1:
        return ending, *_one_of_votable(content)
    _check_room(name, ending, content)
    own = Path(name).suffix.lower()
    ending = ending or (own if own in ACCEPT.split(",") else ".txt")
    if ending in (".csv", ".tsv", ".txt", ".dat", ".ecsv"):
        content = _as_text(content)
    return (".csv", _with_commas(content), "") if ending in SEPARATED else (ending, content, "")


def _check_room(name: str, ending: str, content: bytes) -> None:
    """Refuses a file of few bytes whose columns would fill the memory, by the sizes that it states."""
    size = 0
    try:
        if ending == ".parquet":
            from pyarrow.parquet import read_metadata

            about = read_metadata(io.BytesIO(content))
            size = 8 * about.num_rows * about.num_columns
        elif ending == ".hdf5":
            import h5py

            sizes: list[int] = []
            with h5py.File(io.BytesIO(content)) as file:
                file.visititems(lambda _, one: sizes.append(one.nbytes) if isinstance(one, h5py.Dataset) else None)
            size = sum(sizes)
    except (OSError, ValueError, RuntimeError, KeyError):  # as who reads the table will say
        return
    if size > ROOM:
        raise FileError(name, f"takes {size / 1e9:.3g} GB, expected up to {ROOM / 1e9:g}. Cut out what is asked about.")


def _as_text(content: bytes) -> bytes:
    """The same letters in UTF-8; what is not in UTF-8 is taken as Latin."""
    coding = next((one for begin, one in BOMS.items() if content.startswith(begin)), "utf-8")
    try:
        return content if coding == "utf-8" and content.isascii() else content.decode(coding).encode()
    except UnicodeDecodeError:
        return content if b"\0" in content else content.decode("latin-1").encode()


def _with_commas(content: bytes) -> bytes:
    """A table with commas in the place of semicolons or tabs, and with decimal points in that of commas."""
    try:
        text = content.decode()
    except UnicodeDecodeError:  # no text, as who reads it will say
        return content
    lines = (line for line in io.StringIO(text, newline=None) if not line.startswith("#"))
    head = next(lines, "")
    separator = max(";\t", key=head.count)
    if separator not in head or head.count(",") >= head.count(separator):
        return content
    rows = list(csv.reader(chain([head], lines), delimiter=separator))
    if not any(POINT.match(cell) for row in rows for cell in row):
        rows = [[cell.replace(",", ".") if COMMA.fullmatch(cell) else cell for cell in row] for row in rows]
    out = io.StringIO()
    csv.writer(out).writerows(row for row in rows if row)
    return out.getvalue().encode()


def _one_of_fits(content: bytes) -> tuple[bytes, str]:
    import warnings

    from astropy.io import fits

    try:
        with warnings.catch_warnings(action="ignore"), fits.open(io.BytesIO(content), memmap=False) as file:
            tables = [hdu for hdu in file if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU))]
            if len(tables) < 2:
                return content, ""
            best = _best([hdu.columns.names for hdu in tables], [hdu.header["NAXIS2"] for hdu in tables])
            out = io.BytesIO()
            fits.HDUList([fits.PrimaryHDU(), tables[best]]).writeto(out, output_verify="silentfix")
            return out.getvalue(), _taken(best, [hdu.name for hdu in tables])
    except (OSError, ValueError, KeyError, TypeError):  # as who reads the table will say
        return content, ""


def _one_of_votable(content: bytes) -> tuple[bytes, str]:
    from astropy.io.votable import from_table, parse

    try:
        tables = list(parse(io.BytesIO(content)).iter_tables())
    except Exception:  # as who reads the table will say; the parser has errors of its own
        return content, ""
    best = _best([[field.name for field in one.fields] for one in tables], [len(one.array) for one in tables])
    out = io.BytesIO()
    from_table(tables[best].to_table()).to_xml(out)
    return out.getvalue(), _taken(best, [one.name or one.ID or "" for one in tables])


def _best(names: Sequence[Sequence[str]], rows: Sequence[int]) -> int:
    """The table with coordinates, else with ids, else with most rows."""

    def worth(place: int) -> tuple[bool, bool, int]:
        own = names[place]
        placed = bool(column_called(own, RAS) and column_called(own, DECS))
        return placed, any(map(may_be_id, own)), rows[place]

    return max(range(len(names)), key=worth)


def _taken(best: int, names: Sequence[Any]) -> str:
    called = f" ({names[best]})" if names[best] else ""
    return f"It holds {len(names)} tables, of which number {best + 1}{called} was taken."
