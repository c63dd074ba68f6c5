"""How something whole takes the place of something older, and what becomes of the rest that a killed writer leaves.

What is being written lies beside its place under a hidden name, which says which process of which machine writes it.
Whoever comes next clears away what nobody writes any more. Leftovers of another machine, whose processes cannot
be seen from here, stay.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

from .hashes import hash_text

__all__ = ["MANIFEST", "hidden", "mend", "replace_folder", "settle", "sweep"]

MANIFEST = "manifest.json"
STAMP = r"\.(?P<machine>[0-9a-f]{8})-(?P<process>[0-9]+)-[0-9a-f]{8}(?P<old>-old)?\."


def hidden(path: Path, mark: str = "") -> Path:
    """A free hidden name beside a path, with the same suffix, that says who uses it."""
    return path.with_name(f".{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}{mark}.{path.name}")


@cache
def _machine() -> str:
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")  # a container counts processes from 1
    return hash_text(socket.gethostname(), space)[:8]


def settle(file: Path) -> None:
    """Brings a file to the disk; what safetensors writes for its owner alone gets the rights of any new file."""
    if not file.stat().st_mode & 0o077:
        new = hidden(file)
        new.touch()
        file.chmod(new.stat().st_mode & 0o666)
        new.unlink()
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def replace_folder(new: Path, path: Path) -> None:
    """Puts a folder in the place of an older one, by two renames; files of others in the older one are kept."""
    old = hidden(path, "-old")
    path.rename(old)
    new.rename(path)
    _clear_old(old, path)


def mend(path: Path) -> None:
    """Puts a folder back whose writer was killed between the two renames, and removes what else killed ones left."""
    with suppress(OSError, ValueError):
        left = _left(path.parent, re.escape(path.name))
        for one in sorted(left, key=lambda one: one.stat().st_mtime, reverse=True):
            if one.name.split(".")[1].endswith("-old"):
                _clear_old(one, path) if path.exists() else one.rename(path)
            elif one.is_dir():
                shutil.rmtree(one)
            else:
                one.unlink()


@cache
def sweep(folder: Path) -> None:
    """Removes, once in the life of a process, the half files that killed writers left in a folder."""
    with suppress(OSError):
        for one in _left(folder, ".*"):
            if one.is_file():
                one.unlink()


def _left(folder: Path, names: str) -> list[Path]:
    """What writers that are no more left under hidden names."""
    found = ((re.fullmatch(STAMP + names, name), folder / name) for name in os.listdir(folder))
    return [path for match, path in found if match and match["machine"] == _machine() and _dead(int(match["process"]))]


def _dead(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 only asks
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def _clear_old(old: Path, new: Path) -> None:
    """Moves what the kit did not write to the new folder, and removes the rest."""
    names = os.listdir(old)
    own = json.loads((old / MANIFEST).read_text()).get("files", names) if MANIFEST in names else []
    for name in set(names) - set(own):
        if not (new / name).exists():
            (old / name).rename(new / name)
    shutil.rmtree(old)
