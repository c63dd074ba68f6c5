"""Catalogues: any table that astropy reads, and Parquet, as a table modality or as labels alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import FileError, UsageError
from ..types import Drop, Modality, Sample
from .coordinates import degrees, lost
from .table_files import numbers, read_columns, text

__all__ = ["TableReader"]

LabelSpec = Mapping[str, Any]
LABEL_MISSING = (-9999.0,)


class TableReader:
    """Reads a catalogue, one object per row.

    Args:
        path: FITS, VOTable, ECSV, CSV (also .gz) or Parquet.
        columns: Columns that become the channels of a table modality, in this order. None: labels alone.
        id_column: Column of the object's id, or several that are joined by "-" (plate, mjd, fiber). None: the
            row number, for catalogues that are matched by position.
        ra_column: Right ascension, decimal degrees or sexagesimal hours.
        dec_column: Declination, degrees.
        labels: Columns that become labels; or label name to column; or label name to
            ``{"column": ..., "log10": True}`` (positive values only), or to ``{"column": ..., "classes":
            {"Ia*": "Ia", "Candidate": "", "*": "other"}}`` (first pattern that fits; "" is missing). Columns of
            text become classes, all others numbers.
        missing: Markers that mean "no value" in `columns`. Numeric labels, where 99 may be a count, have their own:
            ``{"column": ..., "missing": [99.0]}``; by default -9999 alone.
        name: Name of the modality.

    Raises:
        UsageError: If a label is not described as above.

    Example:
        >>> TableReader("objects.csv", columns=["ebv"], id_column="name", labels={"z": "redshift"}).modality.channels
        ('ebv',)
    """

    def __init__(
        self,
        path: str | Path,
        columns: Sequence[str] = (),
        id_column: str | Sequence[str] = (),
        ra_column: str = "",
        dec_column: str = "",
        labels: Sequence[str] | Mapping[str, str | LabelSpec] = (),
        missing: Sequence[float] = (99.0, -9999.0),
        name: str = "table",
    ) -> None:
        self.path = str(path)
        self.columns = tuple(columns)
        self.id_column = id_column if isinstance(id_column, str) else tuple(id_column)
        self.ra_column = ra_column
        self.dec_column = dec_column
        self.labels = dict(labels) if isinstance(labels, Mapping) else tuple(labels)
        self.missing = tuple(missing)
        self.name = name
        self._specs = _specs(self.labels)
        if not (self.columns or self._specs or self.id_column or self.ra_column):
            raise UsageError("a table reader needs columns, labels, an id_column or coordinates to read.")

    def __repr__(self) -> str:
        return f"TableReader({self.path!r}, columns={self.columns}, labels={tuple(self._specs)})"

    @cached_property
    def modality(self) -> Modality | None:
        """A table of the chosen columns; None for labels alone."""
        return Modality(self.name, "table", self.columns, (len(self.columns),)) if self.columns else None

    def files(self) -> list[Path]:
        """The one file."""
        return [Path(self.path)]

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per row; rows that cannot be used are drops.

        A row is dropped if its id is empty or was there before, its coordinates are out of range or cannot be
        read, or (with `columns`) it has no value at all. A missing value is NaN in the view and no label.

        Raises:
            FileError: If the file cannot be read, lacks a column, or none of its rows can be used.
        """
        frame = self._frame(path)
        ids = self._ids(frame)
        ra = _angles(frame, self.ra_column, hours=True)
        dec = _angles(frame, self.dec_column)
        views = np.empty((len(frame), len(self.columns)), dtype=np.float32)
        for channel, column in enumerate(self.columns):
            views[:, channel] = numbers(frame[column], self.missing)
        labels = {name: self._label(frame[spec["column"]], spec) for name, spec in self._specs.items()}
        reasons = self._problems(frame, ids, ra, dec, views)
        if all(reasons):
            raise FileError(path, f"none of its {len(frame)} rows can be used; the first: {reasons[0]}.")
        for row, reason in enumerate(reasons):
            if reason:
                yield Drop(f"{path}: row {row + 1} {ids[row]}".rstrip(), reason)
                continue
            present = {name: value for name, values in labels.items() if _is_given(value := values[row])}
            view = {self.name: views[row].copy()} if self.columns else {}
            yield Sample(ids[row], view, float(ra[row]), float(dec[row]), present)

    def _frame(self, path: Path) -> pd.DataFrame:
        ids = [self.id_column] if isinstance(self.id_column, str) else [*self.id_column]
        sources = [spec["column"] for spec in self._specs.values()]
        return read_columns(path, [*ids, self.ra_column, self.dec_column, *self.columns, *sources], texts=ids)

    def _ids(self, frame: pd.DataFrame) -> list[str]:
        names = [self.id_column] if isinstance(self.id_column, str) else [*self.id_column]
        if not any(names):
            return [str(row) for row in range(len(frame))]
        parts = [text(frame[name]) for name in names]
        return ["-".join(row) if all(row) else "" for row in zip(*parts, strict=True)]

    def _label(self, values: pd.Series, spec: LabelSpec) -> Sequence[float] | Sequence[str]:
        if "classes" in spec:
            classes = {value: _classify(value, spec["classes"]) for value in set(text(values))}
            return [classes[value] for value in text(values)]
        numeric = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
        if not numeric and not spec.get("log10"):
            return list(text(values))
        given = numbers(values, spec.get("missing", LABEL_MISSING))
        if spec.get("log10"):
            given = np.log10(given, out=np.full(len(given), np.nan), where=given > 0)
        return list(given.tolist())

    def _problems(
        self,
        frame: pd.DataFrame,
        ids: Sequence[str],
        ra: npt.NDArray[np.float64],
        dec: npt.NDArray[np.float64],
        views: npt.NDArray[np.float32],
    ) -> list[str]:
        """Why each row cannot be used; "" if it can."""
        repeated = pd.Series(ids).duplicated().to_numpy()
        empty = np.array([not object_id for object_id in ids])
        asked = [name for name in (self.ra_column, self.dec_column) if name]
        blank = np.isnan(views).all(axis=1) if self.columns else np.zeros(len(frame), bool)
        cases = [
            (empty, "no id"),
            (repeated, "duplicated id"),
            (lost(frame[asked], ra, dec), "coordinates out of range"),
        ]
        cases.append((blank, "no value in any column"))
        return list(np.select([case for case, _ in cases], [reason for _, reason in cases], "").tolist())


def _specs(labels: Mapping[str, str | LabelSpec] | Sequence[str]) -> dict[str, LabelSpec]:
    """Label name to its column, classes and log10."""
    pairs = labels.items() if isinstance(labels, Mapping) else [(name, name) for name in labels]
    specs: dict[str, LabelSpec] = {}
    for name, spec in pairs:
        full = {"column": spec} if isinstance(spec, str) else dict(spec)
        unknown = set(full) - {"column", "classes", "log10", "missing"}
        if unknown or "column" not in full or ("classes" in full and {"log10", "missing"} & set(full)):
            raise UsageError(
                f"label {name!r}: expected a column, or column with classes, or with log10 and missing, found {spec!r}."
            )
        specs[name] = full
    return specs


def _angles(frame: pd.DataFrame, column: str, hours: bool = False) -> npt.NDArray[np.float64]:
    return degrees(frame[column], hours) if column else np.full(len(frame), np.nan)


def _classify(value: str, classes: Mapping[str, str]) -> str:
    if not value:
        return ""
    return next((name for pattern, name in classes.items() if fnmatchcase(value, pattern)), "")


def _is_given(value: float | str) -> bool:
    return value != "" and value == value
