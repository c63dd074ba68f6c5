"""The catalogue of a dataset's rows: ids, groups, coordinates and labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError, UsageError
from ..settings import Matching
from . import crossmatch

__all__ = ["catalogue_of", "merge_labels"]

RESERVED = ("object_id", "group", "ra", "dec")


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


def catalogue_of(
    observed: pd.DataFrame, rows: pd.DataFrame, labels: Mapping[str, pd.Series], matching: Matching
) -> pd.DataFrame:
    """object_id, group, ra and dec of every row.

    Args:
        observed: object_id, group, ra, dec and object of every observation that is kept.
        rows: Of each of N rows, its object, and the observation that makes it where every one makes a row.
        labels: Label to values [N].
        matching: What groups rows.

    Raises:
        UsageError: If rows are to be grouped by a label that does not exist.
        InputError: If rows lack the label that they are grouped by.
    """
    objects = observed.groupby("object")[["group", "ra", "dec"]].first()
    names = _unique(objects["group"])
    table = objects[["ra", "dec"]].loc[rows["object"]].reset_index(drop=True)
    group = names.loc[rows["object"]].reset_index(drop=True)
    own = observed["object_id"].reindex(rows["pick"]).reset_index(drop=True)
    object_id = _unique(own.where(own.notna(), group))
    by = matching.group or matching.by
    if by == "position":
        group = group[_linked(table, matching.radius_arcsec)].reset_index(drop=True)
    elif by != "id":
        group = _by_label(labels, by)
    return pd.concat([object_id.rename("object_id"), group.rename("group"), table], axis=1)


def _linked(table: pd.DataFrame, radius_arcsec: float) -> npt.NDArray[np.int64]:
    """The first row of every row's group by position; a row without coordinates is alone."""
    known = (table["ra"].notna() & table["dec"].notna()).to_numpy()
    first = np.arange(len(table))
    found = crossmatch.groups(table["ra"][known], table["dec"][known], radius_arcsec)
    start = np.unique(found, return_index=True)[1]
    first[known] = np.flatnonzero(known)[start[found]]
    return first


def _by_label(labels: Mapping[str, pd.Series], name: str) -> pd.Series:
    if name not in labels:
        known = f"or the name of a label: {', '.join(labels)}" if labels else "as there are no labels"
        raise UsageError(f"matching.group is {name!r}, expected 'id' or 'position', {known}.")
    missing = int(labels[name].isna().sum())
    if missing:
        raise InputError(f"{missing} rows have no label {name!r} to be grouped by. Group by 'id' or 'position'.")
    return labels[name].astype(str)


def _unique(names: pd.Series) -> pd.Series:
    """The same names, with #2, #3, ... behind those that occurred before."""
    while names.duplicated().any():
        count = names.groupby(names).cumcount() + 1
        names = names.where(count == 1, names + "#" + count.astype(str))
    return names
