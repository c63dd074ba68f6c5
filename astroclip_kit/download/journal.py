"""Many downloads into one folder, with a journal: whatever ends a run, the next one goes on after the last file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from ..progress import progress
from ..settings import Downloading
from ..storage import append_journal, hash_json, only_writer, read_journal, writing
from .client import Client
from .files import Job, get_file, hash_file
from .problems import NotThere, RequestFailed

__all__ = ["Outcome", "Task", "acknowledged", "download", "file_task", "run_tasks"]

JOURNAL = "journal.jsonl"
AHEAD = 4  # tasks that are ready for each connection


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing that was asked for.

    Args:
        asked: Says what was asked for; the same for the same thing.
        status: "done", "absent" (the service has no such thing) or "failed".
        file: Its file in the folder.
        sha256: Checksum of the file.
        size: Bytes.
        reason: Why there is no file, or what is known of one.
    """

    asked: str
    status: Literal["done", "absent", "failed"]
    file: str = ""
    sha256: str = ""
    size: int = 0
    reason: str = ""


Task = Callable[[], Sequence[Outcome]]


def file_task(client: Client, job: Job, folder: Path, asked: str) -> Task:
    """A task that downloads one file."""

    def task() -> list[Outcome]:
        try:
            stored = get_file(client, job)
        except RequestFailed as error:
            return [Outcome(asked, "absent" if isinstance(error, NotThere) else "failed", reason=str(error))]
        return [Outcome(asked, "done", job.path.relative_to(folder).as_posix(), stored.sha256, stored.size)]

    return task


def acknowledged(folder: Path, *, verify: bool = False) -> dict[str, Outcome]:
    """What earlier runs have finished, by what was asked: files that are as they came, and what no service has.

    A file that is not as it came is deleted, so that it is fetched again. Sizes are compared always, checksums of
    files that were touched after the last line of the journal.

    Args:
        folder: Where the journal is; nobody else may be writing it.
        verify: Compares all checksums.
    """
    found: dict[str, Outcome] = {}
    last: dict[str, Outcome] = {}  # of each file: an object that moved has the file of its old place no more
    for entry in read_journal(folder):
        if entry.keys() == Outcome.__dataclass_fields__.keys():
            outcome = Outcome(**entry)
            found[outcome.asked] = last[outcome.file] = outcome
    since = 0 if verify or not found else (folder / JOURNAL).stat().st_mtime_ns
    there = {name for name in last if name and (folder / name).is_file()}
    spoilt = {name for name in there if not _is_as_it_came(folder / name, last[name], since)}
    for name in spoilt:
        with writing(folder / name):
            (folder / name).unlink()
    if spoilt:
        print(f"{folder}: files changed after they came and are fetched again: {_listed(spoilt)}.", file=sys.stderr)
    kept = {name: last[name].sha256 for name in there - spoilt}
    return {key: one for key, one in found.items() if one.status == "absent" or kept.get(one.file) == one.sha256}


def _is_as_it_came(path: Path, outcome: Outcome, since: int) -> bool:
    facts = path.stat()
    if facts.st_size != outcome.size:
        return False
    return facts.st_mtime_ns < since or hash_file(path).sha256 == outcome.sha256


def _listed(names: set[str]) -> str:
    first = ", ".join(sorted(names)[:3])
    return f"{first} and {len(names) - 3} more" if len(names) > 3 else first


def run_tasks(
    client: Client, folder: Path, tasks: Iterable[Task], *, total: int = 0, quiet: bool = False
) -> Iterator[Outcome]:
    """Runs tasks, as many at once as there are connections, and notes every outcome in the folder's journal.

    Args:
        client: Who asks; is stopped when this ends early.
        folder: Where the journal is.
        tasks: Taken one by one, shortly before they run: a million need no memory.
        total: Number of outcomes to come, for the progress bar.
        quiet: Shows no progress.

    Yields:
        The outcomes, in the order in which they come.

    Raises:
        OutputError: If something cannot be written.
    """
    stream, running = iter(tasks), set[Future[Sequence[Outcome]]]()
    pool = ThreadPoolExecutor(client.settings.connections)
    bar = progress(total=total or None, description="fetching", unit="file", quiet=quiet)
    try:
        while True:
            ready = islice(stream, AHEAD * client.settings.connections - len(running))
            running |= {pool.submit(task) for task in ready}
            if not running:
                break
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                for outcome in future.result():
                    append_journal(folder, asdict(outcome))
                    bar.update()
                    yield outcome
    except BaseException:
        client.stopped.set()
        raise
    finally:
        bar.close()
        pool.shutdown(cancel_futures=True)


def download(
    jobs: Iterable[Job], folder: str | Path, settings: Downloading = Downloading(), *, quiet: bool = False
) -> list[Outcome]:
    """Downloads files into a folder; a second run fetches only what is not there yet.

    Args:
        jobs: What to download, with paths under the folder.
        folder: Gets the files and the journal.
        settings: How gently and how persistently.
        quiet: Shows no progress.

    Returns:
        What became of each job, in any order.

    Raises:
        OutputError: If something cannot be written.
        FolderError: If another process is writing the folder.
    """
    folder = Path(folder)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    asked = {hash_json([str(job.path.relative_to(folder)), job.urls, job.size, job.sha256]): job for job in jobs}
    with only_writer(folder), Client(settings) as client:
        known = acknowledged(folder, verify=settings.verify)
        new = {key: job for key, job in asked.items() if key not in known}
        tasks = (file_task(client, job, folder, key) for key, job in new.items())
        done = list(run_tasks(client, folder, tasks, total=len(new), quiet=quiet))
    return [known[key] for key in asked if key in known] + done
