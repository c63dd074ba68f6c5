"""The figures that belong to clusters and oddities: maps, typical spectra, and members that one can look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .figures.clusters import cluster_spectra
from .figures.maps import map_by_cluster, map_by_property
from .figures.sheets import cluster_sheet
from .figures.subclasses import subclass_figure
from .figures.views import observed

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

    from ..data import Dataset

__all__ = ["cluster_figures"]

Captioned = Iterator[tuple[str, "Figure"]]
MOST_SPECTRA = 200  # of each cluster
SUBCLASSES = (
    "Groups inside {within}: on the map; objects that did not make them, along the line between (shaded: where they "
    "were counted; pieces not apart were joined); and what separates them, with 95 % intervals and, grey, what "
    "chance reaches for any property in 5 %."
)
MOST_CLUSTERS = 6  # whose members are shown


def cluster_figures(
    table: Table,
    members: Sequence[Mapping[str, Any]] = (),
    *,
    dataset: Dataset | None = None,
    labels: Mapping[str, npt.NDArray[Any]] | None = None,
    units: Mapping[str, str] | None = None,
    method: str = "UMAP",
    summary: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> dict[str, Figure]:
    """Caption to figure of clusters: on the map, beside properties on it, their spectra, and their members.

    Args:
        table: One row per object: object_id, cluster (-1 for none), and x and y where there is a map.
        members: Of each cluster its number (cluster), size, and ids of members nearest to the centre and farthest
            from it (nearest, farthest), as the summary of `cluster` lists them.
        dataset: Where spectra and cutouts are; without one only maps are drawn.
        labels: Properties of the rows of the table by which the map is coloured, too: numbers, or text.
        units: Unit of each property.
        method: How the map was made.
        summary: Of the clusters; if they are subclasses, what separates them is drawn, with the map of them.
        seed: Which members' spectra are read, where there are many.

    Raises:
        InputError: If a column is missing.
    """
    if missing := {"object_id", "cluster"} - set(table.colnames):
        raise InputError(f"cluster_figures: the table has no column {min(missing)!r}. Give the table of `cluster`.")
    drawn: list[tuple[str, Figure]] = []
    inside = summary is not None and "valleys" in summary and "x" in table.colnames
    if summary is not None and inside:  # its first panel is the map
        drawn.append((SUBCLASSES.format(**summary), subclass_figure(table, summary)))
    drawn += list(_maps(table, labels or {}, units or {}, method))[inside:]
    if dataset is not None:
        drawn += [*_spectra(table, dataset, seed), *_members(members, dataset)]
    return dict(drawn)


def _maps(table: Table, labels: Mapping[str, npt.NDArray[Any]], units: Mapping[str, str], method: str) -> Captioned:
    if not {"x", "y"} <= set(table.colnames):
        return
    xy = np.stack([np.asarray(table["x"]), np.asarray(table["y"])], axis=1)
    yield "Clusters on the map.", map_by_cluster(xy, np.asarray(table["cluster"]), method=method)
    for name, values in labels.items():
        if values.dtype.kind in "OSU":
            yield f"{name} on the map.", map_by_cluster(xy, values, method=method, name=name)
        elif np.isfinite(values).any():
            yield f"{name} on the map.", map_by_property(xy, values, name, unit=units.get(name, ""), method=method)


def _spectra(table: Table, dataset: Dataset, seed: int) -> Captioned:
    """Of every modality that is a spectrum."""
    clusters, ids = np.asarray(table["cluster"]), np.asarray(table["object_id"]).astype(str)
    rng = np.random.default_rng(seed)
    chosen = [
        rng.permutation(np.flatnonzero(clusters == one))[:MOST_SPECTRA] for one in np.unique(clusters[clusters >= 0])
    ]
    if not chosen:
        return
    cluster_of = {ids[row]: int(clusters[row]) for row in np.concatenate(chosen)}
    for name, modality in dataset.modalities.items():
        if modality.kind != "spectrum":
            continue
        rows = np.flatnonzero(np.isin(dataset.object_ids, list(cluster_of)) & dataset.present(name))
        if len(rows):
            flux = observed(np.asarray(dataset.views(name, rows)))
            numbers = [cluster_of[str(one)] for one in dataset.object_ids[rows]]
            caption = (
                f"{name} of up to {MOST_SPECTRA} members of each cluster, not shifted to rest: median, and where 16 "
                f"to 84 % lie."
            )
            yield caption, cluster_spectra(modality.wavelength_angstrom, flux, numbers, title=name)


def _members(members: Sequence[Mapping[str, Any]], dataset: Dataset) -> Captioned:
    shown = sorted(members, key=lambda one: -int(one["size"]))[:MOST_CLUSTERS]
    named = {f"cluster {one['cluster']} ({one['size']:,} objects)": one for one in shown}
    if named:
        near, far = ({head: one[side] for head, one in named.items()} for side in ("nearest", "farthest"))
        caption = "Members nearest to the centre of each cluster (framed green) and farthest from it (orange)."
        yield caption, cluster_sheet(near, far, dataset)
