"""What was worked out once, for who asks for it again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

__all__ = ["Kept"]

T = TypeVar("T")


class Kept:
    """The answers that were asked for last.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most, self._turn = most, Lock()
        self._found: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer of a key, which is worked out if it is not there; an error is kept for nobody."""
        with self._turn:
            is_there, found = key in self._found, self._found.pop(key, None)
            if is_there:
                self._found[key] = found  # as the latest
        if not is_there:
            found = make()
            with self._turn:
                self._found[key] = found
                while len(self._found) > self._most:
                    del self._found[next(iter(self._found))]
        answer: T = found
        return answer
