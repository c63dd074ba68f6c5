"""Labels of objects, gathered from catalogues and observations into columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError

__all__ = ["merge_labels", "numbers"]

RESERVED = ("object_id", "group", "ra", "dec")


def numbers(observed: pd.DataFrame, name: str) -> pd.Series:
    """One label of each observation as float64; NaN where missing.

    Raises:
        InputError: If no observation has the label, or it is text.
    """
    values = observed["labels"].map(lambda text: json.loads(text).get(name, np.nan))
    try:
        floats = values.astype(float)
    except ValueError as error:
        raise InputError(f"matching.repeats compares the label {name!r}, which is text, not a number.") from error
    if floats.isna().all():
        raise InputError(f"matching.repeats compares the label {name!r}, which no observation has.")
    return floats


def merge_labels(
    observed: pd.DataFrame, picked: Mapping[str, npt.NDArray[np.int64]], sources: Sequence[str]
) -> dict[str, pd.Series]:
    """The labels of every row; where two sources give one, the earlier of `sources` that has a value wins.

    Args:
        observed: All observations, with their labels as JSON.
        picked: Source to the observation of each of N rows; -1 for none.
        sources: Order of precedence.

    Returns:
        Label to values [N]: float64 with NaN, or text with None where missing.

    Raises:
        InputError: If a label has the name of another column.
    """
    texts = observed["labels"].to_numpy()
    merged: list[dict[str, float | str]] = [{} for _ in range(len(next(iter(picked.values()))))]
    for source in sources:
        for row in np.flatnonzero(picked[source] >= 0):
            for name, value in json.loads(texts[picked[source][row]]).items():
                merged[row].setdefault(name, value)
    table = pd.DataFrame.from_records(merged)
    for name in table.columns:
        if name in RESERVED or name in picked:
            raise InputError(f"a label is called {name!r}, which is another column of the dataset. Rename it.")
    return {str(name): _column(table[name]) for name in table.columns}


def _column(values: pd.Series) -> pd.Series:
    if values.map(lambda value: isinstance(value, str)).any():
        return pd.Series([None if pd.isna(value) else str(value) for value in values], dtype=object)
    return values.astype(np.float64)
