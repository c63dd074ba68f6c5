"""What a column that is saved beside a store may be called, and in which unit it may be."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from ..errors import UsageError

__all__ = ["NAME", "check_name", "check_unit"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
TAKEN = ("value", "row", "similarity", "rank", "query")  # columns of what is answered


def check_name(name: str, own: Iterable[str], modalities: Iterable[str]) -> None:
    """Makes sure that a column may have a name.

    Raises:
        UsageError: If not.
    """
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(f"column {name!r}: expected a name of letters, digits and _ that begins with a letter.")
    taken = {one.lower() for one in (*own, *modalities, *TAKEN)}
    if name.lower() in taken or name.lower().startswith("has_"):
        raise UsageError(f"column {name!r}: there is a column of this name, which is not changed. Choose another name.")


def check_unit(name: str, unit: str) -> None:
    """Makes sure that astropy reads a unit.

    Raises:
        UsageError: If not.
    """
    from astropy.units import Unit

    try:
        Unit(unit)
    except (ValueError, TypeError) as error:
        raise UsageError(f"column {name!r}: {unit!r} is no unit that astropy reads, e.g. 'km / s'.") from error
