"""Requests that do no harm: few at once, a pause between two, and longer ones where a server asks for them."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ..errors import UsageError
from ..settings import Downloading
from .problems import REDIRECTS, NotThere, RequestFailed, TryAgain, judge, problem_of, shown

if TYPE_CHECKING:
    from requests import Response

__all__ = ["Client"]

CHUNK = 1 << 16
SLOWEST = 1024  # bytes a second, on average, once a time-out has passed
T = TypeVar("T")


class Client:
    """Asks web services, from several threads, within the limits of `Downloading`.

    Args:
        settings: How many at once, how fast, how often.

    Raises:
        UsageError: If a setting makes no sense, or the extra ``fetch`` is not installed.

    Example:
        >>> with Client(Downloading(connections=2)) as client:
        ...     client.settings.connections
        2
    """

    def __init__(self, settings: Downloading = Downloading()) -> None:
        _check(settings)
        self.settings = settings
        self.session = _session(settings.connections)
        self.stopped = threading.Event()
        self.on_bytes: Callable[[int], object] = int  # is told how many bytes of an answer have come
        self._busy = [threading.Lock() for _ in range(256)]
        self._lock = threading.Lock()
        self._free: dict[str, float] = defaultdict(float)  # host to the time of its next request
        self._failures: Counter[str] = Counter()  # host to failures in a row

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.session.close()

    def turn(self, path: Path) -> threading.Lock:
        """To be held while a file is fetched: two tasks may want the same one."""
        return self._busy[hash(path) % len(self._busy)]

    def persist(self, url: str, attempt: Callable[[], T]) -> T:
        """Makes attempts, with growing and jittered pauses, until one succeeds.

        Args:
            url: What is asked; its host is what is spared.
            attempt: One try; raises `TryAgain` or an error of requests where another may do better.

        Returns:
            What the attempt returned.

        Raises:
            NotThere: If the service does not have it.
            RequestFailed: If all attempts failed, another would not help, or the host does not answer at all.
        """
        from requests import RequestException

        host = urlsplit(url).netloc
        for number in range(self.settings.retries + 1):
            self._wait(host)
            try:
                result = attempt()
            except NotThere:
                self._failures[host] = 0
                raise
            except (TryAgain, RequestException) as error:
                problem = problem_of(error, url)
                if problem.wait > self.settings.longest_wait_seconds:
                    break
                pause = self.settings.backoff_seconds * 2**number * random.uniform(0.5, 1.5)
                self._hold(host, problem.wait)
                if number < self.settings.retries:
                    self.stopped.wait(min(max(pause, problem.wait), self.settings.longest_wait_seconds))
            else:
                self._failures[host] = 0
                return result
        self._failures[host] += 1
        attempts = f"{number + 1} attempt{'s' * (number > 0)}"
        raise RequestFailed(f"{shown(url)}: {problem.reason} ({attempts}).")

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str] | None = None, **body: Any) -> Iterator[Response]:
        """One request, whose answer is still to be read (with `chunks`).

        Args:
            url: An http or https address.
            headers: Of the request.
            body: ``json`` makes it a POST.

        Raises:
            NotThere: For status 404 and 410.
            TryAgain: For a status that may pass.
            RequestFailed: For any other status that is no success.
        """
        seconds = self.settings.timeout_seconds
        kind = "POST" if body else "GET"
        options: dict[str, Any] = {"headers": dict(headers or {}), "timeout": (seconds, seconds), "stream": True}
        with self.session.request(kind, url, **options, **body) as response:
            places = [urlsplit(one.url).scheme for one in (*response.history, response)]
            if urlsplit(url).scheme == "https" and set(places) != {"https"}:
                raise RequestFailed(f"{shown(url)}: redirected to an address without encryption.")
            judge(response, url)
            yield response

    def chunks(self, response: Response, size: int = 0) -> Iterator[bytes]:
        """The body of an answer in pieces.

        Args:
            response: From `stream`.
            size: Bytes that are there from an earlier attempt.

        Raises:
            TryAgain: If it comes too slowly, or the client was stopped.
            RequestFailed: If it is larger than the settings allow.
        """
        start, received = time.monotonic(), 0
        while chunk := _piece(response):
            received += len(chunk)
            self.on_bytes(len(chunk))
            seconds = time.monotonic() - start
            if size + received > self.settings.largest_mb * 1e6:
                limit = f"larger than downloads.largest_mb={self.settings.largest_mb:g} allows"
                raise RequestFailed(f"{shown((*response.history, response)[0].url)}: {limit}.")
            if self.stopped.is_set():
                raise TryAgain("stopped")
            yield chunk
            if seconds > self.settings.timeout_seconds and received < SLOWEST * seconds:
                raise TryAgain(f"too slow, {received} bytes in {seconds:.0f} s")

    def get_json(self, url: str, check: Callable[[Any], T], body: Any = None) -> T:
        """A JSON answer.

        Args:
            url: The address.
            check: Judges and returns what was understood; a `TryAgain` asks once more.
            body: Makes it a POST of this value as JSON.

        Raises:
            NotThere: If the service does not have it.
            RequestFailed: If no attempt gave an answer that could be understood.
        """

        def attempt() -> T:
            with self.stream(url, **({} if body is None else {"json": body})) as response:
                content = b"".join(self.chunks(response))
            try:
                value = json.loads(content)
            except ValueError:
                raise TryAgain(f"the answer is no JSON, it begins with {content[:40]!r}") from None
            return check(value)

        return self.persist(url, attempt)

    def _wait(self, host: str) -> None:
        """Waits for the host's next free moment, and takes it."""
        if self._failures[host] >= self.settings.give_up:
            raise RequestFailed(f"{host}: not asked, {self.settings.give_up} downloads in a row failed there before.")
        with self._lock:
            moment = max(time.monotonic(), self._free[host])
            self._free[host] = moment + self.settings.interval_seconds
        if self.stopped.wait(max(moment - time.monotonic(), 0)):
            raise RequestFailed(f"{host}: not asked, the downloads were stopped.")

    def _hold(self, host: str, seconds: float) -> None:
        """Nobody asks the host for some time."""
        with self._lock:
            self._free[host] = max(self._free[host], time.monotonic() + seconds)


def _piece(response: Response) -> bytes:
    """What has come by now: a server that sends a byte now and then is seen to be slow."""
    from urllib3.exceptions import HTTPError, TimeoutError

    try:
        piece: bytes = response.raw.read1(CHUNK, decode_content=True)
    except TimeoutError:
        raise TryAgain("no answer in time") from None
    except HTTPError:
        raise TryAgain("the connection broke off") from None
    return piece


def _session(connections: int) -> Any:
    try:
        import requests
    except ImportError as error:
        raise UsageError("downloads need the extra 'fetch': pip install 'astroclip_kit[fetch]'.") from error
    from .. import __version__

    session = requests.Session()
    session.headers.update({"User-Agent": f"astroclip_kit/{__version__}", "Accept-Encoding": "identity"})
    session.max_redirects = REDIRECTS
    for scheme in ("http://", "https://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=connections, pool_block=True))
    return session


def _check(settings: Downloading) -> None:
    least = {"connections": 1, "give_up": 1, "retries": 0, "interval_seconds": 0, "backoff_seconds": 0}
    for name, smallest in least.items():
        if getattr(settings, name) < smallest:
            raise UsageError(f"downloads.{name} is {getattr(settings, name)}, expected at least {smallest}.")
    for name in ("timeout_seconds", "longest_wait_seconds", "largest_mb"):
        if getattr(settings, name) <= 0:
            raise UsageError(f"downloads.{name} is {getattr(settings, name)}, expected a positive number.")
