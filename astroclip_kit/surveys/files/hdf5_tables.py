"""Tables in HDF5 files: one array of records, as astropy writes them, or one array per column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .references import opened_hdf5

__all__ = ["hdf5_fields", "hdf5_names", "read_hdf5"]

Field = tuple[str, tuple[int, ...]]  # a column's name, and the shape of its values


def hdf5_fields(file: Any) -> list[Field]:
    """The columns of the table in an open HDF5 file: of its first array of records, or else its arrays of one length.

    Args:
        file: An `h5py.File`; tables are looked for at its top and in the groups there.
    """
    records = _records(file)
    if records is not None:
        return [(name, records.dtype[name].shape) for name in records.dtype.names]
    return [(name, array.shape[1:]) for name, array in _columns(file).items()]


def hdf5_names(path: Path, wide: bool = False) -> list[str]:
    """Names of the columns that hold one value per row, or of all of them."""
    with opened_hdf5(path) as file:
        return [name for name, shape in hdf5_fields(file) if wide or not shape]


def read_hdf5(path: Path, wanted: Sequence[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Some columns; of the others, which may be a hundred times as large, nothing stays in memory.

    Args:
        path: The file.
        wanted: Names of columns that it has.

    Returns:
        The columns, each value of several numbers as an array, and the lines in which astropy describes them.
    """
    with opened_hdf5(path) as file:
        records = _records(file)
        if records is None:
            columns = _columns(file)
            arrays = {name: columns[name][:] for name in wanted}
        else:
            rows = records.fields([*wanted])[:] if wanted else np.empty(len(records), dtype=[])
            arrays = {name: rows[name] for name in wanted}
        header = _header(file, records)
    native = {name: array.astype(array.dtype.newbyteorder("=")) for name, array in arrays.items()}
    return pd.DataFrame({name: array if array.ndim == 1 else list(array) for name, array in native.items()}), header


def _arrays(file: Any) -> Iterator[Any]:
    """The arrays at the top and, after them, in the groups there."""
    import h5py

    members = [file[name] for name in file]
    inside = [group[name] for group in members if isinstance(group, h5py.Group) for name in group]
    return (one for one in [*members, *inside] if isinstance(one, h5py.Dataset) and one.ndim)


def _records(file: Any) -> Any:
    """The first array of records; None if there is none."""
    return next((one for one in _arrays(file) if one.dtype.names and one.ndim == 1), None)


def _columns(file: Any) -> dict[str, Any]:
    """The arrays of the most frequent length, by name."""
    arrays = list(_arrays(file))
    lengths = Counter(len(one) for one in arrays).most_common(1)
    return {one.name.rpartition("/")[2]: one for one in arrays if len(one) == lengths[0][0]}


def _header(file: Any, records: Any) -> tuple[str, ...]:
    described = None if records is None else file.get(f"{records.name}.__table_column_meta__")
    return () if described is None else tuple(line.decode() for line in described[:])
