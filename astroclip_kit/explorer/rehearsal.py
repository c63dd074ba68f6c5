"""What a server does before anybody asks, so that the first click is answered as the second."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from .application import compose
from .map.drawing import prepare
from .session import Session
from .space import Space

__all__ = ["rehearse"]

LARGEST = 200_000  # objects: neighbours in more are searched for long


def rehearse(space: Space) -> None:
    """Does on a page that nobody sees what a reader does first: that imports and compiles what all pages share.

    Args:
        space: What is explored.
    """
    prepare(space)
    if len(space) > LARGEST:
        return
    session = Session(space)
    with suppress(Exception):  # which the page says where it matters
        compose(session)
        session.look_at(0)
        session.select(np.arange(len(space)) < len(space) // 2)
    session.close()
