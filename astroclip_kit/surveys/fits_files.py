"""FITS files at the level of cards and bytes, for the formats that the kit reads and writes by the thousand.

astropy reads any FITS file, but it builds an object per column: the catalogue row of one SDSS spectrum has
about 230 and takes 70 ms. The readers here need ten of them, and take 1 ms.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from ..errors import FileError
from ..storage import writing

__all__ = ["Card", "Hdu", "find_files", "header_block", "padded", "read_hdus", "table_header", "write_blocks"]

BLOCK = 2880
CARD = 80
CODES = {">f4": "E", ">f8": "D", ">i2": "I", ">i4": "J", ">i8": "K", "|u1": "B"}
TYPES = {"E": ">f4", "D": ">f8", "I": ">i2", "J": ">i4", "K": ">i8", "B": "|u1", "L": "|S1", "A": "|S1"}
OTHER_SIZES = {"C": 8, "M": 16, "P": 8, "Q": 16}
IMAGE_TYPES = {8: "|u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
LARGEST = 1 << 40  # bytes; more than this is a damaged header
Value = bool | int | float | str
Card = tuple[str, Value, str]


def find_files(root: str | Path, pattern: str) -> list[Path]:
    """The files under a folder that match, sorted; a file is its own only match.

    Raises:
        FileError: If there is neither a folder nor a file at `root`.
    """
    root = Path(root)
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise FileError(root, "no such folder. Check the reader's `root`.")
    return sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))


@dataclass(frozen=True)
class Hdu:
    """One header-data unit.

    Args:
        path: The file.
        number: Which one, from 0.
        header: Keyword to value; comments and history left out.
        data: Its bytes, without padding.
    """

    path: Path
    number: int
    header: dict[str, Any]
    data: bytes

    def columns(self, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, npt.NDArray[Any]]:
        """Columns of a binary table.

        Args:
            names: Columns that must be there; case does not matter.
            optional: Columns that may be missing.

        Returns:
            Name (as asked) to values in native byte order, [rows] or [rows, n]; text as str.

        Raises:
            FileError: If this is no table or a column is missing.
        """
        if self.header.get("XTENSION") != "BINTABLE":
            raise FileError(self.path, f"HDU {self.number} is no table, expected one with {', '.join(names)}.")
        layout = self._layout()
        missing = [name for name in names if name.lower() not in layout]
        if missing:
            found = ", ".join(list(layout)[:12])
            raise FileError(self.path, f"HDU {self.number} has no column {missing[0]!r} (found {found}).")
        return {name: self._column(*layout[name.lower()]) for name in (*names, *optional) if name.lower() in layout}

    def _layout(self) -> dict[str, tuple[int, int, int, str]]:
        """Lower-case column name to (number, byte offset, repeat, type code)."""
        layout, offset = {}, 0
        for number in range(1, int(self.header.get("TFIELDS", 0)) + 1):
            match = re.match(r"(\d*)([A-Z])", str(self.header.get(f"TFORM{number}", "")).strip())
            if match is None:
                raise FileError(self.path, f"HDU {self.number}: column {number} has no TFORM. The header is damaged.")
            repeat, code = int(match[1] or 1), match[2]
            layout[str(self.header.get(f"TTYPE{number}", number)).lower()] = (number, offset, repeat, code)
            size = OTHER_SIZES[code] if code in OTHER_SIZES else np.dtype(TYPES[code]).itemsize if code != "X" else 0
            offset += -(-repeat // 8) if code == "X" else repeat * size
        return layout

    def _column(self, number: int, offset: int, repeat: int, code: str) -> npt.NDArray[Any]:
        if code not in TYPES:
            raise FileError(self.path, f"HDU {self.number}: column {number} has format {code!r}, which is not read.")
        kind = np.dtype(f"S{repeat}") if code == "A" else np.dtype((TYPES[code], (repeat,) if repeat != 1 else ()))
        width, rows = int(self.header["NAXIS1"]), int(self.header["NAXIS2"])
        row = np.dtype({"names": ["x"], "formats": [kind], "offsets": [offset], "itemsize": width})
        values = np.frombuffer(self.data, dtype=row, count=rows)["x"]
        if code == "A":
            return np.asarray(np.char.strip(np.char.decode(values, "ascii", "replace")))
        if code == "L":
            return np.asarray(values == b"T")
        values = values.astype(values.dtype.newbyteorder("="))
        scale, zero = self.header.get(f"TSCAL{number}", 1), self.header.get(f"TZERO{number}", 0)
        return values if (scale, zero) == (1, 0) else values * scale + zero

    def image(self) -> npt.NDArray[np.float32]:
        """The image as native float32, BSCALE and BZERO applied.

        Raises:
            FileError: If this is no image, or an empty one.
        """
        axes = [int(self.header[f"NAXIS{axis}"]) for axis in range(int(self.header.get("NAXIS", 0)), 0, -1)]
        if not axes or 0 in axes or self.header.get("XTENSION", "IMAGE") != "IMAGE":
            raise FileError(self.path, f"HDU {self.number} holds no image.")
        values = np.frombuffer(self.data, dtype=IMAGE_TYPES[int(self.header["BITPIX"])]).reshape(axes)
        image = values.astype(np.float32)
        scale, zero = self.header.get("BSCALE", 1), self.header.get("BZERO", 0)
        return image if (scale, zero) == (1, 0) else (image * scale + zero).astype(np.float32)


def read_hdus(path: str | Path, numbers: Sequence[int]) -> list[Hdu]:
    """Reads some header-data units of a FITS file (plain or gzip) and nothing behind them.

    Args:
        path: The file.
        numbers: Which, ascending from 0.

    Returns:
        One `Hdu` per number.

    Raises:
        FileError: If the file is missing, empty, truncated, no FITS file, or has too few HDUs.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            magic = raw.read(2)
            raw.seek(0)
            if magic != b"\x1f\x8b":
                return list(_hdus(path, raw, numbers))
            with gzip.open(raw) as unzipped:
                return list(_hdus(path, cast(BinaryIO, unzipped), numbers))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileError(path, f"truncated or damaged gzip file ({error}). Download it again.") from error
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror}).") from error


