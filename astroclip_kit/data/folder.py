"""A dataset folder while it is being written: where a run begins, and what makes the folder whole."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .. import storage
from ..errors import FolderError
from .chunks import staged_files
from .objects import Ambiguous

__all__ = ["begin", "finish"]

OWN_FILES = ("manifest.json", "dataset_info.json", "state.json", "drops.csv", "ambiguous.csv")
TEMPORARY = re.compile(r"\.[0-9a-f]{8}\.")  # the names that `storage.publish` writes under
LISTED_REASONS = 50


def begin(out: Path, inputs: str, quiet: bool) -> bool:
    """Prepares the folder, keeping what an interrupted run of the same inputs left.

    Args:
        out: The dataset folder.
        inputs: The fingerprint of what goes in.
        quiet: Does not say that it starts again.

    Returns:
        False if the folder is whole and holds this very dataset.

    Raises:
        FolderError: If the folder is something else.
        OutputError: If it may not be written.
    """
    whole = (out / "manifest.json").exists()
    journal = storage.read_journal(out)
    if whole and storage.open_folder(out, "dataset").get("inputs") == inputs:
        _remove_staging(out)
        return False
    if not whole and not journal and out.exists() and (out.is_file() or any(_foreign(out))):
        raise FolderError(f"{out} exists and was not written by astroclip_kit. Choose another output folder.")
    if whole or not journal or journal[0].get("inputs") != inputs:
        if (whole or journal) and not quiet:
            print(f"{out}: files or settings have changed since it was written; starting again.", file=sys.stderr)
        _start_again(out, inputs)
    return True


def _foreign(out: Path) -> Iterator[Path]:
    return (path for path in out.iterdir() if path.name != storage.LOCK and not TEMPORARY.match(path.name))


def _start_again(out: Path, inputs: str) -> None:
    """Deletes what the kit wrote but for what was read and can be used again.

    A journal stays throughout, so that the folder is known; it names inputs only when the folder is clean.
    """
    with storage.writing(out):
        out.mkdir(parents=True, exist_ok=True)
        entries = [
            entry
            for entry in storage.read_journal(out)
            if "source" in entry and all(map(Path.exists, _staged(out, entry)))
        ]
        _write_journal(out, [{"inputs": ""}, *entries])
        for file in OWN_FILES:
            (out / file).unlink(missing_ok=True)
        needed = {path for entry in entries for path in _staged(out, entry)}
        for path in [*out.glob("data-*.arrow"), *out.glob("staging/*/*")]:
            if path not in needed:
                path.unlink()
        _remove_temporary(out)
        _write_journal(out, [{"inputs": inputs}, *entries])


def _staged(out: Path, entry: Mapping[str, Any]) -> list[Path]:
    return [out / "staging" / entry["source"] / name for name in staged_files(entry)]


def _write_journal(out: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    storage.publish(out / "journal.jsonl", lambda path: path.write_text(lines))


def _remove_staging(out: Path) -> None:
    shutil.rmtree(out / "staging", ignore_errors=True)
    (out / "journal.jsonl").unlink(missing_ok=True)
    _remove_temporary(out)


def _remove_temporary(out: Path) -> None:
    """Deletes what a killed run was writing at that moment."""
    for path in out.iterdir():
        if TEMPORARY.match(path.name):
            path.unlink(missing_ok=True)


def finish(out: Path, values: Mapping[str, Any], drops: pd.DataFrame, ambiguous: Sequence[Ambiguous]) -> None:
    """Writes what describes the shards, the manifest last, and removes what is no longer needed.

    Args:
        out: The dataset folder.
        values: Of the manifest.
        drops: What was left out: source, dropped, reason.
        ambiguous: Matches that had a rival.

    Raises:
        OutputError: If the disk is full.
    """
    _write_csv(out / "drops.csv", drops)
    _write_csv(out / "ambiguous.csv", pd.DataFrame(ambiguous, columns=list(Ambiguous.__dataclass_fields__)))
    files = [{"filename": shard["file"]} for shard in values["shards"]]
    state = {"_data_files": files, "_fingerprint": values["inputs"], "_format_kwargs": {}}
    unset = dict.fromkeys(("_format_columns", "_format_type", "_split"))
    storage.write_json(out / "state.json", {**state, **unset, "_output_all_columns": False})
    storage.write_json(out / "dataset_info.json", {"description": values["name"], "citation": "", "homepage": ""})
    counts = drops.groupby(["source", "reason"], sort=False).size().sort_values(ascending=False, kind="stable")
    reasons = [
        {"source": source, "reason": reason, "count": int(count)}
        for (source, reason), count in counts.head(LISTED_REASONS).items()
    ]
    summary = {"dropped": len(drops), "drops": reasons, "ambiguous": len(ambiguous)}
    storage.write_manifest(out, "dataset", {**values, **summary})
    _remove_staging(out)


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    storage.publish(path, lambda temporary: table.to_csv(temporary, index=False))
