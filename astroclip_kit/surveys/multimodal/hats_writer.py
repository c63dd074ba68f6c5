"""Objects to a HATS catalogue: Parquet files of sky pixels, as fine as the objects are dense.

The format is that of https://www.ivoa.net/documents/Notes/HATS/; `lsdb.open_catalog` opens what is written here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from ... import storage
from ...errors import UsageError
from ...types import Drop, Modality, Sample
from .multimodal_columns import HEALPIX
from .multimodal_runs import Runs, finish, sort_by_sky

__all__ = ["partitions", "write_hats"]

KIND = "hats"
HIGHEST_ORDER = 10


def write_hats(
    root: str | Path,
    samples: Iterable[Sample | Drop],
    modalities: Mapping[str, Modality],
    *,
    name: str = "",
    labels: Sequence[str] | None = None,
    origin: str = "real",
    partition_rows: int = 100_000,
) -> list[Drop]:
    """Writes objects as a HATS catalogue with one row per object: ``ROOT/collection.properties``, ``ROOT/NAME/``.

    An image, a spectrum or a light curve is a nested column called as its modality, null where an object has none; a
    table is a column per channel, and so are labels. Objects are streamed, sorted by position on disk (which takes as
    much space again while it runs) and written pixel by pixel. The folder appears when it is whole. It has no margin
    catalogue: `lsdb` makes one where a cross-match needs it.

    Args:
        root: The folder; an older one of the same kind is replaced.
        samples: The objects, streamed; drops among them are passed on.
        modalities: Name to what a view is.
        name: Of the catalogue; by default the folder's.
        labels: Labels that become columns, ``label_NAME`` where another column is called NAME; None for all.
        origin: "mock" or "real"; a dataset that is made from the files knows it from there.
        partition_rows: A pixel with more objects is split into four.

    Returns:
        What was left out, also listed in ``skipped.csv``: objects without coordinates or without any modality,
        and the drops that came in.

    Raises:
        UsageError: If `partition_rows` is not positive or the name is no folder name.
        InputError: If nothing can be written, a view does not fit its modality, a label is text in some objects and
            a number in others, or two columns would have the same name.
        FolderError: If something else lies at `root`.
        OutputError: If the disk is full.
    """
    name = name or Path(root).name
    if partition_rows < 1 or not name or "/" in name:
        raise UsageError(f"a HATS catalogue {name!r} with {partition_rows} rows per pixel: give a name and a number.")
    with storage.new_folder(root, KIND) as folder:
        (folder / "runs").mkdir()
        runs, drops = sort_by_sky(samples, modalities, labels, folder / "runs")
        sky = runs.sky()
        found = partitions(sky, partition_rows)
        _write_dataset(folder / name, runs, found, modalities)
        counts = [int(np.diff(np.searchsorted(sky, _limits(*one)))[0]) for one in found]
        _write_properties(folder, name, found, counts)
        shutil.rmtree(folder / "runs")
        finish(folder, KIND, runs, modalities, drops, origin)
    return drops


def partitions(sky: npt.NDArray[np.int64], rows: int) -> list[tuple[int, int]]:
    """Order and number of the largest pixels that hold no more than some rows each, in the order of the sky.

    Args:
        sky: Pixels of order 29, ascending [N].
        rows: The most that a pixel may hold; one of order 10 may hold more.
    """
    todo = [(0, pixel) for pixel in reversed(range(12))]
    found = []
    while todo:
        order, pixel = todo.pop()
        count = int(np.diff(np.searchsorted(sky, _limits(order, pixel)))[0])
        if count > rows and order < HIGHEST_ORDER:
            todo += [(order + 1, 4 * pixel + child) for child in (3, 2, 1, 0)]
        elif count:
            found.append((order, pixel))
    return found


def _limits(order: int, pixel: int) -> tuple[int, int]:
    """First pixel of order 29 in a pixel, and the first behind it."""
    shift = 2 * (29 - order)
    return pixel << shift, (pixel + 1) << shift


def _write_dataset(
    folder: Path, runs: Runs, found: Sequence[tuple[int, int]], modalities: Mapping[str, Modality]
) -> None:
    """A Parquet file per pixel, and the footers of all of them together."""
    schema = _with_units(runs.schema(), modalities)
    texts = [_leaf(field) for field in schema if pa.types.is_string(field.type) or "band" in _fields(field)]
    footers: list[Any] = []
    for order, pixel in found:
        path = Path(f"Norder={order}", f"Dir={pixel // 10_000 * 10_000}", f"Npix={pixel}.parquet")
        (folder / "dataset" / path).parent.mkdir(parents=True, exist_ok=True)
        options = {"compression": "zstd", "use_dictionary": texts}
        with parquet.ParquetWriter(folder / "dataset" / path, schema, metadata_collector=footers, **options) as writer:
            for block in runs.blocks(*_limits(order, pixel)):
                writer.write_table(block.cast(schema))
        footers[-1].set_file_path(str(path))
    parquet.write_metadata(schema, folder / "dataset" / "_metadata", metadata_collector=footers)
    parquet.write_metadata(schema, folder / "dataset" / "_common_metadata")


def _with_units(schema: pa.Schema, modalities: Mapping[str, Modality]) -> pa.Schema:
    fields = [
        field.with_metadata({"unit": modalities[field.name].unit})
        if field.name in modalities and modalities[field.name].unit
        else field
        for field in schema
    ]
    return pa.schema(fields)


def _fields(field: pa.Field) -> list[str]:
    return [child.name for child in field.type] if pa.types.is_struct(field.type) else []


def _leaf(field: pa.Field) -> str:
    """The path of a column of text inside a Parquet file."""
    return field.name if pa.types.is_string(field.type) else f"{field.name}.band.list.element"


def _write_properties(folder: Path, name: str, found: Sequence[tuple[int, int]], counts: Sequence[int]) -> None:
    from ... import __version__

    lines = ["Norder,Npix", *(f"{order},{pixel}" for order, pixel in found)]
    (folder / name / "partition_info.csv").write_text("\n".join(lines) + "\n")
    size = sum(path.stat().st_size for path in (folder / name).rglob("*") if path.is_file())
    made = {
        "hats_builder": f"astroclip_kit v{__version__}",
        "hats_creation_date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MUTC"),
        "hats_estsize": str(size // 1024),
        "hats_version": "v1.0",
    }
    catalogue = {
        "obs_collection": name,
        "dataproduct_type": "object",
        "hats_nrows": str(sum(counts)),
        "hats_col_ra": "ra",
        "hats_col_dec": "dec",
        "hats_col_healpix": HEALPIX,
        "hats_col_healpix_order": "29",
        "hats_npix_suffix": ".parquet",
        "hats_max_rows": str(max(counts)),
        "hats_order": str(max(order for order, _ in found)),
        "moc_sky_fraction": f"{sum(1 / (12 * 4**order) for order, _ in found):.6g}",
    }
    collection = {"obs_collection": name, "hats_primary_table_url": name}
    for path, head, values in (
        (folder / name / "hats.properties", "#HATS catalog", catalogue),
        (folder / "collection.properties", "#HATS Collection", collection),
    ):
        path.write_text("\n".join([head, *(f"{key}={value}" for key, value in {**values, **made}.items())]) + "\n")
