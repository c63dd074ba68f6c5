"""A user's own format: one function from a path to an array, or to a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contracts import check_sample
from ..errors import FileError, InputError
from ..types import LIGHTCURVE_CHANNELS, Drop, Kind, Modality, Sample
from .files.file_lists import find_matching
from .files.stated_units import rescaled, unit_factor

__all__ = ["FunctionReader", "reader"]

KINDS: dict[int, Kind] = {1: "table", 2: "spectrum", 3: "image"}


class FunctionReader:
    """Reads one object per file with a function of the user's own.

    Args:
        function: Takes a path; gives an array, or a `Sample` with one view (for coordinates, labels or another
            id than the file's stem). What it raises becomes the reason why the file was left out. Masked values become
            missing ones, and a quantity of astropy is converted to `unit`.
        pattern: Which files, e.g. ``cubes/*.fits``; ``**`` for all folders below.
        kind: "image" [C, H, W], "spectrum" [C, L], "lightcurve" [T, 4 + covariates] or "table" [C]; by default what
            the number of axes says.
        channels: Names of the channels; numbered by default, ("flux", "ivar") for a spectrum of two.
        unit: Physical unit of the values, as astropy writes it; by default that of the first file's quantity.
        grid: Wavelengths in Angstrom of a spectrum, or (pixel scale in arcsec,) of an image.
        name: Name of the modality; `ingest` calls it as its source.

    Example:
        >>> FunctionReader(np.load, "cubes/*.npy", channels=["g", "r"])
        FunctionReader(load, 'cubes/*.npy')
    """

    def __init__(
        self,
        function: Callable[[Path], Any],
        pattern: str | Path,
        *,
        kind: Kind | None = None,
        channels: Sequence[str] = (),
        unit: str = "",
        grid: Sequence[float] = (),
        name: str = "view",
    ) -> None:
        self.function, self.pattern, self.kind = function, str(pattern), kind
        self.channels, self.unit, self.grid, self.name = tuple(channels), unit, tuple(grid), name

    def __repr__(self) -> str:
        return f"FunctionReader({getattr(self.function, '__name__', self.function)}, {self.pattern!r})"

    def files(self) -> Sequence[Path]:
        """The files that fit the pattern, sorted."""
        return find_matching(self.pattern)

    @cached_property
    def modality(self) -> Modality:
        """Deduced from the first file that can be read.

        Raises:
            InputError: If no file can be read, or an array cannot be understood without `kind` or `grid`.
        """
        reasons = []
        for path in self.files()[:10]:
            try:
                [value] = self._given(path).views.values()
                unit = self.unit or str(getattr(value, "unit", None) or "")
                view = self._array(path, value, unit)
            except FileError as error:
                reasons.append(str(error))
                continue
            return self._describe(view, unit)
        found = reasons[0] if reasons else f"no file fits {self.pattern!r}"
        raise InputError(f"{self!r} gives nothing to start from: {found}")

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """The one sample of a file.

        Raises:
            FileError: If the function fails, or gives no numbers, something in a unit that does not convert, or of
                another shape than for the first file.
        """
        sample, modality = self._given(path), self.modality
        [value] = sample.views.values()
        sample.views = {self.name: self._array(path, value, modality.unit)}
        try:
            check_sample(sample, modality)
        except InputError as error:
            raise FileError(path, str(error)) from error
        yield sample

    def _given(self, path: Path) -> Sample:
        try:
            given = self.function(path)
        except Exception as error:  # whatever a user's function raises is a reason to leave the file out
            raise FileError(path, f"{type(error).__name__}: {error}") from error
        sample = given if isinstance(given, Sample) else Sample(Path(path).name.split(".")[0], {self.name: given})
        if len(sample.views) != 1:
            raise FileError(path, f"the reader gave {len(sample.views)} views, expected one per file.")
        return sample

    def _array(self, path: Path, value: Any, unit: str) -> npt.NDArray[np.float32]:
        """What the function gave as plain numbers in a unit."""
        factor = unit_factor(path, "what the function gives", str(getattr(value, "unit", None) or ""), unit)
        mask = getattr(value, "mask", None)
        try:
            plain = getattr(value, "unmasked", getattr(value, "data", value) if np.ma.isMA(value) else value)
            view = np.ascontiguousarray(getattr(plain, "value", plain), dtype=np.float32)
        except (TypeError, ValueError) as error:
            problem = f"the function gives {type(value).__name__}, expected an array of numbers ({error})."
            raise FileError(path, problem) from error
        if isinstance(mask, np.ndarray) and mask.any():
            view = self._unmasked(path, view, mask)
        return view if factor == 1 else rescaled(view, self._describe(view, unit), factor)

    def _unmasked(self, path: Path, view: npt.NDArray[np.float32], mask: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Masked values as each kind says that one is missing: 0 in images and spectra (with their ivar), else NaN."""
        if mask.all():
            raise FileError(path, "every value is masked.")
        kind = self.kind or KINDS.get(view.ndim)
        mask = np.broadcast_to(mask.any(axis=0), mask.shape) if kind == "spectrum" else mask
        return np.where(mask, np.float32(0 if kind in ("image", "spectrum") else np.nan), view)

    def _describe(self, view: Any, unit: str) -> Modality:
        kind = self.kind or KINDS.get(view.ndim)
        if kind is None:
            raise InputError(f"{self!r} gives arrays of {view.ndim} axes; expected 1 to 3, or say the kind.")
        if kind == "spectrum" and not self.grid:
            raise InputError(f"{self!r} gives spectra of {view.shape[-1]} pixels: say their wavelengths with `grid`.")
        if kind == "lightcurve":
            channels = self.channels or LIGHTCURVE_CHANNELS
            return Modality(self.name, kind, channels, (-1, len(channels)), unit)
        count = view.shape[0]
        names = ("flux", "ivar") if kind == "spectrum" and count == 2 else tuple(str(number) for number in range(count))
        return Modality(self.name, kind, self.channels or names, view.shape, unit, self.grid)


reader = FunctionReader  # as a notebook reads: ingest(radio=ak.reader(read_cube, "cubes/*.fits"))
