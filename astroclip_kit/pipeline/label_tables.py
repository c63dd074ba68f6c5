"""Tables that know more of the objects: their classes, or any columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..surveys import TableReader
from ..surveys import catalogue as catalogue_reader
from ..types import Sample

if TYPE_CHECKING:
    from ..embeddings import EmbeddingStore

__all__ = ["label_table", "table_columns"]


def label_table(path: str | Path, label: str) -> TableReader:
    """A reader of the classes in a table.

    Args:
        path: CSV, FITS, VOTable, ECSV, HDF5 or Parquet with a column of ids or coordinates.
        label: What the classes are called: the name of their column, unless there is only one that it can be.

    Raises:
        FileError: If the table cannot be read.
        UsageError: If no column is called like an id or coordinates, or it is not clear which holds the classes.
    """
    known = catalogue_reader(path)
    others = list(known.labels)
    column = label if label in others else others[0] if len(others) == 1 else ""
    if not column:
        raise UsageError(
            f"{path}: which column holds the classes? There is no {label!r}; there is {', '.join(others) or 'none'}. "
            f"Name it with --classification.label."
        )
    return TableReader(path, (), known.id_column, known.ra_column, known.dec_column, labels={label: column})


def table_columns(store: EmbeddingStore, path: str | Path) -> dict[str, npt.NDArray[Any]]:
    """The columns of a table for the rows of a store, by id of the row or of its object; NaN or "" where missing.

    Args:
        store: N rows.
        path: CSV, FITS, VOTable, ECSV, HDF5 or Parquet with a column of ids.

    Returns:
        Name to values [N].

    Raises:
        FileError: If the table cannot be read.
        UsageError: If no column is called like an id.
        InputError: If no id is one of the store's.
    """
    table = catalogue_reader(path)
    if not table.id_column:
        raise UsageError(f"{path}: no column is called like an id (object_id, id, name): its rows belong to no object.")
    samples = [one for one in table.read(Path(path)) if isinstance(one, Sample)]
    row = {name: at for at, one in reversed(list(enumerate(samples))) for name in (one.object_id, one.group)}
    groups = zip(store.object_ids.tolist(), store.groups.tolist(), strict=True)
    entries = np.array([row.get(own, row.get(group, -1)) for own, group in groups])
    if (entries < 0).all():
        raise InputError(
            f"none of {len(samples)} rows of {path} belongs to an object of {store.root} (ids look like "
            f"{samples[0].object_id!r} and {str(store.object_ids[0])!r})."
        )
    names = dict.fromkeys(name for one in samples for name in one.labels)
    columns = {}
    for name in names:
        missing = "" if any(isinstance(one.labels.get(name), str) for one in samples) else np.nan
        columns[name] = np.array([one.labels.get(name, missing) for one in samples] + [missing])[entries]
    return columns
