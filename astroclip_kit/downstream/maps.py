"""A map on disk: where each object of a store lies in the plane, and what places new vectors there."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import FolderError, InputError, UsageError
from ..storage import hash_text, new_folder, open_folder, read_array, write_manifest
from .projection import METHODS, PCAMap, UMAPMap

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["Map", "fingerprint", "placed", "project"]


class Map(os.PathLike[str]):
    """A map of one modality of a store; a folder that is opened, never changed.

    Args:
        root: The folder that `project` wrote.

    Raises:
        FolderError: If the folder is no whole map.

    Example:
        >>> from tempfile import mkdtemp
        >>> from astroclip_kit.embeddings import EmbeddingStore
        >>> store = EmbeddingStore.write(mkdtemp() + "/space", {"image": np.eye(4)}, ["a", "b", "c", "d"])
        >>> project(store, mkdtemp() + "/map", method="pca").coordinates.shape
        (4, 2)
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.manifest = open_folder(self.root, "projection")
        self.method: str = self.manifest["method"]
        self.modality: str = self.manifest["modality"]
        self.coordinates: npt.NDArray[np.float32] = read_array(self.root / "coordinates.npy")  # NaN: no modality
        self.object_ids: npt.NDArray[np.str_] = read_array(self.root / "object_ids.npy")
        self.fitted: npt.NDArray[np.bool_] = read_array(self.root / "fitted.npy")
        if self.coordinates.shape != (len(self.object_ids), 2) or self.fitted.shape != self.object_ids.shape:
            raise FolderError(f"{self.root} is damaged: it places {len(self.coordinates)} objects. Project again.")

    def __fspath__(self) -> str:
        return str(self.root)

    def __len__(self) -> int:
        return len(self.object_ids)

    def __repr__(self) -> str:
        placed = int(np.isfinite(self.coordinates).all(axis=1).sum())
        about = f"{self.method} of {self.modality}, fitted on {int(self.fitted.sum())}"
        return f"Map({str(self.root)!r}: {placed} of {len(self)} objects placed; {about})"

    @property
    def model(self) -> PCAMap | UMAPMap:
        """What places new vectors; its large arrays are memory-mapped."""
        kind = METHODS[self.method]
        arrays: dict[str, Any] = {}
        for name in (one.name for one in fields(kind) if one.name not in self.manifest["parameters"]):
            try:
                arrays[name] = np.load(self.root / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise FolderError(f"{self.root}: {name}.npy is damaged or missing ({error}). Project again.") from error
        return kind(**arrays, **self.manifest["parameters"])

    def transform(self, vectors: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Places float32 [Q, 2] of new vectors [Q, D] of the map's modality, e.g. of new observations.

        Raises:
            InputError: If the dimensions differ or a vector is not finite.
        """
        return self.model.transform(vectors)

    def check(self, store: EmbeddingStore, on: str = "") -> None:
        """Makes sure that the map is one of this store, and of a modality where one is named.

        Raises:
            InputError: If the objects or their vectors are others, or the map is of another modality.
        """
        if self.modality not in store.choices or fingerprint(store, self.modality) != self.manifest["store"]:
            raise InputError(
                f"{self.root} is the map of another space than {store.root}: it was made of {self.manifest['source']} "
                f"({self.modality}, {len(self)} objects). Run project again on {store.root}."
            )
        if on and self.modality != on:
            raise InputError(f"{self.root} is a map of {self.modality}, not of {on}. Give a map of {on}.")


def fingerprint(store: EmbeddingStore, name: str) -> str:
    """A hash of a store's ids and of its vectors of one modality."""
    rows = np.ascontiguousarray(store.vectors(name)).view(np.uint8)
    return hash_text("\n".join(store.object_ids.tolist()), rows.data)


def project(
    store: EmbeddingStore,
    out: str | Path,
    *,
    on: str = "",
    method: str = "umap",
    rows: npt.NDArray[np.bool_] | None = None,
    neighbours: int = 15,
    min_dist: float = 0.1,
    seed: int = 0,
) -> Map:
    """Makes a map of a store: fitted on some objects, with all others placed on it.

    Args:
        store: The space.
        out: Folder to write.
        on: Modality, or "mean" for all that an object has; the store's first by default.
        method: "umap" or "pca".
        rows: Which objects the map is fitted on [N]; by default those of training, or all where there is no split.
        neighbours: UMAP's number of neighbours: few show the finest structure, many the whole.
        min_dist: How near to each other UMAP may place objects.
        seed: Of UMAP, which is single-threaded because of it.

    Raises:
        InputError: If too few of the chosen objects have the modality.
        UsageError: If there is no such modality or method, or a number is out of range.
    """
    on = on or store.names[0]
    if method not in METHODS:
        raise UsageError(f"no method {method!r} to make a map; there is: {', '.join(METHODS)}.")
    if not 0 <= min_dist <= 1 or seed < 0:
        raise UsageError(f"expected min_dist from 0 to 1 and a seed of 0 or more, found {min_dist} and {seed}.")
    present = store.present(on)
    chosen = _training(store, on) if rows is None else np.asarray(rows, dtype=bool)
    fitted, others = present & chosen, np.flatnonzero(present & ~chosen)
    if fitted.sum() < 3:
        raise InputError(
            f"{int(fitted.sum())} objects to fit a map of {on} on ({int(present.sum())} of {len(store)} objects have "
            f"it); at least 3 are needed."
        )
    store.check_finite(on)
    how: dict[str, Any] = {"neighbours": neighbours, "min_dist": min_dist, "seed": seed}
    model, coordinates = placed(METHODS[method], store.vectors(on), fitted, others, **how)
    _write(Path(out), store, on, method, model, coordinates, fitted)
    return Map(out)


def placed(
    kind: type[PCAMap] | type[UMAPMap],
    z: npt.NDArray[np.float32],
    fitted: npt.NDArray[np.bool_],
    others: npt.NDArray[np.int64],
    **how: Any,
) -> tuple[PCAMap | UMAPMap, npt.NDArray[np.float32]]:
    """A map fitted on some vectors, and where it places them and others [N, 2]; NaN for the rest.

    Args:
        kind: Of the map.
        z: Vectors of all objects [N, D].
        fitted: Which of them the map is fitted on [N].
        others: Rows that are placed on it.
        how: What `fit` takes.
    """
    model, places = kind.fit(z[fitted], **how)
    coordinates = np.full((len(z), 2), np.nan, np.float32)
    coordinates[fitted] = places
    if len(others):
        coordinates[others] = model.transform(z[others])
    return model, coordinates


def _training(store: EmbeddingStore, on: str) -> npt.NDArray[np.bool_]:
    train: npt.NDArray[np.bool_] = store.split == "train"
    return train if (train & store.present(on)).any() else np.ones(len(store), dtype=bool)


def _write(
    out: Path,
    store: EmbeddingStore,
    on: str,
    method: str,
    model: PCAMap | UMAPMap,
    coordinates: npt.NDArray[np.float32],
    fitted: npt.NDArray[np.bool_],
) -> None:
    values = {one.name: getattr(model, one.name) for one in fields(model)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    catalogue = {"coordinates": coordinates, "object_ids": np.asarray(store.object_ids), "fitted": fitted}
    with new_folder(out, "projection") as folder:
        for name, array in {**arrays, **catalogue}.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        about = {
            "method": method,
            "modality": on,
            "parameters": {name: value for name, value in values.items() if name not in arrays},
            "count": len(store),
            "placed": int(np.isfinite(coordinates).all(axis=1).sum()),
            "fitted": int(fitted.sum()),
            "store": fingerprint(store, on),
            "content": store.manifest.get("content", ""),
            "source": str(store.root),
            "dataset": store.manifest["dataset"],
            "origin": store.manifest["origin"],
        }
        write_manifest(folder, "projection", about)
