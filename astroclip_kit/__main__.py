"""The process of ``astroclip-kit VERB`` and ``python -m astroclip_kit VERB``, which torchrun can start."""

import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from .cli import main

__all__ = ["run"]


def run() -> NoReturn:
    """Runs one command and ends, also while a thread of the explorer is within compiled code.

    There the interpreter's own end would abort (torch) or hang (numba): after Ctrl-C while UMAP is made, say.
    """
    code = main()
    if any(thread.name.startswith("explorer") for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
