"""A dataset folder, opened: what `ingest` wrote, as arrays over a memory map."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import storage
from ..errors import FolderError, InputError
from ..types import Batch, Modality, Sample
from .shards import ShardReader

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Dataset"]

Rows = npt.NDArray[np.int64]


class Dataset:
    r"""Objects with views, labels and coordinates, read from disk when they are asked for.

    Opening reads ids, coordinates and labels; views stay on disk. A dataset may be pickled (a worker process
    opens it again) and passed wherever a folder is expected.

    Args:
        root: A dataset folder.
        rows: Which of its rows to show, in this order; all of them by default.
        further: Labels of the rows shown beside those in the folder, or in place of them, see `with_labels`.

    Raises:
        FolderError: If the folder is missing, incomplete, damaged, foreign or of a newer version.

    Example:
        >>> import tempfile
        >>> from astroclip_kit.data import ingest
        >>> from astroclip_kit.surveys import TableReader
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "stars.csv").write_text("name,g,r\nVega,0.0,0.1\nSirius,-1.5,-1.25\n")
        >>> stars = TableReader(folder / "stars.csv", columns=["g", "r"], id_column="name")
        >>> _ = ingest({"magnitudes": stars}, folder / "data", quiet=True)
        >>> dataset = Dataset(folder / "data")
        >>> dataset[1].object_id, dataset.views("magnitudes", [1]).tolist()
        ('Sirius', [[-1.5, -1.25]])
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        rows: npt.ArrayLike | None = None,
        further: Mapping[str, npt.NDArray[Any]] | None = None,
    ) -> None:
        self.root, self.further = Path(root), dict(further or {})
        self.manifest: dict[str, Any] = storage.open_folder(self.root, "dataset")
        try:
            shards = self.manifest["shards"]
            paths, counts = [self.root / shard["file"] for shard in shards], [shard["rows"] for shard in shards]
            sizes = [shard["bytes"] for shard in shards]
            modalities = [Modality.from_dict(one) for one in self.manifest["modalities"]]
        except (KeyError, TypeError) as error:
            raise FolderError(
                f"{self.root}: the manifest lacks {error}. Delete the folder and ingest again."
            ) from error
        for path, size in zip(paths, sizes, strict=True):
            _check_size(path, size)
        self.modalities: dict[str, Modality] = {modality.name: modality for modality in modalities}
        self._shards = ShardReader(paths, counts)
        self._presence: dict[str, npt.NDArray[np.bool_]] = {}
        self._selected = rows is not None
        self._rows: Rows = np.arange(len(self._shards)) if rows is None else _row_numbers(rows, len(self._shards))

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def object_ids(self) -> npt.NDArray[np.str_]:
        """Id of each row [N]."""
        return self._column("object_id").astype(str)

    @cached_property
    def groups(self) -> npt.NDArray[np.str_]:
        """Astrophysical object of each row [N]."""
        return self._column("group").astype(str)

    @cached_property
    def ra(self) -> npt.NDArray[np.float64]:
        """Right ascension [N] in degrees; NaN where unknown."""
        return self._column("ra")

    @cached_property
    def dec(self) -> npt.NDArray[np.float64]:
        """Declination [N] in degrees; NaN where unknown."""
        return self._column("dec")

    @cached_property
    def labels(self) -> dict[str, npt.NDArray[Any]]:
        """Property name to values [N]: float64 with NaN, or text with "" where missing."""
        own = (name for name in self.manifest["labels"] if name not in self.further)
        return {**{name: self._column(name) for name in own}, **self.further}

    def _column(self, name: str) -> npt.NDArray[Any]:
        column = self._shards.column(name)
        if str(column.type) == "string":
            return np.array(column.fill_null("").to_pylist(), dtype=str)[self._rows]
        return np.asarray(column.to_numpy(), dtype=np.float64)[self._rows]

    def present(self, name: str) -> npt.NDArray[np.bool_]:
        """Which rows have a modality [N], read-only."""
        self._modality(name)
        if name not in self._presence:
            self._presence[name] = self._shards.present(name)[self._rows]
            self._presence[name].flags.writeable = False
        return self._presence[name]

    def _modality(self, name: str) -> Modality:
        if name not in self.modalities:
            raise InputError(f"{self.root} has no modality {name!r}. It has: {', '.join(self.modalities)}.")
        return self.modalities[name]

    def views(self, name: str, rows: npt.ArrayLike | None = None) -> npt.NDArray[np.float32]:
        """Views of some rows, stacked in their order.

        Args:
            name: The modality.
            rows: n row numbers, each of which must have the modality; all that have it by default.

        Returns:
            float32 [n, *shape]; light curves are padded at the end with rows of NaN.

        Raises:
            InputError: If a row lacks the modality, or the rows are no row numbers.
            IndexError: If a row does not exist.
        """
        modality = self._modality(name)
        numbers = np.flatnonzero(self.present(name)) if rows is None else _row_numbers(rows, len(self))
        absent = numbers[~self.present(name)[numbers]]
        if len(absent):
            raise InputError(
                f"{len(absent)} of the rows have no {name!r} (first: row {absent[0]}, object "
                f"{str(self.object_ids[absent[0]])!r}). Choose rows with `present({name!r})`."
            )
        rows_on_disk = self._rows[numbers]
        if not modality.ragged:
            width = math.prod(modality.shape)
            return self._shards.take(name, rows_on_disk, width).reshape(-1, *modality.shape)
        return _padded([view.reshape(modality.shape) for view in self._shards.many(name, rows_on_disk)], modality)

    def __getitem__(self, row: int) -> Sample:
        """One object; its views are read-only and lie in the memory map."""
        row = int(_row_numbers([row], len(self))[0])
        views = {
            name: self._shards.one(name, int(self._rows[row])).reshape(modality.shape)
            for name, modality in self.modalities.items()
            if self.present(name)[row]
        }
        values = {name: column[row].item() for name, column in self.labels.items()}
        labels = {name: value for name, value in values.items() if value != "" and value == value}
        ra, dec = float(self.ra[row]), float(self.dec[row])
        return Sample(str(self.object_ids[row]), views, ra, dec, labels, str(self.groups[row]))

    def __iter__(self) -> Iterator[Sample]:
        return (self[row] for row in range(len(self)))

    def batch(self, rows: npt.ArrayLike) -> Batch:
        """Some rows, stacked for a model.

        Args:
            rows: B row numbers.
        """
        import torch

        numbers = _row_numbers(rows, len(self))
        views, places = {}, {}
        for name in self.modalities:
            have = np.flatnonzero(self.present(name)[numbers])
            views[name] = torch.from_numpy(self.views(name, numbers[have]))
            places[name] = torch.from_numpy(have)
        labels = {name: column[numbers] for name, column in self.labels.items()}
        return Batch(self.object_ids[numbers].tolist(), self.groups[numbers].tolist(), views, places, labels)

    def select(self, rows: npt.ArrayLike) -> Dataset:
        """The same dataset with some rows only, in the order given; nothing is copied.

        Args:
            rows: Row numbers, or a bool mask [N].
        """
        numbers = _row_numbers(rows, len(self))
        further = {name: values[numbers] for name, values in self.further.items()}
        return Dataset(self.root, self._rows[numbers], further)

    def with_labels(self, labels: Mapping[str, npt.NDArray[Any]]) -> Dataset:
        """The same dataset with more labels; nothing is written.

        Args:
            labels: Name to values [N]: float64 with NaN, or text with "" where missing. They take the place of those
                of the same name.

        Raises:
            InputError: If a label has another number of values.
        """
        for name, values in labels.items():
            if np.shape(values) != (len(self),):
                raise InputError(f"label {name!r} has shape {np.shape(values)}, expected one value for each row.")
        return Dataset(self.root, self._rows if self._selected else None, {**self.further, **labels})

    def data_hash(self, name: str) -> str:
        """A hash of everything that features of a modality depend on: its values, and which rows have them."""
        return self._hash(name, self._rows.tobytes() if self._selected else b"")

    def source_hash(self, name: str) -> str:
        """The same of the whole dataset, whichever rows were selected."""
        return self._hash(name, b"")

    def _hash(self, name: str, rows: bytes) -> str:
        self._modality(name)
        shards = [shard["checksums"][name] for shard in self.manifest["shards"]]
        return storage.hash_text(storage.hash_json(self.modalities[name].to_dict()), *shards, rows)

    def catalogue(self) -> Table:
        """Ids, groups, coordinates, labels and which modalities each row has, as an astropy Table."""
        from astropy.table import Table

        columns = {"object_id": self.object_ids, "group": self.groups, "ra": self.ra, "dec": self.dec, **self.labels}
        columns |= {f"has_{name}": self.present(name) for name in self.modalities}
        units = {"ra": "deg", "dec": "deg", **self.manifest.get("units", {})}
        return Table(columns, units=units, meta={"name": self.manifest["name"], "origin": self.manifest["origin"]})

    def __fspath__(self) -> str:
        return str(self.root)

    def __reduce__(self) -> tuple[type[Dataset], tuple[Path, Rows | None, dict[str, npt.NDArray[Any]]]]:
        return type(self), (self.root, self._rows if self._selected else None, self.further)

    def _lines(self) -> list[tuple[str, str, str]]:
        return [
            (name, f"{modality.kind} {list(modality.shape)}", f"{int(self.present(name).sum())} of {len(self)}")
            for name, modality in self.modalities.items()
        ]

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}: {shape} x {count}" for name, shape, count in self._lines())
        return f"Dataset({str(self.root)!r}: {len(self)} objects; {parts})"

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in self._lines()
        )
        head = f"<b>Dataset</b> {escape(str(self.root))}: {len(self)} objects"
        return f"{head}<table><tr><th>modality</th><th>view</th><th>objects</th></tr>{cells}</table>"


