"""The process that `conversion` starts to read a checkpoint, so that a fault of the reader would help nobody.

No network, no other program, no file opened for writing. Nothing large is imported at the top, because the network can
be left only by a process of one thread.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["main", "refuse_programs"]

FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "pty.",
    "shutil.",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # flags of unshare(2)


def _leave_network() -> None:
    """Moves this process into a network of its own, where the system lets it; `_audit` holds in any case."""
    if sys.platform == "linux":
        import ctypes

        unshare: Callable[[int], int] = ctypes.CDLL(None).unshare
        if unshare(NEW_NETWORK) != 0:
            unshare(NEW_USER | NEW_NETWORK)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Python tells this of whatever it is about to do, and nobody can take it away again."""
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
    if writes or event.startswith(FORBIDDEN):
        raise PermissionError(f"{event} is not allowed while a checkpoint is read")


def refuse_programs() -> None:
    """Lets neither Python nor torch's TorchScript do more in this process than compute and read, to its end."""
    import torch

    def no_program(*_: Any, **__: Any) -> None:
        raise ValueError("it is a TorchScript program: save the state_dict() of its module instead")

    torch.jit.load = no_program
    sys.addaudithook(_audit)


def main(path: str, out: str) -> None:
    """As `inert_tensors.write_tensors`, behind closed doors; prints what it returns, or the problem."""
    sys.dont_write_bytecode = True
    _leave_network()
    from .inert_tensors import write_tensors

    refuse_programs()
    try:
        print(json.dumps(write_tensors(path, out)))
    except Exception as error:
        print(json.dumps({"problem": str(error).partition("\n")[0][:120] or type(error).__name__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
