"""CSV files, plain or gzip, with lines of comment before the names of the columns (ECSV, Sky Patrol)."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO, cast

import pandas as pd

__all__ = ["csv_comments", "csv_names", "opened_text", "read_csv", "titled_names"]

EMPTY = ["", "nan", "NaN", "null", "NULL", "--", "N/A"]


def read_csv(path: Path, wanted: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
    """Some columns.

    Args:
        path: The file.
        wanted: Which; they must be there.
        texts: Columns whose values are kept as they are written.
    """
    types = dict.fromkeys(texts, "str")
    options: dict[str, Any] = {"keep_default_na": False, "na_values": EMPTY, "low_memory": False}
    return pd.read_csv(path, skiprows=len(csv_comments(path)), usecols=list(wanted), dtype=types, **options)[wanted]


def csv_names(path: Path) -> list[str]:
    """Names of the columns."""
    return next(csv.reader(_head(path)[-1:]))


def csv_comments(path: Path) -> list[str]:
    """The lines of comment ("# ...") before the names of the columns, without the "#"."""
    return [line[1:].removeprefix(" ").rstrip() for line in _head(path)[:-1]]


def _head(path: Path) -> list[str]:
    """The lines of comment (or of nothing) and the line of names behind them.

    Raises:
        ValueError: If the file ends before that line.
    """
    lines = []
    with opened_text(path) as file:
        for line in file:
            lines.append(line.rstrip("\r\n"))
            if lines[-1].strip() and not f"{lines[-1]} ".startswith("# "):
                return lines
    raise ValueError("it names no columns")


def opened_text(path: Path) -> TextIO:
    """A text file, plain or gzip."""
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    return cast(TextIO, opener(path, "rt", encoding="utf-8-sig"))


def titled_names(lines: Sequence[str]) -> tuple[str, ...]:
    """Names of columns, in lower case, that stand in the second line of a text file, below its title.

    Args:
        lines: The first two lines of the file, or more.

    Returns:
        Nothing where the first line has as many words (it names the columns then), or the second holds numbers.
    """
    words = [line.lstrip("# \t").lower().split() for line in lines[:2]]
    below = words[1] if len(words) == 2 and len(words[0]) != len(words[1]) else []
    return tuple(below) if all(word.replace("_", "").isalpha() for word in below) else ()
