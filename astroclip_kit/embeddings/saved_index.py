"""Indexes that are kept with a store, in its folder ``index/``: one file of faiss per modality, and a manifest."""

from __future__ import annotations

import hashlib
import shutil
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import FolderError
from ..storage import hash_json, new_folder, open_folder, write_manifest
from .faiss_index import SAMPLE, FaissIndex, factory_for

if TYPE_CHECKING:
    from astropy.table import Table

    from .store import EmbeddingStore

__all__ = ["build_indexes", "saved_index"]

FOLDER = "index"


def build_indexes(
    store: EmbeddingStore, factory: str = "", *, modalities: Sequence[str] = (), recall: float = 0.95
) -> Table:
    """Builds the indexes of a store and keeps them with it; `search` takes them from then on.

    The recall is measured with objects of every modality that ask, each without its own group in its own modality.

    Args:
        store: The space.
        factory: How faiss builds them, see `FaissIndex`; by default `factory_for` the number of rows, which is no
            index at all below 100,000: exact search is as quick there.
        modalities: Which get one; all by default. Those that are not named keep what they have.
        recall: Share of the ten nearest that shall be found.

    Returns:
        Modality, rows, how it is searched, the recall that was reached, size in MB and time in seconds.

    Raises:
        OutputError: If the store's folder may not be written.
        UsageError: If there is no such modality, or faiss cannot build what the factory says.
    """
    from astropy.table import Table

    lines: list[dict[str, Any]] = []
    for name in modalities or store.names:
        store.present(name)  # refuses an unknown one before anything is built
    with new_folder(store.root / FOLDER, FOLDER) as folder:
        kept = _kept(store, folder, set(store.choices) - set(modalities or store.names))
        for name in modalities or store.names:
            lines.append(_built(store, name, factory, recall, folder))
        kept |= {line["modality"]: line for line in lines if line["factory"]}
        write_manifest(folder, FOLDER, {"content": _content(store), "modalities": kept})
    table = Table(rows=[[line[name] for name in COLUMNS] for line in lines], names=COLUMNS)
    table["factory"] = [line["factory"] or "exact" for line in lines]
    return table


def _kept(store: EmbeddingStore, folder: Path, names: set[str]) -> dict[str, Any]:
    """What is known of the indexes of other modalities, which move into the new folder."""
    old = store.root / FOLDER
    if not old.is_dir() or (manifest := open_folder(old, FOLDER))["content"] != _content(store):
        return {}
    kept = {name: line for name, line in manifest["modalities"].items() if name in names}
    for name in kept:
        shutil.copyfile(old / f"{name}.faiss", folder / f"{name}.faiss")
    return kept


COLUMNS = ("modality", "rows", "factory", "recall", "megabytes", "seconds")


def _built(store: EmbeddingStore, name: str, factory: str, recall: float, folder: Path) -> dict[str, Any]:
    rows, start = np.flatnonzero(store.present(name)), time.perf_counter()
    line: dict[str, Any] = {
        "modality": name,
        "rows": len(rows),
        "factory": factory or factory_for(len(rows)),
        "recall": 1.0,
    }
    if not line["factory"]:
        return {**line, "megabytes": 0.0, "seconds": 0.0}
    ids, path = store.groups[rows], folder / f"{name}.faiss"
    sample = _sample(store, name)
    index = FaissIndex(_rows(store, name, rows), ids, factory=line["factory"], recall=recall, sample=sample)
    index.save(path)
    seconds, size = time.perf_counter() - start, path.stat().st_size / 1e6
    return {**line, "recall": index.recall, "megabytes": size, "seconds": seconds, "checksum": _checksum(path)}


def _rows(store: EmbeddingStore, name: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    vectors = store.vectors(name)
    return vectors if len(rows) == len(vectors) else vectors[rows]


def _sample(store: EmbeddingStore, name: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
    """Vectors of every modality that ask, and the group that each leaves out: its own, in its own modality."""
    rng, queries, exclude = np.random.default_rng(0), [], []
    for one in store.names:
        rows = np.sort(rng.permutation(np.flatnonzero(store.present(one)))[: SAMPLE // len(store.names)])
        queries.append(store.vectors(one)[rows])
        exclude.append(store.groups[rows] if one == name else np.full(len(rows), "\0"))
    return np.concatenate(queries), np.concatenate(exclude)


def _content(store: EmbeddingStore) -> str:
    return str(store.manifest.get("content") or hash_json(store.manifest))


def _checksum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "blake2b").hexdigest()


def saved_index(store: EmbeddingStore, name: str) -> FaissIndex | None:
    """The index of a modality over the rows that have it, excluding by group; None where there is none.

    One that was built for other content of the folder is not used, with a warning.

    Raises:
        FolderError: If it is damaged.
    """
    folder = store.root / FOLDER
    if not folder.is_dir():
        return None
    manifest = open_folder(folder, FOLDER)
    if name not in manifest["modalities"]:
        return None
    if manifest["content"] != _content(store):
        warnings.warn(
            f"{folder} was built before the store was written again: every object is compared instead. Run "
            f"astroclip-kit index {store.root}.",
            stacklevel=2,
        )
        return None
    return _opened(store, name, manifest["content"], hash_json(manifest["modalities"][name]))


@lru_cache(maxsize=4)
def _opened(store: EmbeddingStore, name: str, content: str, mark: str) -> FaissIndex:
    path = store.root / FOLDER / f"{name}.faiss"
    about: Mapping[str, Any] = open_folder(path.parent, FOLDER)["modalities"][name]
    if not path.is_file() or _checksum(path) != about["checksum"]:
        raise FolderError(f"{path} is missing or damaged. Run astroclip-kit index {store.root} again.")
    rows = np.flatnonzero(store.present(name))
    vectors = _rows(store, name, rows)
    return FaissIndex.load(path, vectors, store.groups[rows], factory=about["factory"], recall=about["recall"])
