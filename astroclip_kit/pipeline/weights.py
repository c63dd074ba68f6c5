"""The verb that lists published weights and fetches them.

Hugging Face gives its files by plain HTTPS and states their checksums on the way, so its own package is not needed:
what is fetched from there is resumed, checked and spared in the same way as all else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import FileError, UsageError
from ..settings import Downloading
from .parts import Folder, words

if TYPE_CHECKING:
    from astropy.table import Table

    from ..download import Client, Outcome, Stored
    from ..encoders.weights import Weights

__all__ = ["weights"]

ACTIONS = ("list", "get")
GO_ON = "The same command goes on with what is missing."
STATED = "checksum that its server states"
WHOLE_CHECKSUM = 64  # hexadecimal digits
WIDTH = 118  # of a line on a terminal


def weights(
    action: str = "list",
    names: str | list[str] = "",
    *,
    out: Folder = "weights",
    mirror: str = "",
    downloads: Downloading = Downloading(),
) -> Table:
    """Lists the published weights that the kit knows, or fetches some of them.

    Files are fetched by HTTPS, also those of Hugging Face, and compared with their checksum, or with as much of it as
    is known; where nothing is, with their size, and they are said to be not verified. The same command goes on where it
    was interrupted, and leaves alone what is there and whole. What its publisher keeps where only a person can log in
    is said, with the place to put it.

    Args:
        action: "list", or "get" to fetch.
        names: Which weights, "spender-desi-edr,specformer"; a list shows all by default.
        out: Folder for the files.
        mirror: Another server that has the same paths, "https://example.org", for all that is fetched.
        downloads: How gently and how persistently, see `Downloading`.

    Returns:
        A row for each; it says how the files are used, what has to be done by hand, and what failed.

    Raises:
        RequestFailed: If none could be had.
    """
    from ..encoders.weights import WEIGHTS, weights_called

    if action not in ACTIONS:
        raise UsageError(f"weights can list or get, found {action!r}. To fetch some: weights get {action}")
    chosen = {one.name: one for one in map(weights_called, words(names))}
    if action == "list":
        return _listed(chosen.values() or WEIGHTS)
    if not chosen:
        raise UsageError("say which weights to get; astroclip-kit weights lists them.")
    return _fetched(chosen, Path(out), mirror, downloads)


def _listed(chosen: Iterable[Weights]) -> Table:
    from astropy.table import Table

    rows = [
        {
            "name": one.name,
            "encodes": one.encodes,
            "encoder": one.encoder or one.converts or "none yet",
            "size": _size(one.origin.size_mb),
            "licence": one.licence,
            "fetch": "by hand" if one.origin.by_hand else "https",
            "file": one.file,
            "sha256": one.origin.sha256,
            "address": one.origin.url,
            "cite": one.cite,
            "size_mb": one.origin.size_mb,
        }
        for one in chosen
    ]
    table = Table(rows=rows)
    details = [
        line for row in rows for line in ("", row["name"], *_lines(row["address"]), *_lines(f"cite {row['cite']}"))
    ]
    table.meta |= {"shown": ["name", "encodes", "encoder", "size", "licence", "fetch"], "details": details}
    table.meta["notes"] = ["", "checksums: --format csv", "next: astroclip-kit weights get NAME"]
    return table


def _lines(value: object) -> list[str]:
    """A long text, indented below the name of the weights."""
    return wrap(str(value), WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _size(size_mb: float) -> str:
    return "not stated" if math.isnan(size_mb) else f"{size_mb:.4g} MB"


def _fetched(chosen: Mapping[str, Weights], out: Path, mirror: str, downloads: Downloading) -> Table:
    """Fetches one after the other; what fails does not keep the others from coming."""
    from astropy.table import Table

    from ..download import Client, RequestFailed, acknowledged
    from ..storage import only_writer, writing

    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    rows, notes, failures = [], [""], {}
    with only_writer(out), Client(downloads) as client:
        finished = acknowledged(out, verify=downloads.verify)
        for name, one in chosen.items():
            path = out / one.file
            try:
                status, stored = _one(client, one, path, mirror, finished.get(one.origin.url))
            except (FileError, RequestFailed) as error:
                failures[name], status, stored = str(error), "failed", None
            size_mb, sha256 = (stored.size / 1e6, stored.sha256) if stored else (one.origin.size_mb, "")
            verified = _verified(one, stored) if stored else ""
            row = {"name": name, "status": status, "verified": verified, "file": str(path), "size": _size(size_mb)}
            rows.append({**row, "size_mb": size_mb, "sha256": sha256})
            notes += [name, *(f"  {line}" for line in _told(one, path, verified, sha256, failures.get(name, "")))]
    if len(failures) == len(rows):
        told = [f"{name}: {problem}" for name, problem in failures.items()]
        raise RequestFailed(f"{' '.join(told)} {GO_ON}")
    table = Table(rows=rows)
    table.meta |= {"shown": ["name", "status", "verified", "file", "size"], "notes": notes, "failed": len(failures)}
    return table


def _verified(one: Weights, stored: Stored | Outcome) -> str:
    """What a file that is there was compared with."""
    known = len(one.origin.sha256)
    if known:
        return "checksum" if known == WHOLE_CHECKSUM else f"{known} digits of its checksum"
    if getattr(stored, "stated", False) or getattr(stored, "reason", "") == STATED:
        return STATED
    return "not verified" if math.isnan(one.origin.size_mb) else "not verified, size fits"


def _told(one: Weights, path: Path, verified: str, sha256: str, problem: str) -> list[str]:
    """What there is to say of one file: why it is not there, how to get it, or how it is used."""
    if problem:
        return [problem, GO_ON]
    if not verified:
        return _by_hand(one, path)
    if verified.startswith("not"):
        return [*one.usage(path), f"no checksum is known to compare with; its SHA-256 is {sha256}"]
    return one.usage(path)


def _one(
    client: Client, one: Weights, path: Path, mirror: str, before: Outcome | None
) -> tuple[str, Stored | Outcome | None]:
    """What became of one file: its status, and its size and checksum where it is there now."""
    from ..download import Job, Outcome, get_file, hash_file
    from ..encoders.weights import check_file
    from ..progress import progress
    from ..storage import append_journal

    origin = one.origin
    if before is not None:
        return "there", before
    if origin.by_hand:
        if not path.exists():
            return "by hand", None
        check_file(path, one)
        stored = hash_file(path)
        if not stored.sha256.startswith(origin.sha256):
            raise FileError(path, f"its checksum begins with {stored.sha256[:8]}, expected {origin.sha256[:8]}.")
        return "there", stored
    url = mirror.rstrip("/") + urlsplit(origin.url).path if mirror else origin.url
    expected = None if math.isnan(origin.size_mb) else int(origin.size_mb * 1e6)
    with progress(total=expected, description=one.name, unit="B") as bar:
        received = [0]

        def count(size: int) -> None:
            received[0] += size
            bar.update(size)

        client.on_bytes = count
        stored = get_file(client, Job(path, (url,), partial(check_file, of=one), sha256=origin.sha256))
    outcome = Outcome(origin.url, "done", path.name, stored.sha256, stored.size, STATED if stored.stated else "")
    append_journal(path.parent, asdict(outcome))
    return "fetched" if received[0] else "there", stored


def _by_hand(one: Weights, path: Path) -> list[str]:
    return [
        one.origin.by_hand,
        f"Open {one.origin.url}, save the file as {path} and type:",
        f"astroclip-kit weights get {one.name} --out {path.parent}",
    ]
