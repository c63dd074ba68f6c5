"""Objects to the HDF5 layout of the Multimodal Universe: ``ROOT/MODALITY/healpix=NUMBER/001-of-001.hdf5``."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ... import storage
from ...types import Drop, Modality, Sample
from .multimodal_arrow import flat, lengths, stacked
from .multimodal_columns import HEALPIX
from .multimodal_runs import Runs, finish, own_columns, sort_by_sky

__all__ = ["write_multimodal_universe"]

KIND = "multimodal_universe"
ORDER = 4  # nside 16
CHUNK_BYTES = 1_000_000


def write_multimodal_universe(
    root: str | Path,
    samples: Iterable[Sample | Drop],
    modalities: Mapping[str, Modality],
    *,
    labels: Sequence[str] | None = None,
    origin: str = "real",
) -> list[Drop]:
    """Writes objects as sets of the Multimodal Universe, one per modality, in pixels of the sky (NESTED, nside 16).

    Objects are streamed, sorted by position on disk (which takes as much space again while it runs) and written pixel
    by pixel. The folder appears when it is whole. `MultimodalUniverse(root / NAME, kind=...)` reads a set back.

    Args:
        root: The folder; an older one of the same kind is replaced.
        samples: The objects, streamed; drops among them are passed on.
        modalities: Name to what a view is; each becomes a set ``root/NAME`` of the objects that have it.
        labels: Labels that become columns of every set, ``label_NAME`` where another column is called NAME; None for
            all.
        origin: "mock" or "real"; a dataset that is made from the files knows it from there.

    Returns:
        What was left out, also listed in ``skipped.csv``: objects without coordinates or without any modality,
        and the drops that came in.

    Raises:
        InputError: If nothing can be written, a view does not fit its modality, a label is text in some objects and
            a number in others, or two columns would have the same name.
        FolderError: If something else lies at `root`.
        OutputError: If the disk is full.
    """
    with storage.new_folder(root, KIND) as folder:
        (folder / "runs").mkdir()
        runs, drops = sort_by_sky(samples, modalities, labels, folder / "runs")
        shift = 2 * (29 - ORDER)
        for pixel in np.unique(runs.sky() >> shift).tolist():
            _write_pixel(folder, runs, pixel, (pixel << shift, (pixel + 1) << shift), modalities)
        shutil.rmtree(folder / "runs")
        finish(folder, KIND, runs, modalities, drops, origin)
    return drops


def _write_pixel(
    folder: Path, runs: Runs, pixel: int, limits: tuple[int, int], modalities: Mapping[str, Modality]
) -> None:
    import h5py

    own = {column for name, modality in modalities.items() for column in own_columns(name, modality)}
    shared = [name for name in runs.schema().names if name not in own and name != HEALPIX]
    with ExitStack() as stack:
        files: dict[str, Any] = {}
        for block in runs.blocks(*limits):
            for name, modality in modalities.items():
                rows = _present(block, name, modality)
                if not len(rows):
                    continue
                if name not in files:
                    path = folder / name / f"healpix={pixel}" / "001-of-001.hdf5"
                    path.parent.mkdir(parents=True)
                    files[name] = stack.enter_context(h5py.File(path, "w"))
                for column, values in _columns(rows, name, modality, shared, runs.widths):
                    _append(files[name], column, values, _attributes(column, modality))
                _append(files[name], "healpix", np.full(len(rows), pixel), {})


def _present(block: pa.Table, name: str, modality: Modality) -> pa.Table:
    """The objects that have a modality."""
    columns = own_columns(name, modality) if modality.kind == "table" else (name,)
    present = np.any([np.asarray(block.column(column).is_valid()) for column in columns], axis=0)
    return block.filter(pa.array(present)).combine_chunks()


def _columns(
    rows: pa.Table, name: str, modality: Modality, shared: Sequence[str], widths: Mapping[str, int]
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for column in (*shared, *(one for one in own_columns(name, modality) if one != name)):
        values = flat(_chunk(rows, column))
        width = f"S{widths[column]}" if column in widths else ""
        yield column, np.array([text.encode() for text in values], dtype=width) if width else values
    if modality.kind == "lightcurve":
        yield "lightcurve", _grouped(_chunk(rows, name), modality.bands)
    elif modality.kind != "table":
        nested = _chunk(rows, name)
        for field in nested.type:
            array = stacked(nested.field(field.name))
            assert array is not None  # views of one modality have one shape
            column = (
                "image_array" if (modality.kind, field.name) == ("image", "flux") else f"{modality.kind}_{field.name}"
            )
            yield column, np.char.encode(array.astype(str)) if array.dtype == object else array


def _chunk(rows: pa.Table, name: str) -> pa.Array:
    column = rows.column(name)
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _grouped(nested: pa.StructArray, bands: Sequence[str]) -> npt.NDArray[np.float64]:
    """Light curves [N, bands, 3, longest] of time, flux and error; 0 where nothing was measured."""
    names = flat(nested.field("band"))
    code = np.zeros(len(names), dtype=np.int64)
    for number, band in enumerate(bands):
        code[names == band] = number
    group = np.repeat(np.arange(len(nested)), lengths(nested.field("band"))) * len(bands) + code
    first = np.searchsorted(group, np.arange(len(nested) * len(bands)))  # points are sorted by object and band
    place = np.arange(len(group)) - first[group] if len(group) else group
    out = np.zeros((len(nested) * len(bands), 3, int(place.max(initial=0)) + 1))
    for axis, field in enumerate(("time", "flux", "flux_err")):
        out[group, axis, place] = flat(nested.field(field))
    return out.reshape(len(nested), len(bands), *out.shape[1:])


def _attributes(column: str, modality: Modality) -> dict[str, str]:
    """What the layout has no column for."""
    if column == "lightcurve":
        return {"bands": ",".join(modality.bands), "unit": modality.unit}
    return {"unit": modality.unit} if column in ("image_array", "spectrum_flux") else {}


def _append(file: Any, name: str, values: npt.NDArray[Any], attributes: Mapping[str, str]) -> None:
    if name not in file:
        row = max(1, values.dtype.itemsize * int(np.prod(values.shape[1:])))
        chunks = (max(1, min(len(values), CHUNK_BYTES // row)), *values.shape[1:])
        free = (None,) * values.ndim
        dataset = file.create_dataset(name, data=values, chunks=chunks, maxshape=free, compression="lzf")
        dataset.attrs.update({key: text for key, text in attributes.items() if text})
        return
    dataset, start = file[name], len(file[name])
    longest = np.maximum(dataset.shape[1:], values.shape[1:])
    dataset.resize((start + len(values), *longest))
    dataset[(slice(start, None), *map(slice, values.shape[1:]))] = values
