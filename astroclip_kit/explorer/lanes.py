"""Work beside a page: in turn within a lane, and lane beside lane."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

__all__ = ["Lanes"]

Job = Callable[[], None]


class Lanes:
    """Threads of a page, one for each lane, that are there from its first work on until they are closed.

    The end of the process waits for none of them, as it would for those of `concurrent.futures`. Who ends it joins
    them: one that is within torch then would abort it.
    """

    def __init__(self) -> None:
        self._queues: dict[str, SimpleQueue[Job | None]] = {}
        self._threads: list[Thread] = []
        self._turn, self._is_closed = Lock(), False

    def put(self, lane: str, job: Job) -> None:
        """Has a job done after those that the lane was given before; nothing is done once all are closed."""
        with self._turn:
            if self._is_closed:
                return
            if lane not in self._queues:
                self._queues[lane] = SimpleQueue()
                thread = Thread(target=_work, args=(self._queues[lane],), name=f"explorer {lane}", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._queues[lane].put(job)

    def close(self) -> None:
        """Ends the threads when they are done with what they were given."""
        with self._turn:
            self._is_closed = True
            for queue in self._queues.values():
                queue.put(None)

    def join(self, until: float) -> None:
        """Waits until the threads have ended, or until a time of `time.monotonic`."""
        for thread in self._threads:
            thread.join(until - time.monotonic())


def _work(queue: SimpleQueue[Job | None]) -> None:
    while (job := queue.get()) is not None:
        job()
        del job  # which may hold a page that is closed meanwhile
