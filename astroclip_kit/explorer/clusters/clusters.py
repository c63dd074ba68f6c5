"""Clusters of what a page shows: found on a sample of many objects, named, put together, and told by properties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...downstream.clustering import Division, Grouping, divide
from ...downstream.clusters import remarks, usual_silhouette
from ...downstream.separation import Separation, distinct, separate
from ...embeddings import EmbeddingStore
from ...errors import InputError
from ..map.plane import Plane, blocks
from ..objects.bookkeeping import bookkeeping
from ..selection.samples import drawn

__all__ = ["FITTED", "Clustered", "find_clusters"]

FITTED = 20_000  # objects that clusters are looked for among at most; all others belong where these do
MOST_BY_VECTORS = 2_000_000  # objects that are compared with each of them
FALSE = 0.05  # share of the properties that are told although they are alike
Rows = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Clustered:
    """Clusters of a store.

    Args:
        codes: Cluster of each object [N], 0 the largest; -1 for none, and for who was not looked at.
        names: What each cluster is called [C].
        sizes: Objects in each [C].
        typical: Row of the object nearest to the centre of each [C].
        telling: What sets each apart from the other objects, the largest effect first [C].
        sample: Rows on which that was measured.
        about: How they were found, for the file of a column.
        notes: What a reader has to know, a sentence each.
    """

    codes: Codes
    names: list[str]
    sizes: list[int]
    typical: list[int]
    telling: list[list[Separation]]
    sample: Rows
    about: dict[str, Any]
    notes: list[str]

    def renamed(self, store: EmbeddingStore, cluster: int, name: str) -> Clustered:
        """The same with another name of a cluster; two of one name become one."""
        if name in self.names and self.names.index(name) != cluster:
            into = np.arange(len(self.names) + 1, dtype=np.int32)
            into[-1], into[cluster] = -1, self.names.index(name)
            return _described(store, into[self.codes], self.names, self)
        return replace(self, names=[name if place == cluster else old for place, old in enumerate(self.names)])


def find_clusters(
    store: EmbeddingStore,
    on: str,
    grouping: Grouping,
    *,
    among: npt.NDArray[np.bool_] | None = None,
    plane: Plane | None = None,
) -> Clustered:
    """Groups objects by their vectors of one modality, or by their places on the map.

    Args:
        store: The space.
        on: Modality, or "mean".
        grouping: How.
        among: Which objects [N]; all that have the modality by default.
        plane: Where to look instead of at the vectors; not for k-means. Two columns count alike, whatever their units.

    Raises:
        InputError: If there are too few objects, or too many for a method.
        UsageError: If a number is out of range.
    """
    chosen = store.present(on) & (True if among is None else among)  # a new array
    if plane is not None:
        for part in blocks(len(store)):
            chosen[part] &= np.isfinite(plane.at(part)).all(axis=0)
    count, sample = int(chosen.sum()), drawn(chosen, FITTED)
    if count < 3:
        raise InputError(f"{count} objects with {on} to look for clusters among, at least 3 are needed. Show more.")
    by_sample = plane is None and grouping.method != "kmeans"
    if by_sample and count > MOST_BY_VECTORS:
        raise InputError(f"{count:,} objects are too many for HDBSCAN on vectors. Look on the map, or use k-means.")
    store.check_finite(on, sample)
    z = np.asarray(store.vectors(on)[sample])
    scale = np.std(plane.at(sample), axis=1) if plane is not None and "|" in plane.key else np.ones(2)

    def places(rows: Rows) -> npt.NDArray[Any]:
        if plane is not None:
            return np.stack(plane.at(rows), axis=1) / np.maximum(scale, 1e-12)
        store.check_finite(on, rows)
        found: npt.NDArray[Any] = store.vectors(on)[rows]
        return found

    points = places(sample)
    size = grouping.min_size and max(2, round(grouping.min_size * len(sample) / count))
    division = divide(points, replace(grouping, min_size=size), vectors=z)
    codes = np.full(len(store), -1, np.int32)
    if len(sample) == count:
        codes[sample] = division.labels
    elif (division.labels >= 0).any():
        nearest = _nearest_centre(z, division) if grouping.method == "kmeans" else _nearest_member(points, division)
        for part in blocks(len(store)):
            rows = part.start + np.flatnonzero(chosen[part])
            codes[rows] = nearest(places(rows)) if len(rows) else -1
    about = {"made by": "astroclip-kit explore", "method": grouping.method, "modality": on, **division.parameters}
    about |= {"space": "vectors" if plane is None else plane.key, "considered": count, "fitted": len(sample)}
    typical = [_typical(z, sample, division.labels == number) for number in range(int(division.labels.max()) + 1)]
    names = [f"cluster {number + 1}" for number in range(len(typical))]
    empty = Clustered(codes, names, [], typical, [], sample, about, _notes(store, on, division, z, count))
    return _described(store, codes, names, empty)


def _notes(store: EmbeddingStore, on: str, division: Division, z: npt.NDArray[np.float32], count: int) -> list[str]:
    if not (division.labels >= 0).any():
        return [f"HDBSCAN saw no crowd among {len(z):,} objects. Allow fewer objects in one, or take k-means."]
    absent = int((~store.present(on)).sum())
    notes = list(remarks(division, len(z), absent, on, 0, usual_silhouette(division, z, 0)))
    if len(z) < count:
        notes.append(
            f"found among {len(z):,} of {count:,} objects, drawn at random; all others were put to the nearest"
        )
    return notes


def _typical(z: npt.NDArray[np.float32], sample: Rows, members: npt.NDArray[np.bool_]) -> int:
    inside = z[members]
    return int(sample[members][np.argmin(np.linalg.norm(inside - inside.mean(axis=0), axis=1))])


Nearest = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]


def _nearest_centre(z: npt.NDArray[np.float32], division: Division) -> Nearest:
    """A function that gives the cluster with the nearest mean."""
    centres = np.stack([z[division.labels == number].mean(axis=0) for number in range(division.labels.max() + 1)])
    return lambda other: np.argmin((centres**2).sum(axis=1) - 2 * other @ centres.T, axis=1)


def _nearest_member(points: npt.NDArray[Any], division: Division) -> Nearest:
    """A function that gives the cluster of the nearest object that clusters were looked for among."""
    from sklearn.neighbors import NearestNeighbors

    tree = NearestNeighbors(n_neighbors=1).fit(points)
    return lambda other: division.labels[tree.kneighbors(other, return_distance=False)[:, 0]]


def _described(store: EmbeddingStore, codes: Codes, names: list[str], old: Clustered) -> Clustered:
    """Clusters numbered by falling size, with what sets them apart."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = [number for number in np.argsort(-counts, kind="stable").tolist() if counts[number]]
    number = np.full(len(names) + 1, -1, np.int32)
    number[order] = np.arange(len(order))
    codes = number[codes]
    made = {one.name for one in store.saved_columns.values() if one.kind == "text"}  # earlier clusters among them
    left_out = made | bookkeeping(store)
    known = store.catalog.at(old.sample, [name for name in store.labels if name not in left_out] or ["object_id"])
    known.pop("object_id", None)
    known = {name: known[name] for name in distinct(known)}
    groups = store.catalog.at(old.sample, ["group"])["group"]
    separations = [one for one in separate(codes[old.sample], known, groups=groups) if one.q < FALSE]
    return replace(
        old,
        codes=codes,
        names=[names[one] for one in order],
        sizes=[int(counts[one]) for one in order],
        typical=[old.typical[one] for one in order],
        telling=[[one for one in separations if one.cluster == place] for place in range(len(order))],
    )
