"""The layouts of published data are those of the tests of their readers."""

import sys
from pathlib import Path

from pictures import empty_pictures  # noqa: F401  (used by every test here)

sys.path.insert(0, str(Path(__file__).parents[1] / "surveys"))
