"""Magnitudes that LAMOST's headers give of the input catalogue: their columns are not bands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import FileError, UsageError
from ..types import Modality, Sample
from .lamost import MAGNITUDES, LAMOSTSpectra

__all__ = ["LAMOSTPhotometry"]


class LAMOSTPhotometry:
    """Reads the magnitudes in the headers of LAMOST spectra, one star per file, as a table of bands.

    MAG1 to MAG7 are the bands that MAGTYPE names (a column of the survey's catalogues is g in one row and r in the
    next), and 99 where there is none. Ids, groups and coordinates are those of `LAMOSTSpectra`. Bands of one name are
    one column, whatever their photometric system.

    Args:
        root: Folder of the files, or one file.
        pattern: Which files under it.
        bands: Bands that become the channels; a file that has none of them is left out.
        name: Name of the modality.

    Raises:
        UsageError: If a band is in no MAGTYPE that is known.

    Example:
        >>> LAMOSTPhotometry("spectra").modality.channels
        ('g', 'r', 'i')
    """

    def __init__(
        self,
        root: str | Path,
        pattern: str = "**/spec-*.fits*",
        bands: Sequence[str] = ("g", "r", "i"),
        name: str = "photometry",
    ) -> None:
        self.root, self.pattern, self.bands, self.name = str(root), pattern, tuple(bands), name
        known = dict.fromkeys(band for each in MAGNITUDES.values() for band in each)
        unknown = [band for band in self.bands if band not in known]
        if unknown or not self.bands:
            raise UsageError(f"bands are {list(self.bands)}, expected some of {', '.join(known)}.")
        self._spectra = LAMOSTSpectra(root, pattern)

    def __repr__(self) -> str:
        return f"LAMOSTPhotometry({self.root!r}, {self.pattern!r}, {', '.join(self.bands)})"

    @cached_property
    def modality(self) -> Modality:
        """A table of magnitudes."""
        return Modality(self.name, "table", self.bands, (len(self.bands),), "mag")

    def files(self) -> Sequence[Path]:
        """The files that match, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        return self._spectra.files()

    def read(self, path: Path) -> list[Sample]:
        """The one sample of a file.

        Raises:
            FileError: If the file is none that `LAMOSTSpectra` reads, or it gives none of the magnitudes.
        """
        [star] = self._spectra.read(path)
        view = np.array([star.labels.get(f"mag_{band}", np.nan) for band in self.bands], dtype=np.float32)
        if np.isnan(view).all():
            kind = star.labels.get("magtype", "missing")
            raise FileError(path, f"no magnitude in {', '.join(self.bands)}: its MAGTYPE is {kind}.")
        return [Sample(star.object_id, {self.name: view}, star.ra, star.dec, {}, star.group)]
