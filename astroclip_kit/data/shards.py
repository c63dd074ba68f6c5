"""Views of many objects in Arrow IPC stream files, read back as zero-copy NumPy over a memory map.

A view is stored flat. Where most rows have one and all are equally long the column is a FixedSizeList, whose
null still takes the full width; else it is a List, whose null takes nothing. Both are read through `.values`
with the slice's offset and the validity bitmap: `.flatten()` drops nulls and shifts every later row.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .. import storage
from ..errors import FolderError, KitError

__all__ = ["ShardReader", "Views", "fingerprint", "pack", "pack_stacked", "unpack", "write_table"]

MOST_OPEN = 1024  # files mapped at a time; a process may often map 65,530, and holds no file descriptor for them
MOST_MAPPED = 256_000_000  # bytes of files that stay mapped while others are read in turn

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Views:
    """The views of one modality for n rows.

    Args:
        values: All values, one view after the other, float32.
        starts: Where each row's view begins, int64 [n].
        lengths: How many values it has, int64 [n]; 0 where absent.
        present: Whether the row has one, bool [n].
    """

    values: Floats
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    present: npt.NDArray[np.bool_]

    def __getitem__(self, row: int) -> Floats:
        return self.values[self.starts[row] : self.starts[row] + self.lengths[row]]


def pack(views: Sequence[Floats | None], width: int = 0) -> pa.Array:
    """One Arrow column of views.

    Args:
        views: The view of each of n rows, float32 of any shape; None where the row has none.
        width: Values per view for a FixedSizeList; 0 for a List.
    """
    absent = np.array([view is None for view in views], dtype=bool)
    if width:
        filled = np.zeros((len(views), width), dtype=np.float32)
        for row, view in enumerate(views):
            if view is not None:
                filled[row] = view.reshape(-1)
        return pack_stacked(filled, absent)
    flat = [view.reshape(-1) for view in views if view is not None]
    lengths = np.array([0 if view is None else view.size for view in views])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = np.concatenate(flat) if flat else np.zeros(0, dtype=np.float32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), mask=pa.array(absent))


def pack_stacked(views: Floats, absent: npt.NDArray[np.bool_]) -> pa.Array:
    """One Arrow column of views that are stacked already, not copied.

    Args:
        views: float32 [n, width]; anything where the row has none.
        absent: Which rows have none, bool [n].
    """
    return pa.FixedSizeListArray.from_arrays(pa.array(views.reshape(-1)), views.shape[1], mask=pa.array(absent))


def unpack(column: pa.Array) -> Views:
    """The views in one Arrow column, without copying them."""
    present = column.is_valid().to_numpy(zero_copy_only=False)
    values = column.values.to_numpy(zero_copy_only=True)
    if pa.types.is_fixed_size_list(column.type):
        starts = (np.arange(len(column)) + column.offset) * column.type.list_size
        return Views(values, starts, np.where(present, column.type.list_size, 0), present)
    offsets = column.offsets.to_numpy().astype(np.int64)
    return Views(values, offsets[:-1], np.where(present, np.diff(offsets), 0), present)


def write_table(path: Path, table: pa.Table) -> None:
    """Writes a table as one record batch in an IPC stream, whole or not at all.

    Raises:
        OutputError: If the disk is full.
    """

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table.combine_chunks())

    storage.publish(path, write)


class ShardReader:
    """Random access to the rows of many shards.

    Args:
        paths: The shards in order.
        counts: Rows in each.
    """

    def __init__(self, paths: Sequence[Path], counts: Sequence[int]) -> None:
        self.paths = list(paths)
        self.ends = np.cumsum(counts, dtype=np.int64)
        self.views = lru_cache(MOST_OPEN)(self._views)
        self._mapped = 0

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def _open(self, shard: int) -> pa.Table:
        path = self.paths[shard]
        try:
            return pa.ipc.open_stream(pa.memory_map(os.fspath(path))).read_all()
        except (OSError, pa.ArrowInvalid) as error:
            if getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise KitError(f"{path}: {error}. Raise the limit of open files: ulimit -n 4096.") from error
            raise FolderError(f"{path}: damaged or missing ({error}). Delete the folder and write it again.") from error

    def _views(self, shard: int, name: str) -> Views:
        column = self._open(shard).column(name)
        self._mapped += column.nbytes
        return unpack(column.chunk(0))

    def column(self, name: str) -> pa.ChunkedArray:
        """A column of plain values over all shards."""
        chunks = [chunk for shard in range(len(self.paths)) for chunk in self._open(shard).column(name).chunks]
        return pa.chunked_array(chunks, None if chunks else pa.null())

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which rows have a view [N]."""
        columns = (self._open(i).column(name) for i in range(len(self.paths)))
        return np.concatenate([np.zeros(0, bool), *(c.is_valid().to_numpy() for c in columns)])

    def lengths(self, name: str) -> npt.NDArray[np.int64]:
        """How many values each row's view has [N]; 0 where absent."""
        return np.concatenate([unpack(self._open(i).column(name).chunk(0)).lengths for i in range(len(self.paths))])

    def shard_of(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The shard of each row."""
        return np.searchsorted(self.ends, rows, side="right")

    def remove(self, shards: npt.NDArray[np.int64]) -> None:
        """Deletes shards that are not needed any more, and lets go of others if there are many."""
        for shard in shards:
            self.paths[shard].unlink(missing_ok=True)
        if len(shards) or self._mapped > MOST_MAPPED:  # which count as memory of the process
            self.views.cache_clear()  # the room on the disk is free when nobody maps the file
            self._mapped = 0

    def one(self, name: str, row: int) -> Floats:
        """The flat view of one row, straight from the memory map; empty where absent."""
        shard = int(np.searchsorted(self.ends, row, side="right"))
        return self.views(shard, name)[row - (self.ends[shard - 1] if shard else 0)]

    def many(self, name: str, rows: npt.NDArray[np.int64]) -> list[Floats]:
        """The flat views of some rows, straight from the memory maps."""
        return [self.one(name, int(row)) for row in rows]

    def take(self, name: str, rows: npt.NDArray[np.int64], width: int) -> Floats:
        """The flat views of rows that have one, copied into one array.

        Args:
            name: The modality.
            rows: n row numbers.
            width: Values per view.

        Returns:
            float32 [n, width].
        """
        taken = np.empty((len(rows), width), dtype=np.float32)
        shards = self.shard_of(rows)
        for shard in np.unique(shards):
            here = np.flatnonzero(shards == shard)
            views = self.views(int(shard), name)
            slots = views.starts[rows[here] - (self.ends[shard - 1] if shard else 0)] // width
            taken[here] = views.values.reshape(-1, width)[slots]
        return taken


def fingerprint(column: pa.Array) -> str:
    """A hash of the views in a column: values, lengths and which are missing."""
    views = unpack(column)
    parts: list[Any] = [views.present, views.lengths, views.values]
    return storage.hash_text(*(np.ascontiguousarray(part).view(np.uint8).data for part in parts))
