"""Where SAMP comes from, and the hub that the explorer starts where no other program has one.

Source: SAMP 1.3, https://www.ivoa.net/documents/SAMP/20120411/.
"""

from __future__ import annotations

import atexit
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from secrets import token_hex
from typing import Any
from xmlrpc.client import Error as XmlRpcError

from ...errors import UsageError

__all__ = ["GONE", "hub_errors", "joined", "leave", "samp_library", "start_hub"]

GONE = "the SAMP hub does not answer any more. Connect again."
NO_HUB = "no SAMP hub is running. Open TOPCAT or Aladin, which bring one, or start a hub here; then connect."


@cache
def samp_library() -> Any:
    """The module with SAMP's classes, told to stay on this machine: astropy's, or pyvo's where astropy has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy 8 says that it moves to pyvo
        try:
            from astropy import samp
        except ImportError:
            from pyvo import samp
        samp.conf.use_internet = False
    return samp


@contextmanager
def hub_errors(said: str) -> Iterator[None]:
    """Turns what goes wrong between programs into one sentence.

    Raises:
        UsageError: With that sentence.
    """
    errors = samp_library().errors
    try:
        yield
    except (errors.SAMPHubError, errors.SAMPClientError, errors.SAMPProxyError, XmlRpcError, OSError) as error:
        raise UsageError(said) from error


def joined(name: str, about: str) -> Any:
    """A client that is registered with the hub of this machine.

    It tells no other program the environment variables of this one, which astropy's clients do when asked.

    Args:
        name: Of the program, as others show it.
        about: What it is.

    Raises:
        UsageError: If there is no hub.
    """
    client = samp_library().SAMPIntegratedClient(name=name, description=about, addr="127.0.0.1")
    with hub_errors(NO_HUB):
        client.connect()
        client.unbind_receive_call("client.env.get")
    return client


def leave(client: Any) -> None:
    """Takes a client off its hub, which may have ended before."""
    try:
        with hub_errors(GONE):
            client.disconnect()
    except UsageError as error:
        logging.getLogger(__name__).debug("%s", error)


@cache
def _own_hub() -> Any:
    hub = samp_library().SAMPHubServer(
        secret=token_hex(16), web_profile=False, addr="127.0.0.1", label="started by astroclip-kit explore"
    )
    hub.start()
    atexit.register(hub.stop)
    return hub


def start_hub() -> None:
    """Starts a hub in this process, which ends with it, where none is running; it lets in no pages of any browser.

    Raises:
        UsageError: If none can be started.
    """
    if _is_running():
        return
    if _own_hub.cache_info().currsize:
        _own_hub.cache_clear()  # it was stopped
    with hub_errors("no SAMP hub could be started here. Open TOPCAT or Aladin, which bring one, and connect."):
        _own_hub()


def _is_running() -> bool:
    proxy = samp_library().SAMPHubProxy()
    try:
        with hub_errors(NO_HUB):
            proxy.connect()
            proxy.disconnect()
    except UsageError:
        return False
    return True
