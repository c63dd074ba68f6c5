"""What the kit writes survives ``kill -9``: under a temporary name in the same folder, fsync, rename.

A folder of the kit is whole when, and only when, it holds its manifest (``manifest.json``), which is written
last. Writers that resume keep a journal of what is finished; one-shot writers use `new_folder`. Nothing is
ever pickled.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .errors import FolderError, OutputError
from .hashes import hash_ids, hash_json, hash_text, json_text, plain
from .locks import LOCK, only_writer
from .replacement import MANIFEST, hidden, mend, replace_folder, settle, sweep

__all__ = [
    "FORMAT_VERSION",
    "LOCK",
    "MANIFEST",
    "append_journal",
    "check_output",
    "hash_ids",
    "hash_json",
    "hash_text",
    "json_text",
    "new_folder",
    "only_writer",
    "open_folder",
    "own_manifest",
    "publish",
    "read_array",
    "read_journal",
    "read_json",
    "write_json",
    "write_manifest",
    "writing",
]

FORMAT_VERSION = 1
T = TypeVar("T")


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turns a full disk or a missing permission into one clear error.

    Raises:
        OutputError: Names the path and says what to do.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise OutputError(f"{path}: no space left to write. Free some and run the same command again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise OutputError(f"{path}: not allowed to write here. Choose another output folder.") from error
        if error.errno in (errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EIO):
            what = ": ".join(map(str, filter(None, (error.strerror, error.filename))))
            raise OutputError(f"{path}: cannot be written ({what}). Choose another output folder.") from error
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(path: str | Path, write: Callable[[Path], T], lasting: bool = True) -> T:
    """Writes one file so that it is either absent or whole.

    Args:
        path: The file's final name.
        write: Writes the file at the temporary path that it is given (same folder, same suffix).
        lasting: Brings it to the disk at once, which is slow for thousands of small files.

    Returns:
        What `write` returned.

    Raises:
        OutputError: If the disk is full or the folder may not be written.
    """
    path = Path(path)
    temporary = hidden(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent.absolute())
        try:
            result = write(temporary)
            if lasting:
                settle(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        if lasting:
            _sync_folder(path.parent)
    return result


def write_json(path: str | Path, value: Any) -> None:
    """Writes plain values as JSON, atomically; NaN becomes null, and many numbers are one line."""
    text = json_text(value)
    publish(path, lambda temporary: temporary.write_text(text))


def read_json(path: str | Path) -> Any:
    """Reads JSON.

    Raises:
        FolderError: If the file is not JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        problem = f"damaged, it is not JSON ({error}). Delete the folder and write it again."
        raise FolderError(f"{path}: {problem}") from error


