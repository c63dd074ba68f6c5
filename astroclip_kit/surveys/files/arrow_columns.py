"""Arrow and Parquet files in blocks, and their columns by dotted names: ``spectrum.flux``."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute, ipc, parquet

from ...errors import FileError
from ..multimodal.multimodal_arrow import flat, lengths, stacked

__all__ = ["Columns", "blocks", "decoded"]

BLOCK_BYTES = 16_000_000  # of a file that are in memory at once


class Columns:
    """The columns of one block of a file, by dotted name."""

    def __init__(self, path: Path, table: pa.Table) -> None:
        self.path, self.table = path, table
        self.names = list(table.column_names)

    def arrow(self, name: str) -> pa.Array:
        """A column, or a field of a structure."""
        first, *rest = [name] if name in self.names else name.split(".")
        if first not in self.names:
            raise FileError(self.path, f"no column {name!r} (found {', '.join(self.names[:20])}).")
        array = self.table.column(first).combine_chunks()
        for field in rest:
            array = self._field(array, field, name)
        return array.storage if isinstance(array, pa.ExtensionArray) else array

    def _field(self, array: pa.Array, field: str, name: str) -> pa.Array:
        if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
            inner = self._field(array.flatten(), field, name)
            offsets = np.concatenate([[0], np.cumsum(lengths(array))])
            return pa.LargeListArray.from_arrays(offsets, inner)
        if not pa.types.is_struct(array.type) or array.type.get_field_index(field) < 0:
            raise FileError(self.path, f"no column {name!r}: {field!r} is not in {array.type}.")
        return compute.struct_field(array, field)

    def values(self, name: str) -> npt.NDArray[Any]:
        """One value per row [N], or text."""
        array = self.arrow(name)
        found = stacked(array) if pa.types.is_nested(array.type) else flat(array)
        if found is None:
            raise FileError(self.path, f"column {name!r} holds lists of several lengths, expected one value per row.")
        return found

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """One number per row [N]; NaN where it is null."""
        values = self.values(name)
        if values.ndim != 1 or values.dtype.kind not in "biuf":
            raise FileError(self.path, f"column {name!r} holds no number per row.")
        return values.astype(np.float64)


def decoded(path: Path, name: str, array: pa.Array) -> npt.NDArray[np.float32]:
    """Images [N, H, W, channels] from PNG or JPEG bytes."""
    from PIL import Image, UnidentifiedImageError

    coded = compute.struct_field(array, "bytes") if pa.types.is_struct(array.type) else array
    try:
        images = [np.asarray(Image.open(io.BytesIO(one.as_py() or b"")), dtype=np.float32) for one in coded]
        return np.stack([image if image.ndim == 3 else image[..., None] for image in images])
    except (UnidentifiedImageError, OSError) as error:
        raise FileError(path, f"column {name!r} holds bytes that are no image ({error}).") from error
    except ValueError as error:
        raise FileError(path, f"column {name!r} holds images of several sizes. Cut them to one first.") from error


def blocks(path: Path, wanted: Sequence[str]) -> Iterator[pa.Table]:
    """A file in pieces of about `BLOCK_BYTES`, with the columns that are wanted where they exist."""
    if not path.is_file() or not path.stat().st_size:
        raise FileError(path, "the file is empty." if path.is_file() else "no such file.")
    try:
        for batch in _batches(path, wanted):
            table = pa.Table.from_batches([batch]).select(_chosen(batch.schema.names, wanted))
            rows = max(1, int(BLOCK_BYTES * len(table) / max(1, table.nbytes)))
            for start in range(0, len(table), rows):
                yield table.slice(start, rows)
    except (pa.ArrowException, OSError) as error:
        raise FileError(path, f"no whole Arrow or Parquet file ({str(error).splitlines()[0]}).") from error


def _chosen(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The columns that are wanted, also a field of one; all where there is none."""
    found = [name for name in names if name in wanted or any(one.startswith(f"{name}.") for one in wanted)]
    return found or list(names)


def _batches(path: Path, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    if path.suffix == ".parquet":
        with parquet.ParquetFile(path, memory_map=True) as file:
            yield from file.iter_batches(batch_size=256, columns=_chosen(file.schema_arrow.names, wanted))
        return
    with pa.memory_map(str(path)) as source:
        is_file = source.read(6) == b"ARROW1"  # Hugging Face writes streams, others files
        source.seek(0)
        with (ipc.open_file if is_file else ipc.open_stream)(source) as batches:
            yield from map(batches.get_batch, range(batches.num_record_batches)) if is_file else batches
