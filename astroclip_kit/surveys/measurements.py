"""Photometric measurements, one per row, to light curves, one per object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import FileError, UsageError
from ..transforms.bands import LIMIT
from ..types import LIGHTCURVE_CHANNELS, Drop, Modality, Sample
from .files.columns import Column, convert, is_magnitude
from .files.coordinates import angles, lost
from .files.table_files import modified_julian_date, numbers, text

__all__ = ["LIMIT", "UpperLimits", "light_curve_modality", "light_curve_sample", "light_curves", "measurements"]

UpperLimits = Literal["drop", "keep"]
Floats = npt.NDArray[np.float64]
POGSON = 0.4 * np.log(10)  # relative error of a flux per magnitude


def light_curve_modality(name: str, bands: Sequence[str], unit: str, upper_limits: UpperLimits) -> Modality:
    """A light curve of these bands and, with "keep", of a band ``<band>_limit`` for the upper limits of each.

    Raises:
        UsageError: If `upper_limits` is neither "drop" nor "keep".
    """
    if upper_limits not in ("drop", "keep"):
        raise UsageError(f"upper_limits is {upper_limits!r}, expected 'drop' or 'keep'.")
    limits = [band + LIMIT for band in bands if upper_limits == "keep"]
    return Modality(name, "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), unit, bands=(*bands, *limits))


def measurements(
    path: Path,
    given: Mapping[str, pd.Series],
    columns: Mapping[str, Column],
    unit: str,
    upper_limits: UpperLimits,
) -> pd.DataFrame:
    """One row per measurement, with the reason why it cannot be used ("" if it can).

    Args:
        path: Where they come from.
        given: Role to values: id, time, value, band; optional: error, upper_limit (a flag), limit (the limit's value,
            for rows without a value), sign (of a difference flux), ra, dec, group.
        columns: Role to column; the unit of "value" is also that of its error and limit, that of ra and dec is degrees
            where none is given.
        unit: Of the result.
        upper_limits: "keep" names the band of an upper limit ``<band>_limit``; "drop" gives it a reason.

    Returns:
        Columns id, time (MJD), value, error, band, ra, dec, lost, group, reason, is_limit.

    Raises:
        FileError: If the unit of the values does not convert to `unit`.
    """
    size = len(given["id"])
    nothing = np.full(size, np.nan)
    value, limit = _values(given, columns)
    source = columns["value"].unit or unit
    error = numbers(given["error"], columns["error"].missing) if "error" in given else nothing
    error = np.where((error > 0) & ~limit, error, np.nan)
    value, error = _in_unit(path, columns["value"].column, value, error, source, unit)
    negative = _negative(given["sign"]) & ~limit if "sign" in given else np.zeros(size, bool)
    object_id = text(given["id"])
    positions = pd.DataFrame({role: given[role] for role in ("ra", "dec") if role in given}, index=given["id"].index)
    positions.attrs["units"] = {role: columns[role].unit for role in positions}
    ra, dec = (angles(path, positions, role if role in given else "", role == "ra") for role in ("ra", "dec"))
    band = text(given["band"])
    time = _dates(given["time"], columns["time"].offset)
    reasons = {
        "no id": object_id == "",
        "upper limit": limit & (upper_limits == "drop"),
        "no value": np.isnan(value),
        "negative difference flux": negative & is_magnitude(unit),
        "no time": np.isnan(time),
    }
    return pd.DataFrame(
        {
            "id": object_id,
            "time": time,
            "value": np.where(negative, -value, value),
            "error": error,
            "band": np.where(limit, band + LIMIT, band),
            "ra": ra,
            "dec": dec,
            "lost": lost(positions, ra, dec),
            "group": text(given["group"]) if "group" in given else "",
            "is_limit": limit,
            "reason": np.select(list(reasons.values()), list(reasons), ""),
        }
    )


def _dates(values: pd.Series, offset: float) -> Floats:
    return modified_julian_date(pd.Series(numbers(values) + offset) if offset else values)


def _values(given: Mapping[str, pd.Series], columns: Mapping[str, Column]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Values, and which of them are upper limits: by a flag, by ">" or "<" before them, or for lack of a value."""
    values, missing = given["value"], columns["value"].missing
    limit = _flags(given["upper_limit"]) if "upper_limit" in given else np.zeros(len(values), bool)
    if not pd.api.types.is_numeric_dtype(values):
        stripped = values.astype("string").str.strip()
        limit = limit | stripped.str.match("[<>]").fillna(False).to_numpy(dtype=bool)
        values = stripped.str.lstrip("<> ")
    value = numbers(values, missing)
    if "limit" in given:
        depth = numbers(given["limit"], missing)
        none = np.isnan(value) & ~np.isnan(depth)
        value, limit = np.where(none, depth, value), limit | none
    return value, limit


