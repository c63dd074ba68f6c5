"""Conditions that widgets write and read again, in the language of `filters.rows_where`."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence

from ...errors import UsageError
from ...filters import quoted

__all__ = ["among", "between", "chosen", "digits", "limits", "swapped", "typed"]

NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)"
WHOLE = 1e19  # numbers below which a whole one may be an id
Limits = tuple[float | None, float | None]


def between(name: str, low: float | None, high: float | None) -> str:
    """Whether a column lies between two values; "" where neither is given.

    Example:
        >>> between("z", 0.1, None), between("2mass j", 0.1, 16), between("id", 4611686018427387907, None)
        ('z >= 0.1', '0.1 <= `2mass j` <= 16', 'id >= 4611686018427387907')
    """
    if low is None and high is None:
        return ""
    if high is None:
        return f"{quoted(name)} >= {digits(low)}"
    return f"{'' if low is None else f'{digits(low)} <= '}{quoted(name)} <= {digits(high)}"


def digits(limit: float | None) -> str:
    """A limit in as many digits as it has."""
    if limit is None:
        return ""
    is_whole = math.isfinite(limit) and int(limit) == limit and abs(limit) < WHOLE
    return str(int(limit)) if is_whole else repr(float(limit))


def limits(name: str, condition: str) -> Limits | None:
    """The values that `between` was given; None if it did not write the condition.

    Example:
        >>> limits("z", "z >= 0.1"), limits("z", "z_err >= 0.1")
        ((0.1, None), None)
    """
    column = re.escape(quoted(name))
    found = re.fullmatch(rf"(?:{NUMBER} <= )?{column}(?: <= {NUMBER})?|{column} >= {NUMBER}", condition)
    if not found or not any(found.groups()):
        return None
    low, high, least = (None if one is None else _number(one) for one in found.groups())
    return (low if least is None else least), high


def typed(text: str) -> float | None:
    """A limit as somebody types it, None for no limit.

    Raises:
        UsageError: If it is no number.

    Example:
        >>> typed(" 1e-3 "), typed("4611686018427387907"), typed("")
        (0.001, 4611686018427387907, None)
    """
    text = text.strip()
    if text and not re.fullmatch(NUMBER, text, re.IGNORECASE):
        raise UsageError(f"{text!r} is no number such as 0.3 or 1e-3, so the limit stays as it was.")
    return _number(text) if text else None


def _number(text: str) -> float:
    return float(text) if set(text.lower()) & set(".e") else int(text)


def among(name: str, classes: Sequence[str]) -> str:
    """Whether a column has one of some classes; "" where there are none.

    Example:
        >>> print(among("class", ["QSO", "Barnard's"]))
        class in ['QSO', "Barnard's"]
    """
    return f"{quoted(name)} in {list(classes)}" if classes else ""


def chosen(name: str, condition: str) -> list[str] | None:
    """The classes that `among` was given; None if it did not write the condition.

    Example:
        >>> chosen("class", among("class", ["QSO"]))
        ['QSO']
    """
    begin = f"{quoted(name)} in "
    if not condition.startswith(begin):
        return None
    try:
        classes = ast.literal_eval(condition.removeprefix(begin))
    except (SyntaxError, ValueError):
        return None
    return classes if isinstance(classes, list) and all(isinstance(one, str) for one in classes) else None


def swapped(where: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """The conditions with one in the place of another; "" for one that is not there.

    Example:
        >>> swapped(("z > 1", "snr > 3"), "z > 1", "z > 2"), swapped(("z > 1",), "", "z > 1"), swapped(("a",), "a", "")
        (('z > 2', 'snr > 3'), ('z > 1',), ())
    """
    found = [new if one == old else one for one in where] + [new] * (old not in where)
    return tuple(dict.fromkeys(one for one in found if one))
