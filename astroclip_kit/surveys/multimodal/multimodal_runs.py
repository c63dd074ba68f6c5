"""Objects in the order of the sky, whatever their number: kept on disk in sorted runs, merged when they are written.

In memory are one run, then one block of rows, and 8 bytes per object.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ...contracts import check_sample
from ...errors import InputError
from ...storage import write_manifest
from ...types import Drop, Modality, Sample
from ..files.coordinates import in_range
from .multimodal_arrow import arrow_table
from .multimodal_columns import GROUP, HEALPIX, RESERVED, pixels

__all__ = ["Runs", "check_names", "finish", "own_columns", "sort_by_sky"]

RUN_BYTES = 64_000_000
RUN_ROWS = 20_000
BLOCK_BYTES = 32_000_000


class Runs:
    """Sorted runs in a folder.

    Args:
        folder: An empty folder.

    Attributes:
        widths: Column of text to the bytes of its longest value.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys: list[npt.NDArray[np.int64]] = []
        self.schemas: list[pa.Schema] = []
        self.widths: dict[str, int] = {}
        self.size = 0

    def add(self, table: pa.Table) -> None:
        """Writes one run."""
        table = table.sort_by(HEALPIX).combine_chunks()
        with pa.OSFile(str(self._path(len(self.keys))), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        self.keys.append(np.array(table.column(HEALPIX)))
        for field in table.schema:
            if pa.types.is_string(field.type):
                width = pc.max(pc.binary_length(table.column(field.name))).as_py() or 0
                self.widths[field.name] = max(width, self.widths.get(field.name, 1))
        self.schemas.append(table.schema)
        self.size += table.nbytes

    def _path(self, run: int) -> Path:
        return self.folder / f"{run:06d}.arrow"

    def sky(self) -> npt.NDArray[np.int64]:
        """Pixels of order 29 of all objects, ascending [N]."""
        return np.sort(np.concatenate(self.keys))

    def schema(self) -> pa.Schema:
        """Columns of all runs.

        Raises:
            InputError: If a label is text in one run and a number in another.
        """
        try:
            schema = pa.unify_schemas(self.schemas)
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise InputError(f"a label is text in some objects and a number in others ({error}).") from error
        schema = pa.schema([field.with_type(pa.float64()) if field.type == pa.null() else field for field in schema])
        last = [name for name in (GROUP, "ra", "dec", "object_id") if name in schema.names]
        return pa.schema([field for field in schema if field.name not in last] + [schema.field(name) for name in last])

    def blocks(self, low: int, high: int) -> Iterator[pa.Table]:
        """Objects whose pixel of order 29 is in [low, high), in its order, in blocks of about `BLOCK_BYTES`."""
        rows = max(1, int(BLOCK_BYTES / max(1.0, self.size / sum(map(len, self.keys)))))
        schema = self.schema()
        inside = [keys[slice(*np.searchsorted(keys, (low, high)))] for keys in self.keys]
        edges = np.unique([low, *np.sort(np.concatenate(inside))[::rows][1:], high])
        for start, stop in pairwise(edges):
            parts = [part for run in range(len(self.keys)) if len(part := self._part(run, start, stop))]
            table = pa.concat_tables([schema.empty_table(), *parts], promote_options="default")
            table = table.select(schema.names).combine_chunks()
            if len(parts) > 1:
                table = table.take(pa.array(np.argsort(table.column(HEALPIX).to_numpy(), kind="stable")))
            yield table

    def _part(self, run: int, low: int, high: int) -> pa.Table:
        first, last = np.searchsorted(self.keys[run], (low, high))
        if first == last:
            return self.schemas[run].empty_table()
        with pa.memory_map(str(self._path(run))) as source:
            table = pa.ipc.open_file(source).read_all()
            return table.take(pa.array(np.arange(first, last)))  # a copy: the file is closed


def own_columns(name: str, modality: Modality) -> tuple[str, ...]:
    """The columns that a modality becomes."""
    if modality.kind == "table":
        return modality.channels
    return name, *modality.covariates


def check_names(modalities: Mapping[str, Modality]) -> None:
    """Makes sure that each column that modalities become has a name of its own.

    Raises:
        InputError: If there is no modality, or two columns have the same name.
    """
    if not modalities:
        raise InputError("nothing to write: there are no modalities.")
    names = [*RESERVED, *(column for name, modality in modalities.items() for column in own_columns(name, modality))]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise InputError(f"two columns would be called {repeated[0]!r}. Rename the modality or the column.")


def sort_by_sky(
    samples: Iterable[Sample | Drop], modalities: Mapping[str, Modality], labels: Sequence[str] | None, folder: Path
) -> tuple[Runs, list[Drop]]:
    """Takes in all objects.

    Args:
        samples: Any number of objects, streamed; drops among them, as readers give them, are passed on.
        modalities: Name to what a view is.
        labels: Which labels to keep; None for all.
        folder: An empty folder for the runs.

    Returns:
        The runs, and the objects that have no place on the sky or nothing to write.

    Raises:
        InputError: If nothing is left, a view does not fit its modality, or a label is called as a column.
    """
    runs, size = Runs(folder), 0
    drops: list[Drop] = []
    held: list[Sample] = []
    check_names(modalities)

    def flush() -> None:
        ra, dec = (np.array([getattr(sample, axis) for sample in held]) for axis in ("ra", "dec"))
        runs.add(arrow_table(held, pixels(ra, dec), modalities, labels))
        held.clear()

    named = {name: replace(modality, name=name) for name, modality in modalities.items()}
    for sample in samples:
        if isinstance(sample, Drop):
            drops.append(sample)
            continue
        views = [sample.views[name] for name in modalities if name in sample.views]
        if not views or not in_range(sample.ra, sample.dec):
            reason = f"no place on the sky: ra {sample.ra}, dec {sample.dec}" if views else "has none of the modalities"
            drops.append(Drop(sample.object_id, reason))
            continue
        for name in sample.views.keys() & named.keys():
            check_sample(sample, named[name])
        held.append(sample)
        size += sum(view.nbytes for view in views)
        if size > RUN_BYTES or len(held) >= RUN_ROWS:
            flush()
            size = 0
    if held:
        flush()
    if not runs.keys:
        reasons = f"; the first: {drops[0].source}: {drops[0].reason}" if drops else ""
        raise InputError(f"none of {len(drops)} objects can be written{reasons}.")
    return runs, drops


def finish(
    folder: Path, kind: str, runs: Runs, modalities: Mapping[str, Modality], drops: Sequence[Drop], origin: str
) -> None:
    """Writes what makes the folder whole: the list of what was left out, and the manifest.

    Args:
        folder: The folder.
        kind: Of the folder.
        runs: What was written.
        modalities: Name to what a view is.
        drops: What was left out.
        origin: "mock" or "real".
    """
    with (folder / "skipped.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("object_id", "reason"), *((drop.source, drop.reason) for drop in drops)])
    described = {name: modality.to_dict() for name, modality in modalities.items()}
    rows = sum(map(len, runs.keys))
    write_manifest(folder, kind, {"rows": rows, "skipped": len(drops), "modalities": described, "origin": origin})