def _in_unit(path: Path, column: str, value: Floats, error: Floats, source: str, unit: str) -> tuple[Floats, Floats]:
    changed = convert(path, column, value, source, unit)
    if is_magnitude(source) == is_magnitude(unit):
        return changed, convert(path, column, error, source, unit)
    with np.errstate(invalid="ignore", divide="ignore"):
        return changed, changed * POGSON * error if is_magnitude(source) else error / value / POGSON


def _flags(values: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether a flag is set: true, 1, or text such as "T", "yes" or ">"."""
    unset = ("", "0", "0.0", "f", "false", "n", "no", "<na>")
    return np.asarray(~values.astype("string").fillna("").str.strip().str.lower().isin(unset), dtype=bool)


def _negative(values: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether a sign says negative: ZTF writes "f" or 0 where the reference is brighter, others -1 or "-"."""
    signs = values.astype("string").fillna("").str.strip().str.lower()
    return np.asarray(signs.isin(("f", "0", "0.0", "false", "-", "-1", "-1.0")), dtype=bool)


def light_curves(path: Path, table: pd.DataFrame, modality: Modality, min_points: int) -> Iterator[Sample | Drop]:
    """One sample per object, in the table's order; unusable rows are one drop per object and reason.

    Args:
        path: Where they come from.
        table: What `measurements` gave.
        modality: Of the light curves; rows of other bands are left out.
        min_points: Objects with fewer detections in the bands are dropped.

    Raises:
        FileError: If no row can be used.
    """
    if not (table["reason"] == "").any():
        raise FileError(path, f"none of its {len(table)} rows can be used; the first: {table['reason'].iloc[0]}.")
    bad = table.loc[table["reason"] != "", ["id", "reason"]]
    for (object_id, reason), count in Counter(zip(bad["id"], bad["reason"], strict=True)).items():
        yield Drop(f"{path}: {object_id} ({count} rows)", reason)
    index = pd.Index(modality.bands).get_indexer(table["band"])
    first = table[table["id"] != ""].drop_duplicates("id")
    rows = np.flatnonzero((table["reason"] == "").to_numpy() & (index >= 0))
    owner = pd.Index(first["id"]).get_indexer(table["id"].take(rows))
    order = np.lexsort((table["time"].to_numpy()[rows], owner))
    rows, owner = rows[order], owner[order]
    views = np.column_stack([*(table[name].to_numpy()[rows] for name in ("time", "value", "error")), index[rows]])
    is_limit = table["is_limit"].to_numpy()[rows]
    ends = np.searchsorted(owner, np.arange(len(first) + 1))
    for start, end, row in zip(ends[:-1], ends[1:], first.itertuples(), strict=True):
        if row.lost:
            yield Drop(f"{path}: {row.id}", "coordinates out of range")
        elif start == end or np.count_nonzero(~is_limit[start:end]) < min_points:
            yield too_short(path, row.id, min_points)
        else:
            sample = light_curve_sample(modality.name, row.id, views[start:end])
            sample.ra, sample.dec, sample.group = row.ra, row.dec, row.group or row.id
            yield sample


def too_short(path: Path, object_id: str, min_points: int) -> Drop:
    """The drop of an object that was hardly measured."""
    return Drop(f"{path}: {object_id}", f"fewer than {max(min_points, 1)} usable measurements in the bands")


def light_curve_sample(name: str, object_id: str, rows: Floats) -> Sample:
    """A sample of one light curve.

    Args:
        name: Of the modality.
        object_id: Of the object.
        rows: MJD, value, error, index of the band [T, 4], in order of time.

    Returns:
        The view counts days since the first row; the label ``time_zero_mjd`` says when that was.
    """
    zero = float(rows[0, 0])
    return Sample(object_id, {name: (rows - [zero, 0, 0, 0]).astype(np.float32)}, labels={"time_zero_mjd": zero})
