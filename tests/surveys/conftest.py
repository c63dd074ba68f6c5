"""The synthetic survey, and every reader in turn: those of `synthetic_survey` and of the modules `layout_*.py`.

A layout module has `READERS`: name to a function that writes a few small files in the survey's layout into a folder
and returns the reader over them.
"""

import sys
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from synthetic_survey import READERS, make_reader, write_survey

LAYOUTS = {name: lambda folder, name=name: make_reader(name, write_survey(folder)) for name in READERS}
for module in sorted(HERE.glob("layout_*.py")):
    LAYOUTS |= import_module(module.stem).READERS


@pytest.fixture
def survey(tmp_path):
    return write_survey(tmp_path)


@pytest.fixture(params=LAYOUTS)
def reader(request, tmp_path):
    return LAYOUTS[request.param](tmp_path)
