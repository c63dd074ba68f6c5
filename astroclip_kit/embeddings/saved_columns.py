"""Columns that were saved beside a store, ``<embeddings>.columns/<name>.parquet``: clusters, selections, predictions.

A file holds the ids of the objects that have a value, the values, and their rows in the store that it was made for.
A store that was embedded again takes the values by id. Any Parquet file with the columns object_id and value will do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError, UsageError
from ..storage import json_text, only_writer, publish, writing
from .arrow_columns import as_numpy, codes_of, kind_of, problem, write_columns
from .class_codes import missing
from .column_names import NAME, check_name, check_unit
from .writing import LARGEST, plain_column

if TYPE_CHECKING:
    import pyarrow as pa

    from .store import EmbeddingStore

__all__ = ["SavedColumn", "columns_folder", "remove_column", "rename_column", "save_column", "saved_columns"]

Array = npt.NDArray[Any]
KEY = "astroclip_kit"


@dataclass(frozen=True)
class SavedColumn:
    """A column beside a store.

    Args:
        path: Its file.
        kind: "number", "text" or "flag"; flags are a saved selection.
        unit: As astropy writes it, "" where none is known.
        about: How it was made, as it was told.
        count: Objects with a value.
        content: Hash of the store that it was made for.
    """

    path: Path
    kind: str
    unit: str
    about: dict[str, Any]
    count: int
    content: str

    @classmethod
    def open(cls, path: Path) -> SavedColumn:
        """Reads what a file holds, not its values.

        Raises:
            InputError: If it is no such file.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            found = pq.read_metadata(path)
            schema = found.schema.to_arrow_schema()
            head = json.loads((schema.metadata or {}).get(KEY.encode(), b"{}"))
            kind = kind_of(schema.field("value").type)
            _check_kinds(path, schema.field("object_id").type, schema.field("value").type)
            return cls(path, kind, head.get("unit", ""), head.get("about", {}), found.num_rows, head.get("content", ""))
        except (OSError, pa.ArrowException, KeyError, ValueError, AttributeError) as error:
            raise InputError(_damaged(path, error)) from error

    @property
    def name(self) -> str:
        """As the catalogue calls it."""
        return self.path.stem

    def __str__(self) -> str:
        """In a few words."""
        what = "selection" if self.kind == "flag" else self.kind
        return f"{self.name} ({what} of {self.count:,} objects{f', {self.unit}' if self.unit else ''})"

    def read(self, rows: int, content: str, ids: Callable[[], pa.ChunkedArray]) -> tuple[Array, Array, int]:
        """Values in the order of a store.

        Args:
            rows: Objects of the store.
            content: Hash of the store.
            ids: Reads its ids, where the column was made for another.

        Returns:
            Values [N], of text the numbers of their classes and -1 where they are missing; classes of text; objects
            with a value that the store does not hold.

        Raises:
            InputError: If the file is damaged, or its numbers cannot lie beside missing ones.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        same = bool(content) and content == self.content
        try:
            table = pq.read_table(
                self.path, columns=["value", "row" if same else "object_id"], read_dictionary=["value"]
            )
            column = table["value"]
            if self.kind != "text" and isinstance(column.type, pa.DictionaryType):
                column = column.cast(column.type.value_type)
            values, classes = codes_of(column) if self.kind == "text" else (as_numpy(column), _NONE)
            if same:
                at, source = table["row"].to_numpy(), np.arange(len(table))
            else:
                named = table["object_id"].cast(pa.string()).combine_chunks()
                place = pc.index_in(ids(), value_set=named)
                at = pc.indices_nonzero(place.is_valid()).to_numpy()
                source = place.take(at).to_numpy()
            if len(at) and not 0 <= at.min() <= at.max() < rows:
                raise pa.ArrowInvalid(f"its rows are not those of {rows} objects")
        except (OSError, pa.ArrowException, KeyError) as error:
            raise InputError(_damaged(self.path, error)) from error
        gone = 0 if same else pc.count_distinct(named).as_py() - len(source)
        if len(at) == rows and not gone:
            out = np.empty(rows, values.dtype)
        elif self.kind == "number":
            if values.dtype.kind in "iu" and np.abs(values.astype(float)).max(initial=0) > LARGEST:
                raise InputError(
                    f"{self.path} is not shown: some objects have no value, so whole numbers above 2^53 would lose "
                    "digits. Save them as text."
                )
            out = np.full(rows, np.nan, np.result_type(values.dtype, np.float32))
        else:
            out = np.full(rows, -1 if self.kind == "text" else False, values.dtype)
        out[at] = values[source]
        return out, classes, gone


_NONE: Array = np.empty(0, dtype=str)


def _damaged(path: Path, error: Exception) -> str:
    return f"{path} is no column that can be read ({problem(error)}). Remove the file, or save the column again."


def _check_kinds(path: Path, ids: pa.DataType, values: pa.DataType) -> None:
    """Makes sure that a column can be shown.

    Raises:
        InputError: If not.
    """
    import pyarrow.types as pt

    def is_text(kind: pa.DataType) -> bool:
        kind = kind.value_type if pt.is_dictionary(kind) else kind
        return bool(pt.is_string(kind) or pt.is_large_string(kind))

    if not (is_text(values) or pt.is_integer(values) or pt.is_floating(values) or pt.is_boolean(values)):
        raise InputError(f"{path} is not shown: its values are {values}, expected numbers, text or flags.")
    if not (is_text(ids) or pt.is_integer(ids)):
        raise InputError(f"{path} is not shown: its object_id is {ids}, expected text.")


def columns_folder(root: Path) -> Path:
    """Where the columns of a store lie."""
    whole = Path(os.path.abspath(root))
    return whole.with_name(f"{whole.name}.columns")


def saved_columns(root: Path, own: Iterable[str]) -> tuple[dict[str, SavedColumn], list[str]]:
    """The columns beside a store by name, and what is to be said of files that are none.

    Args:
        root: Folder of the store.
        own: Columns of its catalogue, which go before saved ones.
    """
    found, notes, taken = {}, [], set(own)
    for path in sorted(columns_folder(root).glob("[!.]*.parquet")):
        try:
            if path.stem in taken or not NAME.fullmatch(path.stem):
                notes.append(
                    f"{path} is not shown: {path.stem!r} is a column of the store itself, or no name. Rename it."
                )
                continue
            found[path.stem] = SavedColumn.open(path)
        except InputError as error:
            if path.exists():  # else another page has removed it
                notes.append(str(error))
    return found, notes


def save_column(
    store: EmbeddingStore,
    name: str,
    values: npt.ArrayLike,
    unit: str = "",
    about: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> SavedColumn:
    """Writes a column beside a store, in one step; see `EmbeddingStore.save_column`.

    Raises:
        FolderError: If the store was written again since it was opened.
        InputError: If there is not one value for each object.
        UsageError: If the name cannot be used or is taken, or the unit is none.
    """
    store.unchanged.check()
    _check_new(store, name)
    check_unit(name, unit)
    column, known = _known(name, values)
    if known.shape != (len(store),):
        raise InputError(f"column {name!r}: expected a value for each of {len(store)} objects, found {known.shape}.")
    rows, path = np.flatnonzero(known), (folder := columns_folder(store.root)) / f"{name}.parquet"
    columns = {"object_id": store.catalog.ids.take(rows), "value": column.take(rows), "row": rows}
    head = {"kind": "column", "unit": unit, "about": dict(about or {}), "content": store.manifest.get("content", "")}
    with only_writer(folder):
        if not replace:
            _check_free(path)
        publish(path, lambda temporary: write_columns(columns, temporary, {"value": unit}, {KEY: json_text(head)}))
    return SavedColumn.open(path)


def _known(name: str, values: Any) -> tuple[Any, npt.NDArray[np.bool_]]:
    """Values as they are written, classes by their numbers, and which are not missing; InputError if they are none."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(values, pd.Categorical):
        classes = values.categories.to_numpy().astype(str)
        known = np.append(classes != "", False)[values.codes]
        codes = pa.array(values.codes, mask=values.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(classes, pa.string())), known
    is_flags = not np.ma.isMaskedArray(values) and np.asarray(values).dtype == bool
    column = np.asarray(values) if is_flags else plain_column(values)
    if column.dtype.kind not in "biufU":
        raise InputError(f"column {name!r}: expected numbers, text or flags, found {column.dtype}.")
    return column, column if column.dtype == bool else ~missing(column)


