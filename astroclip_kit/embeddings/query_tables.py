"""Many queries at once, one per row of a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, UsageError
from ..surveys.files.table_files import column_names, numbers, read_columns, text
from .queries import Asked, ask_files, objects, rows_at, rows_of
from .query import Query

if TYPE_CHECKING:
    from .store import EmbeddingStore

__all__ = ["ask_table"]

WAYS = (("object_id",), ("ra", "dec"), ("file",))


def ask_table(store: EmbeddingStore, query: Query, name: str) -> Asked:
    """The vectors of the rows of a table.

    Args:
        store: The space.
        query: Its `table` has a column object_id, or ra and dec in degrees, or file (seen from the table's folder);
            the first of these that is there is taken.
        name: Modality that asks.

    Raises:
        FileError: If the table cannot be read, or has no row.
        InputError: If a row names no object.
        UsageError: If it has none of these columns, or there is another query beside it.
    """
    if query.like or len(query.coordinates) or query.file or query.unlike or query.weights:
        raise UsageError("a table asks by itself: leave out like, unlike, weights, coordinates and file.")
    names = column_names(query.table)
    way = next((way for way in WAYS if set(way) <= set(names)), None)
    if way is None:
        raise UsageError(
            f"{query.table}: expected a column object_id, or ra and dec, or file; found {', '.join(names[:20])}."
        )
    frame = read_columns(query.table, way, ["object_id", "file"])
    if way == ("file",):
        files = [Path(query.table).parent / str(one) for one in text(frame["file"])]
        return ask_files(store, replace(query, table="", file=files), name)
    if way == ("object_id",):
        rows = rows_of(store, [str(one) for one in text(frame["object_id"])])
    else:
        places = numbers(frame["ra"]), numbers(frame["dec"])
        if len(lost := np.flatnonzero(np.isnan(places).any(axis=0))):
            raise InputError(f"{query.table}: row {lost[0]} has no position.")
        rows = rows_at(store, *places, query.radius_arcsec)
    return objects(store, rows, name or store.names[0])
