"""One writer per folder: a second process that would write the same folder is refused, so that no files mix."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import FolderError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["LOCK", "only_writer"]

LOCK = ".lock"  # its name in the folder


@contextmanager
def only_writer(folder: str | Path) -> Iterator[None]:
    """Keeps other processes from writing a folder until the block ends.

    The system releases the lock of a process that is killed, and processes that it started do not hold it. Where
    folders cannot be locked (some network disks, a disk that may only be read) nothing is held.

    Args:
        folder: The folder; made if it is not there.

    Raises:
        FolderError: If another process is writing it.
    """
    path = Path(folder) / LOCK
    handle = None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        while handle is None:
            handle = _locked(path)
    try:
        yield
    finally:
        if handle is not None:
            path.unlink(missing_ok=True)
            os.close(handle)


def _locked(path: Path) -> int | None:
    """The locked file; None if its last owner has removed it meanwhile."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if fcntl is not None:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
            os.truncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
            return handle
    except (BlockingIOError, PermissionError) as error:
        owner = os.pread(handle, 200, 0).decode(errors="replace") or "another process"
        os.close(handle)
        raise FolderError(
            f"{path.parent} is being written by {owner}. Wait until it ends, or choose another output folder."
        ) from error
    except OSError:
        os.close(handle)
        raise
    os.close(handle)
    return None
