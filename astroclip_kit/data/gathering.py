"""Staged observations to the shards of a dataset: one pass, one shard in memory, resumable by shard.

What no later shard needs is deleted at once, so that a dataset takes its own room on the disk and little more where
its rows are in the order of the files, and at most twice its own where they are in any order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from .. import storage
from ..progress import progress
from ..types import Modality
from .objects import Plan
from .shards import ShardReader, fingerprint, pack, pack_stacked, write_table
from .staging import Staged

__all__ = ["gather"]

SHARD_BYTES = 64_000_000


def gather(
    out: Path,
    staged: Mapping[str, Staged],
    plan: Plan,
    modalities: Mapping[str, Modality],
    generation: str,
    quiet: bool,
) -> list[dict[str, Any]]:
    """Writes the shards of a dataset, or those that an interrupted run left to write.

    Args:
        out: The dataset folder.
        staged: Source to its staged observations.
        plan: The rows.
        modalities: What each row may have.
        generation: Part of the shards' names, so that they lie beside those of an older dataset.
        quiet: Shows no progress bar.

    Returns:
        One entry per shard: file, rows, bytes, a hash of the ids, and of each modality.
    """
    widths = {name: _width(plan.rows[name], modality) for name, modality in modalities.items()}
    edges = _edges(plan, staged)
    done = {entry["shard"]: entry["written"] for entry in storage.read_journal(out) if "shard" in entry}
    total = len(edges) - 1
    shard_of = np.repeat(np.arange(total), np.diff(edges))
    last = {name: _last_use(staged[name].views, plan.rows[name], shard_of) for name in modalities}
    bar = progress(total=len(plan.catalogue), description="write dataset", unit="rows", quiet=quiet)
    with bar, ThreadPoolExecutor(1) as hashing:  # while the disk writes
        for shard, (start, stop) in enumerate(pairwise(edges)):
            if shard not in done:
                file = f"data-{generation}-{shard:05d}-of-{total:05d}.arrow"
                taken = {name: plan.rows[name][start:stop] for name in modalities}
                columns = {name: _column(staged[name].views, rows, widths[name]) for name, rows in taken.items()}
                table = _table(plan, slice(start, stop), columns)
                hashes = {name: hashing.submit(fingerprint, column) for name, column in columns.items()}
                write_table(out / file, table)
                checksums = {name: one.result() for name, one in hashes.items()}
                ids = storage.hash_text(*table.column("object_id").to_pylist())
                done[shard] = {"file": file, "rows": stop - start, "bytes": (out / file).stat().st_size}
                done[shard] |= {"ids": ids, "checksums": checksums}
                storage.append_journal(out, {"shard": shard, "written": done[shard]})
            for name in modalities:
                staged[name].views.remove(np.flatnonzero(last[name] == shard))
            bar.update(stop - start)
    return [done[shard] for shard in range(total)]


def _width(rows: npt.NDArray[np.int64], modality: Modality) -> int:
    """Values per view of a FixedSizeList; 0 where a List is smaller or views differ in length."""
    return 0 if modality.ragged or np.mean(rows >= 0) < 0.5 else math.prod(modality.shape)


def _edges(plan: Plan, staged: Mapping[str, Staged]) -> list[int]:
    """Where shards begin and end, so that each holds about SHARD_BYTES."""
    size = np.full(len(plan.catalogue), 100)
    for name, rows in plan.rows.items():
        size += np.where(rows >= 0, 4 * staged[name].rows.column("size").to_numpy()[rows], 0)
    shard = np.cumsum(size) // SHARD_BYTES
    return [0, *(np.flatnonzero(np.diff(shard)) + 1).tolist(), len(size)]


def _last_use(
    views: ShardReader, rows: npt.NDArray[np.int64], shard_of: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The last of the dataset's shards that needs each file of staged views; -1 where none does."""
    last = np.full(len(views.paths), -1)
    taken = rows >= 0
    np.maximum.at(last, views.shard_of(rows[taken]), shard_of[taken])
    return last


def _column(staged: ShardReader, rows: npt.NDArray[np.int64], width: int) -> pa.Array:
    if not width:
        return pack(_views(staged, rows))
    taken = staged.take("view", rows[rows >= 0], width)
    if len(taken) == len(rows):
        return pack_stacked(taken, rows < 0)
    stacked = np.zeros((len(rows), width), dtype=np.float32)
    stacked[rows >= 0] = taken
    return pack_stacked(stacked, rows < 0)


def _views(staged: ShardReader, rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.float32] | None]:
    """The view of each row, copied file by file: a view that stays in its memory map keeps that file open."""
    views: list[npt.NDArray[np.float32] | None] = [None] * len(rows)
    order = np.argsort(rows, kind="stable")
    for place in order[np.searchsorted(rows[order], 0) :].tolist():
        views[place] = staged.one("view", int(rows[place])).copy()
    return views


def _table(plan: Plan, rows: slice, columns: Mapping[str, pa.Array]) -> pa.Table:
    catalogue = plan.catalogue.iloc[rows]
    plain = {name: pa.array(catalogue[name], pa.string(), from_pandas=True) for name in ("object_id", "group")}
    plain |= {name: pa.array(catalogue[name], pa.float64(), from_pandas=True) for name in ("ra", "dec")}
    for name, values in plan.labels.items():
        kind = pa.float64() if pd.api.types.is_float_dtype(values) else pa.string()
        plain[name] = pa.array(values.iloc[rows], kind, from_pandas=True)
    return pa.table({**plain, **columns})
