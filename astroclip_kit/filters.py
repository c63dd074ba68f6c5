"""Rows of a catalogue chosen by an expression: ``zwarning == 0 and (z < 0.3 or class in ["QSO", "GALAXY"])``."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import UsageError

__all__ = ["rows_where"]

TEXT = re.compile(r"""("[^"]*"|'[^']*'|`[^`]*`)""")
CALLS = re.compile(r"(@|__|\.(?!isna\(\)|notna\(\)|\d)\s*[A-Za-z_])")  # what reaches beyond the columns


def rows_where(columns: Mapping[str, npt.NDArray[Any]], expression: str) -> npt.NDArray[np.bool_]:
    """Which rows an expression holds for, in the language of `pandas.DataFrame.query`.

    Args:
        columns: Name to values [N]: numbers with NaN, or text with "", where missing. A name that is no Python name
            is written in backticks; ``z.notna()`` asks whether a value is known.
        expression: The condition; "" holds for every row. A comparison with a missing value holds for != only.

    Returns:
        bool [N].

    Raises:
        UsageError: If the expression cannot be read, names no column, or is no condition.

    Example:
        >>> table = {"z": np.array([0.1, 0.5, np.nan]), "class": np.array(["QSO", "STAR", "QSO"])}
        >>> rows_where(table, 'z < 0.3 or class in ["STAR"]').tolist()
        [True, True, False]
    """
    import pandas as pd

    count = len(next(iter(columns.values()), ()))
    if not expression.strip():
        return np.ones(count, dtype=bool)
    parts = TEXT.split(expression)
    words = [name for name in columns if keyword.iskeyword(name)]
    for number in range(0, len(parts), 2):  # outside of quotes
        if CALLS.search(parts[number]):
            raise UsageError(f"where {expression!r}: expected comparisons of columns, with and, or, not, in.")
        for name in words:
            parts[number] = re.sub(rf"\b{name}\b", f"`{name}`", parts[number])
    table = pd.DataFrame(dict(columns))
    try:
        rows = np.asarray(table.eval("".join(parts), engine="python", parser="pandas"))
    except Exception as error:  # the parser has errors of its own for every kind of mistake
        known = f"There are the columns {', '.join(list(columns)[:20])}."
        raise UsageError(f"where {expression!r}: {_problem(error, expression)}. {known}") from error
    if rows.dtype != bool or rows.shape != (count,):
        raise UsageError(f"where {expression!r}: expected a condition such as 'z > 0', found a value.")
    return rows


def _problem(error: Exception, expression: str) -> str:
    """What is wrong, without the words of Python's own parser."""
    text = str(error).splitlines()[0].rstrip(".")
    if isinstance(error, (SyntaxError, TokenError)):
        return "it is no condition that can be read, such as 'z > 0'"
    name = re.search(r"name '(\w+)' is not defined", text)
    if name and re.search(rf"[=!]=\s*{name[1]}\b", expression):
        return f"{text}; a text needs quotes, {name[1]!r}"
    return text
