"""A table as a VOTable of binary rows, a hundred times as fast as one value after the other.

Source: VOTable 1.4, https://www.ivoa.net/documents/VOTable/20191021/ (sections 5.4 BINARY2 and 6 data types).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from astropy.table import Column, Table

__all__ = ["spelled", "told_of", "widened", "write_votable"]

Array = npt.NDArray[Any]
KINDS = {"u1": "unsignedByte", "i2": "short", "i4": "int", "i8": "long", "f4": "float", "f8": "double"}
WIDER = {"i1": "i2", "u2": "i4", "u4": "i8", "f2": "f4"}  # what VOTable has no type for; and u8
ROWS = 3 * 2**13  # per block: a multiple of 3 rows ends where a letter of base64 does
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # in XML, even when escaped
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results">
<TABLE nrows="{rows}">
<DESCRIPTION>{told}</DESCRIPTION>
{fields}
<DATA><BINARY2><STREAM encoding="base64">
"""
TAIL = "\n</STREAM></BINARY2></DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n"


def write_votable(table: Table, path: Path) -> None:
    """Writes columns with their units, UCDs and descriptions; masked values become null.

    Args:
        table: Its columns are numbers, flags or text [N], or numbers [N, D].
        path: The file.
    """
    columns = {name: _stored(np.asarray(np.ma.getdata(widened(table[name])))) for name in table.colnames}
    masks = [_empty(table[name]) for name in table.colnames]
    fields = "\n".join(_field(name, table[name], kind, size) for name, (kind, size, _) in columns.items())
    with path.open("wb") as stream:
        stream.write(HEAD.format(rows=len(table), fields=fields, told=escape(told_of(table))).encode())
        for rows in _blocks(len(table)):
            parts = [values[rows] for _, _, values in columns.values()]
            nulls = np.packbits(np.stack([mask[rows] for mask in masks], axis=1), axis=1)
            stream.write(base64.b64encode(_records([nulls, *parts]).tobytes()))
        stream.write(TAIL.encode())


def widened(column: Column) -> Column:
    """A column of numbers in the next wider type where VOTable has none for it, and in text where none is wide enough.

    Digits of ids are never lost: whole numbers of 64 bits without a sign are text above 2^63 - 1.
    """
    kind = column.dtype.str[1:]
    if kind == "u8":
        greatest = np.ma.getdata(column).max(initial=0)
        return column.astype("i8" if greatest <= np.iinfo(np.int64).max else str)
    return column.astype(WIDER[kind]) if kind in WIDER else column


def told_of(table: Table) -> str:
    """What is said of a whole table, of letters that XML can hold."""
    return ILLEGAL.sub("", " ".join(table.meta.get("comments", [])))


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, count, ROWS))


def _records(parts: list[Array]) -> Array:
    """Columns side by side, as rows without gaps."""
    kinds = [(str(number), part.dtype, part.shape[1:]) for number, part in enumerate(parts)]
    records = np.empty(len(parts[0]), dtype=kinds)
    for number, part in enumerate(parts):
        records[str(number)] = part
    return records


def _stored(values: Array) -> tuple[str, str, Array]:
    """Type and size of a field, and its values as they go to the file."""
    size = str(values.shape[1]) if values.ndim > 1 else ""
    if values.dtype.kind == "b":
        return "boolean", size, np.where(values, b"T", b"F")
    if values.dtype.kind in "iuf":
        kind = values.dtype.str[1:]
        return KINDS[kind], size, values.astype(f">{kind}", copy=False)
    text = np.ascontiguousarray(values.astype(str))
    width = max(2, text.dtype.itemsize // 4)  # a field of one letter may not be empty
    letters = text.astype(f"U{width}").view(np.uint32).reshape(len(text), width)
    if letters.max(initial=0) < 128:
        return "char", str(width), text.astype(f"S{width}")
    wide = np.where(letters > 0xFFFF, 0xFFFD, letters)  # unicodeChar has two bytes
    return "unicodeChar", str(width), wide.astype(">u2")


def _empty(column: Column) -> Array:
    """Which rows are masked [N]."""
    return np.asarray(np.ma.getmaskarray(column).all(axis=tuple(range(1, column.ndim))))


def spelled(unit: Any, standard: str) -> str:
    """A unit as "fits" or "vounit" spells it, or else as astropy does: dex(solMass) is in neither."""
    try:
        return str(unit.to_string(standard)) if unit else ""
    except ValueError:
        return str(unit)


def _field(name: str, column: Column, kind: str, size: str) -> str:
    about = {"name": name, "datatype": kind, "arraysize": size, "unit": spelled(column.unit, "vounit")}
    about["ucd"] = str(column.meta.get("ucd", ""))
    inside = "".join(f" {key}={quoteattr(ILLEGAL.sub('', value))}" for key, value in about.items() if value)
    told = escape(ILLEGAL.sub("", column.description or ""))
    return f"<FIELD{inside}>{f'<DESCRIPTION>{told}</DESCRIPTION>' if told else ''}</FIELD>"
