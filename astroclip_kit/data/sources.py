"""What a dataset is made from: by which it knows whether it is still the same, and whether it is simulated."""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import storage
from ..errors import FileError, InputError, UsageError
from ..progress import progress
from ..settings import Matching
from ..surveys.files.file_lists import FileList
from ..surveys.tables import TableReader
from ..types import Modality, Reader
from .labels import RESERVED

__all__ = ["Source", "check_ids", "check_sources", "file_state", "fingerprint", "origin"]

FILES_AT_A_TIME = 4096
# Their code changes with their version only; that of users changes from one notebook cell to the next.
LIBRARIES = {"astroclip_kit", "astropy", "builtins", "functools", "h5py", "numpy", "pandas", "typing"}


@dataclass(frozen=True)
class Source:
    """One reader with the files that it found.

    Args:
        name: Of the modality, or of the catalogue.
        reader: Reads the files.
        files: The files in order.
        modality: What the reader gives, called as the source; None for a catalogue of labels.
        states: Size and time of each file, int64 [files, 2]; -1 where there is none.
    """

    name: str
    reader: Reader
    files: Sequence[Path]
    modality: Modality | None
    states: npt.NDArray[np.int64]

    @cached_property
    def key(self) -> str:
        """A hash of the reader, and of the files beside those that it lists: given (an index), or said to be read."""
        kind = f"{type(self.reader).__module__}.{type(self.reader).__qualname__}"
        modality = self.modality.to_dict() if self.modality else None
        described = [kind, modality, _arguments(self.reader), *_code(type(self.reader))]
        return storage.hash_text(json.dumps([*described, self.beside], default=_plain, skipkeys=True))

    @cached_property
    def beside(self) -> list[tuple[str, int, int]]:
        """Path, size and time of the files that are read beside those of the source."""
        given = [leaf for leaf in _leaves(self.reader) if isinstance(leaf, (str, Path)) and os.path.isfile(leaf)]
        given += getattr(self.reader, "also_reads", list)()
        return [(os.path.abspath(path), *file_state(path)) for path in given]

    def check_beside(self) -> None:
        """Makes sure that the files beside those of the source are still as they were when they were listed.

        Raises:
            FileError: If one has changed, so that nobody knows what was read.
        """
        for path, *state in self.beside:
            if [*file_state(path)] != state:
                raise FileError(path, "changed while it was read. Run the same command again when nothing writes it.")

    def part_key(self, start: int, stop: int) -> str:
        """A hash of some of the files: their paths, sizes and times, and how they are read."""
        paths = b"\0".join(os.fsencode(os.path.abspath(path)) for path in _texts(self.files[start:stop]))
        return storage.hash_text(self.key, paths, self.states[start:stop].tobytes())


def check_sources(readers: Mapping[str, Reader], quiet: bool = True) -> list[Source]:
    """The sources of a dataset, with the files that are there now.

    Raises:
        UsageError: If there is none with a modality, one is no reader or its name is taken.
        InputError: If a reader finds no files.
    """
    if not readers:
        raise UsageError("ingest needs at least one source: a reader under the name of its modality.")
    sources = [_source(name, reader, quiet) for name, reader in readers.items()]
    if not any(source.modality for source in sources):
        raise UsageError("every source is a catalogue of labels: add one with a modality (images, spectra, columns).")
    return sources


def _source(name: str, reader: Reader, quiet: bool) -> Source:
    kind = type(reader).__name__
    if name in (*RESERVED, "") or "/" in name or name.startswith("."):
        raise UsageError(f"source {name!r}: choose another name; {', '.join(RESERVED)} are columns already.")
    if not (_is_reader(reader) and hasattr(reader, "modality")):
        raise UsageError(f"source {name!r}: {kind} is no reader. See astroclip_kit.types.Reader.")
    files = reader.files()
    files = files if isinstance(files, Sequence) else list(files)
    if not files:
        raise InputError(f"source {name!r}: {kind} finds no files. Check its path and pattern.")
    modality = reader.modality
    states = np.empty((len(files), 2), dtype=np.int64)
    with progress(total=len(files), description=f"find {name}", unit="files", quiet=quiet) as bar:
        for row, path in enumerate(_texts(files)):
            states[row] = file_state(path)
            bar.update()
    return Source(name, reader, files, replace(modality, name=name) if modality else None, states)


