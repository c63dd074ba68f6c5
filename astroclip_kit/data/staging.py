"""Survey files to staged observations: the slow part of `ingest`, in worker processes, resumable.

A source's files are cut into chunks. A worker reads a chunk and writes its observations (and what it had to
leave out) as Arrow files; only then does the parent acknowledge the chunk in the journal. The result does not
depend on the number of workers, nor on where an earlier run was killed.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from .. import storage
from ..contracts import check_sample
from ..errors import FileError, InputError, KitError
from ..progress import progress
from ..types import Drop, Modality, Reader, Sample
from .shards import ShardReader, pack, write_table
from .sources import Source

__all__ = ["FILES_PER_CHUNK", "Part", "stage"]

FILES_PER_CHUNK = 64
PART_BYTES = 32_000_000  # what a worker holds in memory before it writes
PART_ROWS = 10_000
SCHEMA = pa.schema(
    [
        ("dropped", pa.string()),  # the file or row that cannot be used; null for an observation
        ("reason", pa.string()),  # why
        ("object_id", pa.string()),
        ("group", pa.string()),
        ("ra", pa.float64()),
        ("dec", pa.float64()),
        ("labels", pa.string()),  # as JSON
        ("snr", pa.float64()),
        ("view", pa.list_(pa.float32())),
    ]
)

Part = tuple[str, int]  # file name, rows
_worker: list[Any] = []  # the reader and the folder of this worker process


def stage(source: Source, folder: Path, *, workers: int = 1, strict: bool = False, quiet: bool = False) -> ShardReader:
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
    """
    name, files = source.name, source.files
    target = folder / "staging" / name
    with storage.writing(target):
        target.mkdir(parents=True, exist_ok=True)
    chunks = [files[start : start + FILES_PER_CHUNK] for start in range(0, len(files), FILES_PER_CHUNK)]
    done = {entry["chunk"]: entry["parts"] for entry in storage.read_journal(folder) if entry.get("source") == name}
    todo = [number for number in range(len(chunks)) if number not in done]
    with progress(total=len(files), description=f"read {name}", unit="files", quiet=quiet) as bar:
        bar.update(len(files) - sum(len(chunks[number]) for number in todo))
        tasks = [(number, chunks[number], strict) for number in todo]
        for number, parts in zip(todo, _run(source.reader, target, tasks, workers), strict=True):
            storage.append_journal(folder, {"source": name, "chunk": number, "parts": parts})
            done[number] = parts
            bar.update(len(chunks[number]))
    parts = [part for number in range(len(chunks)) for part in done[number]]
    return ShardReader([target / file for file, _ in parts], [rows for _, rows in parts])


def _run(reader: Reader, target: Path, tasks: Sequence[Any], workers: int) -> Iterator[list[Part]]:
    forks = sys.platform == "linux"  # elsewhere a worker imports the reader, which a notebook's class does not survive
    if min(workers, len(tasks)) <= 1 or not (forks or type(reader).__module__ != "__main__"):
        yield from (_stage_chunk(reader, target, *task) for task in tasks)
        return
    context = multiprocessing.get_context("fork" if forks else "spawn")
    setup = (reader, target, os.getpid())
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, _start_worker, setup)
    try:
        yield from pool.map(_in_worker, tasks)
    except BrokenProcessPool as error:
        raise KitError(
            "a process that reads files died, perhaps for lack of memory. Run the same command with fewer workers."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(reader: Reader, target: Path, parent: int) -> None:
    _worker[:] = [reader, target]
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> None:
    """A worker whose parent was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _in_worker(task: Any) -> list[Part]:
    return _stage_chunk(*_worker, *task)


def _stage_chunk(reader: Reader, target: Path, number: int, files: Sequence[Path], strict: bool) -> list[Part]:
    parts: list[Part] = []
    held: list[tuple[Sample | Drop, float]] = []
    size = 0

    def flush() -> None:
        file = f"{number:06d}-{len(parts):04d}.arrow"
        write_table(target / file, _table(held, reader.modality))
        parts.append((file, len(held)))
        held.clear()

    for item in _items(reader, files):
        if strict and isinstance(item, Drop):
            raise FileError(item.source, item.reason)
        held.append((item, _snr(item, reader.modality)))
        size += sum(view.nbytes for view in item.views.values()) if isinstance(item, Sample) else 0
        if size > PART_BYTES or len(held) >= PART_ROWS:
            flush()
            size = 0
    if held:
        flush()
    return parts


def _items(reader: Reader, files: Iterable[Path]) -> Iterator[Sample | Drop]:
    for path in files:
        try:
            for item in reader.read(path):
                yield _checked(item, reader.modality, path)
        except FileError as error:
            yield Drop(str(error.path), error.problem)
        except MemoryError:
            raise
        except Exception as error:  # a reader meets files that nobody foresaw; one of them must not end the run
            yield Drop(str(path), f"{type(error).__name__}: {error}")


def _checked(item: Sample | Drop, modality: Modality | None, path: Path) -> Sample | Drop:
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


def _snr(item: Sample | Drop, modality: Modality | None) -> float:
    """Median signal to noise of a spectrum or a light curve; NaN where it has no meaning."""
    if isinstance(item, Drop) or modality is None or modality.kind not in ("spectrum", "lightcurve"):
        return float("nan")
    view = item.views[modality.name].astype(np.float64)
    with np.errstate(all="ignore"):
        ratio = np.abs(view[0]) * np.sqrt(view[1]) if modality.kind == "spectrum" else np.abs(view[:, 1]) / view[:, 2]
    good = ratio[np.isfinite(ratio) & (ratio > 0)]
    return float(np.median(good)) if len(good) else float("nan")


def _table(items: Sequence[tuple[Sample | Drop, float]], modality: Modality | None) -> pa.Table:
    rows = [
        (item.source, item.reason, None, None, None, None, None, None)
        if isinstance(item, Drop)
        else (None, None, item.object_id, item.group, item.ra, item.dec, _labels(item), snr)
        for item, snr in items
    ]
    name = modality.name if modality else ""
    views = [item.views.get(name) if isinstance(item, Sample) else None for item, _ in items]
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=False)]
    return pa.table([*columns, pack(views)], schema=SCHEMA)


def _labels(sample: Sample) -> str:
    known = {name: value if isinstance(value, str) else float(value) for name, value in sample.labels.items()}
    return json.dumps({name: value for name, value in known.items() if value == value and value != ""})
