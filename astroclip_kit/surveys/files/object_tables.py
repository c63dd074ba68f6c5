"""The table beside a file of images: which object each of them shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...errors import UsageError
from .coordinates import angles, lost
from .table_files import check_mapping, numbers, read_columns, text

__all__ = ["read_object_table"]

TEXTS = ("id", "group", "file")


def read_object_table(table: Mapping[str, str], needed: Sequence[str], optional: Sequence[str]) -> pd.DataFrame:
    """The rows of a table under the names of their roles.

    Args:
        table: ``path`` of the table, and role to column: "id" always; "ra", "dec" and "group" where they exist.
        needed: Further roles that must be mapped.
        optional: Further roles that may be.

    Returns:
        A column per role, and "problem", why a row cannot be used; ids, groups and file names are text, all others
        numbers, NaN where missing; without coordinates ra and dec are NaN, and without groups the group is "".

    Raises:
        FileError: If the table cannot be read or lacks a column.
        UsageError: If a role is missing or unknown.
    """
    columns = dict(table)
    path = columns.pop("path", "")
    if not path:
        raise UsageError("table: `path` is missing. Say which file it is, beside the columns of its roles.")
    roles = check_mapping(columns, ["id", *needed], ["ra", "dec", "group", *optional])
    frame = read_columns(path, roles.values(), texts=[roles[role] for role in TEXTS if role in roles])
    rows = pd.DataFrame({role: text(frame[roles[role]]) for role in TEXTS if role in roles})
    for role in roles:
        if role in ("ra", "dec"):
            rows[role] = angles(path, frame, roles[role], hours=role == "ra")
        elif role not in TEXTS:
            rows[role] = numbers(frame[roles[role]])
    given = frame[[roles[role] for role in ("ra", "dec") if role in roles]]
    for role, default in (("ra", np.nan), ("dec", np.nan), ("group", "")):
        rows[role] = rows.get(role, default)
    cases = [rows["id"] == "", rows["id"].duplicated(), lost(given, rows["ra"], rows["dec"])]
    rows["problem"] = np.select(cases, ["no id.", "duplicated id.", "coordinates out of range."], "")
    return rows
