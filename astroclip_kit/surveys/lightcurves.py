"""Light curves from one long table: a row per measurement, in Parquet, CSV or whatever else astropy reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from ..errors import FileError
from ..types import Drop, Modality, Sample
from .files.columns import ColumnSpec, parse_column
from .files.table_files import check_mapping, kept, read_columns
from .measurements import UpperLimits, light_curve_modality, light_curves, measurements

__all__ = ["LightCurveTable"]

NEEDED = ("id", "time", "value", "band")
OPTIONAL = ("error", "upper_limit", "limit", "sign", "ra", "dec", "group")


class LightCurveTable:
    """Reads a long table of measurements, one light curve per object.

    A view is [T, 4]: time in days since the object's first measurement (the label ``time_zero_mjd`` says when that
    was; float32 cannot hold an MJD to better than five minutes), value, error (NaN where not given), index of the
    band. Rows are in order of time. Bands of the same name are one band, whatever their photometric system.

    Times are MJD, JD or HJD (above 2,400,000; the light's way to the Sun, at most 8.3 minutes, is not taken out), or
    dates as text. Upper limits are rows with a set flag, with ">" or "<" before the value, or with a limit in
    place of a value; they are never mixed with detections.

    Args:
        path: The table.
        columns: Which column is the id, time, value and band, and, where they exist, the error, upper_limit (a
            flag), limit (the limit's value, where it is not in the value's column), sign (of a difference flux: "f",
            0 or -1 is negative), ra, dec and group (the object, where the id is an alert). A column is its name, or
            ``{"column": "mag", "unit": "mag", "missing": [99.0]}`` (markers of missing values, by default 99 and
            -9999; the unit of the values where the table states none), or for the time ``{"column": ..., "offset":
            2450000}``.
        bands: Bands to keep, in this order; or what the table writes to a band's name (``{1: "g", 2: "r"}``); or a
            number: that many of the most frequent.
        unit: Unit of the light curve. Values in another unit are converted; magnitudes become a flux density (AB),
            which is the only way to keep negative difference fluxes.
        where: Column to the value, or values, of the rows to keep.
        upper_limits: "drop" them (counted), or "keep" them as bands of their own, ``<band>_limit``.
        min_points: Objects with fewer detections are dropped.
        name: Name of the modality.

    Raises:
        UsageError: If a column is not mapped, one is mapped that the reader does not know, or one or `upper_limits`
            is not as described above.

    Example:
        >>> columns = {"id": "objectId", "time": "jd", "value": "magpsf", "band": "fid"}
        >>> LightCurveTable("alerts.csv", columns, bands={1: "g", 2: "r"}, upper_limits="keep").modality.bands
        ('g', 'r', 'g_limit', 'r_limit')
    """

    def __init__(
        self,
        path: str | Path,
        columns: Mapping[str, ColumnSpec],
        bands: Sequence[str] | Mapping[str | int, str] | int = 5,
        unit: str = "mag",
        where: Mapping[str, object] | None = None,
        upper_limits: UpperLimits = "drop",
        min_points: int = 2,
        name: str = "lightcurve",
    ) -> None:
        self.path = str(path)
        self.columns = check_mapping(columns, NEEDED, OPTIONAL)
        self.bands: tuple[str, ...] | dict[str, str] | int
        if isinstance(bands, Mapping):
            self.bands = {str(written): band for written, band in bands.items()}
        else:
            self.bands = bands if isinstance(bands, int) else tuple(bands)
        self.unit = unit
        self.where = dict(where or {})
        self.upper_limits = upper_limits
        self.min_points = min_points
        self.name = name
        keys = {"value": ("unit", "missing"), "time": ("offset",)}
        self._columns = {
            role: parse_column(f"columns: {role}", spec, keys.get(role, ("missing",)))
            for role, spec in self.columns.items()
        }
        light_curve_modality(name, (), unit, upper_limits)

    def __repr__(self) -> str:
        return f"LightCurveTable({self.path!r}, bands={self.bands}, unit={self.unit!r})"

    @cached_property
    def modality(self) -> Modality:
        """A light curve; where `bands` is a number, the table says which.

        Raises:
            FileError: If the table is needed and cannot be read.
        """
        bands = [*dict.fromkeys(self.bands.values())] if isinstance(self.bands, dict) else self.bands
        if isinstance(bands, int):
            table = self._table(Path(self.path))
            counts = table.loc[(table["reason"] == "") & ~table["is_limit"], "band"].value_counts()
            bands = sorted(counts.index, key=lambda band: (-counts[band], band))[:bands]
        return light_curve_modality(self.name, bands, self.unit, self.upper_limits)

    def files(self) -> list[Path]:
        """The one file."""
        return [Path(self.path)]

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per object, in the table's order; unusable rows are one drop per object and reason.

        Raises:
            FileError: If the table cannot be read, lacks a column, holds no usable row, or states a unit of the
                values that does not convert to the light curve's.
        """
        yield from light_curves(path, self._table(path), self.modality, self.min_points)

    def _table(self, path: Path) -> pd.DataFrame:
        """The measurements that `where` keeps."""
        columns = self._columns
        names = [column.column for column in columns.values()]
        texts = [columns[role].column for role in ("id", "group") if role in columns]
        frame = read_columns(path, [*names, *self.where], texts)
        stated = frame.attrs.get("units", {})
        columns = {
            role: replace(column, unit=stated.get(column.column, column.unit)) for role, column in columns.items()
        }
        frame = frame[kept(frame, self.where)]
        if not len(frame):
            raise FileError(path, f"no row has {self.where}.")
        given = {role: frame[column.column] for role, column in columns.items()}
        table = measurements(path, given, columns, self.unit, self.upper_limits)
        if isinstance(self.bands, dict):
            names_of = self.bands | {f"{written}_limit": f"{band}_limit" for written, band in self.bands.items()}
            table["band"] = table["band"].map(names_of)
        return table
