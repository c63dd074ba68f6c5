"""Tables of any format as plain columns: Parquet, CSV, and whatever else astropy reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...errors import FileError, UsageError
from .array_columns import stacked
from .csv_files import csv_comments, csv_names, read_csv
from .hdf5_tables import hdf5_names, read_hdf5
from .notes import EXACT, LOST_DIGITS, note
from .references import check_contained

__all__ = [
    "check_mapping",
    "column_names",
    "kept",
    "modified_julian_date",
    "numbers",
    "read_columns",
    "text",
]

ASCII = (".txt", ".dat", ".tbl")
PARQUET, CSV, HDF5 = (".parquet", ".parq"), (".csv", ".csv.gz"), (".hdf5", ".h5")
DATE = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})"
    r"(?:(\.\d+)|[T ]([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d*)?|60(?:\.\d*)?))?(?:Z|\+00:?00)?)?"
)
YEARS = 1800, 2100
FIRST_JULIAN_DATE = 2_400_000.0  # 1858; no modified Julian date is as large
Spec = TypeVar("Spec")


def read_columns(
    path: str | Path, columns: Iterable[str], texts: Sequence[str] = (), values: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Some columns of a table file.

    Args:
        path: Parquet, CSV (also .gz), HDF5, or any format that astropy knows by its name or content.
        columns: Which; repeats and empty names are ignored.
        texts: Columns whose values are kept as they are written (ids with leading zeros).
        values: Column to the number of values that each of its rows holds, where that is not one: it becomes the
            columns ``<column>_0``, ``<column>_1``, ...

    Returns:
        The columns with native byte order; masked and empty values are missing. ``attrs["units"]`` says the units
        of the columns for which the table states one.

    Raises:
        FileError: If the file is missing, empty, damaged or of an unknown format, lacks a column, has no row, or
            holds another number of values per row in a column.
    """
    path, wanted = Path(path), [*dict.fromkeys(name for name in columns if name)]
    several = {name: count for name, count in (values or {}).items() if name in wanted and count > 1}
    with _readable(path) as suffix:
        if suffix.endswith(PARQUET):
            frame = _parquet(path, wanted)
        elif suffix.endswith(CSV):
            _check(path, wanted, csv_names(path))
            frame = read_csv(path, wanted, [*texts, *several])
            comments = csv_comments(path)
            frame.attrs["units"] = _units(tuple(comments[1:] if comments[:1] and "%ECSV" in comments[0] else ()))
        elif suffix.endswith(HDF5):
            _check(path, wanted, hdf5_names(path, wide=True))
            frame, header = read_hdf5(path, wanted)
            frame.attrs["units"] = _units(header)
        else:
            frame = _astropy(path, wanted)
    if not len(frame):
        raise FileError(path, "the table has no row.")
    return _spread(path, frame, several) if several else _single(path, frame)


def _spread(path: Path, frame: pd.DataFrame, several: Mapping[str, int]) -> pd.DataFrame:
    """The table with one column for each of several values."""
    wide = {name: stacked(path, name, frame[name], count) for name, count in several.items()}
    names = {name: [f"{name}_{number}" for number in range(count)] for name, count in several.items()}
    parts = [pd.DataFrame(array, columns=names[name], index=frame.index) for name, array in wide.items()]
    out = pd.concat([_single(path, frame.drop(columns=[*several])), *parts], axis=1)
    out.attrs = frame.attrs
    return out


