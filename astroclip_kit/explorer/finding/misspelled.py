"""What is said where a condition lets no object through: a class may be misspelled."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from ...filters import texts_in
from ..columns import Column

__all__ = ["nothing_left"]


def nothing_left(condition: str, columns: Mapping[str, Column]) -> str:
    """A sentence for a condition after which no object is shown.

    Args:
        condition: As it was typed.
        columns: What it may name.
    """
    told = ["No object fulfils all conditions; each is removed by its button above the map."]
    for name, text in texts_in(condition, columns):
        column = columns[name]
        if column.kind == "text" and column.is_quick and text not in ("", *column.classes):
            by_letters = {one.lower(): one for one in reversed(column.classes)}
            near = [by_letters[one] for one in get_close_matches(text.lower(), by_letters, 3)]
            told.append(f"No {name} is {text!r}{': is ' + ' or '.join(map(repr, near)) + ' meant?' if near else '.'}")
    return " ".join(told)
