"""Makes the in-memory survey importable, here and in the processes that tests start."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def survey():
    from fake_survey import FakeSurvey

    return FakeSurvey()
