"""Tables of new objects: which file of a folder has the columns of a model, and what its rows are called by."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..surveys import TableReader, WithCovariates, catalogue
from ..surveys.files.fits_files import find_files
from ..surveys.files.outlines import outline
from ..surveys.files.table_files import column_names
from ..types import Modality
from .observations import reader_of

__all__ = ["measured", "tables_with", "with_covariates"]

ALIKE = 3  # more files than this whose names differ in digits alone hold an object each


def tables_with(folder: str | Path, columns: Sequence[str]) -> list[Path]:
    """The tables right in a folder that have all these columns.

    Raises:
        FileError: If there is no such folder.
    """
    alike: dict[str, list[Path]] = defaultdict(list)
    for path in find_files(folder, "*"):
        alike[re.sub(r"\d+", "#", path.name)].append(path)
    several = [path for paths in alike.values() if len(paths) <= ALIKE for path in paths]
    return [path for path in several if outline(path).is_catalogue and set(columns) <= set(column_names(path))]


def measured(path: str | Path, columns: Sequence[str], name: str) -> TableReader:
    """A reader of columns of a table whose rows are called by an id or lie at positions; if neither, by their number.

    Args:
        path: The table, or a folder with one table that has the columns; of several, that of this name is read.
        columns: Names of the columns.
        name: Of the modality.

    Raises:
        FileError: If a table cannot be read.
        UsageError: If no table of the folder has the columns, or several have.
    """
    if Path(path).is_dir():
        found = tables_with(path, columns)
        found = [one for one in found if one.name.split(".")[0] == name] or found
        if len(found) != 1:
            told = f"{', '.join(one.name for one in found)} have" if found else "no table in that folder has"
            raise UsageError(f"{path}: {told} the columns {', '.join(columns)}. Give the path of the table to read.")
        path = found[0]
    try:
        known = catalogue(path, columns)
    except UsageError:  # nothing is called like an id or like coordinates
        return TableReader(path, columns)
    return TableReader(path, columns, known.id_column, known.ra_column, known.dec_column)


def with_covariates(path: str | Path, modality: Modality) -> Any:
    """A reader of survey files with the covariates that a model takes, from a table with them that lies beside.

    Args:
        path: The files. The table is right in that folder, or in the one above, and calls its rows by the same ids.
        modality: What the model was trained on.

    Returns:
        The reader; None where the files have the covariates themselves, or not one table has them.

    Raises:
        FileError: If the table cannot be read.
        UsageError: If the kit cannot tell which reader to take.
    """
    reader = reader_of(path, None, modality)
    if set(modality.covariates) <= set(reader.modality.covariates):
        return None
    folders = [one for one in (Path(path), Path(path).resolve().parent) if one.is_dir()]
    tables = next(filter(None, (tables_with(one, modality.covariates) for one in folders)), [])
    if len(tables) != 1 or not (column := catalogue(tables[0], modality.covariates).id_column):
        return None
    return WithCovariates(reader, modality.covariates, {"path": str(tables[0]), "id": column})
