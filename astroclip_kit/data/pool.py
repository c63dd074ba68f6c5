"""Work for many processes, in order: few tasks wait at a time, and nobody outlives the process that started it."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from ..errors import KitError

__all__ = ["in_order"]

Task = TypeVar("Task")
Answer = TypeVar("Answer")
AHEAD = 4  # tasks per worker that are handed out while the first of them is not done
_worker: list[Callable[[Any], Any]] = []  # what this worker process does


def in_order(
    function: Callable[[Task], Answer], tasks: Iterable[Task], workers: int, importable: bool = True
) -> Iterator[Answer]:
    """The answers to tasks, in their order; a task is made only when it is its turn.

    Args:
        function: Does one task. It travels to each worker once.
        tasks: What to do.
        workers: Processes; with 1 everything happens in this one.
        importable: Whether a new process can import what the function is made of; needed where processes cannot
            fork.

    Raises:
        KitError: If a worker dies.
    """
    forks = sys.platform == "linux"
    if workers <= 1 or not (forks or importable):
        yield from map(function, tasks)
        return
    context = multiprocessing.get_context("fork" if forks else "spawn")
    pool = ProcessPoolExecutor(workers, context, _start, (function, os.getpid()))
    waiting: deque[Future[Answer]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(_do, task))
            if len(waiting) >= AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise KitError(
            "a process that reads files died, perhaps for lack of memory. Run the same command with fewer workers."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start(function: Callable[[Any], Any], parent: int) -> None:
    _worker[:] = [function]
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> None:
    """A worker whose parent was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _do(task: Any) -> Any:
    return _worker[0](task)
