"""What a file looks like from outside: format, columns, headers; enough to know which survey wrote it."""

from __future__ import annotations

import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

__all__ = ["Outline", "outline"]

CSV = (".csv", ".csv.gz")
MARKERS = {  # files that say what the folder around them is
    "collection.properties": "hats",
    "hats.properties": "hats",
    "dataset_dict.json": "hugging face",
    "state.json": "hugging face",
}


@dataclass(frozen=True)
class Outline:
    """What a file, or a folder that is one catalogue, looks like.

    Args:
        format: "fits", "hdf5", "table", "numpy", "tar", "hats", "hugging face"; "" for anything else.
        columns: Lower-case names of columns, HDF5 datasets or arrays.
        extensions: Names of HDUs, or of HDF5 groups.
        header: Primary header of a FITS file, and that of its first image.
        axes: Number of axes of the first image, or the largest of the arrays; 0 where there is none.
        is_catalogue: Whether some columns hold one value in each of several rows.
    """

    format: str
    columns: frozenset[str] = frozenset()
    extensions: tuple[str, ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict)
    axes: int = 0
    is_catalogue: bool = False

    def has(self, *names: str) -> bool:
        """Whether it holds all these columns."""
        return self.columns.issuperset(names)


def outline(path: Path) -> Outline:
    """A file or folder from outside; an outline of no format where it cannot be opened or is of an unknown one."""
    if path.is_dir():
        return Outline(next((kind for name, kind in MARKERS.items() if (path / name).is_file()), ""))
    name = path.name.lower().removesuffix(".gz").removesuffix(".bz2")
    read = next((read for endings, read in FORMATS.items() if name.endswith(endings)), None)
    try:
        return read(path) if read else Outline("")
    except Exception:  # every format has its own errors, and here they all mean: not this one
        return Outline("")


def _fits(path: Path) -> Outline:
    from astropy.io import fits

    columns: set[str] = set()
    header: dict[str, Any] = {}
    names, axes, is_catalogue = [], 0, False
    with warnings.catch_warnings(action="ignore"), fits.open(path, memmap=False) as hdus:
        for hdu in _first(hdus, 6):
            names.append(hdu.name)
            columns |= {str(name).lower() for name in getattr(getattr(hdu, "columns", None), "names", None) or ()}
            is_catalogue |= not hdu.is_image and any(not shape for shape in _shapes(hdu))
            is_first_image = hdu.is_image and not axes and hdu.header.get("NAXIS", 0) > 0
            axes = int(hdu.header["NAXIS"]) if is_first_image else axes
            header |= dict(hdu.header) if is_first_image or len(names) == 1 else {}
    return Outline("fits", frozenset(columns), tuple(names), header, axes, is_catalogue)


def _shapes(hdu: Any) -> list[tuple[int, ...]]:
    """Shapes of the values in a row of a table."""
    kind = hdu.columns.dtype
    return [kind[name].shape for name in kind.names]


def _first(hdus: Any, count: int) -> Iterator[Any]:
    for number in range(count):
        try:
            yield hdus[number]
        except IndexError:
            return


def _hdf5(path: Path) -> Outline:
    import h5py

    from .hdf5_tables import hdf5_fields
    from .references import opened_hdf5

    with opened_hdf5(path) as file:
        groups = [name for name in file if isinstance(file[name], h5py.Group)]
        names = {*file, *(file[groups[0]] if groups else ()), *(name for name, _ in hdf5_fields(file))}
    return Outline("hdf5", frozenset(name.lower() for name in names), tuple(groups))


def _numpy(path: Path) -> Outline:
    import numpy as np

    if path.suffix == ".npy":
        return Outline("numpy", axes=np.load(path, mmap_mode="r", allow_pickle=False).ndim)
    axes, names = 0, []
    with zipfile.ZipFile(path) as members:
        for name in members.namelist():
            with members.open(name) as stream:
                version = np.lib.format.read_magic(stream)
                reads = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
                axes = max(axes, len(reads[version](stream)[0]))
                names.append(name.removesuffix(".npy").lower())
    return Outline("numpy", frozenset(names), axes=axes)


def _tar(path: Path) -> Outline:
    with tarfile.open(path) as members:
        first = [member.name for member, _ in zip(members, range(3), strict=False)]
    return Outline("tar", extensions=tuple(first))


def _table(path: Path) -> Outline:
    """A table; prose is none, and neither are names of columns alone."""
    from .csv_files import opened_text, titled_names
    from .table_files import ASCII, column_names, read_columns

    if path.name.lower().removesuffix(".gz").endswith(ASCII):
        with opened_text(path) as file:
            if titled := titled_names(list(islice(file, 2))):
                return Outline("table", frozenset(titled))
    names = column_names(path)
    if path.name.lower().endswith(CSV):
        is_catalogue = _has_rows(path)
    elif path.suffix.lower() == ".parquet":
        is_catalogue = len(names) > 1 and _has_plain_rows(path)
    else:
        is_catalogue = len(names) > 1 and len(read_columns(path, names[:1])) > 0
    return Outline("table", frozenset(column.lower() for column in names), is_catalogue=is_catalogue)


def _has_rows(path: Path) -> bool:
    """Whether a CSV file has a line below the names of its columns."""
    from .csv_files import opened_text

    with opened_text(path) as file:
        lines = (line for line in file if line.strip() and not f"{line} ".startswith("# "))
        return len(list(islice(lines, 2))) == 2


def _has_plain_rows(path: Path) -> bool:
    """Whether a Parquet file has rows, and its first column one value in each."""
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return file.metadata.num_rows > 0 and not pa.types.is_nested(file.schema_arrow.field(0).type)


FORMATS: dict[tuple[str, ...], Callable[[Path], Outline]] = {
    (".fits", ".fit", ".fts", ".fz"): _fits,
    (".hdf5", ".h5"): _hdf5,
    (".npz", ".npy"): _numpy,
    (".tar", ".tgz"): _tar,
    (".csv", ".parquet", ".ecsv", ".vot", ".xml", ".dat", ".txt", ".tbl"): _table,
}
