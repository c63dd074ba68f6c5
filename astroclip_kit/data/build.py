"""Survey files to a dataset folder: read, match, gather. Killed at any moment, it goes on where it was."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from .. import storage
from ..errors import FileError, InputError, UsageError
from ..settings import Matching
from ..surveys.files.coordinates import wrapped
from ..types import Reader
from . import folder, objects
from .contents import notes
from .dataset import Dataset
from .gathering import gather
from .orientations import settle_north
from .sources import Source, check_ids, check_sources, fingerprint, origin
from .staging import stage

__all__ = ["ingest"]


def ingest(
    sources: Mapping[str, Reader],
    out: str | Path,
    *,
    matching: Matching | None = None,
    name: str = "",
    workers: int = 0,
    strict: bool = False,
    where: str = "",
    quiet: bool = False,
) -> Dataset:
    """Reads survey files, matches the observations of the same object and writes a dataset folder.

    Run again after an interruption, it goes on where it was and ends with the same bytes. If the files, the readers
    or the matching have changed since, it starts again and says so; files that an interrupted run read and that are
    the same are not read again. An older dataset stays as it is until the new one is complete. Until then, what was
    read lies in the folder beside the dataset and goes as that grows: it takes the room of the dataset and little more
    where rows are in the order of the files, at most twice as much otherwise. What cannot be used is left out, counted,
    and listed with its reason in ``drops.csv``; matches with a rival are listed in ``ambiguous.csv``. A match that
    looks wrong (no object has two modalities, one position in several groups) is pointed out. Of a label that several
    sources give, catalogues come first; if values differ, all are kept as ``SOURCE_LABEL`` too (``spectrum_z``).

    Args:
        sources: Name of a modality, or of a catalogue of labels, to its reader. An object's id and coordinates are
            those of the first source that has it.
        out: The dataset folder; an older dataset there is replaced.
        matching: How observations become rows; by id by default.
        name: Of the data set; the folder's by default.
        workers: Processes that read files; 0 for one per processor core.
        strict: Whether a file or row that cannot be read is an error.
        where: Condition on the labels that a row has to meet, see `filters.rows_where`; others are left out.
        quiet: Shows no progress and points out nothing.

    Raises:
        UsageError: If the settings make no sense.
        InputError: If a source gives no observation that can be used.
        FileError: If `strict` and a file cannot be read.
        FolderError: If something else lies at `out`, or another process is writing it.
        OutputError: If the disk is full; run again when there is space.
        KitError: If the system runs out of memory or of file handles.
    """
    matching, out, workers = matching or Matching(), Path(out), _worker_count(workers)
    found = check_sources(sources, quiet)
    modalities = {source.name: source.modality for source in found if source.modality}
    objects.check_matching(matching, list(modalities), list(sources))
    check_ids(found, matching)
    inputs = fingerprint(found, matching, name or out.name, where)
    with storage.only_writer(out):
        if not folder.begin(out, inputs, quiet):
            return _as_strict(Dataset(out)) if strict else Dataset(out)
        staged = {source.name: stage(source, out, workers=workers, strict=strict, quiet=quiet) for source in found}
        for source in found:
            source.check_beside()
        drops = [_unread(source, staged[source.name].rows) for source in found]
        counts = {one.name: _counts(one, staged[one.name].rows) for one in found}
        observed = {name: _observed(one.rows) for name, one in staged.items()}
        staged = {name: one.without_catalogue() for name, one in staged.items()}
        north_up = [one.name for one in found if settle_north(one, observed[one.name])]
        plan = objects.plan(observed, list(modalities), matching, where)
        del observed
        for catalogue, joined in plan.joined.items():
            counts[catalogue]["joined"] = joined
        values = {"name": name or out.name, "origin": origin(found), "inputs": inputs, "rows": len(plan.catalogue)}
        values |= {
            "modalities": [one.to_dict() for one in modalities.values()],
            "matching": asdict(matching),
            "where": where,
        }
        values |= {"labels": list(plan.labels), "sources": counts, "unmatched": plan.unmatched, "moved": plan.moved}
        values["units"] = _units(found, list(plan.labels))
        asked = {one.name: getattr(one.reader, "image_quality", {}) for one in found}
        values["quality"] = {name: dict(one) for name, one in asked.items() if one}
        values["north_up"] = north_up
        values |= {"shards": gather(out, staged, plan, modalities, inputs[:8], quiet)}
        folder.finish(out, values, pd.concat([*drops, plan.drops]), plan.ambiguous)
    dataset = Dataset(out)
    if not quiet:
        _report(dataset)
    return dataset


def _units(sources: Sequence[Source], labels: Sequence[str]) -> dict[str, str]:
    """The unit of every label that has one; as the labels do, those of catalogues come first."""
    units: dict[str, str] = {}
    for source in sorted(sources, key=lambda one: one.modality is not None):
        for name, unit in getattr(source.reader, "label_units", dict)().items():
            units.setdefault(name, unit)
            units.setdefault(f"{source.name}_{name}", unit)
    return {name: units[name] for name in labels if name in units}


def _as_strict(dataset: Dataset) -> Dataset:
    """The same dataset.

    Raises:
        FileError: If something could not be read when it was written.
    """
    if any(counts.get("unread") for counts in dataset.manifest["sources"].values()):
        first = pd.read_csv(dataset.root / "drops.csv", nrows=1, dtype=str).iloc[0]
        raise FileError(first["dropped"], first["reason"])
    return dataset


def _report(dataset: Dataset) -> None:
    dropped = dataset.manifest["dropped"]
    left_out = [f"{dropped} files or rows were left out; drops.csv lists each with its reason"] if dropped else []
    for note in [*left_out, *notes(dataset)]:
        print(f"{dataset.root}: {note}.", file=sys.stderr)


def _worker_count(workers: int) -> int:
    if workers < 0:
        raise UsageError(f"workers is {workers}, expected 0 (one per core) or a number of processes.")
    return workers or os.cpu_count() or 1


def _counts(source: Source, rows: pa.Table) -> dict[str, int]:
    observations = rows.column("reason").null_count
    counts = {"files": len(source.files), "observations": observations, "unread": len(rows) - observations}
    if check := getattr(source.reader, "check_objects", None):
        without = check(rows.filter(rows.column("reason").is_null()).column("object_id").to_pylist())
        counts |= {"without_row": without} if without else {}
    return counts


def _observed(rows: pa.Table) -> pd.DataFrame:
    """The observations without the drops; row numbers are those of the staged rows."""
    good = rows.column("reason").is_null()
    table = rows.select(["object_id", "group", "ra", "dec", "labels", "snr"]).filter(good)
    frame = table.to_pandas(split_blocks=True, self_destruct=True).set_index(np.flatnonzero(good.to_numpy()))
    frame["ra"] = wrapped(frame["ra"].to_numpy())
    return frame


def _unread(source: Source, rows: pa.Table) -> pd.DataFrame:
    """What could not be read, as rows of ``drops.csv``."""
    bad = rows.filter(rows.column("reason").is_valid()).select(["dropped", "reason"]).to_pandas()
    if len(bad) == len(rows):
        first = bad.head(100).drop_duplicates("reason").head(3)
        reasons = [f"{dropped}: {reason}" for dropped, reason in zip(first["dropped"], first["reason"], strict=True)]
        listed = " ".join(reasons or ["They are empty."])[:600]
        raise InputError(f"source {source.name!r}: nothing in its {len(source.files)} files can be used: {listed}")
    bad.insert(0, "source", source.name)
    return bad
