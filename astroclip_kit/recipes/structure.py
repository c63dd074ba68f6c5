"""Maps of a space coloured by properties, and the groups on maps and in the space itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..downstream.clustering import Grouping
from ..types import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..data import Dataset
    from ..downstream.clusters import Found
    from ..downstream.maps import Map
    from ..embeddings import EmbeddingStore

__all__ = ["Structure", "show_structure"]

METHOD = "umap"
NEIGHBOURS = 15  # of UMAP; fewer where there are fewer objects


@dataclass
class Structure:
    """What was found.

    Args:
        results: Silhouettes and agreement with classes.
        figures: Caption to figure.
        clusters: Summaries, as `Clusters.summary`.
        notes: What was not measured, and why.
    """

    results: list[Result] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)
    clusters: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, found: Found, title: str, **shown: Any) -> None:
        """Takes in the clusters of one modality.

        Args:
            found: The clusters.
            title: What they are, before each caption.
            shown: What `cluster_figures` is told.
        """
        from ..report import cluster_figures

        drawn = cluster_figures(found.table, found.summary["clusters"], **shown)
        self.figures |= {f"{title}: {caption}": figure for caption, figure in drawn.items()}
        self.results += found.results
        self.clusters.append(found.summary)
        self.notes += [f"{title}: {note}" for note in found.notes if "not measured" in note]


def show_structure(
    store: EmbeddingStore,
    dataset: Dataset,
    root: Path,
    properties: Sequence[str],
    *,
    on_maps: Grouping,
    in_space: Grouping,
    seed: int = 0,
) -> Structure:
    """A map by UMAP of each modality and of all side by side, groups on each map, and groups among the vectors.

    Args:
        store: The objects to look at.
        dataset: Their cutouts and spectra.
        root: Folder in which ``maps/`` and ``combined`` are written.
        properties: Labels that colour the maps.
        on_maps: How groups are looked for on maps.
        in_space: How among the vectors of each modality; members of these are shown.
        seed: Of maps and groups.
    """
    from ..downstream.clusters import cluster

    structure = Structure()
    for each in (store, _combined(store, root / "combined")):
        for name in each.names:
            place = _map(each, name, root / "maps" / name, seed)
            labels = {one: each.labels[one] for one in properties if one in each.labels}
            found = cluster(each, on=name, place=place, grouping=on_maps, seed=seed)
            structure.add(found, f"{name}, {on_maps.method} on its map", labels=labels, units=each.units)
            if each is store:
                found = cluster(each, on=name, place=place, grouping=in_space, seed=seed)
                structure.add(found, f"{name}, {in_space.method} among its vectors", dataset=dataset)
    return structure


def _combined(store: EmbeddingStore, out: Path) -> EmbeddingStore:
    """The objects that have every modality, with the vectors of all modalities side by side as one."""
    rows = np.flatnonzero(np.all([store.present(name) for name in store.names], axis=0))
    return type(store).write(
        out,
        {"+".join(store.names): np.concatenate([store.vectors(name)[rows] for name in store.names], axis=1)},
        store.object_ids[rows],
        catalog={name: store.catalog[name][rows] for name in ("group", "ra", "dec", "split")},
        labels={name: values[rows] for name, values in store.labels.items()},
        values={
            name: store.manifest[name] for name in ("dataset", "origin", "seed", "units") if name in store.manifest
        },
    )


def _map(store: EmbeddingStore, name: str, out: Path, seed: int) -> Map:
    from ..downstream.maps import project

    few = min(NEIGHBOURS, int(store.present(name).sum()) - 1)
    everyone = np.ones(len(store), dtype=bool)
    return project(store, out, on=name, method=METHOD, rows=everyone, neighbours=few, seed=seed)
