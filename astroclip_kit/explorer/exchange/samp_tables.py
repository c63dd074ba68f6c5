"""The bytes of a table that another program sends by its address, which must be on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

from ...errors import UsageError
from ..transfer import LARGEST_FILE

__all__ = ["ENDINGS", "fetched"]

ENDINGS = {"table.load.votable": ".vot", "table.load.fits": ".fits"}
HERE = (None, "", "localhost", "127.0.0.1")
PATIENCE = 30  # seconds


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """Nobody is sent elsewhere, which could be another machine."""


def _from_file(url: SplitResult) -> bytes:
    path = Path(unquote(url.path))
    if not path.is_file():  # nor a pipe, which may never end
        raise FileNotFoundError("there is no such file")
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def _from_server(url: SplitResult) -> bytes:
    with build_opener(ProxyHandler({}), _NoRedirect).open(url.geturl(), timeout=PATIENCE) as answer:
        content: bytes = answer.read(LARGEST_FILE + 1)
        told = int(answer.headers.get("Content-Length") or 0)
    if len(content) < min(told, LARGEST_FILE):
        raise ValueError(f"{len(content):,} of {told:,} bytes came")
    return content


READERS: dict[str, Callable[[SplitResult], bytes]] = {"file": _from_file, "http": _from_server}


def _named(told: str) -> str:
    """What a table is called; some programs give the address of its file for that."""
    return Path(told).stem if told.startswith("/") or "://" in told else told.replace("/", "_")


def fetched(mtype: str, about: Mapping[str, Any]) -> tuple[str, bytes]:
    """Name and content of the table of a message.

    Args:
        mtype: One of `ENDINGS`.
        about: Its parameters "url" and "name"; programs give the address of a file, or of a server of their own.

    Raises:
        UsageError: If it is on another machine, cannot be read, or is larger than what a page takes.
    """
    address, name = str(about.get("url", "")), _named(str(about.get("name") or "")) or "table"
    try:
        url = urlsplit(address)
        if not about.get("name"):
            name = Path(unquote(url.path)).stem or name
        if url.scheme not in READERS or url.hostname not in HERE:
            raise UsageError(f"the table {name!r} is at {address!r}, expected a file or a server of this machine.")
        content = READERS[url.scheme](url)
    except UsageError:
        raise
    except (OSError, ValueError, HTTPException) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"the table {name!r} cannot be read from {address!r} ({reason}). Send it again.") from error
    if len(content) > LARGEST_FILE:
        raise UsageError(f"the table {name!r} has more than {LARGEST_FILE / 1e6:,.0f} MB. Send less of it.")
    return f"{name}{ENDINGS[mtype]}", content
