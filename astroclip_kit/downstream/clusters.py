"""Clusters on disk: who belongs where, what sets each cluster apart, and how far they agree with known classes."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import results as lines
from ..errors import InputError
from ..storage import new_folder, open_folder, read_json, write_json, write_manifest
from ..types import Result
from .agreement import agreement
from .clustering import Division, Grouping, divide
from .maps import Map
from .members import described, member_table
from .properties import MOST_SHARE
from .separation import distinct, separate
from .silhouette import without_clusters

if TYPE_CHECKING:
    from astropy.table import Table

    from ..embeddings import EmbeddingStore

__all__ = ["Clusters", "Found", "cluster", "remarks", "usual_silhouette"]

APART = 0.1  # of the way from the silhouette of vectors without clusters to 1: smooth ones stay below


@dataclass(frozen=True)
class Found:
    """Clusters of a store, before they are written.

    Args:
        table: One row per object of the store: object_id, ra, dec, cluster (-1 for none), probability (HDBSCAN's
            strength of membership, else 1 or 0; NaN for objects that were not looked at), and x, y on a map.
        summary: Plain values: method, parameters, counts, silhouette of the vectors by k (on a map, too) and that of
            vectors without clusters, and of each cluster its size, what separates it (see `Separation`), and the ids
            of its members nearest to and farthest from the centre.
        results: Silhouettes of the vectors and agreement with each text label, of task "clustering".
    """

    table: Table
    summary: dict[str, Any]
    results: list[Result]

    @property
    def notes(self) -> list[str]:
        """What a reader has to know, a sentence each."""
        return list(self.summary["notes"])

    def write(self, out: str | Path) -> Clusters:
        """Writes a folder: ``clusters.parquet``, ``summary.json``, ``results.jsonl``."""
        with new_folder(out, "clusters") as folder:
            self.table.write(folder / "clusters.parquet")
            write_json(folder / "summary.json", self.summary)
            lines.write_results(folder / "results.jsonl", self.results)
            about = {key: value for key, value in self.summary.items() if key not in ("clusters", "silhouettes")}
            write_manifest(folder, "clusters", about)
        return Clusters(out)


class Clusters(os.PathLike[str]):
    """Clusters that were written; a folder that is opened, never changed.

    Args:
        root: The folder that `Found.write` wrote.

    Raises:
        FolderError: If the folder is no whole one.

    Example:
        >>> from tempfile import mkdtemp
        >>> from astroclip_kit.embeddings import EmbeddingStore
        >>> z = [[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1]]
        >>> store = EmbeddingStore.write(mkdtemp() + "/space", {"image": z}, ["a", "b", "c", "d", "e"])
        >>> cluster(store, grouping=Grouping(k=2)).write(mkdtemp() + "/clusters").labels.tolist()
        [0, 0, 0, 1, 1]
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.manifest = open_folder(self.root, "clusters")
        self.summary: dict[str, Any] = read_json(self.root / "summary.json")

    def __fspath__(self) -> str:
        return str(self.root)

    def __len__(self) -> int:
        return len(self.summary["clusters"])

    def __repr__(self) -> str:
        about = f"{self.summary['method']} on {self.summary['modality']}"
        return f"Clusters({str(self.root)!r}: {len(self)} clusters of {self.summary['considered']} objects; {about})"

    @cached_property
    def table(self) -> Table:
        """One row per object of the store, see `Found`."""
        from astropy.table import Table

        return Table.read(self.root / "clusters.parquet")

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Cluster of each object of the store [N]; -1 for none."""
        return np.asarray(self.table["cluster"], dtype=np.int64)

    @property
    def results(self) -> list[Result]:
        """Silhouettes and agreement with known classes."""
        return lines.read_results(self.root)


def cluster(
    store: EmbeddingStore,
    *,
    on: str = "",
    grouping: Grouping = Grouping(),
    place: Map | None = None,
    rows: npt.NDArray[np.bool_] | None = None,
    properties: Sequence[str] | None = None,
    seed: int = 0,
) -> Found:
    """Groups the objects of a store by their vectors of one modality, and says what the groups are.

    Labels take no part in finding clusters. Agreement with them is measured on held-out objects where there is a
    split, on all otherwise.

    Args:
        store: The space.
        on: Modality, or "mean"; that of the map, or the store's first, by default.
        grouping: How. HDBSCAN and DBSCAN work on the map where one is given, k-means always on the vectors.
        place: Map of the store and modality.
        rows: Which objects to look at [N]; all that have the modality by default.
        properties: Labels that may set clusters apart; by default all but those of a single source, "spectrum_z",
            that say what the label of all sources, "z", says.
        seed: Of k-means, samples and intervals.

    Raises:
        InputError: If too few objects have the modality, or the map is that of another store or modality.
        UsageError: If there is no such method or property, or a number is out of range.
    """
    on = on or (place.modality if place else store.names[0])
    grouping = replace(grouping, method=grouping.method or ("hdbscan" if place else "kmeans"))
    names, at = distinct(store.labels, properties), _considered(store, on, place, rows)
    store.check_finite(on, at)
    z = store.vectors(on)[at]
    mapped = place is not None and grouping.method != "kmeans"
    division = divide(place.coordinates[at] if place is not None and mapped else z, grouping, vectors=z, seed=seed)
    usual = usual_silhouette(division, z, seed)
    known = {name: store.labels[name][at] for name in names}
    separations = separate(division.labels, known, groups=store.groups[at], seed=seed)
    results, notes = _results(store, on, at, division, known, seed)
    absent = int((~store.present(on)).sum())
    summary = {
        "method": grouping.method,
        "space": "map" if mapped else "vectors",
        "map": str(place.root) if place is not None else "",
        "modality": on,
        "parameters": division.parameters,
        "seed": seed,
        "considered": len(at),
        "without_modality": absent,
        "in_no_cluster": int((division.labels < 0).sum()),
        "comparisons": len(separations),
        "source": str(store.root),
        **{name: store.manifest[name] for name in ("dataset", "origin")},
        "silhouettes": [{"k": k, **asdict(one)} for k, one in division.silhouettes.items()],
        "silhouette_without_clusters": usual,
        "clusters": described(division, z, store.object_ids[at], separations),
        "notes": [*remarks(division, len(at), absent, on, len(separations), usual), *notes],
    }
    return Found(member_table(store, at, division, getattr(place, "coordinates", None)), summary, results)


def usual_silhouette(division: Division, z: npt.NDArray[np.float32], seed: int) -> float:
    """The silhouette that as many clusters have in vectors without any; NaN where there is nothing to compare."""
    count = max(division.silhouettes, key=lambda k: division.silhouettes[k].value, default=0)
    return without_clusters(z, count, seed=seed) if count else math.nan


def _considered(
    store: EmbeddingStore, on: str, place: Map | None, rows: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.int64]:
    """Row numbers of the objects to look at: chosen, with the modality, and placed on the map."""
    chosen = store.present(on) & (np.ones(len(store), dtype=bool) if rows is None else np.asarray(rows, dtype=bool))
    if place is not None:
        place.check(store, on)
        chosen &= np.isfinite(place.coordinates).all(axis=1)
    at = np.flatnonzero(chosen)
    if len(at) < 3:
        raise InputError(
            f"{len(at)} objects to cluster ({int(store.present(on).sum())} of {len(store)} have {on}); at least 3 are "
            f"needed."
        )
    return at


def _results(
    store: EmbeddingStore,
    on: str,
    at: npt.NDArray[np.int64],
    division: Division,
    known: dict[str, npt.NDArray[Any]],
    seed: int,
) -> tuple[list[Result], list[str]]:
    """Silhouettes and agreement, and why a label was not compared."""
    about = {name: store.manifest[name] for name in ("dataset", "origin")}
    results = [
        Result("clustering", on, on, "", f"silhouette@{k}", s.value, s.low, s.high, s.n, seed, **about)
        for k, s in division.silhouettes.items()
    ]
    notes = []
    held = store.split[at] == "test"
    held = held if held.any() else np.ones(len(at), dtype=bool)
    for name in (name for name, values in known.items() if values.dtype.kind in "OSU"):
        values = known[name].astype(str)
        rows = held & (values != "")
        classes = len(np.unique(values[rows]))
        if classes < 2 or classes > max(2, MOST_SHARE * rows.sum()) or division.labels.max() < 0:
            notes.append(f"agreement with {name}: not measured ({classes} values among {int(rows.sum())} objects)")
            continue
        sides = {"": rows, "_clustered": rows & (division.labels >= 0)} if (division.labels < 0).any() else {"": rows}
        for ending, part in sides.items():
            if not part.any():
                notes.append(f"agreement with {name} within clusters: not measured, no object that counts is in one")
                continue
            numbers = agreement(division.labels[part], values[part], groups=store.groups[at][part], seed=seed)
            for metric, interval in numbers.items():
                one = Result("clustering", on, on, name, metric + ending, *interval, int(part.sum()), seed, **about)
                results.append(replace(one, chance=0.0))
    return results, notes


def remarks(division: Division, count: int, absent: int, on: str, comparisons: int, usual: float) -> Iterator[str]:
    """What a reader has to know about the clusters."""
    none = int((division.labels < 0).sum())
    best = max((one.value for one in division.silhouettes.values()), default=math.nan)
    if absent:
        yield f"{absent:,} objects without {on} were left out"
    if none == count:
        yield "there are no clusters: try another min_size or radius, more neighbours in the map, or kmeans"
    elif none:
        yield f"{none:,} of {count:,} objects are in no cluster (-1)"
    if division.silhouettes:
        clear = best - usual > APART * (1 - usual)
        yield (
            f"mean silhouette of the {on} vectors {best:.2f}, where k-means reaches {usual:.2f} without any clusters"
            + ("" if clear else ": no substantial structure, but a division")
        )
    if comparisons:
        yield (
            f"{comparisons} comparisons of a cluster with all others: q is p adjusted for their number "
            f"(Benjamini-Hochberg); intervals are 95 % each"
        )
