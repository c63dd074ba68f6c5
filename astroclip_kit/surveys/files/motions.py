"""Proper motions in tables: how surveys call them, and their unit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .columns import convert

__all__ = ["EPOCHS", "PMDECS", "PMRAS", "called", "mas_per_year"]

PMRAS = ("pmra", "pm_ra")  # with the factor cos(dec): Gaia, DESI (in capitals), VizieR
PMDECS = ("pmdec", "pm_dec", "pmde")
EPOCHS = ("ref_epoch",)


def called(names: Iterable[str], known: tuple[str, ...]) -> str:
    """The first of some names that is, in any case, one of the known ones; "" if none is.

    Example:
        >>> called(["TARGETID", "PMRA"], PMRAS)
        'PMRA'
    """
    return next((name for name in names if name.lower() in known), "")


def mas_per_year(path: Path, name: str, values: npt.NDArray[np.float64], stated: str) -> npt.NDArray[np.float64]:
    """The values of a label; those of a proper motion in mas per year, whatever unit the table states.

    Args:
        path: The table.
        name: Of the label.
        values: Any shape.
        stated: Unit of the column; "" where the table states none, which is taken for mas per year.

    Raises:
        FileError: If the label is a proper motion in a unit that is none of an angle per time.
    """
    return convert(path, name, values, stated, "mas / yr") if called([name], PMRAS + PMDECS) else values
