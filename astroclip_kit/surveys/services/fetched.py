"""A folder of fetched observations: what may be put into it, and what it says of itself.

``cutouts/`` and ``spectra/`` hold the files as the readers read them, ``fetched.csv`` has a row per object with its
files and their checksums, ``failed.csv`` says what is missing and why, ``request.json`` what was asked for, and
``journal.jsonl`` what is done.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from ...download import Client, Outcome, acknowledged, run_tasks
from ...errors import FolderError, UsageError
from ...settings import Downloading
from ...storage import LOCK, MANIFEST, only_writer, publish, read_json, write_json, write_manifest, writing
from .service import Service, asked_of
from .targets import Target, targets_of

__all__ = ["Fetched", "fetch_observations"]

REQUEST = "request.json"
Row = dict[str, str | float]


@dataclass(frozen=True, repr=False)
class Fetched(os.PathLike[str]):
    """What a folder of fetched observations holds.

    Args:
        root: The folder.
        counts: What is fetched ("image", "spectrum") to the number of objects whose file is "done", "absent" (the
            service has none) or "failed".
        left_out: Rows of the table that name no object.
    """

    root: Path
    counts: Mapping[str, Mapping[str, int]]
    left_out: int = 0

    def __fspath__(self) -> str:
        return str(self.root)

    def __repr__(self) -> str:
        lines = [
            f"  {name}: {counts.get('done', 0)} fetched, {counts.get('absent', 0)} not there, "
            f"{counts.get('failed', 0)} failed"
            for name, counts in self.counts.items()
        ]
        number = "1 row of the table names" if self.left_out == 1 else f"{self.left_out} rows of the table name"
        rows = [f"  {number} no object"] if self.left_out else []
        missing = self.left_out + sum(sum(counts.values()) - counts.get("done", 0) for counts in self.counts.values())
        again = "the same command tries again what failed, but does not ask again for what is not there"
        why = [f"  failed.csv says why; {again}"] if missing else []
        return "\n".join([f"{self.root}: fetched observations", *lines, *rows, *why, f"  next: {self._command()}"])

    def _command(self) -> str:
        """How to ingest it: cutouts have the ids of the table, spectra those of their survey."""
        folders = {"image": ("--images", "cutouts"), "spectrum": ("--spectra", "spectra")}
        flags = [f"{folders[name][0]} {quote(str(self.root / folders[name][1]))}" for name in self.counts]
        return " ".join(["astroclip-kit ingest data", *flags, *(["--by position"] if len(flags) > 1 else [])])


def fetch_observations(
    table: str | Path, services: Sequence[Service], root: str | Path, settings: Downloading, *, quiet: bool = False
) -> Fetched:
    """Downloads the observations of the objects of a table; a second run fetches what is not there yet.

    Args:
        table: A table with ids or coordinates, see `targets_of`.
        services: Where they come from.
        root: The folder; goes on where it was interrupted.
        settings: How gently and how persistently.
        quiet: Shows no progress.

    Raises:
        FileError: If the table cannot be read.
        FolderError: If the folder is something else or of another request, or nothing could be fetched.
        UsageError: If the table has nothing that a service could be asked with.
        OutputError: If something cannot be written.
    """
    root = Path(root)
    targets, left_out = targets_of(table)
    for service in services:
        if not any(map(service.can_ask, targets)):
            raise UsageError(
                f"{table}: the {service.name} of an object needs {service.needs}; none of the rows has it."
            )
    with only_writer(root), Client(settings) as client:
        _begin(root, services)
        known = acknowledged(root, verify=settings.verify)
        for service in services:
            possible = [target for target in targets if service.can_ask(target)]
            new = [target for target in possible if asked_of(service, target) not in known]
            for outcome in run_tasks(client, root, service.tasks(new, client, root), total=len(new), quiet=quiet):
                known[outcome.asked] = outcome
        outcomes = [[_outcome(service, target, known) for service in services] for target in targets]
        _write_tables(root, services, targets, outcomes, left_out)
        counts = {one.name: Counter(row[n].status for row in outcomes) for n, one in enumerate(services)}
        requests = {one.name: one.request for one in services}
        write_manifest(root, "survey", {"objects": len(targets), "fetched": counts, "request": requests})
    if not any(number["done"] for number in counts.values()):
        reason = next(one.reason for row in outcomes for one in row)
        failed = any(number["failed"] for number in counts.values())
        way_out = "Check the network; the same command goes on." if failed else "Check the ids and positions."
        raise FolderError(f"{root}: nothing could be fetched; the first reason of failed.csv: {reason} {way_out}")
    return Fetched(root, counts, len(left_out))


def _outcome(service: Service, target: Target, known: Mapping[str, Outcome]) -> Outcome:
    asked = asked_of(service, target)
    problem = f"needs {service.needs}: ra {target.ra}, dec {target.dec} degrees."
    return known.get(asked) or Outcome(asked, "failed", reason=problem)


def _begin(root: Path, services: Sequence[Service]) -> None:
    """Makes sure that what comes fits what is there."""
    foreign = not (root / REQUEST).exists()
    if foreign and (root.is_file() or (root.is_dir() and any(path.name != LOCK for path in root.iterdir()))):
        raise FolderError(f"{root} exists and was not written by fetch. Choose another output folder.")
    earlier = {} if foreign else read_json(root / REQUEST)
    for service in services:
        before = earlier.get(service.name, service.request)
        if before != service.request:
            differing = [key for key in {**before, **service.request} if before.get(key) != service.request.get(key)]
            what = ", ".join(f"{key} {before.get(key)!r} and not {service.request.get(key)!r}" for key in differing)
            raise FolderError(
                f"{root} holds files of another request: {service.name} with {what}. Choose another --out."
            )
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        (root / MANIFEST).unlink(missing_ok=True)
    write_json(root / REQUEST, {**earlier, **{service.name: service.request for service in services}})


def _write_tables(
    root: Path,
    services: Sequence[Service],
    targets: Sequence[Target],
    outcomes: Sequence[Sequence[Outcome]],
    left_out: Mapping[int, str],
) -> None:
    """Writes failed.csv, and fetched.csv, which keeps what earlier runs said of other objects and observations."""
    rows = _read_csv(root / "fetched.csv")
    failures: list[Row] = []
    for target, row in zip(targets, outcomes, strict=True):
        place: Row = {"object_id": target.object_id, "ra": target.ra, "dec": target.dec}
        files = rows.setdefault(target.object_id, {})
        files.update(place)
        for service, one in zip(services, row, strict=True):
            name = service.name
            files.update({name: one.file, f"{name}_sha256": one.sha256, f"{name}_status": one.status})
            if one.status != "done":
                failures.append({**place, "what": name, "status": one.status, "reason": one.reason})
    failures += [{"what": "table", "status": "failed", "reason": f"row {n}: {why}"} for n, why in left_out.items()]
    _write_csv(root / "fetched.csv", list(dict.fromkeys(name for row in rows.values() for name in row)), rows.values())
    _write_csv(root / "failed.csv", ["object_id", "ra", "dec", "what", "status", "reason"], failures)


def _read_csv(path: Path) -> dict[str, Row]:
    """Rows by object id; none if there is no such file."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as stream:
        return {row["object_id"]: dict(row) for row in csv.DictReader(stream)}


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as stream:
            table = csv.DictWriter(stream, columns)
            table.writeheader()
            table.writerows(rows)

    publish(path, write)
