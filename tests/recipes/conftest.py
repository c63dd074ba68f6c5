"""The layouts of published data are those of the tests of their readers; experiments share miniature.py."""

import sys
from pathlib import Path

from pictures import empty_pictures  # noqa: F401  (used by every test here)

sys.path[:0] = [str(Path(__file__).parents[1] / "surveys"), str(Path(__file__).parent)]
