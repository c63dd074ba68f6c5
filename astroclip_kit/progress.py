"""Progress bars with rate and remaining time; silent in a pipe and with ``quiet``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from typing import Any

__all__ = ["progress"]


def progress(
    iterable: Iterable[Any] | None = None,
    *,
    total: int | None = None,
    description: str = "",
    unit: str = "it",
    quiet: bool = False,
) -> Any:
    """A tqdm bar over an iterable, or one that is moved by hand with ``update``.

    Args:
        iterable: What to iterate over.
        total: Number of steps where it cannot be read off the iterable.
        description: What is being done.
        unit: What is being counted; "B" for bytes, which are shown as kB, MB, ...
        quiet: Shows nothing, as in a pipe.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")  # then the bar is text in a notebook as well
        from tqdm.auto import tqdm

    disable = quiet or not (_in_notebook() or sys.stderr.isatty())
    look: dict[str, Any] = {"unit": "B", "unit_scale": True} if unit == "B" else {"unit": f" {unit}"}
    return tqdm(iterable, total=total, desc=description, disable=disable, smoothing=0.1, leave=False, **look)


def _in_notebook() -> bool:
    """Whether the code runs in a notebook's kernel; that its packages were imported says nothing."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")