def _single(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """The table with its bytes as text; refuses several values in a row."""
    for name in frame.columns[[pd.api.types.is_object_dtype(kind) for kind in frame.dtypes]]:
        values = [value.decode() if isinstance(value, bytes) else value for value in frame[name]]
        frame = frame.assign(**{name: values})
        shape = next((np.shape(value) for value in values if isinstance(value, (list, np.ndarray))), None)
        if shape:
            raise FileError(
                path,
                f"column {name!r} holds {shape} values per row, expected one. "
                f"A table reader takes several with {{column: {name}, values: {shape[0]}}}.",
            )
    return frame


def column_names(path: str | Path) -> list[str]:
    """Names of the columns that hold one value per row.

    Args:
        path: A table file, as for `read_columns`.

    Raises:
        FileError: If the file is missing, empty, damaged or of an unknown format.
    """
    path = Path(path)
    with _readable(path) as suffix:
        if suffix.endswith(PARQUET):
            from pyarrow import parquet

            names = parquet.read_schema(path).names
            masks = {f"{name}.mask" for name in names}
            return [name for name in names if name not in masks]
        if suffix.endswith(CSV):
            return csv_names(path)
        if suffix.endswith(HDF5):
            return hdf5_names(path)
        table = _open(path)
        return [name for name in table.colnames if table[name].ndim == 1]


@contextmanager
def _readable(path: Path) -> Iterator[str]:
    """Gives the file's ending in lower case; whatever its format raises becomes a `FileError`."""
    if not path.is_file():
        raise FileError(path, "no such file.")
    if path.stat().st_size == 0:
        raise FileError(path, "the file is empty.")
    try:
        yield "".join(suffix.split(" ")[0] for suffix in path.suffixes[-2:]).lower()  # "a.csv (1).gz" of a browser
    except FileError:
        raise
    except Exception as error:  # every format has its own errors
        raise FileError(
            path, f"cannot be read as a table ({(str(error).strip() or type(error).__name__).splitlines()[0]})."
        ) from error


def _check(path: Path, wanted: Sequence[str], found: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise FileError(path, f"no column {missing[0]!r} (found {', '.join(map(str, found[:20]))}).")


def _parquet(path: Path, wanted: list[str]) -> pd.DataFrame:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        names, metadata = file.schema_arrow.names, file.schema_arrow.metadata or {}
        _check(path, wanted, names)
        masks = {name: f"{name}.mask" for name in wanted if f"{name}.mask" in names}
        frame = file.read(columns=[*dict.fromkeys([*wanted, *masks.values()])]).to_pandas(types_mapper=_nullable)
    for name, mask in masks.items():  # as astropy writes a masked column
        frame[name] = frame[name].mask(frame[mask].to_numpy(dtype=bool))
    frame = frame[wanted]
    frame.attrs["units"] = _units(tuple(metadata.get(b"table_meta_yaml", b"").decode().splitlines()))
    return frame


@lru_cache(maxsize=16)
def _units(header: tuple[str, ...]) -> dict[str, str]:
    """Column to unit in the header that astropy writes before a table (ECSV) or beside it (Parquet), if it is one."""
    if not header:
        return {}
    from astropy.table.meta import get_header_from_yaml

    columns = get_header_from_yaml(header).get("datatype", [])
    return {column["name"]: str(column["unit"]) for column in columns if column.get("unit")}


def _nullable(kind: Any) -> Any:
    """The pandas type of Arrow's integers that keeps large ids exact beside missing ones; None for other types."""
    from pyarrow import types

    name = str(kind).replace("u", "U").replace("i", "I")
    return pd.api.types.pandas_dtype(name) if types.is_integer(kind) else None


def _astropy(path: Path, wanted: list[str]) -> pd.DataFrame:
    table = _open(path)
    _check(path, wanted, table.colnames)
    wide = [name for name in wanted if table[name].ndim > 1]
    frame = table[[name for name in wanted if name not in wide]].to_pandas(index=False)
    for name in wide:
        frame[name] = list(np.ma.filled(np.ma.asarray(table[name]).astype(np.float64), np.nan))
    frame.attrs["units"] = {name: str(table[name].unit) for name in wanted if table[name].unit is not None}
    return frame[wanted]


def _open(path: Path) -> Any:
    import warnings

    from astropy.table import Table
    from astropy.utils.data import get_readable_fileobj

    with get_readable_fileobj(path, encoding="binary") as stream:
        check_contained(path, stream)
    if not path.name.lower().removesuffix(".gz").endswith(ASCII):
        with warnings.catch_warnings(
            action="ignore"
        ):  # the first of several tables is read, and units are made out later
            return Table.read(path)
    table = Table.read(path, format="ascii")
    above = [comment.strip("# ").split() for comment in table.meta.get("comments", ())][-1:]
    if table.colnames[0] == "col1" and above and len({*above[0]}) == len(above[0]) == len(table.colnames):
        table.rename_columns(table.colnames, above[0])  # the last line of comment names the columns
    return table


def check_mapping(columns: Mapping[str, Spec], needed: Sequence[str], optional: Sequence[str]) -> dict[str, Spec]:
    """The roles that have a column.

    Raises:
        UsageError: If a needed role has none, or a role is unknown.
    """
    mapped = {role: column for role, column in columns.items() if column}
    missing = [role for role in needed if role not in mapped]
    unknown = [role for role in mapped if role not in (*needed, *optional)]
    if missing or unknown:
        raise UsageError(
            f"columns: {', '.join(missing) or 'nothing'} missing, {', '.join(unknown) or 'nothing'} unknown. "
            f"Map {', '.join(needed)}, and where they exist {', '.join(optional)}."
        )
    return mapped


def kept(frame: pd.DataFrame, where: Mapping[str, object]) -> npt.NDArray[np.bool_]:
    """Rows whose values are among the allowed ones, for every column of `where`."""
    keep = np.ones(len(frame), dtype=bool)
    for column, allowed in where.items():
        keep &= frame[column].isin(list(allowed) if isinstance(allowed, (list, tuple, set)) else [allowed]).to_numpy()
    return keep


def numbers(values: pd.Series, missing: Sequence[float] = ()) -> npt.NDArray[np.float64]:
    """Values as float64; NaN where there is none, it is no finite number, or it is one of the markers `missing`."""
    out: npt.NDArray[np.float64] = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(out) & ~np.isin(out, missing), out, np.nan)


def text(values: pd.Series) -> npt.NDArray[np.object_]:
    """Values as stripped text; "" where there is none. Whole numbers lose their ".0", also those that are text.

    Floating-point numbers that are too large to be exact as ids are pointed out.
    """
    if pd.api.types.is_float_dtype(values):
        if (values.abs() >= EXACT).any():
            note(f"column {values.name!r}: {LOST_DIGITS}")
        values = values.astype("Int64") if (values.dropna() % 1 == 0).all() else values
    out = values.astype("string").fillna("").str.strip()
    if not pd.api.types.is_numeric_dtype(values) and out.str.endswith(".0").any():
        out = out.str.replace(r"^(-?\d+)\.0$", r"\1", regex=True)
    return np.asarray(out, dtype=object)


def modified_julian_date(values: pd.Series) -> npt.NDArray[np.float64]:
    """Dates as MJD in days; NaN where there is none.

    Args:
        values: MJD, or JD (above 2,400,000), or UTC dates as text: "2013/08/30", "2013-08-30.5",
            "2013-08-30T12:00:00". A year alone is no date: as text, or where all numbers of the column are years.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        values = values.astype("string")
    out = numbers(values)
    years = (out % 1 == 0) & (out >= YEARS[0]) & (out <= YEARS[1])
    if not pd.api.types.is_numeric_dtype(values) or (years | np.isnan(out)).all():
        out[years] = np.nan
    out[out > FIRST_JULIAN_DATE] -= 2_400_000.5
    for row in np.flatnonzero(np.isnan(out)):
        match = DATE.fullmatch(str(values.iloc[row]).strip())
        if match:
            year, month, day = (int(part) for part in match.groups()[:3])
            part, hours, minutes, seconds = (float(part or 0) for part in match.groups()[3:])
            out[row] = _days(year, month, day) + part + hours / 24 + minutes / 1440 + seconds / 86400
    return out


def _days(year: int, month: int, day: int) -> float:
    try:
        date = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}")
    except ValueError:
        return np.nan
    return float((date - np.datetime64("1858-11-17")) / np.timedelta64(1, "D"))
