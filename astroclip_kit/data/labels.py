"""The labels of observations, from JSON text to columns, and of several sources into one table that loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError

__all__ = ["RESERVED", "Labels", "differing_classes", "parse"]

RESERVED = ("object_id", "group", "ra", "dec")  # columns that every dataset has
SAME = 2.0**-22  # numbers that differ by less are equal in float32, in which many surveys write
BLOCK_BYTES = 1 << 24

Column = npt.NDArray[Any]  # float64 with NaN, or text with None


@dataclass(frozen=True)
class Labels:
    """The labels of all observations, by source.

    Args:
        columns: Source to label to values, one for each of the source's observations.
        starts: Source to the number of its first observation; observations count through all sources.
        count: Number of observations.
    """

    columns: Mapping[str, Mapping[str, Column]]
    starts: Mapping[str, int]
    count: int

    @classmethod
    def of(cls, sources: Mapping[str, pd.DataFrame]) -> Labels:
        """The labels of tables of observations, which have them as JSON in the column ``labels``."""
        starts = np.cumsum([0, *map(len, sources.values())])
        columns = {name: parse(table["labels"]) for name, table in sources.items()}
        return cls(columns, dict(zip(sources, starts.tolist(), strict=False)), int(starts[-1]))

    def everywhere(self, name: str) -> Column:
        """One label of every observation of every source; NaN (or None, if any is text) where missing."""
        kinds = {own[name].dtype.kind for own in self.columns.values() if name in own}
        found = np.full(self.count, None, dtype=object) if "O" in kinds else np.full(self.count, np.nan)
        for source, own in self.columns.items():
            if name in own:
                values = _as_text(own[name]) if "O" in kinds else own[name]
                found[self.starts[source] : self.starts[source] + len(values)] = values
        return found

    def merged(self, picked: Mapping[str, npt.NDArray[np.int64]], sources: Sequence[str]) -> dict[str, pd.Series]:
        """The labels of every row.

        What only one source gives keeps its name. Of a label that several sources give, the plain name holds the
        value of the earlier of `sources` that has one; if they differ anywhere by more than float32 rounds, every
        source's own values are kept beside it as ``SOURCE_LABEL``. So are those of a label that is called like another
        column of the dataset (group, ra, a modality), which has no plain name.

        Args:
            picked: Source to the number of its observation for each of N rows; -1 for none.
            sources: Order of precedence.

        Returns:
            Label to values [N]: float64 with NaN, or text with None where missing.

        Raises:
            InputError: If a label has the name of another column.
        """
        merged: dict[str, Column] = {}
        own: dict[str, Column] = {}
        for name in dict.fromkeys(name for source in sources for name in self.columns[source]):
            values = {source: self._picked(source, name, picked[source]) for source in sources}
            given = {source: column for source, column in values.items() if column is not None}
            if any(column.dtype.kind == "O" for column in given.values()):
                given = {source: _as_text(column) for source, column in given.items()}
            if not given:
                continue
            first, taken = _first(list(given.values())), name in (*RESERVED, *picked)
            if taken or not all(_agree(column, first) for column in given.values()):
                own |= {f"{source}_{name}": column for source, column in given.items()}
            if not taken:
                merged[name] = first
        _check_names(merged, own, picked)
        return {name: pd.Series(column, dtype=column.dtype) for name, column in {**merged, **own}.items()}

    def _picked(self, source: str, name: str, entries: npt.NDArray[np.int64]) -> Column | None:
        """The values of the rows' observations; None if no row has any."""
        if name not in self.columns[source]:
            return None
        column = self.columns[source][name]
        missing = None if column.dtype.kind == "O" else np.nan
        values = np.append(column, np.array([missing], dtype=column.dtype))[
            np.where(entries >= 0, entries - self.starts[source], len(column))
        ]
        return None if pd.isna(values).all() else values


