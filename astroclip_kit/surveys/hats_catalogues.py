"""HATS catalogues of the Multimodal Universe: Parquet files of sky pixels with nested columns, a row per object.

A catalogue is a folder ``hats.properties, partition_info.csv, dataset/Norder=k/Dir=d/Npix=p.parquet``, which may lie
in a collection with a ``collection.properties`` (https://www.ivoa.net/documents/Notes/HATS/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..errors import FileError
from ..storage import own_manifest
from .files.file_lists import find_files
from .files.table_files import read_columns
from .multimodal.hats_columns import (
    batch_size,
    column_names,
    column_of,
    image_fields,
    lightcurve_fields,
    opened,
    own_names,
    parts,
    plain,
    properties,
    single_valued,
    texts,
)
from .multimodal.multimodal_arrow import padded
from .multimodal.multimodal_columns import GROUP, NESTED, PARTITION, clean_text, first_found, numeric, resolve, scalars
from .multimodal.multimodal_rows import Rows, RowsReader

__all__ = ["HATSCatalogue"]

NEEDED: dict[str, tuple[str, ...]] = {
    "image": ("flux",),
    "spectrum": ("flux", "lambda"),
    "lightcurve": ("time", "flux"),
}


class HATSCatalogue(RowsReader):
    """Reads one kind of modality of a HATS catalogue, of all its pixels, by row groups.

    Images, spectra and light curves are nested columns (structures of lists), called as `name`, else as the kind; an
    object where the column is null has no such view and is passed over. A table's columns, and labels, are flat ones,
    or the fields of a structure (``photometry.phot_g_mean_mag``). A light curve counts days from its first point; the
    label ``time_zero_mjd`` (``time_zero`` without bands) says when that was.

    The arguments are those of `RowsReader`; `root` is a collection, a catalogue or one Parquet file.

    Example:
        >>> HATSCatalogue("mmu_desi_edr_sv3", kind="spectrum", grid="desi", labels=["Z"]).kind
        'spectrum'
    """

    @cached_property
    def _catalogue(self) -> Path:
        """The folder with ``hats.properties``."""
        root = Path(self.root)
        collection = root / "collection.properties"
        if collection.is_file():
            root = root / properties(collection).get("hats_primary_table_url", root.name)
        if not (root / "hats.properties").is_file():
            raise FileError(root, "no hats.properties nor collection.properties. Is it the folder of a HATS catalogue?")
        kind = properties(root / "hats.properties").get("dataproduct_type", "object")
        if kind not in ("object", "source"):
            raise FileError(root, f"is a {kind} catalogue, expected one of objects.")
        return root

    @cached_property
    def _channels(self) -> set[str]:
        """The columns of the tables in a catalogue of the kit's own: modalities, not labels."""
        described = own_manifest(Path(self.root)).get("modalities", {}).values()
        return {channel for modality in described if modality["kind"] == "table" for channel in modality["channels"]}

    def files(self) -> Sequence[Path]:
        """The Parquet files that ``partition_info.csv`` lists (also those that are missing), sorted.

        Raises:
            FileError: If the folder is no catalogue, or its list cannot be read.
        """
        if Path(self.root).is_file():
            return find_files(self.root, "*")
        info = self._catalogue / "partition_info.csv"
        if not info.is_file():
            return find_files(self._catalogue, "dataset/**/*.parquet")
        suffix = properties(self._catalogue / "hats.properties").get("hats_npix_suffix", ".parquet")
        frame = read_columns(info, ["Norder", "Npix"])
        found: list[Path] = []
        for order, pixel in zip(frame["Norder"], frame["Npix"], strict=True):
            folder = self._catalogue / "dataset" / f"Norder={order}" / f"Dir={pixel // 10_000 * 10_000}"
            one = folder / f"Npix={pixel}{suffix.rstrip('/')}"
            found += find_files(one, "**/*.parquet") if one.is_dir() else [one]
        return sorted(found)

    def also_reads(self) -> list[Path]:
        """What describes the catalogue: if it changes, a dataset is made anew."""
        if Path(self.root).is_file():
            return []
        beside = [path for folder in {Path(self.root), self._catalogue} for path in folder.iterdir()]
        return sorted(path for path in beside if path.suffix in (".properties", ".csv", ".json"))

    def _rows(self, path: Path) -> Iterator[Rows]:
        with opened(path) as file:
            schema = file.schema_arrow
            names = column_names(schema)
            nested = self._nested(path, schema) if self.kind != "table" else {}
            column = next(iter(nested.values()), ".").split(".")[0]
            own = own_names(path, names)
            labels = self._label_names(single_valued(schema), {*own.values(), *PARTITION, *self._channels})
            asked = [resolve(path, name, names)[0] for name in (*self.columns, *labels)]
            wanted = list(dict.fromkeys([*own.values(), *nested.values(), *asked]))
            unit = ((schema.field(column).metadata or {}) if column else {}).get(b"unit", b"").decode()
            for batch in file.iter_batches(batch_size(file, wanted), columns=wanted, use_threads=False):
                absent = column and batch.column(column).null_count
                rows = batch.filter(batch.column(column).is_valid()) if absent else batch
                for part, problem in parts(rows, column, self.kind):
                    yield self._block(path, part, own, nested, labels, problem, unit)

    def _nested(self, path: Path, schema: pa.Schema) -> dict[str, str]:
        """Role of a nested field to its path in the file."""
        column = first_found((self.name, self.kind), schema.names)
        if not column:
            raise FileError(path, f"no column {self.kind!r} (found {', '.join(schema.names[:20])}).")
        kind = schema.field(column).type
        fields = [field.name for field in kind] if pa.types.is_struct(kind) else []
        found = {role: first_found(names, fields) for role, names in NESTED[self.kind].items()}
        needed = NEEDED[self.kind]
        if self.kind == "spectrum" and not found["noise"]:
            needed += ("ivar",)
        if self.ivar and self.kind == "image":
            needed += ("ivar",)
        missing = [role for role in needed if not found[role]]
        if missing:
            raise FileError(path, f"column {column!r} has no field {missing[0]!r} (found {', '.join(fields) or kind}).")
        skip = ("ivar", "mask") if self.kind == "image" and not self.ivar else ("noise",) if found.get("ivar") else ()
        return {role: f"{column}.{field}" for role, field in found.items() if field and role not in skip}

    def _block(
        self,
        path: Path,
        rows: pa.RecordBatch,
        own: Mapping[str, str],
        nested: Mapping[str, str],
        labels: Sequence[str],
        problem: str,
        unit: str,
    ) -> Rows:
        def take(name: str) -> npt.NDArray[Any]:
            return plain(path, name, column_of(rows, name))

        ids = clean_text(texts(rows.column(own["object_id"])))
        ra, dec = (
            take(own[axis]).astype(np.float64) if axis in own else np.full(len(ids), np.nan) for axis in ("ra", "dec")
        )
        names = column_names(rows.schema)
        block = Rows(ids, ra, dec, {}, scalars(path, labels, names, take), unit=unit, problem=problem)
        block.groups = clean_text(texts(rows.column(own[GROUP]))) if GROUP in own else ()
        if problem or not ids:
            return block
        lists = {role: column_of(rows, name) for role, name in nested.items()}
        if self.kind == "image":
            block.fields = image_fields(path, lists, self.bands)
        elif self.kind == "spectrum":
            fills = {"lambda": np.nan, "mask": True}
            block.fields = {role: padded(column, fills.get(role, 0.0)) for role, column in lists.items()}
        elif self.kind == "lightcurve":
            block.fields = lightcurve_fields(lists, self.bands)
            block.unit = "mag" if nested["flux"].endswith(".mag") else unit
            block.days = "mjd" if "band" in lists else ""
        else:
            columns = scalars(path, self.columns, names, take)
            block.fields = {"channels": list(columns), "values": numeric(path, columns)}
        return block