def _hdus(path: Path, stream: BinaryIO, numbers: Sequence[int]) -> Iterator[Hdu]:
    for number in range(max(numbers) + 1):
        header = _read_header(path, stream, number)
        size = _data_size(path, header)
        data = stream.read(size)
        if len(data) < size:
            raise FileError(path, f"truncated: HDU {number} needs {size} bytes, {len(data)} are there. Download again.")
        stream.read(-size % BLOCK)
        if number in numbers:
            yield Hdu(path, number, header, data)


def _data_size(path: Path, header: dict[str, Any]) -> int:
    try:
        axes = [int(header[f"NAXIS{axis}"]) for axis in range(1, int(header["NAXIS"]) + 1)]
        values = int(header.get("PCOUNT", 0)) + math.prod(axes) if axes else 0
        size = abs(int(header["BITPIX"])) // 8 * int(header.get("GCOUNT", 1)) * values
    except (KeyError, ValueError, TypeError) as error:
        raise FileError(path, f"damaged header: {error} is missing or no number.") from error
    if not 0 <= size < LARGEST:
        raise FileError(path, f"damaged header: it announces {size} bytes of data.")
    return size


def _read_header(path: Path, stream: BinaryIO, number: int) -> dict[str, Any]:
    header: dict[str, Any] = {}
    block = stream.read(BLOCK)
    if number == 0 and not block.startswith(b"SIMPLE"):
        what = f"it begins with {block[:20]!r}" if block else "it is empty"
        raise FileError(path, f"not a FITS file: {what}. If a download saved an error page, download it again.")
    if not block:
        raise FileError(path, f"has {number} HDUs, HDU {number} was expected: another format, or truncated.")
    while True:
        if len(block) < BLOCK:
            raise FileError(path, f"truncated inside the header of HDU {number}. Download it again.")
        text = block.decode("ascii", "replace")
        for card in (text[start : start + CARD] for start in range(0, BLOCK, CARD)):
            if card[8:10] == "= ":
                header[card[:8].rstrip()] = _value(card[10:])
            elif card.rstrip() == "END":
                return header
        block = stream.read(BLOCK)


def _value(text: str) -> Value:
    text = text.lstrip()
    if text.startswith("'"):
        match = re.match(r"'((?:[^']|'')*)'", text)
        return match[1].replace("''", "'").rstrip() if match else ""
    text = text.partition("/")[0].strip()
    if text in ("T", "F"):
        return text == "T"
    for kind in (int, float):
        try:
            return kind(text.replace("D", "E"))
        except ValueError:
            continue
    return text


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
    """Writes header and data blocks as one file.

    Raises:
        OutputError: If the disk is full or the folder may not be written.
    """
    with writing(path):
        Path(path).write_bytes(b"".join(blocks))
