"""The catalogue of a dataset's rows: ids, groups and coordinates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import InputError, UsageError
from ..settings import Matching
from . import crossmatch

__all__ = ["catalogue_of"]


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
        places = observed.groupby("object")[["place_ra", "place_dec"]].first().loc[rows["object"]]
        group = group[_linked(places.to_numpy(), matching.radius_arcsec)].reset_index(drop=True)
    elif by != "id":
        group = _by_label(labels, by)
    return pd.concat([object_id.rename("object_id"), group.rename("group"), table], axis=1)


def _linked(places: npt.NDArray[np.float64], radius_arcsec: float) -> npt.NDArray[np.int64]:
    """The first row of every row's group by position [N, 2]; a row without coordinates is alone."""
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    first = np.arange(len(places))
    found = crossmatch.groups(places[known, 0], places[known, 1], radius_arcsec)
    first[known] = known[np.unique(found, return_index=True)[1][found]]
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
