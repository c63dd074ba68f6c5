"""Headers and blocks of the FITS files that the kit writes: small, fast, and the same bytes for the same input."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ...storage import publish
from .fits_files import BLOCK, CARD

__all__ = ["Card", "header_block", "padded", "table_header", "write_blocks"]

CODES = {">f4": "E", ">f8": "D", ">i2": "I", ">i4": "J", ">i8": "K", "|u1": "B"}
Value = bool | int | float | str
Card = tuple[str, Value, str]


def _card(keyword: str, value: Value, comment: str) -> str:
    if isinstance(value, str):
        quoted = "'" + value.replace("'", "''").ljust(8) + "'"
        text = f"{keyword:<8}= {quoted:<20}"
    elif isinstance(value, bool):
        text = f"{keyword:<8}= {'T' if value else 'F':>20}"
    else:
        text = f"{keyword:<8}= {str(value).upper():>20}"
    return (f"{text} / {comment}" if comment else text).ljust(CARD)[:CARD]


def header_block(cards: Iterable[Card]) -> bytes:
    """A header from (keyword, value, comment) cards, closed with END and padded to whole blocks."""
    text = "".join(_card(*card) for card in cards) + "END"
    return text.ljust(-(-len(text) // BLOCK) * BLOCK).encode("ascii")


def padded(data: bytes) -> bytes:
    """Data padded with zeros to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def table_header(row: np.dtype[np.void], rows: int, name: str) -> bytes:
    """The header of a binary table, in whole blocks.

    Args:
        row: Structured type of one row, big-endian numbers and byte strings.
        rows: Number of rows.
        name: EXTNAME.
    """
    cards: list[Card] = [
        ("XTENSION", "BINTABLE", "binary table extension"),
        ("BITPIX", 8, "8-bit bytes"),
        ("NAXIS", 2, "2-dimensional binary table"),
        ("NAXIS1", row.itemsize, "width of table in bytes"),
        ("NAXIS2", rows, "number of rows in table"),
        ("PCOUNT", 0, "size of special data area"),
        ("GCOUNT", 1, "one data group"),
        ("TFIELDS", len(row.names or ()), "number of fields in each row"),
    ]
    for number, column in enumerate(row.names or (), start=1):
        kind = row[column]
        code = f"{kind.itemsize}A" if kind.kind == "S" else CODES[kind.str]
        cards += [(f"TTYPE{number}", column, ""), (f"TFORM{number}", code, "")]
    return header_block([*cards, ("EXTNAME", name, "")])


def write_blocks(path: str | Path, blocks: Iterable[bytes]) -> None:
    """Writes header and data blocks as one file, packed where its name ends with ``.gz``; nobody finds half of it.

    Raises:
        OutputError: If the disk is full or the folder may not be written.
    """
    data = b"".join(blocks)
    packed = gzip.compress(data, compresslevel=1, mtime=0) if Path(path).suffix == ".gz" else data
    publish(path, lambda new: new.write_bytes(packed), lasting=False)
