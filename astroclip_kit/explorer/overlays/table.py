"""The rows of an overlay as a list; a click looks at the object of a row."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from bokeh.models import Column as Layout
from bokeh.models import (
    ColumnDataSource,
    DataTable,
    Div,
    RadioButtonGroup,
    ScientificFormatter,
    StringFormatter,
    TableColumn,
)

from ..session import Session
from .catalogue_file import CatalogueFile
from .counterparts import Counterparts

__all__ = ["OverlayTable"]

MOST_ROWS = 1000
MOST_COLUMNS = 20
DIGITS = 10  # of a number as it is shown: "-123.45678"
OBJECT, APART = "object here", "apart [″]"


class OverlayTable:
    """A list of the rows that have a counterpart, or of the others.

    Args:
        session: The page.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._overlay: tuple[CatalogueFile, Counterparts] | None = None
        self._rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._source = ColumnDataSource({})
        self._which = RadioButtonGroup(labels=["Matched", "Not matched"], active=0, name="overlay-which")
        self._table = DataTable(
            source=self._source, height=260, sizing_mode="stretch_width", index_position=None, name="overlay-table"
        )
        self._table.update(autosize_mode="none", selectable=True, reorderable=False)
        self._note = Div(name="overlay-table-note")
        self.layout = Layout(self._which, self._table, self._note, sizing_mode="stretch_width", visible=False)
        self._which.on_change("active", lambda attribute, old, new: self._fill())
        self._source.selected.on_change("indices", lambda attribute, old, new: session.guarded(lambda: self._look(new)))

    def show(self, overlay: tuple[CatalogueFile, Counterparts] | None) -> None:
        """Lists an overlay; None for none."""
        self._overlay, self.layout.visible = overlay, overlay is not None
        if overlay is not None:
            self._which.active = 0 if len(overlay[1].matched) else 1
            self._fill()

    def _fill(self) -> None:
        if self._overlay is None:
            return
        catalogue, found = self._overlay
        rows = found.matched if self._which.active == 0 else np.flatnonzero(found.rows < 0)
        self._rows = rows[:MOST_ROWS]
        objects = found.rows[self._rows]
        data: dict[str, Any] = {OBJECT: self._session.space.ids_of(objects)} if self._which.active == 0 else {}
        if np.isfinite(found.separation_arcsec).any() and data:
            data[APART] = found.separation_arcsec[self._rows]
        chosen = catalogue.frame.iloc[self._rows, :MOST_COLUMNS]
        cells = {f"column {number}": _cells(chosen.iloc[:, number]) for number in range(chosen.shape[1])}
        titles = dict(zip(cells, chosen.columns, strict=True))
        self._source.selected.indices = []
        self._table.columns = [
            _column(field, str(titles.get(field, field)), values) for field, values in (data | cells).items()
        ]
        self._source.data = data | cells
        left = len(catalogue.frame.columns) - MOST_COLUMNS
        notes = [f"The first {MOST_ROWS:,} of {len(rows):,} rows are listed."] * (len(rows) > MOST_ROWS)
        notes += [f"{left} more columns are not listed."] * (left > 0)
        self._note.text = " ".join(notes) or ("" if len(rows) else "There are none.")
        self._note.visible = bool(self._note.text)

    def _look(self, chosen: list[int]) -> None:
        if not chosen or self._overlay is None:
            return
        row = int(self._overlay[1].rows[self._rows[chosen[0]]])
        if row < 0:
            self._session.say("This row is matched to no object.")
        else:
            self._session.look_at(row)


def _cells(values: pd.Series) -> npt.NDArray[np.float64] | list[str]:
    """Numbers with NaN, or text with "", where missing."""
    if pd.api.types.is_float_dtype(values):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return [str(one) for one in values.astype("string").fillna("")]


def _column(field: str, title: str, values: Any) -> TableColumn:
    numbers = ScientificFormatter(precision=5, power_limit_low=-4, power_limit_high=7, nan_format="")
    is_text = isinstance(values, list)
    letters = max([len(title), *map(len, values)] if is_text else [len(title), DIGITS], default=0)
    formatter = StringFormatter() if is_text else numbers
    width = 14 + (8 if is_text else 7) * min(letters, 24)  # digits are narrower than letters
    return TableColumn(field=field, title=html.escape(title), width=width, formatter=formatter)
