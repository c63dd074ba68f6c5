"""Staged observations to the shards of a dataset: one pass, one shard in memory, resumable by shard."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
from .shards import ShardReader, fingerprint, pack, write_table

__all__ = ["gather"]

SHARD_BYTES = 64_000_000


def gather(
    out: Path, staged: Mapping[str, ShardReader], plan: Plan, modalities: Mapping[str, Modality], quiet: bool
) -> list[dict[str, Any]]:
    """Writes the shards of a dataset, or those that an interrupted run left to write.

    Args:
        out: The dataset folder.
        staged: Source to its staged observations.
        plan: The rows.
        modalities: What each row may have.
        quiet: Shows no progress bar.

    Returns:
        One entry per shard: file, rows, bytes, a hash of the ids, and of each modality.
    """
    widths = {name: _width(plan.rows[name], modality) for name, modality in modalities.items()}
    edges = _edges(plan, modalities, staged)
    done = {entry["shard"]: entry["written"] for entry in storage.read_journal(out) if "shard" in entry}
    total = len(edges) - 1
    with progress(total=len(plan.catalogue), description="write dataset", unit="rows", quiet=quiet) as bar:
        for shard, (start, stop) in enumerate(pairwise(edges)):
            if shard not in done:
                file = f"data-{shard:05d}-of-{total:05d}.arrow"
                views = {name: _views(staged[name], plan.rows[name][start:stop]) for name in modalities}
                columns = {name: pack(views[name], widths[name]) for name in modalities}
                table = _table(plan, slice(start, stop), columns)
                write_table(out / file, table)
                checksums = {name: fingerprint(column) for name, column in columns.items()}
                ids = storage.hash_text(*table.column("object_id").to_pylist())
                done[shard] = {"file": file, "rows": stop - start, "bytes": (out / file).stat().st_size}
                done[shard] |= {"ids": ids, "checksums": checksums}
                storage.append_journal(out, {"shard": shard, "written": done[shard]})
            bar.update(stop - start)
    return [done[shard] for shard in range(total)]


def _width(rows: npt.NDArray[np.int64], modality: Modality) -> int:
    """Values per view of a FixedSizeList; 0 where a List is smaller or views differ in length."""
    return 0 if modality.ragged or np.mean(rows >= 0) < 0.5 else math.prod(modality.shape)


def _edges(plan: Plan, modalities: Mapping[str, Modality], staged: Mapping[str, ShardReader]) -> list[int]:
    """Where shards begin and end, so that each holds about SHARD_BYTES."""
    size = np.full(len(plan.catalogue), 100)
    for name, modality in modalities.items():
        rows = plan.rows[name]
        lengths = staged[name].lengths("view") if modality.ragged else np.array([math.prod(modality.shape)])
        size += np.where(rows >= 0, 4 * lengths[rows if modality.ragged else 0], 0)
    shard = np.cumsum(size) // SHARD_BYTES
    return [0, *(np.flatnonzero(np.diff(shard)) + 1).tolist(), len(size)]


def _views(staged: ShardReader, rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.float32] | None]:
    return [staged.one("view", int(row)) if row >= 0 else None for row in rows]


def _table(plan: Plan, rows: slice, columns: Mapping[str, pa.Array]) -> pa.Table:
    catalogue = plan.catalogue.iloc[rows]
    plain = {name: pa.array(catalogue[name], pa.string(), from_pandas=True) for name in ("object_id", "group")}
    plain |= {name: pa.array(catalogue[name], pa.float64(), from_pandas=True) for name in ("ra", "dec")}
    for name, values in plan.labels.items():
        kind = pa.float64() if pd.api.types.is_float_dtype(values) else pa.string()
        plain[name] = pa.array(values.iloc[rows], kind, from_pandas=True)
    return pa.table({**plain, **columns})
