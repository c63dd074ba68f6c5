"""What a store is written from, checked: unit vectors, and the columns of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..storage import hash_text, new_folder, write_manifest
from ..surveys.files.coordinates import wrapped
from .arrow_columns import write_columns

__all__ = ["COLUMNS", "catalog_columns", "plain_column", "unit_vectors", "write_store"]

Array = npt.NDArray[Any]
COLUMNS = ("object_id", "group", "ra", "dec", "split")
LARGEST = 1 << 53  # up to which a float has all digits of a whole number


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
    columns = {name: plain_column(column) for name, column in {"object_id": ids, **empty, **catalog, **labels}.items()}
    if columns["ra"].dtype.kind in "fi":
        columns["ra"] = wrapped(columns["ra"])
    for name, column in columns.items():
        if column.shape != (len(ids),):
            raise InputError(f"column {name!r}: expected {len(ids)} values like object_ids, found {column.shape}.")
    return columns


def plain_column(values: Any) -> Array:
    """The values as an array of text, flags or numbers in the byte order of this machine.

    What is masked, and None and NaN among Python objects, are missing: "" in text, NaN in numbers, False in flags.
    """
    import pandas as pd

    given = _unmasked(values) if isinstance(values, np.ma.MaskedArray) else values
    column = np.asarray(given, dtype=object if isinstance(given, (list, tuple)) else None)
    if column.dtype.kind == "S":
        return np.char.decode(column, "utf-8", "replace")
    if column.dtype.kind != "O" or column.ndim != 1:
        return column.astype(column.dtype.newbyteorder("="), copy=False)
    missing = pd.isna(column)
    if any(isinstance(one, (str, bytes)) for one in column[~missing]):
        words = [one.decode(errors="replace") if isinstance(one, bytes) else one for one in column]
        return np.where(missing, "", np.array(words, dtype=object)).astype(str)
    return np.where(missing, np.nan, column).astype(np.float64)


def _unmasked(values: np.ma.MaskedArray[Any, Any]) -> Array:
    """Values with missing ones where they are masked; whole numbers that a float does not hold become text."""
    column, mask = np.asarray(np.ma.getdata(values)), np.ma.getmaskarray(values)
    if column.dtype.kind in "iu" and mask.any() and np.abs(column[~mask].astype(float)).max(initial=0) > LARGEST:
        column = column.astype(str)
    missing: Any = {"b": False, "U": "", "S": b"", "O": None}.get(column.dtype.kind, np.nan)
    return np.where(mask, missing, column) if mask.any() else column


def write_store(
    root: str | Path,
    vectors: Mapping[str, Any],
    object_ids: Any,
    present: Mapping[str, Any],
    catalog: Mapping[str, Any],
    labels: Mapping[str, Any],
    values: Mapping[str, Any],
) -> None:
    """Writes the folder of a store, in one step; see `EmbeddingStore.write`."""
    ids = np.array(np.asarray(object_ids, dtype=str).tolist(), dtype=str)  # no wider than they need
    if len(np.unique(ids)) != len(ids):
        raise InputError("object_ids: expected unique ids, found one twice. Pool or rename the rows first.")
    if not vectors:
        raise InputError("vectors: expected at least one modality, found none.")
    matrices, presence = {}, {}
    for name, matrix in vectors.items():
        presence[name] = np.asarray(present.get(name, np.ones(len(ids))), dtype=bool)
        matrices[name] = unit_vectors(name, np.asarray(matrix, dtype=np.float32), presence[name], len(ids))
    if len({matrix.shape[1] for matrix in matrices.values()}) > 1:
        shapes = {name: matrix.shape[1] for name, matrix in matrices.items()}
        raise InputError(f"vectors: all modalities of a shared space have the same dimensions, found {shapes}.")
    columns = catalog_columns(ids, catalog, labels)
    content = hash_text(ids.tobytes(), *(matrix.data for matrix in matrices.values()))
    with new_folder(root, "embeddings") as folder:
        units = {"ra": "deg", "dec": "deg", **values.get("units", {})}
        write_columns(columns, folder / "catalog.parquet", units)
        np.save(folder / "presence.npy", np.stack(list(presence.values()), axis=1))
        for name, matrix in matrices.items():
            np.save(folder / f"{name}.npy", matrix)
        head = {
            "modalities": list(matrices),
            "count": len(ids),
            "out_features": next(iter(matrices.values())).shape[1],
            "content": content,
        }
        write_manifest(folder, "embeddings", {"dataset": "", "origin": "real", "seed": 0, **values, **head})