def check_ids(sources: Sequence[Source], matching: Matching) -> None:
    """Refuses to match a table without ids by id: its rows are numbered, and a number may be the id of another object.

    Raises:
        UsageError: Names the table.
    """
    for source in sources:
        reader = source.reader
        if matching.by == "id" and len(sources) > 1 and isinstance(reader, TableReader) and not reader.id_column:
            raise UsageError(
                f"source {source.name!r}: {reader.path} has no known column of ids, so its rows cannot be matched by "
                "id. Match by position with --matching.by position, or pass a TableReader that names the id_column."
            )


def file_state(path: str | Path) -> tuple[int, int]:
    """Size and time of a file in bytes and nanoseconds: if either changes, it is another one; -1 if there is none.

    A folder (which some formats are) has no size; its time changes when a file comes to it.
    """
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return -1, -1
    return stat.st_size, stat.st_mtime_ns


def fingerprint(sources: Sequence[Source], matching: Matching, name: str, where: str = "") -> str:
    """A hash of all that a dataset depends on: files (path, size, time), readers, settings."""
    described = [
        [
            source.name,
            [source.part_key(at, at + FILES_AT_A_TIME) for at in range(0, len(source.files), FILES_AT_A_TIME)],
        ]
        for source in sources
    ]
    return storage.hash_json([storage.FORMAT_VERSION, name, asdict(matching), where, described])


def origin(sources: Sequence[Source]) -> str:
    """Where the files come from: "mock" if any lies in a simulated survey, or in an export of one, else "real"."""
    folders = {folder for source in sources for folder in list(Path(os.path.abspath(source.files[0])).parents)[:7]}
    return "mock" if any(storage.own_manifest(folder).get("origin") == "mock" for folder in folders) else "real"


def _arguments(reader: Any) -> dict[str, Any]:
    """Constructor arguments; what a reader caches beside them says nothing about its data."""
    names = inspect.signature(type(reader)).parameters
    return {name: getattr(reader, name) for name in names if hasattr(reader, name)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return storage.hash_text(str(value.shape), value.tobytes())
    if isinstance(value, Path):
        return os.path.abspath(value)
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if _is_reader(value):
        return [type(value).__qualname__, _arguments(value), _code(type(value))]
    part = value if hasattr(value, "__qualname__") else type(value)
    return [part.__qualname__, *code] if (code := _code(part)) else str(part.__qualname__)


def _code(part: Any) -> list[str]:
    """The code of a user's function or class."""
    if inspect.isclass(part):
        return [
            code for one in part.__mro__ if one.__module__.partition(".")[0] not in LIBRARIES for code in _methods(one)
        ]
    if not inspect.isfunction(part) or (part.__module__ or "").partition(".")[0] in LIBRARIES:
        return []
    try:
        return [inspect.getsource(part)]
    except OSError:  # typed at a prompt
        return [part.__code__.co_code.hex(), repr([one for one in part.__code__.co_consts if not inspect.iscode(one)])]


def _methods(part: type) -> Iterator[str]:
    for name, member in sorted(vars(part).items()):
        for code in _code(getattr(member, "__func__", getattr(member, "fget", getattr(member, "func", member)))):
            yield f"{name}: {code}"


def _is_reader(value: Any) -> bool:
    return not inspect.isclass(value) and all(hasattr(value, member) for member in ("files", "read"))


def _leaves(value: Any) -> Iterator[Any]:
    """What is in the arguments of a reader, in those of readers that it is given, and in lists and mappings."""
    value = _arguments(value) if _is_reader(value) else value
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else None
    for item in items if items is not None else ():
        yield from _leaves(item)
    if items is None:
        yield value


def _texts(files: Sequence[Path]) -> Iterator[str]:
    return files.absolute() if isinstance(files, FileList) else map(os.fspath, files)
