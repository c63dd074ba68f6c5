"""Programs of others that tests talk to, such as a browser: where one is absent its tests are skipped."""

import importlib
import os
import shutil
import time
from pathlib import Path

import pytest

PATIENCE = 240  # seconds that another program may take


def program(name, package=""):
    """Path of a program, or of a file with its whole path.

    Its absence fails the test where the environment says ASTROCLIP_KIT_PEERS=required.
    """
    if (found := shutil.which(name)) or Path(name).is_file():
        return found or name
    return _absent(f"{name} is not installed (Debian: apt-get install {package or name})")


def library(name, module=""):
    """A module that needs a library, or the library itself; of its absence comes the same."""
    try:
        return importlib.import_module(module or name)
    except ModuleNotFoundError as error:
        if (error.name or name).split(".")[0] != name.split(".")[0]:
            raise
        return _absent(f"{name} is not installed (pip install {name})")


def wait(condition):
    """What a condition gives once it gives something."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain for another program"
        time.sleep(0.05)
    return found


def _absent(reason):
    if os.environ.get("ASTROCLIP_KIT_PEERS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)
