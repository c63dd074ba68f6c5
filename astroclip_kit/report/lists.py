"""Lines as a list on a page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

__all__ = ["bullets"]


def bullets(lines: Iterable[str]) -> str:
    """HTML of lines, each a point of a list; nothing where there are none.

    Example:
        >>> bullets(["a < b"]), bullets([])
        ('<ul><li>a &lt; b</li></ul>', '')
    """
    points = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{points}</ul>" if points else ""
