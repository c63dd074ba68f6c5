"""Verbs that show how a space is built: maps of it, and groups in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..downstream.clustering import Grouping
from ..filters import rows_where
from ..settings.grouped import Among
from .parts import Folder, changed, open_store, provenance, save_figure, words
from .table_files import is_table, write_table

if TYPE_CHECKING:
    from astropy.table import Table

    from ..downstream.clusters import Found
    from ..downstream.maps import Map
    from ..embeddings import EmbeddingStore

__all__ = ["cluster", "project"]

APART = ("apart_by", "also_by", "and_by")  # separating properties that are shown
SURE = 0.05  # false discovery rate


def project(
    embeddings: Folder,
    out: Folder = "map",
    *,
    on: str = "",
    method: str = "umap",
    neighbours: int = 15,
    min_dist: float = 0.1,
    where: str = "",
    seed: int = 0,
) -> Map:
    """Makes a map of a space: two coordinates per object, and what places new ones there.

    The same seed gives the same map; for that, UMAP runs in a single thread.

    Args:
        embeddings: Embeddings folder.
        out: Map folder to write.
        on: Modality, or "mean" for all that an object has; the first by default.
        method: "umap" (by exact cosine neighbours) or "pca".
        neighbours: UMAP's number of neighbours: few show the finest structure, many the whole.
        min_dist: How near to each other UMAP may place objects, 0 to 1.
        where: Which objects the map is fitted on, e.g. "snr > 5"; by default those of training, or all where there
            is no split. All others are placed on it.
        seed: Of UMAP.

    Returns:
        The map: coordinates, ids, and a transform of new vectors.
    """
    from .. import downstream
    from ..storage import check_output

    check_output(Path(out), "projection")
    store = open_store(embeddings)
    rows = rows_where(store.catalog, where) if where else None
    made: Map = downstream.project(
        store, Path(out), on=on, method=method, rows=rows, neighbours=neighbours, min_dist=min_dist, seed=seed
    )
    return made


def cluster(
    embeddings: Folder,
    out: Folder = "clusters",
    *,
    on: str = "",
    map: Folder = "",
    grouping: Grouping = Grouping(),
    among: Among = Among(),
    properties: str | list[str] = "",
    seed: int = 0,
    **more: Any,
) -> Table:
    """Groups objects that look alike, and says which properties set each group apart.

    Args:
        embeddings: Embeddings folder.
        out: Folder to write; or a file that ends in .fits, .csv, .ecsv, .vot or .parquet, for the table alone.
        on: Modality, or "mean"; that of the map, or the first, by default.
        map: Map folder, on which hdbscan and dbscan work; k-means works on the vectors.
        grouping: How groups are looked for.
        among: Which objects to look at, see `Among`: all, those of a condition, or those of one class.
        properties: Labels that may set groups apart, "z,logmstar"; all by default.
        seed: Of k-means, samples and intervals.
        more: Fields of `grouping` and `among`, as keyword arguments in Python: ``method="kmeans", k=5``.

    Returns:
        One row per cluster: size, its most typical object, and the properties that set it apart most (at a false
        discovery rate of 5 %), each with what is inside, what is else, and the effect: Cliff's d, or Cramer's V.
    """
    from .. import downstream
    from ..downstream import separation
    from ..storage import check_output
    from .label_tables import table_columns

    path, chosen = Path(out), {name: more.pop(name) for name in list(more) if hasattr(among, name)}
    grouping, among = changed(grouping, more, "a grouping"), changed(among, chosen, "the objects")
    if not is_table(path):
        check_output(path, "clusters")
    store = open_store(embeddings)
    how: dict[str, Any] = {"on": on, "grouping": grouping, "seed": seed}
    how["place"] = downstream.Map(Path(map)) if map else None
    names = words(properties) or None
    if among.within:
        known = {**store.labels, **(table_columns(store, among.table) if among.table else {})}
        how["properties"] = {name: known[name] for name in separation.distinct(known, names)}
        found: Found = downstream.find_subclasses(store, among.label, among.within, **how)
    else:
        rows = rows_where(store.catalog, among.where) if among.where else None
        found = downstream.cluster(store, rows=rows, properties=names, **how)
    if is_table(path):
        write_table(found.table, path)
    else:
        found.write(path)
    if among.figure:
        from ..report.figures import subclass_figure

        save_figure(subclass_figure(found.table, found.summary), among.figure)
    return _shown(found, [str(path), *[among.figure] * bool(among.figure)], store)


def _shown(found: Any, paths: list[str], store: EmbeddingStore) -> Table:
    """The clusters as a table, with what else there is to say as notes."""
    from astropy.table import Table

    from ..downstream.separation import Separation

    rows = []
    for one in found.summary["clusters"]:
        clear = [Separation(**values) for values in one["separating"] if values["q"] < SURE]
        told = [str(each) for each in clear[: len(APART)]] + [""] * len(APART)
        about = {key: one[key] for key in ("cluster", "size", "share", "probability")}
        rows.append({**about, "most_typical": one["nearest"][0], **dict(zip(APART, told, strict=False))})
    names = ("cluster", "size", "share", "probability", "most_typical", *APART)
    table = Table(rows=rows, names=names) if rows else Table(names=names, dtype=(int, int, float, float, *[str] * 4))
    for name in ("share", "probability"):
        table[name].format = ".3f"
    written = [f"written: {path}" for path in paths]
    table.meta["notes"] = ["", *_told(found), provenance(store), *written, *_next(found, store)]
    return table


def _told(found: Any) -> Iterator[str]:
    """Silhouettes, agreement and remarks, a line each."""
    scores = found.summary["silhouettes"]
    if scores:
        listed = ", ".join(f"{one['k']}: {one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})" for one in scores)
        chosen = f"; chosen {found.summary['parameters']['k']}" if len(scores) > 1 else ""
        yield f"silhouette by number of clusters: {listed}{chosen}; {scores[0]['n']:,} objects"
    for one in found.results:
        if one.property:
            interval = f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
            yield f"agreement with {one.property}: {one.metric} {interval}, {one.n:,} objects, chance 0"
    yield from found.notes


def _next(found: Any, store: EmbeddingStore) -> Iterator[str]:
    if found.summary["clusters"]:
        typical, on = found.summary["clusters"][0]["nearest"][0], found.summary["modality"]
        yield f"next:    astroclip-kit search {store.root} {typical} --query {on}"
