"""What one may colour, filter and draw by: a column of numbers or of classes, read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..embeddings.class_codes import encode

if TYPE_CHECKING:
    from ..embeddings.catalog import Catalog

__all__ = ["LARGEST", "Column", "Table"]

LARGEST = 1e154  # of a number, whose square no number holds; greater ones stand for missing


@dataclass(frozen=True)
class Column:
    """A column of the space.

    Args:
        name: As the catalogue calls it.
        unit: As astropy writes it, "" where none is known.
        read: Gives the values [N]: numbers with NaN, flags, or text with "", where missing.
        is_class: Whether it divides the objects into classes: text, or flags.
        catalog: The catalogue that it is a column of, if any, which gives classes without an array of text.
        coded: Number of each row's class [N] and the classes, where these are known already.
    """

    name: str
    unit: str
    read: Callable[[], npt.NDArray[Any]]
    is_class: bool
    catalog: Catalog | None = None
    coded: tuple[npt.NDArray[np.int32], list[str]] | None = None

    @classmethod
    def of(cls, catalog: Catalog, name: str, unit: str = "") -> Column:
        """A column of a catalogue."""
        return cls(name, unit, partial(catalog.__getitem__, name), catalog.kinds[name] != "number", catalog)

    @classmethod
    def of_classes(cls, name: str, codes: npt.NDArray[np.int32], classes: list[str]) -> Column:
        """A column of classes [C], of which each row has the number [N], or -1."""
        return cls(name, "", lambda: np.append(classes, "")[codes], True, coded=(codes, classes))

    @property
    def title(self) -> str:
        """Name and unit, as an axis has it."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    @property
    def kind(self) -> str:
        """What it holds, "number", "text" or "flag": of a column of a catalogue without reading it."""
        if self.catalog is not None:
            return self.catalog.kinds[self.name]
        if self.coded is not None:
            return "text"
        return {"b": "flag", "U": "text", "O": "text"}.get(self.values.dtype.kind, "number")

    def at(self, rows: npt.ArrayLike) -> npt.NDArray[Any]:
        """Values of a few rows [R]; no array of text of all rows is made."""
        if self.catalog is not None:
            return self.catalog.at(rows, [self.name])[self.name]
        wanted = np.asarray(rows, dtype=np.int64)
        if self.coded is not None:
            codes, classes = self.coded
            return np.asarray(np.append(classes, "")[codes[wanted]])
        return np.asarray(self.values[wanted])

    @property
    def is_quick(self) -> bool:
        """Whether values of rows that lie all over the space are had quickly once the column was read."""
        return self.kind != "text" or self.catalog is None or self.catalog.has_few_classes(self.name)

    def some(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Values of thousands of rows [R] all over the space; what is read for that, numbers of all rows, is kept."""
        if self.kind != "text":
            return np.asarray(self.values[rows])
        return np.asarray(np.append(self.classes, "")[self.codes[rows]]) if self.is_quick else self.at(rows)

    @cached_property
    def values(self) -> npt.NDArray[Any]:
        """Values [N] as they were read."""
        return self.read()

    @cached_property
    def comparable(self) -> Any:
        """Values [N] as a pandas Series, in which text is compared fast: of few classes it is categorical."""
        import pandas as pd

        coded = self.coded is not None or (self.catalog is not None and self.catalog.has_few_classes(self.name))
        if coded and "" not in self.classes:
            codes = self.codes.astype(np.min_scalar_type(-len(self.classes) - 1))
            codes[codes < 0] = len(self.classes)
            return pd.Series(pd.Categorical.from_codes(codes, [*self.classes, ""]), copy=False)
        return self.words

    @cached_property
    def words(self) -> Any:
        """The same, in which text can be ordered, too."""
        import pandas as pd

        if self.catalog is not None and self.kind == "text":
            return self.catalog.frame([self.name])[self.name]
        return pd.Series(self.values, dtype="str" if self.values.dtype.kind in "UO" else None, copy=False)

    @cached_property
    def _coded(self) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Number of each row's class [N], -1 where it is missing, and the classes, the most frequent first."""
        if self.coded is not None:
            return self.coded
        return encode(self.values) if self.catalog is None else self.catalog.encoded(self.name)

    @property
    def classes(self) -> list[str]:
        """Classes as text, the most frequent first."""
        return self._coded[1]

    @property
    def codes(self) -> npt.NDArray[np.int32]:
        """Number in `classes` of each row's class [N], -1 where it is missing."""
        return self._coded[0]


class Table(Mapping[str, Any]):
    """Columns as `filters.rows_where` takes them: each is read when a condition names it.

    Args:
        columns: Name to column.
        part: Which rows.
        ordered: Whether conditions may order text, or compare two columns of it, which takes longer.
    """

    def __init__(self, columns: Mapping[str, Column], part: slice, ordered: bool = False) -> None:
        self._columns, self._part, self._ordered = columns, part, ordered

    def __getitem__(self, name: str) -> Any:
        column = self._columns[name]
        return (column.words if self._ordered else column.comparable).iloc[self._part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
