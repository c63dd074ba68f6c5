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

    from ..embeddings import EmbeddingStore

__all__ = ["anomalies"]

SHOWN = ("rank", "object_id", "score", "kind", "reason")


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
        out: File for the table of all objects: .fits, .csv, .ecsv, .vot or .parquet.
        top: How many to show; 0 for all.
        figure: File for a contact sheet of the first ones, e.g. odd.pdf.
        dataset: Dataset folder, for the figure.
        scoring: Which scores rank, of which objects, see `Oddness`.
        more: Its fields, as keyword arguments in Python: ``k=5, by="neighbours"``.

    Returns:
        One row per object, least ordinary first.
    """
    from .. import downstream
    from ..embeddings.export import described, write_export
    from ..report import figures

    if out and not is_table(out):
        raise UsageError(f"out is {out!r}, expected a file that ends with .fits, .csv, .ecsv, .vot or .parquet.")
    pictures = open_pictures(dataset) if figure else None
    if top < 0:
        raise UsageError(f"top is {top}, expected a number of objects, or 0 for all.")
    store, scoring = open_store(embeddings), changed(scoring, more, "a scoring")
    table = downstream.find_anomalies(store, on=on, label=label, scoring=scoring)
    described(table, store.units)
    if out:
        write_export(table, out)
    if figure:
        save_figure(figures.anomaly_sheet(table, pictures), figure)
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


def _told(table: Table, store: EmbeddingStore, top: int) -> Iterator[str]:
    about = f"by their {table.meta['on']}" if len(store.names) > 1 else ""
    yield f"{len(table):,} objects ranked {about}".rstrip() + (
        f", the first {top} shown" if 0 < top < len(table) else ""
    )


def _next(table: Table, store: EmbeddingStore, out: str, figure: str) -> Iterator[str]:
    yield from (f"written: {one}" for one in (out, figure) if one)
    yield f"next:    astroclip-kit search {store.root} {table['object_id'][0]} --query {table.meta['on']}"
