"""What a page does when nothing has been asked of it for a moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .session import Session

__all__ = ["ANSWERED", "Pause"]

ANSWERED = 250  # ms in which a browser shows an answer, before other work takes the processor


class Pause:
    """A wait after which the last of several wishes is done.

    Args:
        session: The page; without a document, as in a test, a wish is done at once.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: Any = None

    def __call__(self, milliseconds: int, call: Callable[[], None]) -> None:
        """Has something done after a while, in place of what waits."""
        document = self._session.document
        if document is None:
            self._session.guarded(call)
            return
        if self._waiting is not None:
            document.remove_timeout_callback(self._waiting)
        self._waiting = document.add_timeout_callback(partial(self._over, call), milliseconds)

    def _over(self, call: Callable[[], None]) -> None:
        self._waiting = None
        self._session.guarded(call)
