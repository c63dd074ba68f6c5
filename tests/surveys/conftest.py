"""The synthetic survey, and every reader in turn: those of `synthetic_survey` and of the modules `layout_*.py`.

A layout module has `READERS`: name to a function that writes a few small files in the survey's layout into a folder
and returns the reader over them.
"""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
first = import_module("synthetic_survey")
LAYOUTS = {
    name: lambda folder, name=name: first.make_reader(name, first.write_survey(folder)) for name in first.READERS
}
for module in sorted(HERE.glob("layout_*.py")):
    LAYOUTS |= import_module(module.stem).READERS


@pytest.fixture
def survey(tmp_path):
    return first.write_survey(tmp_path)


@pytest.fixture(params=LAYOUTS)
def layout(request):
    """Name of a layout."""
    return request.param


@pytest.fixture
def reader(layout, tmp_path):
    return LAYOUTS[layout](tmp_path)


@pytest.fixture
def write_layout():
    """Writes the files of the named layout into a folder and gives their reader."""
    return lambda name, folder: LAYOUTS[name](folder)


@pytest.fixture
def layouts():
    return list(LAYOUTS)


@pytest.fixture
def table():
    return Table(
        {
            "id": np.array([11, 12, 13], dtype=">i8"),
            "name": np.array([b"a", b"b ", b"c"]),
            "ra": np.array([10.0, 20, 30], dtype=">f8"),
            "dec": [-1.0, 0, 1],
            "mag": np.array([15.5, 99.0, -9999.0], dtype=">f4"),
            "good": [True, False, True],
            "count": MaskedColumn([1, 2, 3], mask=[False, True, False]),
        }
    )