def own_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a folder of the kit; nothing if there is none, or it is of others, whatever it holds."""
    try:
        found = json.loads((Path(folder) / MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"format_version", "astroclip_kit"} <= set(found) else {}


def check_output(path: str | Path, kind: str) -> None:
    """Makes sure that a folder of some kind may be written: nothing but an older one is there.

    Args:
        path: The folder to write.
        kind: What it will be, as in `write_manifest`.

    Raises:
        FolderError: If something else is in the way: a file, a folder that the kit did not write,
            one of another kind or of a newer version.
    """
    path = Path(path)
    mend(path)
    if (path / MANIFEST).is_file():
        found = open_folder(path, "")["kind"]
        if found != kind:
            expected = f"expected {_a(kind)} folder or nothing in the way. Choose another output folder."
            raise FolderError(f"{path} is {_a(found)} folder, {expected}")
    elif path.is_file() or (path.is_dir() and set(os.listdir(path)) - {LOCK}):
        raise FolderError(f"{path} exists and was not written by astroclip_kit. Choose another output folder.")


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def read_array(path: str | Path) -> npt.NDArray[Any]:
    """Reads a small array of a folder.

    Raises:
        FolderError: If the file is missing or damaged.
    """
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise FolderError(f"{path}: damaged or missing ({error}). Delete the folder and write it again.") from error


@contextmanager
def new_folder(path: str | Path, kind: str) -> Iterator[Path]:
    """Gives an empty temporary folder beside `path`, and renames it to `path` when the block ends well.

    An older folder of the same kind is replaced, but for files of others in it; anything else is refused. That
    takes two renames: a process killed between them leaves the older folder under a hidden name, from which
    the next `open_folder` or writer brings it back. What else a killed writer leaves, the next one removes.

    Args:
        path: The folder to write.
        kind: What it will be, as in `write_manifest`.

    Raises:
        FolderError: If something else is in the way.
        OutputError: If the disk is full or the parent may not be written.
    """
    path = Path(path)
    check_output(path, kind)
    temporary = hidden(path)
    with writing(path):
        temporary.mkdir(parents=True)
        try:
            yield temporary
            _list_files(temporary)
            files = [file for file in temporary.rglob("*") if file.is_file()]
            with ThreadPoolExecutor(8) as pool:  # a journalling file system joins what waits: 20 times faster
                list(pool.map(settle, files))
            if path.exists():
                replace_folder(temporary, path)
            else:
                temporary.rename(path)
            _sync_folder(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _list_files(folder: Path) -> None:
    """Notes in the manifest what the kit wrote."""
    if (folder / MANIFEST).exists():
        write_json(folder / MANIFEST, {**read_json(folder / MANIFEST), "files": sorted(os.listdir(folder))})


def write_manifest(folder: str | Path, kind: str, values: Mapping[str, Any]) -> None:
    """Writes the manifest, which makes the folder whole: the last act of every writer.

    Args:
        folder: The folder.
        kind: "dataset", "features", "model", "embeddings", "results" or "survey".
        values: What describes the content.
    """
    from . import __version__

    head = {"kind": kind, "format_version": FORMAT_VERSION, "astroclip_kit": __version__}
    write_json(Path(folder) / MANIFEST, {**head, **values})


def open_folder(folder: str | Path, kind: str) -> dict[str, Any]:
    """Reads the manifest of a folder and checks that it is what is expected.

    Args:
        folder: The folder.
        kind: What it must be; "" for any folder of the kit.

    Returns:
        The manifest.

    Raises:
        FolderError: If the folder is missing, incomplete, of another kind, or written by a newer version.
    """
    folder = Path(folder)
    if not folder.exists():
        mend(folder)
    if not folder.is_dir():
        what = "is a file" if folder.is_file() else "no such folder"
        raise FolderError(f"{folder}: {what}. Expected {_a(kind or 'kit')} folder.")
    if not (folder / MANIFEST).exists():
        begun = "The command that writes it was interrupted: run it again."
        way_out = begun if (folder / "journal.jsonl").exists() else "Was it written by astroclip_kit?"
        if len(inside := [one for one in folder.iterdir() if kind and own_manifest(one).get("kind") == kind]) == 1:
            way_out = f"Did you mean {inside[0]}?"
        raise FolderError(f"{folder} is not a complete {kind or 'kit'} folder: it has no {MANIFEST}. {way_out}")
    manifest = own_manifest(folder)
    if not manifest:
        raise FolderError(f"{folder}: {MANIFEST} was not written by astroclip_kit, or it is damaged.")
    if manifest["format_version"] > FORMAT_VERSION:
        raise FolderError(
            f"{folder} was written by a newer astroclip_kit: its folder format is {manifest['format_version']}, this "
            f"one reads up to {FORMAT_VERSION}. Update: pip install -U astroclip_kit."
        )
    if kind and manifest["kind"] != kind:
        raise FolderError(f"{folder} is {_a(manifest['kind'])} folder, expected {_a(kind)} folder.")
    return manifest


def append_journal(folder: str | Path, entry: Mapping[str, Any]) -> None:
    """Adds one line to the folder's journal; when this returns, the line survives a power cut."""
    path = Path(folder) / "journal.jsonl"
    with writing(path), path.open("a+b") as handle:
        if handle.tell() and not _ends_line(handle):
            handle.write(b"\n")  # the last line was cut off by a crash; it must not swallow this one
        handle.write(json.dumps(plain(entry)).encode() + b"\n")
        handle.flush()
        os.fsync(handle.fileno())


def _ends_line(handle: Any) -> bool:
    handle.seek(-1, os.SEEK_END)
    return bool(handle.read(1) == b"\n")


def read_journal(folder: str | Path) -> list[dict[str, Any]]:
    """The acknowledged entries of the folder's journal; a line that a crash cut off is ignored."""
    path, entries = Path(folder) / "journal.jsonl", []
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries
