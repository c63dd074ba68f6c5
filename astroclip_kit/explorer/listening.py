"""Where a server listens: at which address of this machine, and at which port."""

from __future__ import annotations

import socket

from tornado.netutil import bind_sockets

from ..errors import UsageError

__all__ = ["ANYWHERE", "HERE", "bound"]

ANYWHERE = ("", "0.0.0.0", "::")  # hosts that stand for all addresses of this machine
HERE = ("127.0.0.1", "[::1]", "localhost")


def bound(host: str, port: int) -> list[socket.socket]:
    """The socket of a host and a port, of a free one where that is 0.

    Raises:
        UsageError: If the port is taken or the host is none of this machine's.
    """
    if not 0 <= port < 65536:
        raise UsageError(f"port is {port}, expected 1 to 65535, or 0 for a free one.")
    try:
        return bind_sockets(port, host or None)[:1]
    except OSError as error:
        if isinstance(error, socket.gaierror) or not port:
            raise UsageError(f"host {host!r} is no address of this machine ({error}). Try 127.0.0.1.") from error
        raise UsageError(
            f"port {port} of {host} cannot be had ({error.strerror}). Give another, or none for a free one."
        ) from error
