"""Makes `training_cases` importable, also in the processes that the tests start."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def pids(tmp_path):
    """Where workers leave their process ids, so that a test can end those of a process that it killed."""
    folder = tmp_path / "pids"
    folder.mkdir()
    return folder
