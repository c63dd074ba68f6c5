"""Light curves from one long table: a row per measurement, in Parquet, CSV or whatever else astropy reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import FileError
from ..types import LIGHTCURVE_CHANNELS, Drop, Modality, Sample
from .coordinates import degrees, lost
from .table_files import check_mapping, kept, modified_julian_date, numbers, read_columns, text

__all__ = ["LightCurveTable"]

NEEDED = ("id", "time", "value", "band")
OPTIONAL = ("error", "upper_limit", "ra", "dec")


class LightCurveTable:
    """Reads a long table of measurements, one light curve per object.

    A view is [T, 4]: time in days since the object's first measurement (the label ``time_zero_mjd`` says when that
    was; float32 cannot hold an MJD to better than five minutes), value, error (NaN where not given), index of the
    band. Rows are in order of time. Bands of the same name are one band, whatever their photometric system.

    Args:
        path: The table.
        columns: Which column is the id, time (MJD), value and band, and, where they exist, the error, upper_limit
            (a flag), ra and dec: ``{"id": "name", "time": "time_mjd", "value": "mag", "error": "e_mag", ...}``.
        bands: Bands to keep, in this order; or a number: that many of the most frequent.
        unit: Unit of the values: "mag", or that of a flux.
        where: Column to the value, or values, of the rows to keep.
        missing: Markers that mean "no value" or "no error".
        min_points: Objects with fewer usable measurements are dropped.
        name: Name of the modality.

    Raises:
        UsageError: If a column is not mapped, or one is mapped that the reader does not know.

    Example:
        >>> columns = {"id": "name", "time": "mjd", "value": "mag", "band": "filter"}
        >>> LightCurveTable("photometry.csv", columns, bands=["g", "r"]).modality.bands
        ('g', 'r')
    """

    def __init__(
        self,
        path: str | Path,
        columns: Mapping[str, str],
        bands: Sequence[str] | int = 5,
        unit: str = "mag",
        where: Mapping[str, object] | None = None,
        missing: Sequence[float] = (99.0, -9999.0),
        min_points: int = 2,
        name: str = "lightcurve",
    ) -> None:
        self.path = str(path)
        self.columns = check_mapping(columns, NEEDED, OPTIONAL)
        self.bands = bands if isinstance(bands, int) else tuple(bands)
        self.unit = unit
        self.where = dict(where or {})
        self.missing = tuple(missing)
        self.min_points = min_points
        self.name = name

    def __repr__(self) -> str:
        return f"LightCurveTable({self.path!r}, bands={self.bands}, unit={self.unit!r})"

    @cached_property
    def modality(self) -> Modality:
        """A light curve; where `bands` is a number, the table says which.

        Raises:
            FileError: If the table is needed and cannot be read.
        """
        bands = self.bands
        if isinstance(bands, int):
            table = self._table(Path(self.path))
            counts = table.loc[table["reason"] == "", "band"].value_counts()
            bands = tuple(sorted(counts.index, key=lambda band: (-counts[band], band))[:bands])
        return Modality(self.name, "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), self.unit, bands=bands)

    def files(self) -> list[Path]:
        """The one file."""
        return [Path(self.path)]

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per object, in the table's order; unusable rows are one drop per object and reason.

        Raises:
            FileError: If the table cannot be read, lacks a column, or holds no usable row.
        """
        table = self._table(path)
        if not (table["reason"] == "").any():
            raise FileError(path, f"none of its {len(table)} rows can be used; the first: {table['reason'].iloc[0]}.")
        bad = table[table["reason"] != ""]
        for (object_id, reason), count in bad.groupby(["id", "reason"], sort=False).size().items():
            yield Drop(f"{path}: {object_id} ({count} rows)", str(reason))
        table["index"] = table["band"].map({band: number for number, band in enumerate(self.modality.bands)})
        first = table[table["id"] != ""].drop_duplicates("id")
        number = pd.Series(np.arange(len(first)), index=first["id"])
        points = table[(table["reason"] == "") & table["index"].notna()]
        owner = number[points["id"]].to_numpy()
        order = np.lexsort((points["time"], owner))
        views = points[["time", "value", "error", "index"]].to_numpy(dtype=np.float64)[order]
        ends = np.searchsorted(owner[order], np.arange(len(first) + 1))
        for start, end, row in zip(ends[:-1], ends[1:], first.itertuples(), strict=True):
            yield _lost(path, row.id) if row.lost else self._object(path, row.id, views[start:end], row.ra, row.dec)

    def _object(
        self, path: Path, object_id: str, view: npt.NDArray[np.float64], ra: float, dec: float
    ) -> Sample | Drop:
        if len(view) < self.min_points:
            return Drop(f"{path}: {object_id}", f"fewer than {self.min_points} usable measurements in the bands")
        zero = float(view[0, 0])
        relative = (view - [zero, 0, 0, 0]).astype(np.float32)
        return Sample(object_id, {self.name: relative}, ra, dec, {"time_zero_mjd": zero})

    def _table(self, path: Path) -> pd.DataFrame:
        """All rows that `where` keeps, with the reason why each cannot be used ("" if it can)."""
        frame = read_columns(path, [*self.columns.values(), *self.where], texts=[self.columns["id"]])
        frame = frame[kept(frame, self.where)]
        if not len(frame):
            raise FileError(path, f"no row has {self.where}.")
        given = {role: frame[column] for role, column in self.columns.items()}
        nothing = np.full(len(frame), np.nan)
        value = numbers(given["value"], self.missing)
        error = numbers(given["error"], self.missing) if "error" in given else nothing
        limit = _flags(given["upper_limit"]) if "upper_limit" in given else np.zeros(len(frame), bool)
        table = {
            "id": text(given["id"]),
            "time": modified_julian_date(given["time"]),
            "value": value,
            "error": np.where(error > 0, error, np.nan),
            "band": text(given["band"]),
            "ra": degrees(given["ra"], hours=True) if "ra" in given else nothing,
            "dec": degrees(given["dec"]) if "dec" in given else nothing,
        }
        asked = [self.columns[role] for role in ("ra", "dec") if role in self.columns]
        table["lost"] = lost(frame[asked], table["ra"], table["dec"])
        cases = {"no id": table["id"] == "", "upper limit": limit, "no value": np.isnan(value)}
        cases["no time"] = np.isnan(table["time"])
        table["reason"] = np.select(list(cases.values()), list(cases), "")
        return pd.DataFrame(table)


def _lost(path: Path, object_id: str) -> Drop:
    return Drop(f"{path}: {object_id}", "coordinates out of range")


def _flags(values: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether a flag is set: true, 1, or text such as "T", "yes" or ">"."""
    unset = ("", "0", "0.0", "f", "false", "n", "no", "<na>")
    return np.asarray(~values.astype("string").fillna("").str.strip().str.lower().isin(unset), dtype=bool)
