"""What a store is written from, checked: unit vectors, and the columns of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError

__all__ = ["COLUMNS", "catalog_columns", "unit_vectors", "write_catalog"]

Array = npt.NDArray[Any]
COLUMNS = ("object_id", "group", "ra", "dec", "split")


def unit_vectors(name: str, matrix: npt.NDArray[np.float32], present: Array, count: int) -> npt.NDArray[np.float32]:
    """Vectors of length 1 [N, D], zero where they are absent.

    Raises:
        InputError: If the lengths differ, or a present vector is zero or not finite.
    """
    if matrix.ndim != 2 or matrix.shape[0] != count or present.shape != (count,):
        raise InputError(
            f"vectors {name!r}: expected {count} rows like object_ids, found shapes {matrix.shape} and {present.shape}."
        )
    norm = np.where(present, np.linalg.norm(matrix, axis=1), 1)[:, None]
    if not np.isfinite(norm).all() or not (norm > 0).all():
        row = int(np.flatnonzero(~(np.isfinite(norm) & (norm > 0)))[0])
        raise InputError(f"vectors {name!r}: row {row} is zero or not finite. Mark it as absent with `present`.")
    return np.where(present[:, None], matrix / norm, 0).astype(np.float32)


def catalog_columns(ids: Array, catalog: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Array]:
    """All columns of the catalogue [N], ids first, then group, ra, dec and split, then the labels.

    Raises:
        InputError: If a column has another length.
        UsageError: If a label has the name of a column, or a column is unknown.
    """
    unknown = sorted(set(catalog) - set(COLUMNS[1:]))
    taken = sorted(set(labels) & set(COLUMNS))
    if unknown or taken:
        raise UsageError(
            f"{(unknown or taken)[0]!r} cannot be {'a catalogue column' if unknown else 'a label'}: "
            f"the catalogue has {', '.join(COLUMNS)}, all other columns are labels."
        )
    empty = {"group": ids, "ra": np.full(len(ids), np.nan), "dec": np.full(len(ids), np.nan), "split": [""] * len(ids)}
    columns = {name: _column(column) for name, column in {"object_id": ids, **empty, **catalog, **labels}.items()}
    for name, column in columns.items():
        if column.shape != (len(ids),):
            raise InputError(f"column {name!r}: expected {len(ids)} values like object_ids, found {column.shape}.")
    return columns


def _column(values: Any) -> Array:
    """The values as an array; among Python objects None and NaN are missing, "" in text and NaN in numbers."""
    import pandas as pd

    column = np.asarray(values, dtype=object if isinstance(values, (list, tuple)) else None)
    if column.dtype.kind != "O" or column.ndim != 1:
        return column
    missing = pd.isna(column)
    if any(isinstance(one, str) for one in column[~missing]):
        return np.where(missing, "", column).astype(str)
    return np.where(missing, np.nan, column).astype(np.float64)


def write_catalog(columns: Mapping[str, Array], path: Path) -> None:
    """Writes columns as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        name: pa.array(column.astype(str).tolist() if column.dtype.kind in "UO" else column)
        for name, column in columns.items()
    }
    pq.write_table(pa.table(arrays), path)
