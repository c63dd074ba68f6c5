"""One chunk of survey files to staged observations: what a worker process of `ingest` does.

A chunk becomes one Arrow file of rows (ids, coordinates, labels, and what had to be left out and why), and Arrow
files of views in the same order, each small enough to be held in memory.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..contracts import check_sample
from ..errors import FileError, InputError, KitError, OutputError
from ..types import Drop, Modality, Reader, Sample
from .shards import pack, write_table
from .sources import file_state

__all__ = ["ROWS", "Chunk", "ChunkReader", "rows_file", "staged_files", "views_file"]

PART_BYTES = 32_000_000  # what a worker holds in memory before it writes
PART_ROWS = 10_000
FULL = (errno.ENOSPC, errno.EDQUOT)
SCARCE = {errno.EMFILE: "too many open files", errno.ENFILE: "too many open files", errno.ENOMEM: "no memory left"}
ROWS = pa.schema(
    [
        ("dropped", pa.string()),  # the file or row that cannot be used; null for an observation
        ("reason", pa.string()),  # why
        ("object_id", pa.string()),
        ("group", pa.string()),
        ("ra", pa.float64()),
        ("dec", pa.float64()),
        ("labels", pa.string()),  # as JSON
        ("snr", pa.float64()),
        ("size", pa.int64()),  # values in the view
    ]
)

Item = Sample | Drop


@dataclass(frozen=True)
class Chunk:
    """Files that are read at a time.

    Args:
        key: A hash of the reader and the files, under which the observations are kept.
        files: The files.
        states: Size and time of each when it was listed, int64 [N, 2].
        strict: Whether a file or row that cannot be used is an error.
    """

    key: str
    files: Sequence[Path]
    states: npt.NDArray[np.int64]
    strict: bool


@dataclass(frozen=True)
class ChunkReader:
    """Reads chunks.

    Args:
        reader: Of the survey.
        target: Folder of the staged files.
    """

    reader: Reader
    target: Path

    def __call__(self, chunk: Chunk) -> dict[str, Any]:
        """Reads and writes one chunk.

        Returns:
            An entry of the journal: the chunk's key, the rows in each file of views, and how many rows are drops.

        Raises:
            FileError: If the chunk is strict and something cannot be used.
            OutputError: If the disk is full.
            KitError: If the system runs out of file handles or memory.
        """
        held: list[Item] = []
        tables: list[pa.Table] = []
        size = 0
        for path, state in zip(chunk.files, chunk.states, strict=True):
            first = len(held)
            for item in self._items(path):
                held.append(_unless_strict(item, chunk.strict))
                size += sum(view.nbytes for view in item.views.values()) if isinstance(item, Sample) else 0
                if size > PART_BYTES or len(held) >= PART_ROWS:
                    tables.append(self._write(chunk, len(tables), held))
                    held, size, first = [], 0, 0
            if file_state(path) != tuple(state.tolist()) and not path.is_dir():
                reason = "changed or went away while it was read, as files of a running download do. Run again later."
                held[first:] = [_unless_strict(Drop(str(path), reason), chunk.strict)]
        if held or not tables:
            tables.append(self._write(chunk, len(tables), held))
        rows = pa.concat_tables(tables)
        write_table(self.target / rows_file(chunk.key), rows)
        drops = len(rows) - rows.column("reason").null_count
        parts = [len(table) for table in tables] if self.reader.modality else []
        return {"chunk": chunk.key, "parts": parts, "drops": drops}

    def _write(self, chunk: Chunk, number: int, items: Sequence[Item]) -> pa.Table:
        """Writes the views of some rows; their other columns are small and wait for the end of the chunk."""
        modality = self.reader.modality
        if modality:
            views = [item.views.get(modality.name) if isinstance(item, Sample) else None for item in items]
            write_table(self.target / views_file(chunk.key, number), pa.table({"view": pack(views)}))
        return _table(items, modality)

    def _items(self, path: Path) -> Iterator[Item]:
        try:
            for item in self.reader.read(path):
                yield _checked(item, self.reader.modality, path)
        except FileError as error:
            _stop_without_means(error, path)
            yield Drop(str(error.path), error.problem)
        except Exception as error:  # a reader meets files that nobody foresaw; one of them must not end the run
            _stop_without_means(error, path)
            yield Drop(str(path), f"{type(error).__name__}: {error}")


def rows_file(key: str) -> str:
    """The file of a chunk's rows."""
    return f"{key}.rows.arrow"


def views_file(key: str, number: int) -> str:
    """One of the files of a chunk's views."""
    return f"{key}-{number:04d}.arrow"


def staged_files(entry: Mapping[str, Any]) -> list[str]:
    """All files of a chunk, from its entry in the journal."""
    key = entry["chunk"]
    return [rows_file(key), *(views_file(key, number) for number in range(len(entry["parts"])))]


def _stop_without_means(error: BaseException | None, path: Path) -> None:
    """Stops where the computer is what lacks something: the next files would fail as well, good as they may be."""
    while error is not None:
        number = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", None)
        if number in FULL:
            raise OutputError(
                f"{path}: no space left on the disk. Free some and run the same command again."
            ) from error
        if number in SCARCE:
            raise KitError(f"{path}: {SCARCE[number]}. Run the same command with fewer workers.") from error
        error = error.__cause__ or error.__context__


def _unless_strict(item: Item, strict: bool) -> Item:
    if strict and isinstance(item, Drop):
        raise FileError(item.source, item.reason)
    return item


def _checked(item: Item, modality: Modality | None, path: Path) -> Item:
    if isinstance(item, Drop):
        return item
    row = f"{path}: {item.object_id}"
    try:
        if modality is not None:
            check_sample(item, modality)
    except InputError as error:
        return Drop(row, str(error))
    if not item.object_id:
        return Drop(row, "the object has no id.")
    if not (np.isnan(item.ra) or 0 <= item.ra <= 360) or not (np.isnan(item.dec) or -90 <= item.dec <= 90):
        return Drop(row, f"coordinates out of range: ra = {item.ra}, dec = {item.dec} degrees.")
    return item


def _table(items: Sequence[Item], modality: Modality | None) -> pa.Table:
    rows = [
        (_text(item.source), _text(item.reason), *[None] * 6, 0)
        if isinstance(item, Drop)
        else (
            None,
            None,
            _text(item.object_id),
            _text(item.group),
            item.ra,
            item.dec,
            _labels(item),
            *_measured(item, modality),
        )
        for item in items
    ]
    columns = zip(*rows, strict=True) if rows else [[]] * len(ROWS)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, ROWS, strict=True)], schema=ROWS)


def _text(text: str) -> str:
    r"""The same text; what is no letter (from a file name in an old encoding) as ``\udce9``."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _labels(sample: Sample) -> str:
    known = {name: value if isinstance(value, str) else float(value) for name, value in sample.labels.items()}
    return json.dumps({name: value for name, value in known.items() if value == value and value != ""})


def _measured(sample: Sample, modality: Modality | None) -> tuple[float, int]:
    """Median signal to noise of a spectrum or a light curve (NaN where it has no meaning), and values in the view."""
    if modality is None:
        return np.nan, 0
    view = sample.views[modality.name]
    with np.errstate(all="ignore"):
        if modality.kind == "spectrum":
            signal = np.abs(view[0]) * np.sqrt(view[1])
        elif modality.kind == "lightcurve":
            signal = np.abs(view[:, 1]) / view[:, 2]
        else:
            return np.nan, view.size
    good = signal[(signal > 0) & (signal < np.inf)]
    return float(np.median(good)) if len(good) else np.nan, view.size
