"""What a dataset was made from: by which it knows whether it is still the same, and whether it is simulated."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .. import storage
from ..settings import Matching
from ..types import Reader

__all__ = ["fingerprint", "origin"]


def fingerprint(sources: Mapping[str, Reader], matching: Matching, name: str) -> str:
    """A hash of all that a dataset depends on: files (path, size, time), readers, settings."""
    described = {source: [_describe(reader), _stat(reader)] for source, reader in sources.items()}
    return storage.hash_json([storage.FORMAT_VERSION, name, asdict(matching), described])


def origin(sources: Mapping[str, Reader]) -> str:
    """ "mock" if any of the files lies in a simulated survey, else "real"."""
    folders = {folder for reader in sources.values() for folder in list(_absolute(reader.files()[0]).parents)[:3]}
    manifests = [folder / "manifest.json" for folder in folders if (folder / "manifest.json").exists()]
    kinds = [storage.read_json(manifest).get("kind") for manifest in manifests]
    return "mock" if "survey" in kinds else "real"


def _arguments(reader: Reader) -> dict[str, Any]:
    """Constructor arguments; what a reader caches beside them says nothing about its data."""
    names = inspect.signature(type(reader).__init__).parameters
    return {name: getattr(reader, name) for name in names if name != "self" and hasattr(reader, name)}


def _describe(reader: Reader) -> str:
    kind = f"{type(reader).__module__}.{type(reader).__qualname__}"
    modality = reader.modality.to_dict() if reader.modality else None
    return json.dumps([kind, modality, _arguments(reader)], default=_plain, skipkeys=True)


def _plain(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return storage.hash_text(str(value.shape), value.tobytes())
    if isinstance(value, Path):
        return str(_absolute(value))
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def _stat(reader: Reader) -> list[tuple[str, int, int]]:
    """Path, size and time of the files, and of those beside them that the reader was given (an index, a table)."""
    given = [value for value in _arguments(reader).values() if isinstance(value, (str, Path)) and os.path.isfile(value)]
    found = []
    for path in [*reader.files(), *given]:
        stat = os.stat(path) if os.path.exists(path) else None
        found.append((str(_absolute(path)), stat.st_size if stat else -1, stat.st_mtime_ns if stat else -1))
    return found


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))
