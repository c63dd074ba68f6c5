"""The verb that finds what does not belong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..settings.oddities import Oddness
from .parts import Folder, changed, open_pictures, open_store, provenance, save_figure
from .table_files import is_table

if TYPE_CHECKING:
    from astropy.table import Table

    from ..data import Dataset
    from ..embeddings import EmbeddingStore

__all__ = ["anomalies"]

BY_LABELS = "labels"
SHOWN = ("rank", "object_id", "score", "kind", "reason")
MOST = 12  # objects that a figure shows


def anomalies(
    embeddings: Folder,
    *,
    on: str = "",
    label: str = "",
    out: str = "",
    top: int = 20,
    figure: str = "",
    dataset: Folder = "",
    scoring: Oddness = Oddness(),
    **more: Any,
) -> Table:
    """Ranks what does not belong: odd objects, and objects whose label does not fit, each with the reason.

    Args:
        embeddings: Embeddings folder.
        on: Modality; the first by default. Others that an object has are compared with it. "mean" for all that it has.
        label: Label with the class of each object, e.g. "class", for mislabels; without one they are not looked for.
            With ``by`` "labels" wrong labels are told from strange members of a class, and nothing else is ranked.
        out: File for the table of all objects: .fits, .csv, .ecsv, .vot or .parquet.
        top: How many to show; 0 for all.
        figure: File for a contact sheet of the first ones, at most 12, e.g. odd.pdf; by labels and without a dataset,
            for the plane of distances to the own class and to the nearest other one.
        dataset: Dataset folder, for the figure.
        scoring: Which scores rank, of which objects, see `Oddness`.
        more: Its fields, as keyword arguments in Python: ``k=5, by="neighbours"``.

    Returns:
        One row per object, least ordinary first.
    """
    from ..embeddings.export import described, write_export

    if out and not is_table(out):
        raise UsageError(f"out is {out!r}, expected a file that ends with .fits, .csv, .ecsv, .vot or .parquet.")
    scoring = changed(scoring, more, "a scoring")
    by_labels = scoring.by in (BY_LABELS, [BY_LABELS])
    if by_labels and not label:
        raise UsageError("by labels: say with label which label has the class of each object.")
    pictures = open_pictures(dataset) if figure and not (by_labels and not dataset) else None
    if top < 0:
        raise UsageError(f"top is {top}, expected a number of objects, or 0 for all.")
    store = open_store(embeddings)
    table = _ranked(store, on, label, scoring, by_labels)
    described(table, store.units)
    if out:
        write_export(table, out)
    if figure:
        _draw(table, pictures, figure, min(top or MOST, MOST))
    shown = table[: top or len(table)]
    suspect = [label, "suggested"] if "suggested" in table.colnames else []
    shown.meta = {**table.meta, "shown": [*SHOWN, *suspect]}
    shown.meta["notes"] = [
        "",
        *_told(table, store, top),
        *table.meta["notes"],
        provenance(store),
        *_next(table, store, out, figure),
    ]
    shown["score"].format = ".2f"
    return shown


def _ranked(store: EmbeddingStore, on: str, label: str, scoring: Oddness, by_labels: bool) -> Table:
    """What does not belong, by the label alone or by all scores."""
    from .. import downstream

    if by_labels:
        return downstream.label_audit(store, label, on, where=scoring.where, seed=scoring.seed)
    return downstream.find_anomalies(store, on=on, label=label, scoring=scoring)


def _draw(table: Table, pictures: Dataset | None, figure: str, count: int) -> None:
    """The first objects, so many; without pictures where all lie between their own class and the nearest other one."""
    from ..report import figures

    if pictures is None:
        save_figure(figures.mislabel_plane(table), figure)
    else:
        save_figure(figures.anomaly_sheet(table, pictures, count=count, names=_seen(pictures)), figure)


def _seen(pictures: Dataset) -> list[str]:
    """Modalities that show an object: all but tables, where there are others."""
    return [name for name, one in pictures.modalities.items() if one.kind != "table"]


def _told(table: Table, store: EmbeddingStore, top: int) -> Iterator[str]:
    about = f"by their {table.meta['on']}" if len(store.names) > 1 else ""
    yield f"{len(table):,} objects ranked {about}".rstrip() + (
        f", the first {top} shown" if 0 < top < len(table) else ""
    )


def _next(table: Table, store: EmbeddingStore, out: str, figure: str) -> Iterator[str]:
    yield from (f"written: {one}" for one in (out, figure) if one)
    yield f"next:    astroclip-kit search {store.root} {table['object_id'][0]} --query {table.meta['on']}"
