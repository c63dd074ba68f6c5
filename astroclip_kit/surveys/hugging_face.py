"""Hugging Face datasets on disk: Arrow folders of `save_to_disk`, or Parquet files of the hub, with any columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import FileError, UsageError
from ..transforms.resampling import Grid, wavelength_grid
from ..types import Kind
from .files.arrow_columns import Columns, blocks, decoded
from .files.fits_files import find_files
from .files.table_files import check_mapping
from .multimodal.multimodal_arrow import flat, lengths, padded, stacked
from .multimodal.multimodal_columns import clean_text, scalars
from .multimodal.multimodal_rows import Rows, RowsReader

__all__ = ["HuggingFaceDataset"]

PLACE = ("id", "ra", "dec", "group")
ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # needed, optional
    "image": (("image",), ("ivar",)),
    "spectrum": (("flux",), ("ivar", "error", "wavelength")),
    "lightcurve": (("time", "value", "band"), ("error",)),
}
SPLIT = "published_split"


class HuggingFaceDataset(RowsReader):
    """Reads a folder that `datasets.Dataset.save_to_disk` wrote, or the Parquet files of a hub repository.

    Where the folder holds several splits, all are read and the label ``published_split`` says which a row is of.
    A row whose view is null has no such modality and is passed over.

    Args:
        root: The folder, or one Arrow or Parquet file.
        columns: Which column plays which role. For every kind "id" and where there are any "ra", "dec", "group"; an
            image "image" (numbers [bands, H, W] or [H, W, bands], or encoded as PNG or JPEG) and "ivar"; a spectrum
            "flux" and "ivar" or "error" and "wavelength" (Angstrom); a light curve "time" (days), "value", "band" and
            "error"; of a table, every other role is a channel. A dot reaches into structures: ``spectrum.flux``.
        kind: "image", "spectrum", "lightcurve" or "table".
        labels: Columns that become labels, one value per row.
        grid: Wavelengths of the samples, see `wavelength_grid`; those of the pixels where no column gives them.
        bands: Bands of an image in the order of its channels; bands of a light curve to keep.
        unit: Unit of the values: the files state none.
        name: Name of the modality; by default its kind.

    Raises:
        UsageError: If a role is missing or unknown, an image has no bands, or a spectrum no wavelengths.

    Example:
        >>> columns = {"id": "targetid", "flux": "spectrum.flux", "ivar": "spectrum.ivar"}
        >>> HuggingFaceDataset("desi", columns, kind="spectrum", grid="desi").name
        'spectrum'
    """

    def __init__(
        self,
        root: str | Path,
        columns: Mapping[str, str],
        kind: Kind = "image",
        labels: Sequence[str] = (),
        grid: Grid = (),
        bands: Sequence[str] = (),
        unit: str = "",
        name: str = "",
    ) -> None:
        needed, optional = ROLES.get(kind, ((), ()))
        channels = [role for role in columns if role not in PLACE] if kind == "table" else []
        check_mapping(columns, ("id", *needed), (*PLACE, *optional, *channels))
        super().__init__(root, kind, channels, labels, grid, bands, "ivar" in columns, name)
        if kind == "image" and not self.bands:
            raise UsageError("bands: the files do not name the channels of an image. Say them, e.g. ['g', 'r', 'z'].")
        if kind == "spectrum" and "wavelength" not in columns and not len(self.grid):
            raise UsageError("grid: no column gives the wavelengths. Say those of the pixels, or map 'wavelength'.")
        self.columns: Any = dict(columns)
        self.unit = unit

    def files(self) -> Sequence[Path]:
        """The Arrow or Parquet files, split after split.

        Raises:
            FileError: If the folder does not exist, or says that it holds a file that is missing.
        """
        root = Path(self.root)
        state = root / "state.json"
        if state.is_file():
            try:
                names = [one["filename"] for one in json.loads(state.read_text())["_data_files"]]
            except (ValueError, KeyError, TypeError) as error:
                raise FileError(state, f"damaged ({type(error).__name__}: {error}). Save the dataset again.") from error
            return sorted(root / Path(name).name for name in names)
        arrow = [path for path in find_files(root, "**/*.arrow") if not path.name.startswith("cache-")]
        return sorted([*arrow, *find_files(root, "**/*.parquet")]) if root.is_dir() else [root]

    def also_reads(self) -> list[Path]:
        """The list of the files, where there is one: if it changes, a dataset is made anew."""
        return [Path(self.root) / "state.json"]

    def _rows(self, path: Path) -> Iterator[Rows]:
        found = False
        for table in blocks(path, [*self.columns.values(), *self.labels]):
            column = Columns(path, table)
            view = column.arrow(self.columns[next(iter(ROLES[self.kind][0]), "id") if self.kind in ROLES else "id"])
            there = view.is_valid()
            if there.true_count < len(there):
                column = Columns(path, table.filter(there))
            if len(column.table):
                found = True
                yield self._block(column)
        if not found:
            raise FileError(path, f"holds no row with a {self.kind}.")

    def _block(self, column: Columns) -> Rows:
        count = len(column.table)
        ra, dec = (
            column.numbers(self.columns[axis]) if axis in self.columns else np.full(count, np.nan)
            for axis in ("ra", "dec")
        )
        groups = clean_text(column.values(self.columns["group"])) if "group" in self.columns else []
        labels = scalars(column.path, self.labels, column.names, column.values) if self.labels else {}
        if column.path.parent.joinpath("..", "dataset_dict.json").is_file():
            labels[SPLIT] = np.full(count, column.path.parent.name, dtype=object)
        ids = clean_text(column.values(self.columns["id"]))
        return Rows(ids, ra, dec, getattr(self, f"_{self.kind}")(column), labels, groups, self.unit)

    def _image(self, column: Columns) -> dict[str, npt.NDArray[Any]]:
        shown = {role: self._cube(column, self.columns[role]) for role in ("image", "ivar") if role in self.columns}
        band = np.broadcast_to(np.array(self.bands, dtype=object), (len(column.table), len(self.bands)))
        return {"flux": shown["image"], "band": band, **({"ivar": shown["ivar"]} if "ivar" in shown else {})}

    def _cube(self, column: Columns, name: str) -> npt.NDArray[Any]:
        """Images [N, bands, H, W]."""
        array = column.arrow(name)
        if pa.types.is_struct(array.type) or pa.types.is_binary(array.type):
            cube = decoded(column.path, name, array)
        else:
            values = stacked(array)
            if values is None:
                raise FileError(column.path, f"column {name!r} holds images of several sizes. Cut them to one first.")
            cube = values
        cube = cube[:, None] if cube.ndim == 3 and len(self.bands) == 1 else cube
        if cube.ndim != 4 or len(self.bands) not in (cube.shape[1], cube.shape[3]):
            raise FileError(
                column.path,
                f"column {name!r} holds arrays of shape {cube.shape[1:]}, expected {len(self.bands)} bands.",
            )
        return cube if cube.shape[1] == len(self.bands) else np.moveaxis(cube, 3, 1)

    def _spectrum(self, column: Columns) -> dict[str, npt.NDArray[Any]]:
        fields = {
            role: padded(column.arrow(self.columns[role]), np.nan)
            for role in ROLES["spectrum"][1]
            if role in self.columns
        }
        flux = padded(column.arrow(self.columns["flux"]), np.nan)
        wavelength = fields.pop("wavelength", None)
        if wavelength is None:
            own = wavelength_grid(self.grid)
            if flux.shape[1] != len(own):
                raise FileError(column.path, f"spectra of {flux.shape[1]} pixels, the grid has {len(own)}.")
            wavelength = np.broadcast_to(own, flux.shape)
        if "error" in fields:
            fields["noise"] = fields.pop("error")
        if not fields:
            fields["ivar"] = np.isfinite(flux).astype(np.float64)
        for role, values in fields.items():
            if values.shape != flux.shape:
                raise FileError(column.path, f"{role} of {values.shape[1]} pixels for a flux of {flux.shape[1]}.")
        return {"flux": flux, "lambda": wavelength, **fields}

    def _lightcurve(self, column: Columns) -> dict[str, Any]:
        lists = {
            role: column.arrow(self.columns[role])
            for role in ("time", "value", "band", "error")
            if role in self.columns
        }
        sizes = {role: lengths(one) for role, one in lists.items()}
        wrong = [role for role, size in sizes.items() if not np.array_equal(size, sizes["time"])]
        if wrong:
            raise FileError(
                column.path, f"{self.columns[wrong[0]]!r} and the times differ in length. The file is damaged."
            )
        names, code = np.unique(np.array(clean_text(flat(lists["band"])), dtype=str), return_inverse=True)
        time, value = (flat(lists[role]) for role in ("time", "value"))
        error = flat(lists["error"]) if "error" in lists else np.full(len(time), np.nan)
        owner = np.repeat(np.arange(len(column.table)), sizes["time"])
        return {
            "rows": len(column.table),
            "owner": owner,
            "time": time,
            "flux": value,
            "flux_err": error,
            "code": code,
            "names": names,
        }

    def _table(self, column: Columns) -> dict[str, Any]:
        channels = [role for role in self.columns if role not in PLACE]
        values = [column.numbers(self.columns[channel]) for channel in channels]
        return {"values": np.stack(values, axis=1), "channels": channels}
