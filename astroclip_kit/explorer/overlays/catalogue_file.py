"""A catalogue that was brought along: a file of any format, with the columns that tell which objects its rows are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...errors import FileError, InputError
from ...surveys.catalogues import DECS, IDS, RAS, column_called, may_be_id
from ...surveys.files.coordinates import angles
from ...surveys.files.table_files import column_names, read_columns, text
from .forms import ACCEPT, unpacked

__all__ = ["ACCEPT", "CatalogueFile"]


@dataclass(frozen=True)
class CatalogueFile:
    """A table and what of it was recognised; the columns may be named otherwise.

    Args:
        name: Of the file, as it came.
        frame: Its columns with one value per row [n].
        id_columns: Columns that may hold ids, the likeliest first.
        ra: Column of right ascensions, "" where none was recognised.
        dec: Column of declinations.
        note: Which of several tables it is, in a sentence, or "".
    """

    name: str
    frame: pd.DataFrame
    id_columns: tuple[str, ...]
    ra: str
    dec: str
    note: str = ""

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def read(cls, name: str, content: bytes) -> CatalogueFile:
        """Reads a file.

        Args:
            name: Its name, of which the ending tells the format where the content does not.
            content: FITS, VOTable, CSV, ECSV, Parquet, HDF5 or any table of text that astropy knows.

        Raises:
            FileError: If it is empty, damaged or no table.
        """
        ending, content, note = unpacked(name, content)
        with TemporaryDirectory(prefix="explorer-") as folder:
            path = Path(folder) / f"catalogue{ending}"
            path.write_bytes(content)
            try:
                names = column_names(path)
                if names and all(map(_is_number, names)):
                    raise FileError(name, "has no names of columns in its first line. Add one, such as ra,dec.")
                ids = [one for one in names if may_be_id(one)]
                frame = read_columns(path, names, texts=ids)
            except FileError as error:
                raise FileError(name, _problem(error.problem)) from error
        usual = column_called(ids, IDS)
        ids = sorted(ids, key=lambda one: one != usual)
        ra, dec = column_called(names, RAS), column_called(names, DECS)
        return cls(name, frame, tuple(ids), ra if dec else "", dec if ra else "", note)

    def places(self, ra: str, dec: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Right ascensions and declinations [n] in degrees, NaN where they cannot be read.

        Raises:
            FileError: If a column is in a unit that is none of an angle.
            InputError: If there is no such column.
        """
        self._check(ra, dec)
        return angles(self.name, self.frame, ra, hours=True), angles(self.name, self.frame, dec)

    def in_hours(self, ra: str) -> CatalogueFile | None:
        """The same with a right ascension in hours, where that may be: it has no unit, and no number above 24."""
        units = self.frame.attrs.get("units", {})
        if ra not in self.frame or units.get(ra) or not pd.api.types.is_numeric_dtype(self.frame[ra]):
            return None
        if not (self.frame[ra].min() >= 0 and self.frame[ra].max() <= 24):
            return None
        frame = self.frame.copy(deep=False)
        frame.attrs = {**self.frame.attrs, "units": {**units, ra: "hourangle"}}
        return replace(self, frame=frame)

    def ids(self, column: str) -> npt.NDArray[np.object_]:
        """Ids [n] as text, "" where there is none.

        Raises:
            InputError: If there is no such column.
        """
        self._check(column)
        return text(self.frame[column])

    def _check(self, *columns: str) -> None:
        for column in columns:
            if column not in self.frame:
                raise InputError(f"{self.name}: choose a column to match by, found {column!r}.")


def _is_number(name: str) -> bool:
    try:
        return math.isfinite(float(name))
    except ValueError:
        return False


def _problem(problem: str) -> str:
    if "Format could not be identified" in problem or "Unable to guess table format" in problem:
        return "is no table of a format that is known here: FITS, VOTable, CSV, ECSV, Parquet or HDF5."
    return problem
