"""Columns of an overlay, by which the map may be coloured and filtered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...embeddings.writing import LARGEST
from ...surveys.files.table_files import numbers, text
from ..columns import Column
from .catalogue_file import CatalogueFile
from .counterparts import Counterparts

__all__ = ["overlay_columns", "short_name"]


def short_name(name: str, taken: set[str]) -> str:
    """A name of letters, digits and _ for what comes from a file.

    Example:
        >>> short_name("my stars.v2.fits", {"my_stars"})
        'my_stars_2'
    """
    stem = re.sub(r"\W+", "_", PurePath(name).name.split(".")[0]).strip("_") or "overlay"
    stem = f"_{stem}" if stem[0].isdigit() else stem
    return next(one for one in [stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3))] if one not in taken)


def overlay_columns(
    short: str, catalogue: CatalogueFile, found: Counterparts, count: int, taken: Iterable[str] = ()
) -> list[Column]:
    """Columns of the space with the values of an overlay.

    Args:
        short: What their names begin with; ``in_<short>`` says which objects the catalogue has.
        catalogue: The values.
        found: The object of each row.
        count: Objects of the space, N.
        taken: Names of other columns.
    """
    columns = [Column(f"in_{short}", "", partial(_flags, found, count), True)]
    units, names = catalogue.frame.attrs.get("units", {}), {f"in_{short}", *taken}
    for place, name in enumerate(catalogue.frame.columns):
        values = catalogue.frame.iloc[:, place]
        is_number = _is_number(values)
        own = short_name(f"{short}_{str(name).replace('.', '_')}", names)
        names.add(own)
        columns.append(
            Column(own, units.get(name, ""), partial(_spread, values, found, count, is_number), not is_number)
        )
    return columns


def _is_number(values: pd.Series) -> bool:
    """Whether values may lie beside missing ones as floats: whole numbers that would lose digits are text."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    return not pd.api.types.is_integer_dtype(values) or bool(values.between(-LARGEST, LARGEST).all())


def _flags(found: Counterparts, count: int) -> npt.NDArray[np.bool_]:
    flags = np.zeros(count, dtype=bool)
    flags[found.rows[found.matched]] = True
    return flags


def _spread(values: pd.Series, found: Counterparts, count: int, is_number: bool) -> npt.NDArray[Any]:
    """The values of the objects that have a row, and missing ones [N]."""
    mine = values.iloc[found.matched]
    given = numbers(mine) if is_number else text(mine).astype(str)
    out = np.full(count, np.nan) if is_number else np.zeros(count, given.dtype)
    out[found.rows[found.matched]] = given
    return out
