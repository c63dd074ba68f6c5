"""What the readers of the Multimodal Universe share: blocks of rows to samples, whatever file they came from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ...errors import FileError, UsageError
from ...transforms.resampling import GRIDS, Grid, plain_grid, wavelength_grid
from ...types import LIGHTCURVE_CHANNELS, Drop, Kind, Modality, Sample
from ..files.coordinates import in_range
from ..files.stated_units import rescaled, unit_factor
from .multimodal_columns import RESERVED, unit_of
from .multimodal_views import Judged, image_views, lightcurve_views, spectrum_views, table_views

__all__ = ["BLOCK_BYTES", "Rows", "RowsReader"]

BLOCK_BYTES = 16_000_000  # of a file that are in memory at once
ON_GRID = 0.01  # pixels


@dataclass
class Rows:
    """Some objects of a file, as columns.

    Args:
        ids: N ids.
        ra: Right ascension [N] in degrees, NaN where unknown.
        dec: Declination [N] in degrees, NaN where unknown.
        fields: What a view is made of: see `multimodal_views`.
        labels: Name to float64 or text [N].
        groups: N ids of the astrophysical objects, "" for the row's own; or none.
        unit: Unit that the file states.
        problem: Why none of them can be used; "" if they can.
        days: What the times count: "mjd", or "" where the file's own zero is unknown.
    """

    ids: list[str]
    ra: npt.NDArray[np.float64]
    dec: npt.NDArray[np.float64]
    fields: dict[str, Any]
    labels: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    groups: Sequence[str] = ()
    unit: str = ""
    days: str = "mjd"
    problem: str = ""


class RowsReader(ABC):
    """A reader of files that hold many objects, a row each, with one kind of modality chosen.

    Args:
        root: Folder of the files, or one file.
        kind: "image", "spectrum", "lightcurve" or "table".
        columns: Columns of a table, its channels. Wide ones are split, see `labels`.
        labels: Columns that become labels, by their native names; "all" takes those that hold one value per object
            and are nothing else, so that an exported dataset keeps its labels. Numbers or text; a wide column
            ``SPECTROFLUX`` of SDSS gives ``SPECTROFLUX_U`` to ``SPECTROFLUX_Z``, any other ``NAME_0``, ``NAME_1``, ...
        grid: Wavelengths of the spectra, see `wavelength_grid`. By default those of the first spectrum, or "desi" or
            "boss" where it lies on one of these.
        bands: Bands of images or light curves, in this order; by default those of the first file. Where the file
            gives its bands no names, these are their names (six without names are those of PLAsTiCC, ugrizY).
        ivar: Whether images have further channels ``ivar_BAND``, 0 where masked.
        name: Name of the modality; by default its kind.

    Raises:
        UsageError: If the kind is unknown or a table has no columns.
    """

    def __init__(
        self,
        root: str | Path,
        kind: Kind = "image",
        columns: Sequence[str] = (),
        labels: Sequence[str] | Literal["all"] = "all",
        grid: Grid = (),
        bands: Sequence[str] = (),
        ivar: bool = False,
        name: str = "",
    ) -> None:
        if kind not in get_args(Kind):
            raise UsageError(f"kind {kind!r} is unknown: take {', '.join(get_args(Kind))}.")
        if (kind == "table") != bool(columns):
            raise UsageError(f"kind {kind!r} with columns {list(columns)}: a table needs columns, nothing else does.")
        self.root = str(root)
        self.kind: Kind = kind
        self.columns = tuple(columns)
        self.labels: tuple[str, ...] | Literal["all"] = "all" if labels == "all" else tuple(labels)
        self.grid = plain_grid(grid)
        self.bands = tuple(bands)
        self.ivar = ivar
        self.name = name or kind
        if len(self.grid):
            wavelength_grid(self.grid)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.root!r}, kind={self.kind!r}, labels={self.labels})"

    @abstractmethod
    def files(self) -> Sequence[Path]:
        """The files, sorted."""

    @abstractmethod
    def _rows(self, path: Path) -> Iterator[Rows]:
        """The objects of one file, in blocks of about `BLOCK_BYTES`."""

    def _label_names(self, names: Iterable[str], own: Container[str]) -> Sequence[str]:
        """The columns that become labels.

        Args:
            names: Columns that hold one value per object.
            own: Those among them that are something else.
        """
        if self.labels != "all":
            return self.labels
        return [name for name in names if not (name in RESERVED or name in own or name in self.columns)]

    @cached_property
    def modality(self) -> Modality:
        """What the samples hold; size, bands and unit are those of the first readable file.

        Raises:
            FileError: If no file can be read.
        """
        problem = "no file found."
        for path in self.files():
            try:
                for rows in self._rows(path):
                    if rows.ids and not rows.problem:
                        return self._describe(path, rows)
            except FileError as error:
                problem = f"no file can be read; the last problem: {error}"
        raise FileError(self.root, problem)

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per object; those that cannot be used are drops.

        An object is dropped if its id is empty or was there before in the file, its coordinates are out of range, or
        its view holds nothing good.

        Raises:
            FileError: If the file cannot be read, lacks a column, its columns differ in length, or its unit does not
                convert to that of the first file.
        """
        seen: set[str] = set()
        found = False
        for rows in self._rows(path):
            found = True
            yield from self._samples(path, rows, seen)
        if not found:
            raise FileError(path, "holds no object.")

    def _samples(self, path: Path, rows: Rows, seen: set[str]) -> Iterator[Sample | Drop]:
        if rows.problem or not rows.ids:
            yield from (Drop(f"{path}: {object_id}", rows.problem) for object_id in rows.ids)
            return
        (views, reasons), labels = self._views(rows)
        factor = unit_factor(path, self.kind, rows.unit, self.modality.unit)
        lost = ~(np.isnan(rows.ra) & np.isnan(rows.dec)) & ~in_range(rows.ra, rows.dec)
        for row, object_id in enumerate(rows.ids):
            repeated = object_id in seen
            seen.add(object_id)
            reason = "no id" if not object_id else "duplicated id" if repeated else reasons[row]
            if reason or lost[row]:
                yield Drop(f"{path}: {object_id}", reason or "coordinates out of range")
                continue
            given = {name: plain for name, values in labels.items() if (plain := values[row]) not in ("", None)}
            given = {name: value if isinstance(value, str) else float(value) for name, value in given.items()}
            yield Sample(
                object_id,
                {self.name: rescaled(views[row].copy(), self.modality, factor)},
                float(rows.ra[row]),
                float(rows.dec[row]),
                {name: value for name, value in given.items() if value == value},
                rows.groups[row] if len(rows.groups) else "",
            )

    def _views(self, rows: Rows) -> tuple[Judged, Mapping[str, npt.NDArray[Any]]]:
        if self.kind == "lightcurve":
            judged, start = lightcurve_views(rows.fields, self.modality, given=bool(self.bands))
            return judged, {**rows.labels, f"time_zero_{rows.days}".rstrip("_"): start}
        if self.kind == "table":
            return table_views(rows.fields["values"]), rows.labels
        views = image_views if self.kind == "image" else spectrum_views
        return views(rows.fields, self.modality), rows.labels

    def _describe(self, path: Path, rows: Rows) -> Modality:
        unit = unit_of(self.kind, path, rows.unit)
        if self.kind == "table":
            channels = tuple(rows.fields["channels"])
            return Modality(self.name, "table", channels, (len(channels),))
        if self.kind == "lightcurve":
            bands = self.bands or tuple(dict.fromkeys(str(band) for band in rows.fields["names"]))
            return Modality(self.name, "lightcurve", LIGHTCURVE_CHANNELS, (-1, 4), unit, bands=bands)
        if self.kind == "image":
            bands = self.bands or tuple(rows.fields["band"][0].tolist())
            channels = (*bands, *(f"ivar_{band}" for band in bands)) if self.ivar else bands
            scale = np.asarray(rows.fields.get("scale", np.nan), dtype=np.float64).ravel()[:1].round(6)
            shape = (len(channels), *rows.fields["flux"].shape[2:])
            return Modality(self.name, "image", channels, shape, unit, tuple(scale[scale > 0].tolist()))
        grid = wavelength_grid(self.grid if len(self.grid) else _own_grid(path, rows.fields["lambda"]))
        return Modality.spectrum(self.name, grid, unit)


def _own_grid(path: Path, wavelengths: npt.NDArray[Any]) -> Grid:
    """The grid of the first spectrum that has wavelengths: a known one, or its own."""
    for row in np.asarray(wavelengths, dtype=np.float64):
        own = np.unique(row[np.isfinite(row) & (row > 0)])
        if len(own) > 1:
            return next((name for name in ("desi", "boss") if _lies_on(own, GRIDS[name])), own)
    raise FileError(path, "wavelengths are missing in its first spectra. Give a `grid`.")


def _lies_on(own: npt.NDArray[Any], grid: npt.NDArray[Any]) -> bool:
    nearest = np.interp(own, grid, np.arange(len(grid)))
    inside = (own >= grid[0]) & (own <= grid[-1])
    return bool(inside.mean() > 0.5 and np.abs(nearest - nearest.round())[inside].max() < ON_GRID)
