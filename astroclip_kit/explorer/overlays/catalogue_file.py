"""A catalogue that was brought along: a file of any format, with the columns that tell which objects its rows are."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...errors import FileError, InputError
from ...surveys.catalogues import DECS, IDS, RAS, column_called, may_be_id
from ...surveys.files.coordinates import angles
from ...surveys.files.table_files import column_names, read_columns, text

__all__ = ["ACCEPT", "CatalogueFile"]

ACCEPT = ".fits,.fit,.fits.gz,.vot,.votable,.xml,.csv,.csv.gz,.ecsv,.parquet,.txt,.dat,.tsv,.hdf5,.h5"
BEGINNINGS = {b"SIMPLE  =": ".fits", b"PAR1": ".parquet", b"\x89HDF": ".hdf5", b"<?xml": ".vot", b"<VOTABLE": ".vot"}
HEAD = 100_000  # bytes in which the names of the columns are


@dataclass(frozen=True)
class CatalogueFile:
    """A table and what of it was recognised; the columns may be named otherwise.

    Args:
        name: Of the file, as it came.
        frame: Its columns with one value per row [n].
        id_columns: Columns that may hold ids, the likeliest first.
        ra: Column of right ascensions, "" where none was recognised.
        dec: Column of declinations.
    """

    name: str
    frame: pd.DataFrame
    id_columns: tuple[str, ...]
    ra: str
    dec: str

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
        with TemporaryDirectory(prefix="explorer-") as folder:
            path = Path(folder) / f"catalogue{_ending(name, content)}"
            path.write_bytes(_with_commas(content) if path.suffix == ".csv" else content)
            try:
                names = column_names(path)
                ids = [one for one in names if may_be_id(one)]
                frame = read_columns(path, names, texts=ids)
            except FileError as error:
                raise FileError(name, _problem(error.problem)) from error
        usual = column_called(ids, IDS)
        ids = sorted(ids, key=lambda one: one != usual)
        ra, dec = column_called(names, RAS), column_called(names, DECS)
        return cls(name, frame, tuple(ids), ra if dec else "", dec if ra else "")

    def places(self, ra: str, dec: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Right ascensions and declinations [n] in degrees, NaN where they cannot be read.

        Raises:
            FileError: If a column is in a unit that is none of an angle.
            InputError: If there is no such column.
        """
        self._check(ra, dec)
        return angles(self.name, self.frame, ra, hours=True), angles(self.name, self.frame, dec)

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


def _ending(name: str, content: bytes) -> str:
    """What a file of such a content is called."""
    for begins, ending in BEGINNINGS.items():
        if content.lstrip()[: len(begins)] == begins:
            return ending
    own = "".join(Path(name).suffixes[-2:]).lower().replace(".tsv", ".csv")
    return next((one for one in ACCEPT.split(",") if own.endswith(one)), ".txt")


def _with_commas(content: bytes) -> bytes:
    """A table of text with commas in the place of semicolons or tabs, where its columns are parted by these."""
    head = next((line for line in content[:HEAD].splitlines() if line and not line.startswith(b"#")), b"")
    separator = next((one for one in (";", "\t") if one.encode() in head), "")
    if b"," in head or not separator:
        return content
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return content  # no text, as who reads it will say
    out = io.StringIO()
    csv.writer(out).writerows(csv.reader((one for one in lines if not one.startswith("#")), delimiter=separator))
    return out.getvalue().encode()


def _problem(problem: str) -> str:
    if "Format could not be identified" in problem or "Unable to guess table format" in problem:
        return "is no table of a format that is known here: FITS, VOTable, CSV, ECSV, Parquet or HDF5."
    return problem
