"""Makes what the tests of mock surveys share importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for survey_files.py
