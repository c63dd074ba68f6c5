"""FITS files at the level of cards and bytes, for the formats that the kit reads by the thousand.

astropy reads any FITS file, but it builds an object per column: the catalogue row of one SDSS spectrum has
about 230 and takes 70 ms. The readers here need ten of them, and take 1 ms.
"""

from __future__ import annotations

import bz2
import gzip
import math
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from ...errors import FileError
from .file_lists import find_files

__all__ = [
    "BLOCK", "CARD", "Hdu", "damaged_header", "data_size", "find_files", "opened", "read_hdus", "read_header",
    "truncated",
]  # fmt: skip

BLOCK = 2880
CARD = 80
END = b"END".ljust(CARD)
TYPES = {"E": ">f4", "D": ">f8", "I": ">i2", "J": ">i4", "K": ">i8", "B": "|u1", "A": "|S1"}
SIZES = {"L": 1, "A": 1, "B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
IMAGE_TYPES = {8: "|u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
SMALL = 1 << 17  # bytes; a gzip file that is not larger is unpacked at once, which is faster
LARGEST = 1 << 40  # bytes; more than this is a damaged header
UNPACK: dict[bytes, tuple[str, Callable[..., Any]]] = {b"\x1f\x8b": ("gzip", gzip.open), b"BZ": ("bzip2", bz2.open)}
Value = bool | int | float | str
Layout = dict[str, tuple[int, int, int, str]]  # lower-case column name to (number, byte offset, repeat, type code)


@contextmanager
def damaged_header(path: Path) -> Iterator[None]:
    """Turns a header value that is missing or no number into one clear error.

    Raises:
        FileError: Names the file.
    """
    try:
        yield
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise FileError(path, f"damaged header ({type(error).__name__}: {error}). Download it again.") from error


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
    data: bytes | memoryview

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
        if self.header.get("XTENSION") != "BINTABLE" or self.header.get("NAXIS") != 2:
            raise FileError(self.path, f"HDU {self.number} is no table, expected one with {', '.join(names)}.")
        with damaged_header(self.path):
            layout = self._layout()
        missing = [name for name in names if name.lower() not in layout]
        if missing:
            found = ", ".join(list(layout)[:12])
            raise FileError(self.path, f"HDU {self.number} has no column {missing[0]!r} (found {found}).")
        return {name: self._column(*layout[name.lower()]) for name in (*names, *optional) if name.lower() in layout}

    def _layout(self) -> Layout:
        layout, width, damaged = _table_layout(tuple(self.header.items()))
        if damaged:
            raise FileError(self.path, f"HDU {self.number}: column {damaged} has no TFORM. The header is damaged.")
        if width != self.header["NAXIS1"]:
            raise FileError(self.path, f"HDU {self.number}: columns of {width} bytes in rows of another length.")
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
        values = values.astype(values.dtype.newbyteorder("="))
        scale, zero = self.header.get(f"TSCAL{number}", 1), self.header.get(f"TZERO{number}", 0)
        if scale == 1 and zero == 1 << (8 * values.itemsize - 1):  # how FITS writes unsigned integers
            return np.asarray(values.view(f"u{values.itemsize}") ^ int(zero))
        return values if (scale, zero) == (1, 0) else values * float(scale) + float(zero)

    def pixels(self) -> npt.NDArray[Any]:
        """The image as it is stored: a read-only big-endian view, BSCALE and BZERO not applied.

        Raises:
            FileError: If this is no image, or an empty one.
        """
        axes = [int(self.header[f"NAXIS{axis}"]) for axis in range(int(self.header.get("NAXIS", 0)), 0, -1)]
        kind = IMAGE_TYPES.get(self.header["BITPIX"])
        if not axes or 0 in axes or kind is None or self.header.get("XTENSION", "IMAGE") != "IMAGE":
            packed = self.path.suffix == ".fz" or "ZIMAGE" in self.header
            what = "is tile-compressed: uncompress it with funpack first" if packed else "holds no image"
            raise FileError(self.path, f"HDU {self.number} {what}.")
        return np.frombuffer(self.data, dtype=kind, count=math.prod(axes)).reshape(axes)

    def image(self) -> npt.NDArray[np.float32]:
        """The image as native float32, BSCALE and BZERO applied (in float64); NaN where an integer is BLANK.

        Raises:
            FileError: If this is no image, or an empty one.
        """
        values = self.pixels()
        scale, zero = self.header.get("BSCALE", 1), self.header.get("BZERO", 0)
        scaled = values if (scale, zero) == (1, 0) else values.astype(np.float64) * scale + zero
        image = scaled.astype(np.float32)
        if values.dtype.kind != "f" and "BLANK" in self.header:
            image[values == self.header["BLANK"]] = np.nan
        return image


@lru_cache(maxsize=64)
def _table_layout(cards: tuple[tuple[str, Value], ...]) -> tuple[Layout, int, int]:
    """The columns of a table, the bytes of its rows, and the first column that cannot be understood (0 for none)."""
    header, layout, offset = dict(cards), {}, 0
    for number in range(1, int(header.get("TFIELDS", 0)) + 1):
        match = re.match(r"(\d*)([LXBIJKAEDCMPQ])", str(header.get(f"TFORM{number}", "")).strip())
        if match is None:
            return {}, 0, number
        repeat, code = int(match[1] or 1), match[2]
        layout[str(header.get(f"TTYPE{number}", number)).lower()] = (number, offset, repeat, code)
        offset += -(-repeat // 8) if code == "X" else repeat * SIZES[code]
    return layout, offset, 0


def read_hdus(path: str | Path, numbers: Sequence[int]) -> list[Hdu]:
    """Reads some header-data units of a FITS file (plain, gzip or bzip2) and nothing behind them.

    Args:
        path: The file.
        numbers: Which, ascending from 0.

    Returns:
        One `Hdu` per number.

    Raises:
        FileError: If the file is missing, empty, truncated, no FITS file, or has too few HDUs.
    """
    path = Path(path)
    with opened(path) as stream:
        return list(_hdus(path, stream, numbers))


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file (plain, gzip or bzip2) as the stream of its unpacked bytes.

    Raises:
        FileError: If it cannot be opened, or whatever goes wrong while it is read.
    """
    packing = "gzip"
    try:
        with path.open("rb") as raw:
            magic = raw.read(2)
            raw.seek(0)
            if magic not in UNPACK:
                yield raw
                return
            packing, unpack = UNPACK[magic]
            if packing == "gzip" and path.stat().st_size < SMALL:
                yield BytesIO(gzip.decompress(raw.read()))
                return
            with unpack(raw) as unpacked:
                yield cast(BinaryIO, unpacked)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileError(path, f"truncated or damaged {packing} file ({error}). Download it again.") from error
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror or error}).") from error


def _hdus(path: Path, stream: BinaryIO, numbers: Sequence[int]) -> Iterator[Hdu]:
    for number in range(max(numbers) + 1):
        header = read_header(path, stream, number)
        if header is None:
            raise FileError(path, f"has {number} HDUs, HDU {number} was expected: another format, or truncated.")
        size = data_size(path, header)
        data = stream.read(size)
        if len(data) < size:
            raise truncated(path, number, size, len(data))
        stream.read(-size % BLOCK)
        if number in numbers:
            yield Hdu(path, number, header, data)


def truncated(path: Path, number: int, size: int, have: int) -> FileError:
    """The error for a unit that is shorter than its header says."""
    return FileError(path, f"truncated: HDU {number} needs {size} bytes, {have} are there. Download again.")


def data_size(path: Path, header: dict[str, Any]) -> int:
    """Bytes of data that a header announces, without padding.

    Raises:
        FileError: If the header is damaged.
    """
    with damaged_header(path):
        axes = [int(header[f"NAXIS{axis}"]) for axis in range(1, int(header["NAXIS"]) + 1)]
        values = int(header.get("PCOUNT", 0)) + math.prod(axes) if axes else 0
        size = abs(int(header["BITPIX"])) // 8 * int(header.get("GCOUNT", 1)) * values
    if not 0 <= size < LARGEST:
        raise FileError(path, f"damaged header: it announces {size} bytes of data.")
    return size


def read_header(path: Path, stream: BinaryIO, number: int) -> dict[str, Any] | None:
    """Keyword to value of the next header; None at the end of the file.

    Raises:
        FileError: If this is no FITS file, or the header is cut short.
    """
    block = stream.read(BLOCK)
    if number == 0 and not block.startswith(b"SIMPLE"):
        what = f"it begins with {block[:20].decode('latin-1')!a}" if block else "it is empty"
        raise FileError(path, f"not a FITS file: {what}. If a download saved an error page, download it again.")
    if not block:
        return None
    blocks = [block]
    while len(block) == BLOCK and not _closes(block):
        block = stream.read(BLOCK)
        blocks.append(block)
    if len(block) < BLOCK:
        raise FileError(path, f"truncated inside the header of HDU {number}. Download it again.")
    return dict(_cards(b"".join(blocks)))


def _closes(block: bytes) -> bool:
    place = block.rfind(END)  # nothing but blanks is behind it
    return place >= 0 and place % CARD == 0


@lru_cache(maxsize=64)
def _cards(header: bytes) -> dict[str, Value]:
    """Keyword to value; kept, because files of one survey share most of their headers."""
    text = header.decode("ascii", "replace")
    cards = [text[start : start + CARD] for start in range(0, len(text), CARD)]
    return {card[:8].rstrip(): _value(card[10:]) for card in cards[: cards.index(END.decode())] if card[8:10] == "= "}


@lru_cache(maxsize=4096)
def _value(text: str) -> Value:
    text = text.lstrip()
    if text.startswith("'"):
        end = text.find("'", 1)
        if end > 0 and text[end + 1 : end + 2] != "'":
            return text[1:end].rstrip()
        match = re.match(r"'((?:[^']|'')*)'", text)
        return match[1].replace("''", "'").rstrip() if match else ""
    text = text.partition("/")[0].strip()
    if text in ("T", "F"):
        return text == "T"
    for kind in (float,) if "." in text else (int, float):
        try:
            return kind(text.replace("D", "E"))
        except ValueError:
            continue
    return text
