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
from .files.columns import Column, ColumnSpec, convert, parse_column
from .files.coordinates import angles, lost
from .files.motions import PMDECS, PMRAS, called, mas_per_year
from .files.table_files import kept, numbers, read_columns, text

__all__ = ["TableReader"]

LabelSpec = Mapping[str, Any]
LABEL_MISSING = (-9999.0,)
GAIA = {  # units of columns that are known by their names, where a table states none
    **dict.fromkeys(("parallax", "parallax_error"), "mas"),
    **dict.fromkeys(("pm", *PMRAS, *PMDECS, "pmra_error", "pmdec_error"), "mas / yr"),
    **dict.fromkeys(("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "bp_rp"), "mag"),
}


class TableReader:
    """Reads a catalogue, one object per row.

    Args:
        path: FITS, VOTable, ECSV, CSV (also .gz) or Parquet.
        columns: Columns that become the channels of a table modality, in this order; or channel to column; or channel
            to ``{"column": ..., "unit": "mJy", "missing": [99.0], "values": 3}``: the unit to convert to, where the
            table states one; markers of missing values, by default 99 and -9999; how many values a row holds, which
            become the channels ``<channel>_0``, ... None: labels alone.
        id_column: Column of the object's id, or several that are joined by "-" (plate, mjd, fiber). None: the
            row number, for catalogues that are matched by position.
        ra_column: Right ascension, decimal degrees or sexagesimal hours.
        dec_column: Declination, degrees.
        labels: Columns that become labels; or label name to column; or label name to
            ``{"column": ..., "log10": True}`` (positive values only), or to ``{"column": ..., "classes":
            {"Ia*": "Ia", "Candidate": "", "*": "other"}}`` (first pattern that fits; "" is missing). Columns of
            text become classes, all others numbers, which are missing where they are -9999 (99 may be a count) or
            one of ``"missing"``.
        where: Column to the value, or values, of the rows to keep.
        name: Name of the modality.

    Raises:
        UsageError: If a column or a label is not described as above.

    Example:
        >>> TableReader("objects.csv", columns=["ebv"], id_column="name", labels={"z": "redshift"}).modality.channels
        ('ebv',)
    """

    def __init__(
        self,
        path: str | Path,
        columns: Sequence[str] | Mapping[str, ColumnSpec] = (),
        id_column: str | Sequence[str] = (),
        ra_column: str = "",
        dec_column: str = "",
        labels: Sequence[str] | Mapping[str, str | LabelSpec] = (),
        where: Mapping[str, object] | None = None,
        name: str = "table",
    ) -> None:
        self.path = str(path)
        self.columns = dict(columns) if isinstance(columns, Mapping) else tuple(columns)
        self.id_column = id_column if isinstance(id_column, str) else tuple(id_column)
        self.ra_column = ra_column
        self.dec_column = dec_column
        self.labels = dict(labels) if isinstance(labels, Mapping) else tuple(labels)
        self.where = dict(where or {})
        self.name = name
        self._columns = _columns(self.columns)
        self._specs = _specs(self.labels)
        if not (self._columns or self._specs or self.id_column or self.ra_column):
            raise UsageError("a table reader needs columns, labels, an id_column or coordinates to read.")

    def __repr__(self) -> str:
        return f"TableReader({self.path!r}, columns={tuple(self._columns)}, labels={tuple(self._specs)})"

    @cached_property
    def modality(self) -> Modality | None:
        """A table of the chosen columns; None for labels alone."""
        if not self._columns:
            return None
        several = {name: column.values for name, column in self._columns.items() if column.values > 1}
        channels = [
            channel
            for name in self._columns
            for channel in ([f"{name}_{number}" for number in range(several[name])] if name in several else [name])
        ]
        return Modality(self.name, "table", tuple(channels), (len(channels),))

    def files(self) -> list[Path]:
        """The one file."""
        return [Path(self.path)]

    def label_units(self) -> dict[str, str]:
        """Units of the labels that the table states, by name; those of proper motions as they are converted.

        Columns that are called as Gaia calls them are in Gaia's units where the table states none.

        Raises:
            FileError: If the table cannot be read.
        """
        stated = self._frame(Path(self.path)).attrs.get("units", {})
        plain = {name: spec for name, spec in self._specs.items() if not {"classes", "log10"} & set(spec)}
        units = {name: stated.get(spec["column"]) or GAIA.get(spec["column"], "") for name, spec in plain.items()}
        return {name: "mas / yr" if called([name], PMRAS + PMDECS) else unit for name, unit in units.items() if unit}

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per row; rows that cannot be used are drops.

        A row that `where` keeps is dropped if its id is empty, its coordinates are out of range or cannot be read, or
        (with `columns`) its id was there before or it has no value at all. Repeated ids of a catalogue of labels are
        numbered ("a", "a#2") in the group of that id. A missing value is NaN in the view and no label. Proper motions
        (labels called like pmra and pmdec) are converted to mas per year.

        Raises:
            FileError: If the file cannot be read, lacks a column, states a unit that does not convert to the one
                asked for (of coordinates: to degrees), or none of its rows can be used.
        """
        frame = self._frame(path)
        ids = self._ids(frame)
        ra, dec = angles(path, frame, self.ra_column, hours=True), angles(path, frame, self.dec_column)
        views = self._views(path, frame)
        labels = {name: self._label(path, name, frame, spec) for name, spec in self._specs.items()}
        reasons = self._problems(frame, ids, ra, dec, views)
        if all(reasons):
            raise FileError(path, f"none of its {len(frame)} rows can be used; the first: {reasons[0]}.")
        names = ids if self._columns else _numbered(ids)
        for row, reason in enumerate(reasons):
            if reason:
                yield Drop(f"{path}: row {frame.index[row] + 1} {ids[row]}".rstrip(), reason)
                continue
            present = {name: value for name, values in labels.items() if _is_given(value := values[row])}
            view = {self.name: views[row].copy()} if self._columns else {}
            yield Sample(names[row], view, float(ra[row]), float(dec[row]), present, ids[row])

    def _frame(self, path: Path) -> pd.DataFrame:
        ids = [self.id_column] if isinstance(self.id_column, str) else [*self.id_column]
        sources = [spec["column"] for spec in self._specs.values()]
        values = {column.column: column.values for column in self._columns.values()}
        wanted = [*ids, self.ra_column, self.dec_column, *values, *sources, *self.where]
        frame = read_columns(path, wanted, texts=ids, values=values)
        keep = kept(frame, self.where)
        if not keep.any():
            raise FileError(path, f"no row has {self.where}.")
        return frame[keep]

    def _views(self, path: Path, frame: pd.DataFrame) -> npt.NDArray[np.float32]:
        """The channels of the table modality [N, C]."""
        views = []
        for column in self._columns.values():
            several = [f"{column.column}_{number}" for number in range(column.values)]
            stated = frame.attrs.get("units", {}).get(column.column, "")
            for name in several if column.values > 1 else [column.column]:
                values = numbers(frame[name], column.missing)
                views.append(convert(path, column.column, values, stated, column.unit))
        return np.array(views, dtype=np.float32).T.reshape(len(frame), -1)

    def _ids(self, frame: pd.DataFrame) -> list[str]:
        names = [self.id_column] if isinstance(self.id_column, str) else [*self.id_column]
        if not any(names):
            return [str(row) for row in frame.index]
        parts = [text(frame[name]) for name in names]
        return ["-".join(row) if all(row) else "" for row in zip(*parts, strict=True)]

    def _label(self, path: Path, name: str, frame: pd.DataFrame, spec: LabelSpec) -> Sequence[float] | Sequence[str]:
        values = frame[spec["column"]]
        if "classes" in spec:
            classes = {value: _classify(value, spec["classes"]) for value in set(text(values))}
            return [classes[value] for value in text(values)]
        numeric = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
        if not numeric and not spec.get("log10"):
            return list(text(values))
        stated = frame.attrs.get("units", {}).get(spec["column"], "")
        given = mas_per_year(path, name, numbers(values, spec.get("missing", LABEL_MISSING)), stated)
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
        blank = np.isnan(views).all(axis=1) if self._columns else np.zeros(len(frame), bool)
        cases = [
            (empty, "no id"),
            (repeated & bool(self._columns), "duplicated id"),
            (lost(frame[asked], ra, dec), "coordinates out of range"),
        ]
        cases.append((blank, "no value in any column"))
        return list(np.select([case for case, _ in cases], [reason for _, reason in cases], "").tolist())


def _columns(columns: Sequence[str] | Mapping[str, ColumnSpec]) -> dict[str, Column]:
    pairs = columns.items() if isinstance(columns, Mapping) else [(name, name) for name in columns]
    return {name: parse_column(f"column {name!r}", spec, ("unit", "missing", "values")) for name, spec in pairs}


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


def _numbered(ids: Sequence[str]) -> list[str]:
    """The same ids, with #2, #3, ... behind those that occurred before."""
    series = pd.Series(ids, dtype=object)
    count = series.groupby(series).cumcount() + 1
    return [f"{name}#{number}" if number > 1 else name for name, number in zip(ids, count.tolist(), strict=True)]


def _classify(value: str, classes: Mapping[str, str]) -> str:
    if not value:
        return ""
    return next((name for pattern, name in classes.items() if fnmatchcase(value, pattern)), "")


def _is_given(value: float | str) -> bool:
    return value != "" and value == value
