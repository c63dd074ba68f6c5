"""The files of a survey: a folder of a million of them is listed in seconds, and the list takes 40 bytes a file."""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar, overload

from ...errors import FileError

__all__ = ["FileList", "find_files", "find_matching", "first_readable"]

T = TypeVar("T")

UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".aria2", "~")
OUT_OF_HANDLES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class FileList(Sequence[Path]):
    """Sorted paths under one folder, kept as bytes: a list of a million `Path` objects would take half a gigabyte.

    Args:
        root: The folder.
        names: The paths below it, one after the other.
        ends: Where each of them ends.
    """

    def __init__(self, root: Path, names: bytes, ends: array[int]) -> None:
        self.root, self.names, self.ends = root, names, ends

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> FileList: ...
    def __getitem__(self, index: int | slice) -> Path | FileList:
        """A path, or a shorter list."""
        if isinstance(index, slice):
            return self._part(range(len(self))[index])
        row = range(len(self))[index]
        return self.root / os.fsdecode(self._name(row))

    def _name(self, row: int) -> bytes:
        return self.names[self.ends[row - 1] if row else 0 : self.ends[row]]

    def _part(self, rows: range) -> FileList:
        names = [self._name(row) for row in rows]
        return _packed(self.root, names)

    def __iter__(self) -> Iterator[Path]:
        return (self.root / os.fsdecode(self._name(row)) for row in range(len(self)))

    def absolute(self) -> Iterator[str]:
        """The absolute paths as text, five times faster than as `Path`."""
        root = os.path.join(os.path.realpath(self.root), "")
        return (root + os.fsdecode(self._name(row)) for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} files under {str(self.root)!r}>"


def _packed(root: Path, names: Sequence[bytes]) -> FileList:
    ends, end = array("q"), 0
    for name in names:
        ends.append(end := end + len(name))
    return FileList(root, b"".join(names), ends)


def find_files(root: str | Path, pattern: str) -> FileList:
    """The files under a folder that match, sorted; a file is its own only match.

    Folders behind symbolic links are searched as well, each folder once, so that a link to a folder above ends
    nowhere. Left out are hidden files and folders, and what a running download calls ``*.part``, ``*.tmp`` or the
    like. A folder that may not be read, and a link whose target is missing, is listed itself: reading it gives the
    reason.

    Args:
        root: Folder, or one file.
        pattern: Parts of the path below it, ``*`` and ``?`` for letters, ``**`` for any number of folders.

    Raises:
        FileError: If there is neither a folder nor a file at `root`.
    """
    root = Path(root)
    if root.is_file():
        return _packed(root.parent, [os.fsencode(root.name)])
    if not root.is_dir():
        raise FileError(root, "no such folder. Check the reader's `root`.")
    search = _Search(pattern)
    search.walk(str(root), "", frozenset([0]))
    return FileList(root, bytes(search.names), search.ends)


def find_matching(pattern: str) -> FileList:
    """The files that match a pattern with its folder, ``cubes/**/*.fits``, sorted; none if the folder is not there."""
    parts = Path(pattern).parts
    plain = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    root = Path(*parts[:plain])
    exists = root.is_dir() if plain < len(parts) else root.is_file()
    return find_files(root, "/".join(parts[plain:])) if exists else _packed(root, [])


class _Search:
    """Walks folders in the order of sorted paths.

    Which parts of the pattern may match the next name is known as a set of their numbers: ``**`` stands for
    itself again, or for nothing.
    """

    def __init__(self, pattern: str) -> None:
        parts = [part for part in pattern.split("/") if part not in ("", ".")] or ["*"]
        parts += ["*"] if parts[-1] == "**" else []
        self.parts = [None if part == "**" else re.compile(fnmatch.translate(part)).match for part in parts]
        self.names = bytearray()
        self.ends = array("q")
        self.seen: set[tuple[int, int]] = set()

    def walk(self, folder: str, inside: str, numbers: frozenset[int]) -> None:
        """Adds the files of a folder.

        Args:
            folder: Its path.
            inside: Its path below the root, with a slash at the end.
            numbers: The parts of the pattern that its names may match.
        """
        numbers = self._with_nothing(numbers)
        try:
            stat = os.stat(folder)
            if (stat.st_dev, stat.st_ino) in self.seen:
                return
            self.seen.add((stat.st_dev, stat.st_ino))
            found = self._entries(folder, numbers)
        except OSError as error:
            if error.errno in OUT_OF_HANDLES or not inside:
                raise FileError(folder, f"the folder cannot be read ({error.strerror}).") from error
            self._add(inside[:-1])
            return
        for name in sorted(found):
            below = found[name]
            if below:
                self.walk(os.path.join(folder, name), f"{inside}{name}/", below)
            else:
                self._add(inside + name)

    def _add(self, name: str) -> None:
        self.names += os.fsencode(name)
        self.ends.append(len(self.names))

    def _with_nothing(self, numbers: frozenset[int]) -> frozenset[int]:
        """With the parts that follow a ``**`` that stands for nothing."""
        closed = set(numbers)
        for number in numbers:
            while self.parts[number] is None:
                closed.add(number := number + 1)
        return frozenset(closed)

    def _entries(self, folder: str, numbers: frozenset[int]) -> dict[str, frozenset[int]]:
        """Name of each file that matches, to nothing, and of each folder to search, to what may match in it."""
        last = len(self.parts) - 1
        matches = self.parts[last] if last in numbers else None
        found: dict[str, frozenset[int]] = {}
        nothing: frozenset[int] = frozenset()
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):
                    continue
                if matches and matches(name) and not name.endswith(UNFINISHED) and _is_file(entry):
                    found[name] = nothing
                elif last and _is(entry.is_dir) and (below := self._below(name, numbers)):
                    found[name] = below
        return found

    def _below(self, name: str, numbers: frozenset[int]) -> frozenset[int]:
        last, below = len(self.parts) - 1, set()
        for number in numbers:
            part = self.parts[number]
            if part is None:
                below.add(number)
            elif number < last and part(name):
                below.add(number + 1)
        return frozenset(below)


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a file, or a link that leads nowhere or round in a circle, which reading explains."""
    return _is(entry.is_file) or (entry.is_symlink() and not os.path.exists(entry.path))


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; not if it is a link that leads round in a circle."""
    try:
        return kind()
    except OSError:
        return False


def first_readable(
    root: str | Path, files: Iterable[Path], describe: Callable[[Path], T], missing: str, what: str
) -> T:
    """What the first file that can be read says of all of them.

    Args:
        root: Where they lie, for the error.
        files: The files.
        describe: Reads one; a FileError goes on to the next.
        missing: What is wrong if there is none: "no FITS file is there."
        what: What cannot be read if all fail: "image".

    Raises:
        FileError: If no file can be read; tells the last problem.
    """
    problem = missing
    for path in files:
        try:
            return describe(path)
        except FileError as error:
            problem = f"no {what} can be read; the last problem: {error}"
    raise FileError(root, problem)
