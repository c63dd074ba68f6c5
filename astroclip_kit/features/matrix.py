"""Writes one feature matrix, shard by shard, so that it survives ``kill -9`` and a full disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .. import storage

__all__ = ["MatrixWriter", "needs_float32"]

LARGEST_FLOAT16 = 6e4
LARGEST_COSINE_ERROR = 1e-3
LARGEST_ERROR = 0.05  # root mean square, in standard deviations of a feature
Floats = npt.NDArray[np.float32]


def needs_float32(h: Floats) -> bool:
    """Whether float16 would overflow, blur a feature, or move a cosine between two of the (first 512) rows by 1e-3.

    A feature is blurred if rounding moves it by more than 0.05 of its standard deviation: a date of 57000 days is
    exact to 32 days in float16, while the cosine of two such rows hardly changes.
    """
    if np.abs(h).max(initial=0) > LARGEST_FLOAT16:
        return True
    some = h[:512].astype(np.float64)
    std, blur = some.std(axis=0), np.sqrt(np.square(some - some.astype(np.float16)).mean(axis=0))
    if np.any((blur > LARGEST_ERROR * std) & (std > 1e-6 * np.abs(some.mean(axis=0)))):  # a constant tells nothing
        return True
    exact, rounded = (_unit(one.astype(np.float32)) for one in (h[:512], h[:512].astype(np.float16)))
    return bool(np.abs(exact @ exact.T - rounded @ rounded.T).max(initial=0) > LARGEST_COSINE_ERROR)


def _unit(h: Floats) -> Floats:
    norm = np.linalg.norm(h.astype(np.float64), axis=1, keepdims=True)
    return (h / np.where(norm > 0, norm, 1)).astype(np.float32)


class MatrixWriter:
    """A float16 or float32 matrix [count, features] on disk, filled from the top.

    The file has its final size from the start. A shard is written, flushed to the disk, and only then noted in the
    folder's journal, from which an interrupted extraction goes on. The first shard decides the dtype; should a later
    one not fit into float16, the matrix is begun again.

    Args:
        folder: Where the matrix and the journal are.
        name: Name of the matrix, without suffix.
        shape: Rows and features.
    """

    def __init__(self, folder: Path, name: str, shape: tuple[int, int]) -> None:
        self.path = folder / f"{name}.npy"
        self.shape = shape
        self.done = 0
        self.dtype = ""
        self.not_finite: list[int] = []
        for entry in storage.read_journal(folder):
            if entry.get("matrix") == name:
                self._note(entry["done"], entry["dtype"], entry["not_finite"])
        if self.done and not self._intact():
            self._note(0, self.dtype, [])

    def _note(self, done: int, dtype: str, not_finite: list[int]) -> None:
        self.done, self.dtype = done, dtype
        self.not_finite = [*self.not_finite, *not_finite] if done else []

    def _intact(self) -> bool:
        try:
            matrix = np.load(self.path, mmap_mode="r")
        except (OSError, ValueError):
            return False
        return bool(matrix.shape == self.shape and matrix.dtype == self.dtype)

    def write(self, rows: npt.NDArray[np.int64], h: Floats) -> bool:
        """Writes the next shard; rows that are not finite become 0 and are noted.

        Args:
            rows: Where the features belong [n].
            h: Features [n, features].

        Returns:
            False if the matrix had to be begun again, in float32, with the first shard.

        Raises:
            OutputError: If the disk is full.
        """
        finite = np.asarray(np.isfinite(h).all(axis=1))
        clean = np.where(finite[:, None], h, 0)
        if not self.done:
            dtype = self.dtype or ("float32" if needs_float32(clean) else "float16")
            self._acknowledge(0, dtype, [])  # before the file is new: an older journal must not speak for it
            storage.publish(self.path, self._allocate)
        elif self.dtype == "float16" and np.abs(clean).max(initial=0) > LARGEST_FLOAT16:
            self._acknowledge(0, "float32", [])
            return False
        matrix = np.load(self.path, mmap_mode="r+")
        matrix[rows] = clean
        matrix.flush()
        self._acknowledge(self.done + len(rows), self.dtype, rows[~finite].tolist())
        return True

    def read(self, rows: npt.NDArray[np.int64], count: int = 4096) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
        """What was written in these rows, `count` at a time, with their numbers; NaN where it was not finite."""
        matrix = np.load(self.path, mmap_mode="r")
        for start in range(0, len(rows), count):
            some = rows[start : start + count]
            lost = np.isin(some, self.not_finite)
            yield some, np.where(lost[:, None], np.float32(np.nan), matrix[some].astype(np.float32))

    def _acknowledge(self, done: int, dtype: str, not_finite: list[int]) -> None:
        entry = {"matrix": self.path.stem, "done": done, "dtype": dtype, "not_finite": not_finite}
        storage.append_journal(self.path.parent, entry)
        self._note(done, dtype, not_finite)

    def _allocate(self, path: Path) -> None:
        """Zeros for which the disk has set space aside: a write through a memory map cannot report a full disk."""
        np.lib.format.open_memmap(path, mode="w+", dtype=self.dtype, shape=self.shape).flush()
        size, row = path.stat().st_size, bytes(self.shape[1] * np.dtype(self.dtype).itemsize)
        with path.open("r+b") as handle:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle.fileno(), 0, size)
                return
            handle.seek(size - self.shape[0] * len(row))
            for _ in range(self.shape[0]):
                handle.write(row)
