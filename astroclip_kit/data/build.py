"""Survey files to a dataset folder: read, match, gather. Killed at any moment, it goes on where it was."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from .. import storage
from ..errors import FolderError, InputError, UsageError
from ..settings import Matching
from ..types import Modality, Reader
from . import objects
from .dataset import Dataset
from .gathering import gather
from .provenance import fingerprint, origin
from .shards import ShardReader
from .staging import stage

__all__ = ["ingest"]

RESERVED = ("object_id", "group", "ra", "dec")
OWN_FILES = ("manifest.json", "dataset_info.json", "state.json", "drops.csv", "ambiguous.csv", "journal.jsonl")
LISTED_REASONS = 50


def ingest(
    sources: Mapping[str, Reader],
    out: str | Path,
    *,
    matching: Matching | None = None,
    name: str = "",
    workers: int = 0,
    strict: bool = False,
    quiet: bool = False,
) -> Dataset:
    """Reads survey files, matches the observations of the same object and writes a dataset folder.

    Run again after an interruption, it goes on where it was and ends with the same bytes. If the files, the readers
    or the matching have changed since, it starts again and says so. What cannot be used is left out, counted, and
    listed with its reason in ``drops.csv``.

    Args:
        sources: Name of a modality, or of a catalogue of labels, to its reader. An object's id and coordinates are
            those of the first source that has it.
        out: The dataset folder; an older dataset there is replaced.
        matching: How observations become rows; by id by default.
        name: Of the data set; the folder's by default.
        workers: Processes that read files; 0 for one per processor core.
        strict: Whether a file or row that cannot be used is an error.
        quiet: Shows no progress.

    Raises:
        UsageError: If the settings make no sense.
        InputError: If a source gives no observation that can be used.
        FileError: If `strict` and a file cannot be used.
        FolderError: If something else lies at `out`.
        OutputError: If the disk is full; run again when there is space.
    """
    matching, out = matching or Matching(), Path(out)
    modalities = _check(sources, matching, workers)
    inputs = fingerprint(sources, matching, name or out.name)
    if not _begin(out, inputs, quiet):
        return Dataset(out)
    readers = {
        source: stage(source, reader, out, workers=workers or os.cpu_count() or 1, strict=strict, quiet=quiet)
        for source, reader in sources.items()
    }
    tables = {source: _index(staged) for source, staged in readers.items()}
    unread = _unread(tables, sources)
    observed = {source: table[table["reason"].isna()] for source, table in tables.items()}
    plan = objects.plan(observed, list(modalities), matching)
    shards = gather(out, readers, plan, modalities, quiet)
    counts = {
        source: {"files": len(sources[source].files()), "observations": len(observed[source])} for source in sources
    }
    values = {"name": name or out.name, "origin": origin(sources), "inputs": inputs, "rows": len(plan.catalogue)}
    values |= {"modalities": [one.to_dict() for one in modalities.values()], "matching": asdict(matching)}
    values |= {"labels": list(plan.labels), "sources": counts, "unmatched": plan.unmatched, "shards": shards}
    _finish(out, values, pd.concat([unread, plan.drops]), plan.ambiguous)
    return Dataset(out)


def _check(sources: Mapping[str, Reader], matching: Matching, workers: int) -> dict[str, Modality]:
    """The modalities by name, each called as its source."""
    if not sources:
        raise UsageError("ingest needs at least one source: a reader under the name of its modality.")
    if workers < 0:
        raise UsageError(f"workers is {workers}, expected 0 (one per core) or a number of processes.")
    for source, reader in sources.items():
        if not all(hasattr(reader, member) for member in ("modality", "files", "read")):
            raise UsageError(
                f"source {source!r}: {type(reader).__name__} is no reader. See astroclip_kit.types.Reader."
            )
        if source in (*RESERVED, "") or "/" in source:
            raise UsageError(f"source {source!r}: choose another name; {', '.join(RESERVED)} are columns already.")
        if not list(reader.files()):
            raise InputError(f"source {source!r}: {type(reader).__name__} finds no files. Check its path and pattern.")
    named = {source: reader.modality for source, reader in sources.items()}
    modalities = {source: replace(one, name=source) for source, one in named.items() if one is not None}
    if not modalities:
        raise UsageError("every source is a catalogue of labels: add one with a modality (images, spectra, columns).")
    objects.check_matching(matching, list(modalities))
    return modalities


def _begin(out: Path, inputs: str, quiet: bool) -> bool:
    """Prepares the folder; False if it already holds this dataset."""
    whole = (out / "manifest.json").exists()
    journal = storage.read_journal(out)
    if whole:
        if storage.open_folder(out, "dataset").get("inputs") == inputs:
            _remove_staging(out)
            return False
    elif out.exists() and not journal and (out.is_file() or any(out.iterdir())):
        raise FolderError(f"{out} exists and was not written by astroclip_kit. Choose another output folder.")
    if whole or (journal and journal[0].get("inputs") != inputs):
        if not quiet:
            print(f"{out}: files or settings have changed since it was written; starting again.", file=sys.stderr)
        _remove(out)
        journal = []
    with storage.writing(out):
        out.mkdir(parents=True, exist_ok=True)
    if not journal:
        storage.append_journal(out, {"inputs": inputs})
    return True


def _remove(out: Path) -> None:
    """Deletes what the kit wrote, the manifest first, so that nothing half deleted looks whole."""
    for file in OWN_FILES[:-1]:
        (out / file).unlink(missing_ok=True)
    for shard in out.glob("data-*.arrow"):
        shard.unlink()
    _remove_staging(out)


def _remove_staging(out: Path) -> None:
    shutil.rmtree(out / "staging", ignore_errors=True)
    (out / "journal.jsonl").unlink(missing_ok=True)


def _index(staged: ShardReader) -> pd.DataFrame:
    columns = ("source", "reason", "object_id", "group", "ra", "dec", "labels", "snr")
    return pd.DataFrame({name: staged.column(name).to_pandas() for name in columns}).rename(columns={"source": "file"})


def _unread(tables: Mapping[str, pd.DataFrame], sources: Mapping[str, Reader]) -> pd.DataFrame:
    """What could not be read, as rows of ``drops.csv``."""
    lost = []
    for source, table in tables.items():
        bad = table[table["reason"].notna()]
        if len(bad) == len(table):
            reasons = "; ".join(dict.fromkeys(bad["reason"].head(100))) or "its files are empty."
            raise InputError(
                f"source {source!r}: nothing in its {len(sources[source].files())} files can be used. {reasons[:400]}"
            )
        lost.append(pd.DataFrame({"source": source, "object_id": bad["file"], "reason": bad["reason"]}))
    return pd.concat(lost)


def _finish(out: Path, values: dict[str, Any], drops: pd.DataFrame, ambiguous: Sequence[objects.Ambiguous]) -> None:
    """Writes what describes the shards, the manifest last, and removes what is no longer needed."""
    storage.publish(out / "drops.csv", lambda path: drops.to_csv(path, index=False))
    storage.publish(out / "ambiguous.csv", lambda path: pd.DataFrame(ambiguous).to_csv(path, index=False))
    files = [{"filename": shard["file"]} for shard in values["shards"]]
    blank: dict[str, Any] = {
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
    }
    state = {"_data_files": files, "_fingerprint": values["inputs"][:16], **blank, "_split": None}
    storage.write_json(out / "state.json", state)
    storage.write_json(out / "dataset_info.json", {"description": values["name"], "citation": "", "homepage": ""})
    reasons = drops.groupby(["source", "reason"]).size().sort_values(ascending=False, kind="stable")
    listed = [
        {"source": source, "reason": reason, "count": int(count)}
        for (source, reason), count in reasons.head(LISTED_REASONS).items()
    ]
    values |= {"dropped": len(drops), "drops": listed, "ambiguous": len(ambiguous)}
    storage.write_manifest(out, "dataset", values)
    _remove_staging(out)
