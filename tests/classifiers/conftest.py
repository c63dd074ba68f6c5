"""Makes the small stars importable, here and in the processes that tests start."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def stars():
    from small_stars import Stars

    return Stars()