def remove_column(store: EmbeddingStore, name: str) -> None:
    """Removes a column that was saved beside a store.

    Raises:
        OutputError: If the folder may not be written.
        UsageError: If there is none of this name.
    """
    path = _saved_file(store, name)
    with writing(path):
        path.unlink()


def rename_column(store: EmbeddingStore, name: str, new: str) -> None:
    """Gives a column that was saved beside a store another name.

    Raises:
        OutputError: If the folder may not be written.
        UsageError: If there is no column of the old name, or the new one cannot be used or is taken.
    """
    path = _saved_file(store, name)
    _check_new(store, new)
    with only_writer(path.parent), writing(path):
        _check_free(path.with_stem(new))
        path.rename(path.with_stem(new))


def _saved_file(store: EmbeddingStore, name: str) -> Path:
    path = columns_folder(store.root) / f"{name}.parquet"
    if not NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(store.catalog.saved) or "none"
        raise UsageError(f"no saved column {name!r} beside {store.root}; there is: {known}.")
    return path


def _check_free(path: Path) -> None:
    if any(one.stem.lower() == path.stem.lower() for one in path.parent.glob("*.parquet")):
        raise UsageError(f"{path} is there. Choose another name, or say that it is to be replaced (replace=True).")


def _check_new(store: EmbeddingStore, name: str) -> None:
    check_name(name, [one for one in store.catalog if one not in store.catalog.saved], store.names)
