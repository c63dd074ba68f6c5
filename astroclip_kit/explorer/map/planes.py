"""Where the objects lie on the page: maps of the space, its principal components, and any two columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...embeddings.mean import MEAN, mean_of
from ...errors import FolderError, UsageError
from ...storage import own_manifest
from .plane import SAMPLE, Plane, blocks

if TYPE_CHECKING:
    from ...downstream.maps import Map
    from ...downstream.projection import PCAMap
    from ...embeddings import EmbeddingStore
    from ..columns import Column

__all__ = ["FITTED", "Planes", "components"]

FITTED = {"pca": 50_000, "umap": 10_000}  # objects that a map is fitted on at most, before all others are placed
CHECKED = 1000  # ids that are compared where a map is opened
LARGEST_HASHED = 1 << 30  # bytes of vectors that are worth a hash to see whether an older map fits


class Planes:
    """The planes of a store; what was computed once is kept for all pages.

    Args:
        store: The space.
    """

    def __init__(self, store: EmbeddingStore) -> None:
        self.store = store
        self.folder = store.root.with_name(f"{store.root.name}.maps")
        self._planes: dict[str, Plane] = {}
        self._fitted: dict[str, PCAMap] = {}
        self._turn = Lock()

    @cached_property
    def folders(self) -> dict[str, Path]:
        """Key to folder of the maps that were made of the store: beside it, and in the folder of its maps."""
        found: dict[str, Path] = {}
        places = (self.folder, self.store.root.resolve().parent)
        for path in (one for place in places if place.is_dir() for one in sorted(place.iterdir())):
            manifest = own_manifest(path) if path.is_dir() else {}
            if manifest.get("kind") == "projection" and _fits(path, manifest, self.store):
                key = f"{manifest['method']}:{manifest['modality']}"
                found[f"{key}:{path.name}" if key in found else key] = path
        return found

    @property
    def titles(self) -> dict[str, str]:
        """Key to title of what there is besides columns."""
        known = dict.fromkeys([*self.folders, *(f"pca:{name}" for name in self.store.choices)])
        return {key: _title(*key.split(":")) for key in known}

    @property
    def default(self) -> str:
        """The plane of a page that asks for none: a map that was made, else principal components."""
        return next(iter(self.titles))

    @cached_property
    def colour(self) -> str:
        """The column that colours a page that asks for none, "" where none would tell something."""
        from .usual import usual_colour

        return usual_colour(self.store)

    def split(self, key: str, columns: Mapping[str, Column]) -> tuple[Column, Column] | None:
        """The two columns that a key names, if it does."""
        cuts = [place for place, letter in enumerate(key) if letter == "|"]
        for x, y in ((columns.get(key[:cut]), columns.get(key[cut + 1 :])) for cut in cuts):
            if x is not None and y is not None and not (x.is_class or y.is_class):
                return x, y
        return None

    def check(self, key: str, columns: Mapping[str, Column]) -> None:
        """Makes sure that there is a plane.

        Raises:
            UsageError: If there is none.
        """
        if key not in self.titles and self.split(key, columns) is None:
            raise UsageError(
                f"no map {key!r}: expected one of {', '.join(self.titles)}, or two columns of numbers such as ra|dec."
            )

    def open(self, key: str, columns: Mapping[str, Column]) -> Plane:
        """The plane of a key; principal components of many objects take a while.

        Raises:
            UsageError: If there is none.
            InputError: If there is nothing to make principal components of.
            FolderError: If the folder of a map is damaged.
        """
        self.check(key, columns)
        pair = None if key in self.titles else self.split(key, columns)
        if pair:
            return _of_columns(key, *pair)
        with self._turn:  # two pages wait for the same work
            if key not in self._planes:
                self._planes[key] = self._of_map(key)
        return self._planes[key]

    def _of_map(self, key: str) -> Plane:
        method, modality, *_ = key.split(":")
        axes = f"{method.upper()} 1", f"{method.upper()} 2"
        if path := self.folders.get(key):
            xy = _coordinates(path, len(self.store))
        else:
            xy = _principal(self.store, modality, self._components(modality))
        return Plane(key, self.titles[key], xy[:, 0], xy[:, 1], axes, modality)

    def place(self, key: str, modality: str, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        """Places [Q, 2] of new vectors [Q, D] of a modality; None where the plane is no map of it, nor of the mean.

        Raises:
            FolderError: If the folder of the map is damaged.
        """
        from ...downstream.maps import Map

        if key not in self.titles or key.split(":")[1] not in (modality, MEAN):
            return None
        path = self.folders.get(key)
        fitted = Map(path) if path else self._components(key.split(":")[1])
        return fitted.transform(vectors)

    def _components(self, modality: str) -> PCAMap:
        """The principal components of a modality, which are fitted once."""
        if modality not in self._fitted:
            self._fitted[modality] = components(self.store, modality)
        return self._fitted[modality]

    def make_umap(self, modality: str) -> Map:
        """Makes the UMAP of a modality in the folder of maps; of many objects it is fitted on some thousand.

        Raises:
            InputError: If there are too few objects.
            OutputError: If it cannot be written beside the store.
        """
        from ...downstream.maps import project

        rows = None
        if len(self.store) > FITTED["umap"]:
            rows = np.zeros(len(self.store), dtype=bool)
            rows[_spread(self.store.present(modality), FITTED["umap"])] = True
        made = project(self.store, self.folder / f"umap-{modality}", on=modality, method="umap", rows=rows)
        self.__dict__.pop("folders", None)
        self._planes.pop(f"umap:{modality}", None)
        return made


def _title(method: str, modality: str, folder: str = "") -> str:
    name = {"pca": "PCA", "umap": "UMAP"}.get(method, method)
    return f"{name} of {'the mean' if modality == MEAN else modality}" + f" ({folder})" * bool(folder)


def _fits(path: Path, manifest: dict[str, Any], store: EmbeddingStore) -> bool:
    """Whether a map is of these objects and vectors, without reading all of them where they are many."""
    modality = manifest["modality"]
    if modality not in store.choices or manifest["count"] != len(store):
        return False
    if manifest.get("content"):
        return bool(manifest["content"] == store.manifest.get("content"))
    if len(store) * store.out_features * 4 > LARGEST_HASHED:
        return False
    from ...downstream.maps import fingerprint

    return bool(fingerprint(store, modality) == manifest["store"])


def _coordinates(path: Path, count: int) -> npt.NDArray[np.float32]:
    try:
        xy: npt.NDArray[np.float32] = np.load(path / "coordinates.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FolderError(f"{path}: coordinates.npy is damaged or missing ({error}). Project again.") from error
    if xy.shape != (count, 2):
        raise FolderError(f"{path}: coordinates.npy has the shape {xy.shape}, expected {(count, 2)}. Project again.")
    return xy


def _spread(flags: npt.NDArray[np.bool_], wanted: int) -> npt.NDArray[np.int64]:
    """Rows that have a flag, about as many as wanted, evenly spread."""
    step = max(1, int(flags.sum()) // wanted)
    return np.concatenate([part.start + np.flatnonzero(flags[part])[::step] for part in blocks(len(flags))])


def _principal(store: EmbeddingStore, modality: str, fitted: PCAMap) -> npt.NDArray[np.float32]:
    """Places [N, 2] by two principal components; NaN for objects without the modality."""
    present, read = store.present(modality), _reader(store, modality)
    xy = np.full((len(store), 2), np.nan, np.float32)
    for part in blocks(len(store)):
        z = read(part)
        known = present[part] & np.isfinite(z).all(axis=1)
        if known.any():
            xy[part][known] = fitted.transform(z[known])
    return xy


def components(store: EmbeddingStore, modality: str) -> PCAMap:
    """The two principal components of some of the vectors, which place others, too.

    Raises:
        InputError: If there are fewer than three objects or two dimensions, or all vectors are the same.
    """
    from ...downstream.projection import PCAMap

    few = _reader(store, modality)(_spread(store.present(modality), FITTED["pca"]))
    return PCAMap.fit(few[np.isfinite(few).all(axis=1)])[0]


def _reader(store: EmbeddingStore, modality: str) -> Callable[[Any], npt.NDArray[np.float32]]:
    """Gives the vectors of some rows; those of the mean are not all made at once."""
    if modality == MEAN and MEAN not in store.names:
        return partial(mean_of, store)
    vectors = store.vectors(modality)
    return lambda rows: np.asarray(vectors[rows])


def _of_columns(key: str, x: Column, y: Column) -> Plane:
    lacks = " or ".join(dict.fromkeys((x.name, y.name)))
    sky = (x.name, y.name) == ("ra", "dec")
    title = "Sky" if sky else f"{y.name} against {x.name}"
    cut = _widest_gap(x.values) if sky else 360.0
    return Plane(key, title, x.values, y.values, (x.title, y.title), lacks, sky, cut)


def _widest_gap(ra: npt.NDArray[Any]) -> float:
    """Where to cut the circle so that no field is torn apart: the middle of its widest gap, 360 at 0 degrees."""
    some = np.asarray(ra[:: -(-len(ra) // SAMPLE)], dtype=np.float64)
    some = np.sort(some[np.isfinite(some)])
    if not len(some):
        return 360.0
    gaps = np.diff(np.append(some, some[0] + 360))
    widest = int(np.argmax(gaps))
    is_within = widest < len(some) - 1 and gaps[widest] > 1.2 * gaps[-1]
    return float(some[widest] + gaps[widest] / 2) if is_within else 360.0
