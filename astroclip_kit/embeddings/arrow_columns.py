"""Columns of Parquet files as numpy arrays: kinds from the schema alone, text without a Python object per row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ROW_GROUP", "as_numpy", "codes_of", "kind_of", "problem", "write_columns"]

Array = npt.NDArray[Any]
ROW_GROUP = 1 << 17  # rows that are read to know one: a few milliseconds


def kind_of(kind: pa.DataType) -> str:
    """What a column holds: "number", "text" or "flag"."""
    import pyarrow.types as pt

    if pt.is_boolean(kind):
        return "flag"
    text = pt.is_string(kind) or pt.is_large_string(kind) or pt.is_null(kind) or pt.is_dictionary(kind)
    return "text" if text else "number"


def as_numpy(column: pa.ChunkedArray) -> Array:
    """Values [N]; missing text is "", a missing number NaN, and a missing flag False."""
    import pyarrow.compute as pc

    if kind_of(column.type) == "flag":
        return np.asarray(column.fill_null(False).to_numpy())
    if kind_of(column.type) != "text":
        return np.asarray(column.to_numpy())
    if not len(column) or not column.length() - column.null_count:
        return np.full(len(column), "", dtype=str)
    width = max(pc.max(pc.utf8_length(column)).as_py(), 1)
    values, start = np.full(len(column), "", dtype=f"U{width}"), 0
    for chunk in column.chunks:
        values[start : start + len(chunk)] = chunk.fill_null("").to_numpy(zero_copy_only=False)
        start += len(chunk)
    return values


def codes_of(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], Array]:
    """Text as the number of each row's class int32 [N], -1 where it is missing, and the classes as they come."""
    import pyarrow as pa
    import pyarrow.types as pt

    one = (column if pt.is_dictionary(column.type) else column.dictionary_encode()).unify_dictionaries()
    if not one.num_chunks:
        return np.empty(0, np.int32), np.empty(0, dtype=str)
    codes, start = np.empty(len(one), np.int32), 0
    for chunk in one.chunks:
        known = chunk.indices.fill_null(-1) if chunk.null_count else chunk.indices
        codes[start : start + len(chunk)] = known.to_numpy(zero_copy_only=False)
        start += len(chunk)
    return codes, as_numpy(pa.chunked_array([one.chunk(0).dictionary]))


def problem(error: Exception) -> str:
    """What Arrow says is wrong, in one line."""
    return str(error).strip().splitlines()[0].rstrip(".")


def write_columns(
    columns: Mapping[str, Array | pa.ChunkedArray],
    path: Path,
    units: Mapping[str, str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes columns as Parquet, with units in the metadata of its fields."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {name: _arrow(column) for name, column in columns.items()}
    fields = [
        pa.field(name, array.type, metadata={"unit": units[name]} if units.get(name) else None)
        for name, array in arrays.items()
    ]
    table = pa.table(list(arrays.values()), schema=pa.schema(fields, metadata=metadata))
    pq.write_table(table, path, row_group_size=ROW_GROUP)


def _arrow(column: Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    if isinstance(column, np.ndarray):
        return pa.array(column.astype(str), pa.string()) if column.dtype.kind in "UO" else pa.array(column)
    return column
