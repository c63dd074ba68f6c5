"""A dataset folder while it is being written: where a run begins, and what makes the folder whole.

An older dataset stays until a new one is complete: shards are called after what went into them, so that those of both
lie side by side, and the manifest, which names one set of them, is replaced in one step.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from .. import storage
from ..errors import FolderError
from .chunks import staged_files
from .objects import Ambiguous

__all__ = ["begin", "finish"]

BESIDE = ("dataset_info.json", "state.json", "drops.csv", "ambiguous.csv")  # the manifest
FINISHED = "staging/.finished"  # where all of them are written first; no source is called so
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
    whole = (out / storage.MANIFEST).exists()
    journal = storage.read_journal(out)
    if whole and storage.open_folder(out, "dataset").get("inputs") == inputs:
        _settle(out)
        return False
    if not whole and not journal and out.exists() and (out.is_file() or any(_foreign(out))):
        raise FolderError(f"{out} exists and was not written by astroclip_kit. Choose another output folder.")
    if not journal or journal[0].get("inputs") != inputs:
        if (whole or journal) and not quiet:
            stays = " The older dataset stays until the new one is complete." if whole else ""
            changed = "files or settings have changed since it was written; starting again"
            print(f"{out}: {changed}.{stays}", file=sys.stderr)
        _start_again(out, inputs)
    return True


def _foreign(out: Path) -> Iterator[Path]:
    return (path for path in out.iterdir() if path.name != storage.LOCK and not TEMPORARY.match(path.name))


def _start_again(out: Path, inputs: str) -> None:
    """Deletes what an interrupted run wrote but for what was read and can be used again.

    A journal stays throughout, so that the folder is known; it names inputs only when the folder is clean.
    """
    with storage.writing(out):
        out.mkdir(parents=True, exist_ok=True)
        if (out / storage.MANIFEST).exists():
            _publish_finished(out)
        entries = [
            entry
            for entry in storage.read_journal(out)
            if "source" in entry and all(map(Path.exists, _staged(out, entry)))
        ]
        _write_journal(out, [{"inputs": ""}, *entries])
        needed = {path for entry in entries for path in _staged(out, entry)}
        for path in out.glob("staging/*/*"):
            if path not in needed:
                path.unlink()
        _remove_shards(out)
        _remove_temporary(out)
        _write_journal(out, [{"inputs": inputs}, *entries])


def _staged(out: Path, entry: Mapping[str, Any]) -> list[Path]:
    return [out / "staging" / entry["source"] / name for name in staged_files(entry)]


def _write_journal(out: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    storage.publish(out / "journal.jsonl", lambda path: path.write_text(lines))


def _settle(out: Path) -> None:
    """Makes a whole folder hold what its manifest says, and nothing of other runs."""
    _publish_finished(out)
    _remove_shards(out)
    _remove_staging(out)


def _publish_finished(out: Path) -> None:
    """Puts the files beside the manifest that a run which was killed at its very end did not come to."""
    finished = out / FINISHED / storage.MANIFEST
    if finished.exists() and finished.read_bytes() == (out / storage.MANIFEST).read_bytes():
        _publish(out, BESIDE)


def _publish(out: Path, names: Sequence[str]) -> None:
    for name in names:
        storage.publish(out / name, partial(shutil.copyfile, out / FINISHED / name))


def _remove_shards(out: Path) -> None:
    """Deletes the shards of no dataset."""
    manifest = storage.open_folder(out, "dataset") if (out / storage.MANIFEST).exists() else {}
    named = {shard["file"] for shard in manifest.get("shards", [])}
    for path in out.glob("data-*.arrow"):
        if path.name not in named:
            path.unlink()


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
    """Writes what describes the shards, puts it in the place of an older dataset, and removes what is not needed.

    Args:
        out: The dataset folder.
        values: Of the manifest.
        drops: What was left out: source, dropped, reason.
        ambiguous: Matches that had a rival.

    Raises:
        OutputError: If the disk is full.
    """
    new = out / FINISHED
    _write_csv(new / "drops.csv", drops)
    _write_csv(new / "ambiguous.csv", pd.DataFrame(ambiguous, columns=list(Ambiguous.__dataclass_fields__)))
    files = [{"filename": shard["file"]} for shard in values["shards"]]
    state = {"_data_files": files, "_fingerprint": values["inputs"], "_format_kwargs": {}}
    unset = dict.fromkeys(("_format_columns", "_format_type", "_split"))
    storage.write_json(new / "state.json", {**state, **unset, "_output_all_columns": False})
    storage.write_json(new / "dataset_info.json", {"description": values["name"], "citation": "", "homepage": ""})
    counts = drops.groupby(["source", "reason"], sort=False).size().sort_values(ascending=False, kind="stable")
    reasons = [
        {"source": source, "reason": reason, "count": int(count)}
        for (source, reason), count in counts.head(LISTED_REASONS).items()
    ]
    summary = {"dropped": len(drops), "drops": reasons, "ambiguous": len(ambiguous)}
    storage.write_manifest(new, "dataset", {**values, **summary})
    older = (out / storage.MANIFEST).exists()
    _publish(out, (storage.MANIFEST, *BESIDE) if older else (*BESIDE, storage.MANIFEST))
    _remove_shards(out)
    _remove_staging(out)


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    storage.publish(path, lambda temporary: table.to_csv(temporary, index=False))
