"""A table of classes: an id, or coordinates, and one column more."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from ..surveys import TableReader
from ..surveys import catalogue as catalogue_reader

__all__ = ["label_table"]


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
