"""Whether a spectrum reaches from one end of its grid to the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import FileError, UsageError
from ...transforms.resampling import reach

__all__ = ["check_coverage", "checked_share"]


def checked_share(name: str, share: float) -> float:
    """A share from 0 to 1.

    Raises:
        UsageError: If it is none.
    """
    if not 0 <= share <= 1:
        raise UsageError(f"{name}: expected a share between 0 and 1, found {share}.")
    return share


def check_coverage(
    path: str | Path, view: npt.NDArray[np.float32], wavelength: npt.NDArray[np.float64], least: float
) -> None:
    """Refuses a spectrum that falls short of its grid; gaps between its first and its last good pixel do not count.

    Args:
        path: The file.
        view: Flux and inverse variance [2, L] on the grid.
        wavelength: The grid [L] in Angstrom.
        least: Share of its pixels from the first to the last good one.

    Raises:
        FileError: If they are fewer.
    """
    if reach(view[1]) < least:
        low, high = wavelength[[0, -1]]  # the same words for all, so that they are counted together
        raise FileError(path, f"is short of {low:.0f}-{high:.0f} Angstrom: it covers less than {least:.0%} of them.")
