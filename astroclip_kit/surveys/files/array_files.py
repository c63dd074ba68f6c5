"""NumPy arrays that may be larger than memory: their rows are read, or unpacked from .npz files, a few at a time."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from ...errors import FileError

__all__ = ["array_shapes", "blocks", "whole"]

BLOCK_BYTES = 8_000_000
Kind = np.dtype[Any]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever goes wrong with a file of arrays is one clear error."""
    if not path.is_file():
        raise FileError(path, "no such file.")
    try:
        yield
    except FileError:
        raise
    except Exception as error:  # zip and NumPy raise a dozen kinds
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise FileError(path, f"cannot be read as NumPy arrays, truncated or damaged ({reason}).") from error


def _header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, Kind]:
    """Shape, order and type of the array that follows."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)


@contextmanager
def _member(path: Path, name: str) -> Iterator[BinaryIO]:
    if path.suffix != ".npz":
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        yield cast(BinaryIO, member)


def array_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name to shape of the arrays of a file; that of a .npy file has no name.

    Raises:
        FileError: If the file is missing, empty, damaged, or no file of arrays.
    """
    with _readable(path):
        names = [""]
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        shapes = {}
        for name in names:
            with _member(path, name) as stream:
                shapes[name], _, _ = _header(stream)
        return shapes


def whole(path: Path, name: str = "") -> npt.NDArray[Any]:
    """One array of a file.

    Raises:
        FileError: If the file or the array is missing, damaged, or holds Python objects.
    """
    with _readable(path), _member(path, name) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def blocks(path: Path, name: str = "") -> Iterator[npt.NDArray[np.float32]]:
    """The rows of a numeric array as native float32, a few megabytes at a time: as many of every array of a shape.

    Raises:
        FileError: If the file or the array is missing, damaged or truncated, or holds no real numbers.
    """
    with _readable(path), _member(path, name) as stream:
        shape, fortran, kind = _header(stream)
        if kind.kind not in "fiub":
            raise FileError(path, f"array {name!r} holds {kind}, expected real numbers.")
        row = kind.itemsize * math.prod(shape[1:])
        if fortran:
            values = np.frombuffer(_exactly(stream, shape[0] * row), dtype=kind)
            yield np.asarray(values.reshape(shape, order="F"), dtype=np.float32)
            return
        step = max(1, BLOCK_BYTES // max(4 * math.prod(shape[1:]), 1))
        for start in range(0, shape[0], step):
            count = min(step, shape[0] - start)
            values = np.frombuffer(_exactly(stream, count * row), dtype=kind)
            yield values.reshape(count, *shape[1:]).astype(np.float32)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError(f"{size} bytes expected, {len(data)} are there")
    return data
