"""What a reader points out without refusing anything: a line on stderr, the same in a notebook and in a terminal."""

from __future__ import annotations

import sys
from functools import cache

__all__ = ["EXACT", "LOST_DIGITS", "note"]

EXACT = 2**53  # from here on float64 does not hold every integer
LOST_DIGITS = (
    "ids of 2^53 and more as floating-point numbers have lost their last digits; keep them as integers or text."
)


@cache
def note(text: str) -> None:
    """Prints a note, each text once per process."""
    print(f"note: {text}", file=sys.stderr)
