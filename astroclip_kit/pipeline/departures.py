"""What is not as published in a run, a line for each thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Departures"]


class _Departure(NamedTuple):
    line: str
    published: str  # the value, "" where it is of no setting


class Departures:
    """What is not as published: of each thing it is said once, in the order in which it was said last.

    Args:
        lines: What is said from the beginning.

    Example:
        >>> departures = Departures(["other galaxies"])
        >>> departures.add("align.epochs: 4, not 80", "align.epochs", "80")
        >>> departures.override("align.epochs=9")
        >>> departures.lines
        ['other galaxies', 'align.epochs=9, not 80']
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._said: dict[str, _Departure] = {}
        self.put_first(lines)

    @property
    def lines(self) -> list[str]:
        """All of them."""
        return [one.line for one in self._said.values()]

    def put_first(self, lines: Iterable[str]) -> None:
        """Says these before all others."""
        self._said = {**{line: _Departure(line, "") for line in lines}, **self._said}

    def add(self, line: str, key: str = "", published: str = "") -> None:
        """Says something, in the place of what was said of the same.

        Args:
            line: In words.
            key: What it is of: a setting, "image encoder"; by default itself.
            published: The published value of a setting.
        """
        self._said.pop(key or line, None)
        self._said[key or line] = _Departure(line, published)

    def forget(self, key: str) -> None:
        """Takes back what was said of a setting, and of those in it."""
        self._said = {name: one for name, one in self._said.items() if name != key and not name.startswith(f"{key}.")}

    def override(self, text: str) -> None:
        """Puts an override, ``setting=value``, in the place of what was said of it, unless that is now as published."""
        key, _, value = text.partition("=")
        published = self._said[key].published if key in self._said else ""
        self.forget(key)
        if value != published or not published:
            self.add(f"{text}, not {published}" if published else text, key, published)
