"""The synthetic survey, and every reader of it in turn."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from synthetic_survey import READERS, make_reader, write_survey


@pytest.fixture
def survey(tmp_path):
    return write_survey(tmp_path)


@pytest.fixture(params=READERS)
def reader(request, survey):
    return make_reader(request.param, survey)
