"""What a server does before anybody asks, so that the first click is answered as the second."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, suppress

import numpy as np

from .application import compose
from .map.drawing import prepare
from .session import Session
from .space import Space

__all__ = ["rehearse"]

LARGEST = 200_000  # objects: neighbours in more are searched for long


def rehearse(space: Space, is_over: Callable[[], bool] = lambda: False) -> None:
    """Does on a page that nobody sees what a reader does first: that imports and compiles what all pages share.

    Args:
        space: What is explored.
        is_over: Whether nobody will ask any more; then it ends with the step that it is at.
    """
    with suppress(Exception), closing(_steps(space)) as steps:  # what is wrong the page says where it matters
        for _ in steps:
            if is_over():
                return


def _steps(space: Space) -> Generator[None, None, None]:
    yield
    yield from prepare(space)
    if len(space) > LARGEST:
        return
    with closing(Session(space, watches=False)) as session:  # others save in threads of their own
        yield
        compose(session)
        yield
        session.look_at(0)
        yield
        session.select(np.arange(len(space)) < len(space) // 2)
