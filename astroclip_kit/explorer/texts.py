"""Text that comes from data, as a page shows it: as it is, and not longer than there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bokeh.models import PlainText

__all__ = ["cut", "plain", "printable"]


def cut(text: str, most: int, end: int = 0) -> str:
    """A text of so many letters at most, with a mark where some are left out.

    Args:
        text: Any.
        most: Letters, the mark among them.
        end: How many of these are the last ones of the text.

    Example:
        >>> cut("galaxies", 8), cut("galaxies", 6), cut("galaxies", 6, end=2)
        ('galaxies', 'galax…', 'gal…es')
    """
    return text if len(text) <= most else f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def printable(text: str) -> str:
    r"""A text in which letters that show nothing, or turn others round, are seen to be there.

    Example:
        >>> printable("z\u202elive"), printable("[Å]")
        ('z�live', '[Å]')
    """
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def plain(text: str) -> PlainText:
    r"""What is no formula: in a title, or at an axis, Bokeh takes ``$$...$$``, ``\[...\]`` and ``\(...\)`` for one.

    A `Div` is told so by the theme of `application`.
    """
    from bokeh.models import PlainText

    return PlainText(text=text)
