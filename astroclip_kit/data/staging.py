"""Survey files to staged observations: the slow part of `ingest`, in worker processes, resumable.

A source's files are cut into chunks. A worker reads a chunk and writes its observations (and what it had to
leave out) as Arrow files; only then does the parent acknowledge the chunk in the journal. The result does not
depend on the number of workers, nor on where an earlier run was killed. A chunk is known by a hash of its files, so
that what was read once is not read again when other files come or the matching changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from .. import storage
from ..errors import FileError, FolderError
from ..progress import progress
from .chunks import ROWS, Chunk, ChunkReader, rows_file, views_file
from .pool import in_order
from .shards import ShardReader
from .sources import Source

__all__ = ["FILES_PER_CHUNK", "Staged", "stage"]

FILES_PER_CHUNK = 64
CHUNK_BYTES = 64_000_000  # of large files, fewer make a chunk, so that every process has one
MOST_CHUNKS = 1000  # of more files, up to 16 times as many make a chunk: each chunk costs a few syncs of the disk


@dataclass(frozen=True)
class Staged:
    """What was read of one source.

    Args:
        rows: Every observation and drop in the order of the files; columns as `chunks.ROWS`.
        views: Their views, in the same order; none for a catalogue of labels.
    """

    rows: pa.Table
    views: ShardReader

    def without_catalogue(self) -> Staged:
        """The same without ids, coordinates and labels, of which a million take 200 MB."""
        return replace(self, rows=self.rows.select(["size"]))


def stage(source: Source, folder: Path, *, workers: int = 1, strict: bool = False, quiet: bool = False) -> Staged:
    """Reads all files of one source, or what an interrupted run left to read.

    Args:
        source: The reader and its files.
        folder: The dataset folder; observations go to ``staging/NAME`` in it.
        workers: Processes that read files.
        strict: Whether a file or row that cannot be used is an error.
        quiet: Shows no progress bar.

    Returns:
        The staged observations and drops, in the order of the files.

    Raises:
        FileError: If `strict` and something cannot be used.
        OutputError: If the disk is full.
        KitError: If the system runs out of file handles or memory, or a process is killed for it.
    """
    target = folder / "staging" / source.name
    with storage.writing(target):
        target.mkdir(parents=True, exist_ok=True)
    done = {entry["chunk"]: entry for entry in storage.read_journal(folder) if entry.get("source") == source.name}
    edges = _edges(len(source.files), float(source.states[:, 0].clip(min=0).mean()))
    keys = [source.part_key(start, stop) for start, stop in edges]
    todo = [number for number, key in enumerate(keys) if key not in done]
    tasks = (_chunk(source, keys[number], *edges[number], strict) for number in todo)
    reading = ChunkReader(source.reader, target)
    importable = type(source.reader).__module__ != "__main__"  # a class of a notebook is not
    skipped = sum(done[key]["drops"] for key in keys if key in done)
    with progress(total=len(source.files), description=f"read {source.name}", unit="files", quiet=quiet) as bar:
        bar.update(len(source.files) - sum(stop - start for start, stop in (edges[number] for number in todo)))
        for number, entry in zip(todo, in_order(reading, tasks, min(workers, len(todo)), importable), strict=True):
            storage.append_journal(folder, {"source": source.name, **entry})
            done[keys[number]] = entry
            skipped += entry["drops"]
            bar.set_postfix(skipped=skipped, refresh=False)
            bar.update(edges[number][1] - edges[number][0])
    rows = pa.concat_tables([ROWS.empty_table(), *(_rows(target, key) for key in keys)])
    if strict and skipped:
        bad = rows.filter(rows.column("reason").is_valid()).slice(0, 1).to_pylist()[0]
        raise FileError(bad["dropped"], bad["reason"])
    return Staged(rows, _views(target, [done[key] for key in keys]))


def _edges(count: int, file_bytes: float) -> list[tuple[int, int]]:
    """Where chunks begin and end; their size goes by powers of two, so that it seldom changes when files come."""
    size = FILES_PER_CHUNK << min(4, (count // (FILES_PER_CHUNK * MOST_CHUNKS)).bit_length())
    while size > 1 and min(size, FILES_PER_CHUNK) * file_bytes > CHUNK_BYTES:
        size //= 2
    return [(start, min(start + size, count)) for start in range(0, count, size)]


def _chunk(source: Source, key: str, start: int, stop: int, strict: bool) -> Chunk:
    return Chunk(key, source.files[start:stop], source.states[start:stop], strict)


def _rows(target: Path, key: str) -> pa.Table:
    path = target / rows_file(key)
    try:
        return pa.ipc.open_stream(path.read_bytes()).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise FolderError(f"{path}: damaged or missing ({error}). Delete the folder and write it again.") from error


def _views(target: Path, entries: Sequence[Mapping[str, Any]]) -> ShardReader:
    paths = [target / views_file(one["chunk"], number) for one in entries for number in range(len(one["parts"]))]
    return ShardReader(paths, [rows for one in entries for rows in one["parts"]])
