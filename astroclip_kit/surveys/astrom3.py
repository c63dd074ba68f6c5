"""AstroM3's data set of variable stars, as it is published in Parquet files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from ..errors import FileError, InputError, UsageError
from ..transforms.astrom3_columns import CLASSES, METADATA, PHOTOMETRY, WAVELENGTHS
from ..types import LIGHTCURVE_CHANNELS, Drop, Modality, Sample
from .astrom3_scaling import FEATURES, Statistics, light_curve, metadata, scaled_names, spectrum
from .files.arrow_columns import Columns, blocks
from .files.fits_files import find_files
from .hugging_face import SPLIT
from .multimodal.multimodal_arrow import flat, lengths

__all__ = ["AstroM3Parquet"]

KindOfView = Literal["lightcurve", "spectrum", "table"]
LABEL = "label"
COLUMNS = {  # name, length (0 for any), numbers in each row of it
    "lightcurve": ("photometry", 0, FEATURES),
    "spectrum": ("spectra", 3, len(WAVELENGTHS)),
    "table": ("metadata", len(METADATA), 1),
}
SIDE = re.compile(r"(?:partial-)?(train|validation|test)(?![a-z])")


class AstroM3Parquet:
    """Reads AstroM3Processed (Rizhko & Bloom 2025, arXiv:2411.08842): light curve, spectrum or metadata of its stars.

    The files hold numbers as the networks take them. They are brought back to the form of observations: light curves in
    days and mJy, of which the mean is not known, with four numbers of the star as covariates; spectra of flux and
    inverse variance from 3850 to 8998 Angstrom; the 34 columns. The kit's encoders make the published numbers of them
    again. A star's id is its split and its row there, "train-17"; its labels are ``class`` and ``published_split``,
    which ``split.column`` takes.

    Args:
        path: The folder of one subset and seed (``full_42``), of files ``train-00000-of-00002.parquet`` or
            ``train/0000.parquet``; or one file.
        kind: "lightcurve", "spectrum" or "table".
        statistics: The ``info.json`` of the same subset and seed of AstroM3Dataset, by which periods, magnitudes and
            the like are what they were. Without it they stay as they were scaled, and are called ``scaled_period``.
        classes: Names of the classes, where the files do not say them.
        name: Name of the modality; by default its kind.

    Raises:
        UsageError: If the kind is unknown.

    Example:
        >>> AstroM3Parquet("full_42", "table", name="metadata").modality.channels[:2]
        ('scaled_mean_vmag', 'scaled_phot_g_mean_mag')
    """

    def __init__(
        self,
        path: str | Path,
        kind: KindOfView = "lightcurve",
        statistics: str | Path = "",
        classes: Sequence[str] = CLASSES,
        name: str = "",
    ) -> None:
        if kind not in get_args(KindOfView):
            raise UsageError(f"AstroM3Parquet kind is {kind!r}, expected one of {', '.join(get_args(KindOfView))}.")
        self.path, self.kind, self.statistics = str(path), kind, str(statistics)
        self.classes, self.name = tuple(classes), name or kind

    def __repr__(self) -> str:
        return f"AstroM3Parquet({self.path!r}, {self.kind!r})"

    @cached_property
    def _statistics(self) -> Statistics | None:
        return Statistics.read(self.statistics) if self.statistics else None

    @cached_property
    def modality(self) -> Modality:
        """What the samples hold.

        Raises:
            FileError: If `statistics` cannot be read.
        """
        if self.kind == "spectrum":
            return Modality.spectrum(self.name, WAVELENGTHS)
        if self.kind == "table":
            return Modality(self.name, "table", scaled_names(METADATA, self._statistics), (len(METADATA),))
        channels = (*LIGHTCURVE_CHANNELS, *scaled_names(PHOTOMETRY, self._statistics))
        return Modality(self.name, "lightcurve", channels, (-1, len(channels)), "mJy", bands=("V",))

    def files(self) -> Sequence[Path]:
        """The Parquet files, sorted.

        Raises:
            FileError: If they are of several subsets or seeds, in which the same stars have other ids.
        """
        root = Path(self.path)
        if not root.is_dir():
            return [root]
        paths = find_files(root, "**/*.parquet")
        subsets = sorted(
            {str(path.parent.parent if SIDE.fullmatch(path.parent.name) else path.parent) for path in paths}
        )
        if len(subsets) > 1:
            raise FileError(
                root, f"holds several subsets ({', '.join(Path(one).name for one in subsets[:5])}): name one."
            )
        return paths

    def also_reads(self) -> list[Path]:
        """The statistics, where they are given."""
        return [Path(self.statistics)] if self.statistics else []

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per row, passing over rows without the modality; a row that cannot be used is a drop.

        Raises:
            FileError: If the file cannot be read, is of no split, lacks the column, or none of its rows can be used.
        """
        side = _side(path)
        row, held, found = 0, list[Drop](), False
        first, names = self._first_row(path, side), self._class_names(path)
        for table in blocks(path, [COLUMNS[self.kind][0], LABEL]):
            columns = Columns(path, table)
            views = list(self._views(columns))
            for view, name in zip(views, _classes(columns, names), strict=True):
                object_id, row = f"{side}-{first + row}", row + 1
                if view is None:
                    continue
                if isinstance(view, str) or name is None:
                    problem = view if isinstance(view, str) else "its label is no class"
                    held.append(Drop(f"{path}: {object_id}", problem))
                    continue
                yield from held
                held, found = [], True
                yield Sample(object_id, {self.name: view}, labels={**({"class": name} if name else {}), SPLIT: side})
        if not found:
            problem = f"none of its {row} rows can be used; the first: {held[0].reason}" if held else "holds no row"
            raise FileError(path, f"{problem}. Download it again, or take a file of AstroM3Processed.")
        yield from held

    def _views(self, columns: Columns) -> Iterator[npt.NDArray[np.float32] | str | None]:
        """The view of each row; why it cannot be used; or None where it has none."""
        name, length, width = COLUMNS[self.kind]
        for x in _arrays(columns, name, width):
            if x is None or isinstance(x, str):
                yield x
            elif length and len(x) != length:
                yield f"{name} has {len(x)} rows or values, expected {length}"
            else:
                try:
                    yield self._view(x)
                except InputError as error:
                    yield str(error)

    def _view(self, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        if self.kind == "spectrum":
            return spectrum(x)
        return metadata(x[:, 0], self._statistics) if self.kind == "table" else light_curve(x, self._statistics)

    def _first_row(self, path: Path, side: str) -> int:
        """Number of the first row of a file in its split: behind those of the files before it."""
        before = [one for one in self.files() if one < path and _side(one) == side]
        return sum(_footer(one).num_rows for one in before)

    def _class_names(self, path: Path) -> tuple[str, ...]:
        """Names of the classes as the file says them, in the order of their numbers; else those given."""
        told = (_footer(path).metadata or {}).get(b"huggingface", b"{}")
        try:
            names = json.loads(told)["info"]["features"][LABEL]["names"]
            return tuple(str(name) for name in names)
        except (ValueError, KeyError, TypeError):
            return self.classes


def _side(path: Path) -> str:
    """The split that a file is of: by its name, or that of its folder."""
    found = SIDE.match(path.name) or SIDE.fullmatch(path.parent.name)
    if found is None:
        raise FileError(path, "neither its name nor that of its folder says train, validation or test.")
    return found[1]


def _footer(path: Path) -> Any:
    """Number of rows and metadata of a Parquet file."""
    try:
        return parquet.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise FileError(path, f"no whole Parquet file ({str(error).splitlines()[0][:150]}).") from error


def _classes(columns: Columns, names: Sequence[str]) -> Sequence[str | None]:
    """Name of the class of each row: "" where none is given, None where the number is that of none."""
    if LABEL not in columns.names:
        return [""] * len(columns.table)
    column = columns.arrow(LABEL)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return [one or "" for one in column.to_pylist()]
    if not pa.types.is_integer(column.type):
        raise FileError(columns.path, f"column {LABEL!r} holds {column.type}, expected numbers or names of classes.")
    numbers = column.fill_null(-1).to_pylist()
    return ["" if number == -1 else names[number] if 0 <= number < len(names) else None for number in numbers]


def _arrays(columns: Columns, name: str, width: int) -> Iterator[npt.NDArray[Any] | str | None]:
    """Each row of a column of lists as an array [length, width]; what is wrong with it; or None where it is null."""
    column = columns.arrow(name)
    inner = column.flatten() if pa.types.is_nested(column.type) else None
    depth = 0 if inner is None else 1 if not pa.types.is_nested(inner.type) else 2
    if inner is None or depth != (1 if width == 1 else 2) or not pa.types.is_floating(_innermost(inner.type)):
        raise FileError(
            columns.path, f"column {name!r} holds {str(column.type)[:60]}, not the numbers of AstroM3Processed."
        )
    sizes, valid = lengths(column), np.asarray(column.is_valid())
    widths = lengths(inner) if depth == 2 else np.ones(len(inner), dtype=np.int64)
    owner = np.repeat(np.arange(len(column)), sizes)
    wrong = {int(row): int(found) for row, found in zip(owner[widths != width], widths[widths != width], strict=True)}
    kept = inner.filter(pa.array(widths == width)) if wrong else inner
    ends = np.cumsum(np.bincount(owner[widths == width], minlength=len(column)))
    values = flat(kept).reshape(-1, width)
    for row, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if not valid[row]:
            yield None
        elif row in wrong:
            yield f"{name} has {wrong[row]} numbers in a row, expected {width}"
        else:
            yield values[start:end]


def _innermost(kind: pa.DataType) -> pa.DataType:
    while pa.types.is_nested(kind):
        kind = kind.value_type
    return kind
