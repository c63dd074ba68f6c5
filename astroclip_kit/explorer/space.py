"""What is explored: a store, the dataset that it was made of, and their columns. All sessions share one, read-only."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from ..data import Dataset
from ..data.crossmatch import Positions
from ..embeddings import EmbeddingStore
from ..errors import InputError, KitError
from ..storage import own_manifest
from ..surveys.files.coordinates import in_range
from ..surveys.images.orientation import NORTH
from .columns import Column
from .kept import Kept
from .map.planes import Planes

if TYPE_CHECKING:
    from ..embeddings.saved_columns import SavedColumn
    from .session import Session

__all__ = ["Space"]

T = TypeVar("T")
POINTS = 10_000
IDS = ("object_id", "group")
KEPT = 512  # answers of panels
SOME = 100  # objects by which a dataset is known


class Space:
    """A store with what belongs to it.

    Args:
        store: The embeddings.
        dataset: What they were made of: cutouts, spectra and light curves to show. None where there is none.
        note: Why there is no dataset, or what does not fit, for the page to say.
        points: Objects in view up to which each is a point; more are a picture of their density.

    Raises:
        KitError: Where `open` is given a folder that is missing, foreign or of another version.
    """

    def __init__(
        self, store: EmbeddingStore, dataset: Dataset | None = None, note: str = "", points: int = POINTS
    ) -> None:
        self.store, self.dataset = store, dataset
        self.note = " ".join(filter(None, [note, *store.catalog.notes]))
        self.columns: dict[str, Column] = {column.name: column for column in _columns(store)}
        self.ids = {name: Column.of(store.catalog, name) for name in IDS}
        self.planes = Planes(store)
        self.points = points
        self.kept = Kept(KEPT)
        self._rows: dict[str, int] | None = None
        self._sessions: WeakSet[Session] = WeakSet()
        self._turn, self._saving = Lock(), Lock()

    def __len__(self) -> int:
        return len(self.store)

    @classmethod
    def open(
        cls, embeddings: str | os.PathLike[str], dataset: str | os.PathLike[str] = "", points: int = POINTS
    ) -> Space:
        """Opens folders; without a dataset the one that was embedded, where it is still there, or lies beside."""
        store = embeddings if isinstance(embeddings, EmbeddingStore) else EmbeddingStore(Path(embeddings))
        if not len(store):
            raise InputError(f"{store.root} has no objects, so there is nothing to explore. Embed some.")
        if isinstance(dataset, Dataset) or dataset:
            given = dataset if isinstance(dataset, Dataset) else Dataset(Path(dataset))
            note = "" if _shows(given, store) else f"{given.root} holds none of these objects."
            return cls(store, given, note, points)
        problems = []
        for folder in filter(Path.is_dir, _candidates(store)):
            try:
                if _shows(found := Dataset(folder), store):
                    return cls(store, found, points=points)
            except (KitError, OSError) as error:  # of another version, or no longer whole
                problems.append(str(error))
        problems.append("no dataset of these objects was found. Give --dataset.")
        return cls(store, None, f"No cutouts or spectra are shown: {problems[0]}", points)

    @cached_property
    def positions(self) -> tuple[npt.NDArray[np.int64], Positions]:
        """Rows that have coordinates, and a tree of these."""
        rows = np.flatnonzero(in_range(self.store.ra, self.store.dec))
        return rows, Positions(self.store.ra[rows], self.store.dec[rows])

    def watch(self, session: Session) -> None:
        """Tells a page of new columns from now on, as long as it is there."""
        with self._turn:
            self._sessions.add(session)

    def save_column(self, name: str, values: npt.ArrayLike, about: Mapping[str, Any] | None = None) -> SavedColumn:
        """Saves a column beside the store, and shows it on all pages; see `EmbeddingStore.save_column`."""
        saved: SavedColumn = self.change(partial(self.store.save_column, name, values, about=about))
        return saved

    def change(self, what: Callable[[], T]) -> T:
        """Saves, renames or removes a column beside the store, one at a time, and shows it on all pages."""
        with self._saving:
            done = what()
        self.refresh()
        return done

    def refresh(self) -> None:
        """Reads again which columns there are, after one was saved or removed beside the store, and tells all pages."""
        with self._saving:  # a reader that began earlier must not end later
            self.store.catalog.refresh()
            saved, known = self.store.saved_columns, self.columns
            self.columns = {
                one.name: one if one.name in saved else known.get(one.name, one) for one in _columns(self.store)
            }
            self.kept = Kept(KEPT)  # of what was read off the labels
        with self._turn:
            sessions = list(self._sessions)
        for session in sessions:
            session.renew()

    def ids_of(self, rows: npt.ArrayLike) -> list[str]:
        """Ids of a few rows."""
        found: list[str] = self.store.catalog.at(rows, ["object_id"])["object_id"].tolist()
        return found

    def dataset_row(self, row: int) -> int:
        """Row in the dataset of a row of the store, -1 where it has none."""
        if self.dataset is None:
            return -1
        [own], ids = self.ids_of([row]), self.dataset.object_ids
        if row < len(ids) and ids[row] == own:  # a store of the whole dataset, which may be large
            return row
        if self._rows is None:
            named = (self.dataset.groups, ids)  # a row of a pooled store is a group, shown by its last observation
            self._rows = {name: number for names in named for number, name in enumerate(names.tolist())}
        return self._rows.get(own, -1)

    def observations(self, row: int) -> npt.NDArray[np.int64]:
        """Rows in the dataset [R] of a row of the store: of a pooled store all of the group, else the only one."""
        if self.dataset is not None and self.store.manifest.get("pool"):
            rows = np.flatnonzero(self.dataset.groups == self.ids_of([row])[0])
            if len(rows):
                return rows
        at = self.dataset_row(row)
        return np.array([at] if at >= 0 else [], dtype=np.int64)

    def view(self, row: int, name: str, at: int = -1) -> npt.NDArray[np.float32] | None:
        """The view of one row of the store, None where there is none.

        Args:
            row: Row of the store.
            name: The modality.
            at: Row in the dataset, where it is not the usual one.
        """
        at = at if at >= 0 else self.dataset_row(row)
        if at < 0 or self.dataset is None or name not in self.dataset.modalities or not self.dataset.present(name)[at]:
            return None
        view: npt.NDArray[np.float32] = self.dataset.views(name, [at])[0]
        return view

    def north(self, row: int, name: str, at: int = -1) -> float:
        """Where north is on an image, in degrees counter-clockwise from up; NaN where nobody knows.

        East is 90 degrees further. The arguments are those of `view`.
        """
        if self.dataset is None:
            return math.nan
        if name in self.dataset.manifest.get("north_up", ()):
            return 0.0
        at, label = at if at >= 0 else self.dataset_row(row), f"{name}_{NORTH}"
        is_told = at >= 0 and label in self.dataset.manifest["labels"]
        return float(self.dataset.labels[label][at]) if is_told else math.nan


def _candidates(store: EmbeddingStore) -> Iterator[Path]:
    """Where the dataset of a store may be: where it was, then any that lies beside the store."""
    root = store.root.resolve()
    if told := store.manifest.get("dataset_folder"):
        yield Path(os.path.normpath(root / told))
    yield from (folder for folder in sorted(root.parent.iterdir()) if own_manifest(folder).get("kind") == "dataset")


def _shows(dataset: Dataset, store: EmbeddingStore) -> bool:
    """Whether a dataset has some of the objects of a store, by three of these, or else a hundred, or their groups."""
    for count in (3, SOME):
        some = np.unique(np.linspace(0, len(store) - 1, count).astype(int))
        wanted = store.catalog.at(some, ["object_id", "group"])
        if np.isin(wanted["object_id"], dataset.object_ids).any() or np.isin(wanted["group"], dataset.groups).any():
            return True
    return False


def _columns(store: EmbeddingStore) -> list[Column]:
    """The columns of the catalogue that hold a value, and has_<modality>."""
    units, catalog = store.units, store.catalog
    left_out = {*IDS, *catalog.empty()}
    found = [Column.of(catalog, name, units.get(name, "")) for name in catalog if name not in left_out]
    has = {f"has_{name}": partial(store.present, name) for name in store.names}
    return found + [Column(name, "", read, True) for name, read in has.items() if name not in catalog]