def _check_size(path: Path, size: int) -> None:
    found = path.stat().st_size if path.exists() else None
    if found != size:
        state = "is missing" if found is None else f"has {found} bytes, expected {size}"
        raise FolderError(f"{path} {state}: the dataset is damaged. Delete the folder and ingest again.")


def _row_numbers(rows: npt.ArrayLike, count: int) -> Rows:
    """Row numbers 0 .. count - 1 from numbers (negative ones count from the end), a mask or a slice's range."""
    array = np.atleast_1d(np.asarray(rows))
    if array.dtype == bool:
        if array.shape != (count,):
            raise InputError(f"the mask has shape {array.shape}, expected ({count},): one value per row.")
        return np.flatnonzero(array)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise InputError(f"rows must be integers or a bool mask, found {array.dtype} of shape {array.shape}.")
    numbers = array.astype(np.int64)
    numbers = np.where(numbers < 0, numbers + count, numbers)
    wrong = array[(numbers < 0) | (numbers >= count)]
    if len(wrong):
        raise IndexError(f"row {wrong[0]} does not exist: the dataset has {count} rows.")
    return numbers


def _padded(views: list[npt.NDArray[np.float32]], modality: Modality) -> npt.NDArray[np.float32]:
    longest = max((len(view) for view in views), default=0)
    stacked = np.full((len(views), longest, *modality.shape[1:]), np.nan, dtype=np.float32)
    for row, view in enumerate(views):
        stacked[row, : len(view)] = view
    return stacked
