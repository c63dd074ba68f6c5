"""The columns of a store, each read from Parquet when it is asked for: 1e8 objects are opened at once.

An array of str is made of text only where one asks for it by name; `Catalog.encoded`, `Catalog.at`, `Catalog.find` and
`Catalog.frame` stay in Arrow, which takes a tenth of the memory.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import FolderError, InputError
from .arrow_columns import as_numpy, codes_of, kind_of, problem
from .class_codes import by_count, encode, missing
from .saved_columns import SavedColumn, saved_columns
from .unchanged import Unchanged
from .writing import COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Catalog", "Columns"]

Array = npt.NDArray[Any]
LARGEST_CODE = 3  # bytes of a row of classes in Parquet, of which text of its own takes more
ROWS_LOOKED_AT = 1000  # that tell of nearly every column that it is not empty


class Catalog(Mapping[str, Array]):
    """Column name to values [N]: those of catalog.parquet, then the saved ones beside the store.

    Numbers have NaN, and text has "", where a value is missing.

    Args:
        root: Folder of the store.
        content: Hash of its ids and vectors, by which a saved column knows the rows that it was made for.
        unchanged: Tells whether the folder was written again.

    Raises:
        FolderError: If catalog.parquet is damaged, or the folder was written again: here, or when a column is read.
    """

    def __init__(self, root: Path, content: str, unchanged: Unchanged) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._unchanged = unchanged
        unchanged.check()
        self._root, self._content, self._path = root, content, root / "catalog.parquet"
        try:
            self._metadata = pq.read_metadata(self._path)
        except (OSError, pa.ArrowInvalid) as error:
            raise self._damaged(error) from error
        self.rows = int(self._metadata.num_rows)
        self._read: dict[str, Array] = {}
        self._codes: dict[str, tuple[Array, Array]] = {}  # of saved text
        self.saved: dict[str, SavedColumn] = {}
        self.notes: list[str] = []
        self.refresh()

    def refresh(self) -> None:
        """Looks again which columns are saved beside the store."""
        for name in self.saved:
            self._read.pop(name, None)
            self._codes.pop(name, None)
        own = {field.name: kind_of(field.type) for field in self._metadata.schema.to_arrow_schema()}
        self.saved, notes = saved_columns(self._root, own)
        self.kinds = own | {name: one.kind for name, one in self.saved.items()}
        for text in notes:
            self._note(text)

    def _note(self, text: str) -> None:
        """Says once what is wrong with a saved column."""
        if text not in self.notes:
            self.notes.append(text)
            print(f"note: {text}", file=sys.stderr)

    def _damaged(self, error: Exception) -> FolderError:
        return FolderError(f"{self._root}: catalog.parquet is damaged ({problem(error)}). Embed again.")

    def _table(self, names: Sequence[str], groups: Sequence[int] | None = None, coded: bool = False) -> pa.Table:
        """Columns of the store's own, of all row groups or of some."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._unchanged.check()
        try:
            read = list(names) if coded else []
            with pq.ParquetFile(self._path, metadata=self._metadata, memory_map=True, read_dictionary=read) as file:
                every = range(self._metadata.num_row_groups) if groups is None else groups
                return file.read_row_groups(list(every), columns=list(names))
        except (OSError, pa.ArrowInvalid) as error:
            raise self._damaged(error) from error

    def _saved_codes(self, name: str) -> tuple[Array, Array]:
        """Codes and classes of a saved column of text."""
        if name not in self._codes:
            self._codes[name] = self._saved(name)
        return self._codes[name]

    def _saved(self, name: str) -> tuple[Array, Array]:
        """Values, or codes and classes, of a saved column; all missing where the file is damaged."""
        one = self.saved[name]
        try:
            values, classes, gone = one.read(self.rows, self._content, lambda: self.ids)
        except InputError as error:
            self._note(str(error))
            none = {"text": np.full(self.rows, -1), "flag": np.zeros(self.rows, bool)}
            return none.get(one.kind, np.full(self.rows, np.nan)), np.empty(0, dtype=str)
        if gone:
            self._note(f"{one.path}: {gone:,} of its {one.count:,} objects are not in {self._root}.")
        return values, classes

    @cached_property
    def ids(self) -> pa.ChunkedArray:
        """N ids, in Arrow."""
        return self._table(["object_id"])["object_id"]

    @cached_property
    def _ends(self) -> npt.NDArray[np.int64]:
        """Row after the last of each row group."""
        counts = [self._metadata.row_group(number).num_rows for number in range(self._metadata.num_row_groups)]
        return np.cumsum(counts, dtype=np.int64)

    @property
    def labels(self) -> Columns:
        """What is no column of every store, nor a saved selection."""
        selections = [name for name, one in self.saved.items() if one.kind == "flag"]
        return Columns(self, [name for name in self if name not in (*COLUMNS, *selections)])

    def __getitem__(self, name: str) -> Array:
        if name not in self._read:
            if name not in self.kinds:
                raise KeyError(name)
            if name not in self.saved:
                self._read[name] = as_numpy(self._table([name])[name])
            elif self.kinds[name] == "text":
                codes, classes = self._saved_codes(name)
                self._read[name] = np.append(classes, "")[codes]
            else:
                self._read[name] = self._saved(name)[0]
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.kinds))

    def __len__(self) -> int:
        return len(self.kinds)

    def __contains__(self, name: object) -> bool:
        return name in self.kinds

    def encoded(self, name: str) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Number of each row's class int32 [N], -1 where it is missing, and the classes, the most frequent first."""
        if self.kinds[name] != "text":
            return encode(self[name])
        if name in self.saved:
            return by_count(*self._saved_codes(name))
        return by_count(*codes_of(self._table([name], coded=True)[name]))

    def at(self, rows: npt.ArrayLike, names: Sequence[str] = ()) -> dict[str, Array]:
        """Values of a few rows [R], of which only the row groups are read; of all columns by default.

        No array of text of all rows is made.
        """
        wanted, chosen = np.asarray(rows, dtype=np.int64), list(names) or list(self)
        own = [name for name in chosen if name not in self._read and name not in self.saved]
        found = {name: self._held(name, wanted) for name in chosen if name not in own}
        if own:
            groups = np.searchsorted(self._ends, wanted, side="right")
            used = np.unique(groups)
            table = self._table(own, used.tolist())
            sizes = np.diff(self._ends, prepend=0)[used]
            first = np.cumsum(sizes) - sizes - (self._ends[used] - sizes)  # place in the table less row in the store
            part = table.take(wanted + first[np.searchsorted(used, groups)])
            found |= {name: as_numpy(part[name]) for name in own}
        return {name: found[name] for name in chosen}

    def _held(self, name: str, rows: npt.NDArray[np.int64]) -> Array:
        """Values of some rows of a column that was read or saved."""
        if name in self._read or self.kinds[name] != "text":
            return self[name][rows]
        codes, classes = self._saved_codes(name)
        return np.append(classes, "")[codes[rows]]

    def known(self, name: str) -> npt.NDArray[np.bool_]:
        """Which rows [N] have a value, without an array of text."""
        import pyarrow.compute as pc

        if name in self._read or self.kinds[name] != "text":
            return ~missing(self[name])
        if name in self.saved:
            codes, classes = self._saved_codes(name)
            return np.asarray(np.append(classes != "", False)[codes])
        return np.asarray(pc.fill_null(pc.not_equal(self._table([name])[name], ""), False).to_numpy())

    def empty(self) -> list[str]:
        """Columns without any value."""
        first = self.at(np.arange(min(self.rows, ROWS_LOOKED_AT)))
        return [name for name, values in first.items() if missing(values).all() and not self._holds_any(name)]

    def _holds_any(self, name: str) -> bool:
        """Whether a column has a value, without reading it where the statistics of the file tell."""
        told = [self._span(name, group) for group in range(len(self._ends))] if name not in self.saved else [None]
        if self.kinds[name] == "text" and None not in told:
            return any(one is not None and one[1] != "" for one in told)
        return bool(self.known(name).any())

    def _span(self, name: str, group: int) -> tuple[Any, Any] | None:
        """Least and greatest value of a row group, as the file tells them."""
        column = self._metadata.row_group(group).column(self._metadata.schema.names.index(name))
        known = column.statistics if column.is_stats_set else None
        return (known.min, known.max) if known is not None and known.has_min_max else None

    def has_few_classes(self, name: str) -> bool:
        """Whether the text of a column is stored as numbers of classes."""
        if name in self.saved or self.kinds[name] != "text" or not self.rows:
            return name in self.saved and self.kinds[name] == "text"
        place = self._metadata.schema.names.index(name)
        groups = (self._metadata.row_group(group).column(place) for group in range(len(self._ends)))
        return sum(int(one.total_uncompressed_size) for one in groups) < LARGEST_CODE * self.rows + (1 << 16)

    def find(self, values: Sequence[str], name: str = "object_id") -> npt.NDArray[np.int64]:
        """The rows [R], in rising order, in which a column of text has one of a few values.

        Where ids rise, as those of most surveys do, the statistics of the file tell which few row groups to read.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        words = list(map(str, values))
        spans = [self._span(name, group) for group in range(len(self._ends))]
        near = [at for at, one in enumerate(spans) if one is None or any(one[0] <= word <= one[1] for word in words)]
        if name == "object_id" and ("ids" in self.__dict__ or 2 * len(near) > len(spans)):
            near = list(range(len(spans)))
        if not near or not words:
            return np.empty(0, np.int64)
        column = self.ids if name == "object_id" and len(near) == len(spans) else self._table([name], near)[name]
        wanted = pa.array(words, pa.string())
        found = pc.equal(column, wanted[0]) if len(wanted) == 1 else pc.is_in(column, wanted)
        rows = np.asarray(pc.indices_nonzero(found), dtype=np.int64)
        ends = np.cumsum(np.diff(self._ends, prepend=0)[near])
        return np.asarray(rows + (self._ends[near] - ends)[np.searchsorted(ends, rows, side="right")])

    def rows_of(self, values: Sequence[str], name: str = "object_id") -> npt.NDArray[np.int64]:
        """The first row [V] in which a column of text has each of a few values, -1 for none."""
        rows = self.find(values, name)
        known, first = np.unique(self.at(rows, [name])[name], return_index=True)
        if not len(known):
            return np.full(len(values), -1)
        place = np.searchsorted(known, np.asarray(values, dtype=str)).clip(max=len(known) - 1)
        return np.where(known[place] == np.asarray(values, dtype=str), rows[first[place]], -1)

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Some columns as pandas has them; text stays in Arrow."""
        import pandas as pd

        own = [name for name in names if name not in self._read and name not in self.saved]
        table = self._table(own).to_pandas() if own else {}
        return pd.DataFrame({name: table[name] if name in own else self[name] for name in names})


class Columns(Mapping[str, Array]):
    """Some columns of a catalogue, by name; each is read when it is asked for.

    Args:
        catalog: All columns.
        names: Those to keep.
    """

    def __init__(self, catalog: Catalog, names: Sequence[str]) -> None:
        self._catalog, self._names = catalog, dict.fromkeys(names)

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        return self._catalog[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names
