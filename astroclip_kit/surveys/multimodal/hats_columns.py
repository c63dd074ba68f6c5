"""The columns of one Parquet file of a HATS catalogue, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from ...errors import FileError
from .multimodal_arrow import flat, lengths, stacked
from .multimodal_columns import GROUP, SINGLE, clean_text, first_found
from .multimodal_rows import BLOCK_BYTES

__all__ = [
    "batch_size",
    "column_names",
    "column_of",
    "image_fields",
    "lightcurve_fields",
    "opened",
    "own_names",
    "parts",
    "plain",
    "properties",
    "single_valued",
    "texts",
]

UNEQUAL = "its lists differ in length"


def properties(path: Path) -> dict[str, str]:
    """Keys and values of a ``.properties`` file.

    Raises:
        FileError: If it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, f"cannot be read ({error}). Download it again.") from error
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith(("#", "!")))
    return {key.strip(): value.strip() for key, _, value in pairs}


@contextmanager
def opened(path: Path) -> Iterator[parquet.ParquetFile]:
    """Opens a Parquet file.

    Raises:
        FileError: If it is missing, damaged or no Parquet file.
    """
    if not path.is_file():
        raise FileError(path, "no such file.")
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except FileError:
        raise
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        problem = str(error).splitlines()[0][:150]
        raise FileError(path, f"cannot be read as Parquet ({problem}). If it is damaged, download it again.") from error


def own_names(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Role (object_id, ra, dec, object_group) to the column that has it; the catalogue may say which ra and dec are.

    Raises:
        FileError: If there is no ``object_id``.
    """
    if "object_id" not in names:
        raise FileError(path, f"no column 'object_id' (found {', '.join(names[:20])}).")
    folders = [folder for folder in list(path.parents)[:5] if (folder / "hats.properties").is_file()]
    said = properties(folders[0] / "hats.properties") if folders else {}
    axes = {
        axis: first_found((said.get(f"hats_col_{axis}", axis), axis, axis.upper()), names) for axis in ("ra", "dec")
    }
    own = {"object_id": "object_id", **axes, GROUP: first_found((GROUP,), names)}
    return {role: name for role, name in own.items() if name}


def column_names(schema: pa.Schema) -> list[str]:
    """Columns, and the fields of those that are structures as ``COLUMN.FIELD``."""
    fields = [f"{one.name}.{child.name}" for one in schema if pa.types.is_struct(one.type) for child in one.type]
    return [*schema.names, *fields]


def single_valued(schema: pa.Schema) -> list[str]:
    """Columns of one number or text per object."""
    kinds = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_string,
        pa.types.is_large_string,
    )
    return [field.name for field in schema if any(is_kind(field.type) for is_kind in kinds)]


def column_of(rows: pa.RecordBatch, name: str) -> pa.Array:
    """A column, or a field of one."""
    if name in rows.schema.names:
        return rows.column(name)
    parent, _, child = name.partition(".")
    return rows.column(parent).field(child)


def batch_size(file: parquet.ParquetFile, wanted: Sequence[str]) -> int:
    """Rows of the wanted columns that take about `BLOCK_BYTES`."""
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    size = sum(
        chunk.total_uncompressed_size
        for group in groups
        for chunk in (group.column(number) for number in range(group.num_columns))
        if any(f"{chunk.path_in_schema}.".startswith(f"{name}.") for name in wanted)
    )
    return int(max(1, min(65_536, BLOCK_BYTES * file.metadata.num_rows / max(1, size))))


def texts(column: pa.Array) -> npt.NDArray[Any]:
    """Ids as text; whole numbers stay exact beside missing ones."""
    return flat(column.cast(pa.string()) if pa.types.is_integer(column.type) else column)


def plain(path: Path, name: str, column: pa.Array) -> npt.NDArray[Any]:
    """A flat column [N], or one of lists of equal lengths [N, k]; missing numbers are NaN.

    Raises:
        FileError: If it is neither.
    """
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8()).cast(pa.float64())
    values = None if pa.types.is_struct(column.type) else stacked(column)
    if values is None:
        raise FileError(path, f"column {name!r} holds {str(column.type)[:40]}, expected one value per object.")
    return values


def parts(rows: pa.RecordBatch, column: str, kind: str) -> Iterator[tuple[pa.RecordBatch, str]]:
    """Rows whose lists are of one shape, and why others cannot be used.

    Args:
        rows: Rows in which the nested column is not null.
        column: The nested column; "" for flat ones.
        kind: Of the modality.
    """
    if not column or not len(rows):
        yield rows, ""
    elif kind == "image":
        yield from _images(rows, column)
    else:
        nested = rows.column(column)
        sizes = np.stack([lengths(nested.field(field.name)) for field in nested.type])
        equal = (sizes == sizes[0]).all(axis=0)
        if equal.all():
            yield rows, ""
            return
        yield rows.filter(pa.array(equal)), ""
        yield rows.filter(pa.array(~equal)), UNEQUAL


def _images(rows: pa.RecordBatch, column: str) -> Iterator[tuple[pa.RecordBatch, str]]:
    nested = rows.column(column)
    if all(stacked(nested.field(field.name)) is not None for field in nested.type):
        yield rows, ""
    elif len(rows) == 1:
        yield rows, UNEQUAL
    else:
        for row in range(len(rows)):
            yield from _images(rows.slice(row, 1), column)


def image_fields(path: Path, lists: Mapping[str, pa.Array], bands: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """What images are made of: see `image_views`.

    Raises:
        FileError: If they are no images, or have no names of bands.
    """
    fields = {role: values for role, column in lists.items() if (values := stacked(column)) is not None}
    flux = fields["flux"]
    if flux.ndim != 4:
        raise FileError(path, f"images have {flux.ndim - 1} axes, expected bands, rows and columns.")
    if "band" not in fields:
        fields["band"] = np.broadcast_to(np.array(bands, dtype=object), (len(flux), len(bands)))
    fields["band"] = np.array(clean_text(fields["band"].ravel()), dtype=object).reshape(fields["band"].shape)
    shapes = {role: values.shape for role, values in fields.items() if role in ("ivar", "mask")}
    if fields["band"].shape != flux.shape[:2] or any(shape != flux.shape for shape in shapes.values()):
        raise FileError(
            path, f"images {flux.shape[1:]}, bands {fields['band'].shape[1:]}, {shapes}: they do not agree."
        )
    return fields


def lightcurve_fields(lists: Mapping[str, pa.Array], bands: Sequence[str]) -> dict[str, Any]:
    """What light curves are made of: see `lightcurve_views`."""
    count, sizes = len(lists["time"]), lengths(lists["time"])
    fields: dict[str, Any] = {role: flat(lists[role]) for role in ("time", "flux")}
    fields["flux_err"] = flat(lists["flux_err"]) if "flux_err" in lists else np.full(sizes.sum(), np.nan)
    fields |= {"rows": count, "owner": np.repeat(np.arange(count), sizes)}
    if "band" not in lists:
        return {**fields, "names": [bands[0] if bands else SINGLE], "code": np.zeros(sizes.sum(), dtype=np.int64)}
    encoded = lists["band"].flatten().dictionary_encode()
    return {**fields, "names": clean_text(flat(encoded.dictionary)), "code": flat(encoded.indices).astype(np.int64)}
