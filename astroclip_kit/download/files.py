"""One file from the network: resumed where possible, checked, and only then given its name.

What has come so far of ``NAME`` lies beside it as ``.NAME.part``; ``.NAME.tag`` says which version of which address it
is of, so that a later attempt, or a later run, asks for the rest of that very version and for nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileError
from ..storage import writing
from .client import Client
from .problems import RANGE_NOT_SATISFIABLE, NotThere, RequestFailed, TryAgain

if TYPE_CHECKING:
    from requests import Response

__all__ = ["Job", "Stored", "get_file", "hash_file"]


def _accept(path: Path) -> None:
    """Takes any file."""


@dataclass(frozen=True)
class Job:
    """One file to download.

    Args:
        path: Where it goes.
        urls: Its addresses, asked in this order until one has it.
        check: Judges, and may amend, the file before it gets its name: raises `FileError` if it is not what was
            asked for, `NotThere` if it says that there is nothing to have.
        size: Bytes, where known.
        sha256: Hexadecimal checksum, or its first digits, where known. Where nothing is, a file is compared with what
            a hub of models states of it.
    """

    path: Path
    urls: tuple[str, ...]
    check: Callable[[Path], None] = _accept
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Stored:
    """A file that is there.

    Args:
        sha256: Its checksum.
        size: Bytes.
        stated: Whether it came just now, with that checksum stated by the server.
    """

    sha256: str
    size: int
    stated: bool = False


def hash_file(path: Path) -> Stored:
    """Checksum and size of a file."""
    with path.open("rb") as stream:
        return Stored(hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)


def get_file(client: Client, job: Job) -> Stored:
    """Downloads a file, unless a whole one that passes the checks is there.

    Args:
        client: Who asks.
        job: What for.

    Returns:
        Checksum and size of the file that is there now.

    Raises:
        NotThere: If no address has it.
        RequestFailed: If it could not be had.
        OutputError: If it cannot be written.
    """
    with client.turn(job.path):
        if job.path.exists() and not _complaint(job.path, job):
            return hash_file(job.path)
        if not job.path.parent.exists():
            with writing(job.path):
                job.path.parent.mkdir(parents=True, exist_ok=True)
        missing = NotThere(f"{job.path.name}: no address was given.")
        part, tag = _beside(job.path)
        try:
            for url in job.urls:
                try:
                    stated = client.persist(url, lambda url=url: _attempt(client, url, job))  # type: ignore[misc]
                    return replace(hash_file(job.path), stated=stated)
                except NotThere as error:
                    missing = error
            raise missing
        finally:
            if part.exists() and not tag.exists():  # nobody can go on with it
                part.unlink()


def _beside(path: Path) -> tuple[Path, Path]:
    """What has come of a file so far, and which version of which address that is of."""
    return path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.tag")


def _complaint(path: Path, job: Job) -> str:
    """What is wrong with a file, "" if nothing is.

    Raises:
        NotThere: If it says that there is nothing to have.
    """
    try:
        if job.size and (size := path.stat().st_size) != job.size:
            return f"it has {size} bytes, expected {job.size}"
        if job.sha256 and not (found := hash_file(path).sha256).startswith(job.sha256):
            return f"its checksum begins with {found[:12]}, expected {job.sha256[:12]}"
        job.check(path)
    except FileError as error:
        return error.problem.rstrip(".")
    return ""


def _attempt(client: Client, url: str, job: Job) -> bool:
    """One request for the file, or for the rest of it; whether the server stated a checksum."""
    part, tag = _beside(job.path)
    offset = part.stat().st_size if part.exists() and tag.exists() else 0
    version = tag.read_text().removeprefix(f"{url}\n") if offset else ""
    known = offset and not version.startswith("http")
    headers = {"Range": f"bytes={offset}-", "If-Range": version} if known else {}
    with client.stream(url, headers) as response:
        rest = response.status_code == 206
        if response.status_code == RANGE_NOT_SATISFIABLE or (rest and not _begins_at(response, offset)):
            tag.unlink(missing_ok=True)
            raise TryAgain("the server does not send the rest of the file that was begun")
        with writing(job.path):
            if not rest:
                tag.unlink(missing_ok=True)
                part.write_bytes(b"")
                if version := _version(response):
                    tag.write_text(f"{url}\n{version}")
            stream = part.open("ab")
        try:
            with stream:
                for chunk in client.chunks(response, offset if rest else 0):
                    with writing(job.path):
                        stream.write(chunk)
        except RequestFailed:
            tag.unlink(missing_ok=True)
            raise
    stated = _stated(response)
    try:
        if complaint := _complaint(part, replace(job, sha256=job.sha256 or stated)):
            raise TryAgain(complaint)
        with writing(job.path), part.open("rb") as whole:
            os.fsync(whole.fileno())
            part.replace(job.path)
    finally:
        part.unlink(missing_ok=True)
        tag.unlink(missing_ok=True)
    return bool(stated)


def _stated(response: Response) -> str:
    """The checksum that a hub of models states when it sends one to where a large file lies; "" if none does."""
    tags = (one.headers.get("X-Linked-Etag", "").strip('"') for one in response.history)
    return next((tag for tag in tags if re.fullmatch("[0-9a-f]{64}", tag)), "")


def _begins_at(response: Response, offset: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {offset}-")


def _version(response: Response) -> str:
    """What tells this version of a file from others; "" if nothing does, or no part of it can be asked for."""
    tag = response.headers.get("ETag", "")
    strong = "" if tag.startswith("W/") else tag
    ranges = response.headers.get("Accept-Ranges", "") == "bytes"
    return (strong or response.headers.get("Last-Modified", "")) if ranges else ""