def differing_classes(
    labels: Mapping[str, npt.NDArray[Any]], catalogues: Sequence[str], others: Sequence[str]
) -> Iterator[str]:
    """Which classes of a dataset its sources do not agree on, and whose the plain name holds, as sentences.

    Args:
        labels: Label to values [N].
        catalogues: Sources of labels alone, which come first, in their order.
        others: The other sources.
    """
    sources = [*catalogues, *others]
    for name in labels:
        own = [source for source in sources if f"{source}_{name}" in labels]
        if len(own) < 2 or any(labels[f"{source}_{name}"].dtype.kind != "U" for source in own):
            continue
        kept = " and ".join(f"{source}_{name}" for source in own)
        yield f"sources differ in {name}: it is that of {own[0]} where there is one; each one's own are kept as {kept}"


def parse(texts: pd.Series) -> dict[str, Column]:
    """Columns of values from one JSON object per row, each of numbers and texts.

    Args:
        texts: N texts.

    Returns:
        Label to values [N]: float64 with NaN, or, where any row has a text, text with None.

    Example:
        >>> columns = parse(pd.Series(['{"z": 0.5, "class": "QSO"}', '{"z": 1}']))
        >>> columns["z"].tolist(), columns["class"].tolist()
        ([0.5, 1.0], ['QSO', None])
    """
    import pyarrow as pa

    if not (texts != "{}").any():
        return {}
    try:
        return dict(_fast(texts))
    except pa.ArrowInvalid:  # numbers among texts, or infinite
        table = pd.DataFrame.from_records([json.loads(text) for text in texts])
        return {str(name): _plain(table[name]) for name in table.columns}


def _fast(texts: pd.Series) -> Iterator[tuple[str, Column]]:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import json as arrow_json

    end, separator = pa.scalar("", pa.large_string()), pa.scalar("\n", pa.large_string())
    joined = pc.binary_join_element_wise(pa.array(texts, pa.large_string()), end, separator)  # a line of each text
    lines = (joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined).buffers()[2]
    read = arrow_json.ReadOptions(block_size=BLOCK_BYTES)
    table = arrow_json.read_json(pa.BufferReader(lines), read_options=read)
    dates = pa.schema([(field.name, pa.string()) for field in table.schema if pa.types.is_timestamp(field.type)])
    if len(dates):  # a text that looks like a date shall stay a text
        parsing = arrow_json.ParseOptions(explicit_schema=dates)
        table = arrow_json.read_json(pa.BufferReader(lines), read_options=read, parse_options=parsing)
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_string(column.type):
            yield name, column.to_pandas().astype(object).where(lambda values: values.notna(), None).to_numpy()
        else:
            yield name, column.cast(pa.float64()).to_numpy().astype(np.float64)


def _plain(values: pd.Series) -> Column:
    if values.map(lambda value: isinstance(value, str)).any():
        return np.array([None if pd.isna(value) else str(value) for value in values], dtype=object)
    return np.asarray(values, dtype=np.float64)


def _as_text(column: Column) -> Column:
    if column.dtype.kind == "O":
        return column
    return np.array([None if value != value else str(value) for value in column.tolist()], dtype=object)


def _first(columns: Sequence[Column]) -> Column:
    """Of every row, the first value that there is."""
    found = columns[0].copy()
    for column in columns[1:]:
        found = np.where(pd.isna(found), column, found)
    return found


def _agree(column: Column, other: Column) -> bool:
    """Whether two columns say the same wherever both say anything."""
    both = ~(pd.isna(column) | pd.isna(other))
    one, two = column[both], other[both]
    if column.dtype.kind == "O":
        return bool((one == two).all())
    return bool(np.isclose(one, two, rtol=SAME, atol=0.0).all())


def _check_names(merged: Mapping[str, Column], own: Mapping[str, Column], sources: Mapping[str, Any]) -> None:
    for name in own:
        if name in {*RESERVED, *sources, *merged}:
            raise InputError(
                f"several sources give one label with different values, or it is called like a column, and there is no "
                f"name for one of them: {name!r} is another column of the dataset. Rename the label or the source."
            )
