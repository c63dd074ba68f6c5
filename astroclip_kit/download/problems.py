"""What can go wrong between a request and its answer, and whether another attempt may help."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import KitError

if TYPE_CHECKING:
    from requests import Response

__all__ = [
    "RANGE_NOT_SATISFIABLE",
    "REDIRECTS",
    "NotThere",
    "RequestFailed",
    "TryAgain",
    "judge",
    "problem_of",
    "shown",
]

REDIRECTS = 5
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
GONE = {404, 410}
RANGE_NOT_SATISFIABLE = 416


class RequestFailed(KitError):
    """The network or the service did not give what was asked for."""


class NotThere(RequestFailed):
    """The service answered that it does not have what was asked for: asking again is no use."""


class TryAgain(Exception):
    """One attempt failed in a way that may pass.

    Args:
        reason: What went wrong, in a few words.
        wait: Seconds for which the server asked to be left alone.
    """

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


def problem_of(error: Exception, url: str) -> TryAgain:
    """What went wrong, in words without addresses of machines or passwords.

    Raises:
        RequestFailed: If another attempt cannot help.
    """
    from requests import exceptions

    if isinstance(error, TryAgain):
        return error
    if isinstance(error, exceptions.TooManyRedirects):
        raise RequestFailed(f"{shown(url)}: more than {REDIRECTS} redirects.") from error
    if isinstance(error, (ValueError, exceptions.InvalidSchema)):  # all that requests calls an invalid address
        raise RequestFailed(f"{shown(url)}: no http or https address.") from error
    text = str(error).lower()
    if isinstance(error, exceptions.Timeout) or "timed out" in text:
        return TryAgain("no answer in time")
    if isinstance(error, exceptions.SSLError):
        return TryAgain("the encrypted connection failed")
    return TryAgain("the connection broke off" if "broken" in text or "reset" in text else "no connection")


def judge(response: Response, url: str) -> None:
    """Takes the status of an answer at its word.

    Args:
        response: The answer.
        url: What was asked.

    Raises:
        NotThere: For status 404 and 410.
        TryAgain: For a status that may pass.
        RequestFailed: For any other that is no success.
    """
    status = response.status_code
    if status in GONE:
        raise NotThere(f"{shown(url)}: the service does not have it (status {status}).")
    if status in TRANSIENT:
        raise TryAgain(f"status {status} {response.reason}", _retry_after(response))
    if not response.ok and status != RANGE_NOT_SATISFIABLE:
        raise RequestFailed(f"{shown(url)}: refused with status {status} {response.reason}.")


def _retry_after(response: Response) -> float:
    from urllib3 import Retry
    from urllib3.exceptions import InvalidHeader

    try:
        return Retry(retry_after_max=86400).get_retry_after(response.raw) or 0.0
    except InvalidHeader:
        return 0.0


def shown(url: str) -> str:
    """An address as it may be printed: without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
