"""Objects as rows of an Arrow table, with nested columns as HATS catalogues have them, and nested columns as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...errors import InputError
from ...types import Modality, Sample
from .multimodal_columns import GROUP, HEALPIX, RESERVED

__all__ = ["arrow_table", "flat", "lengths", "padded", "stacked"]

TIME_ZERO = ("time_zero_mjd", "time_zero")


def arrow_table(
    samples: Sequence[Sample],
    healpix: npt.NDArray[np.int64],
    modalities: Mapping[str, Modality],
    labels: Sequence[str] | None = None,
) -> pa.Table:
    """One row per object.

    An image, a spectrum or a light curve is a structure of lists, null where the object has none; a table is a column
    per channel. Covariates of a spectrum or a light curve (one number per object) are columns of their own. A label
    that is called like one of these columns becomes ``label_NAME``.

    Args:
        samples: N objects.
        healpix: Their pixels of order 29 [N].
        modalities: Name to what a view is.
        labels: Which labels are written; None for all.

    Raises:
        InputError: If a label is text in one object and a number in another, or ``label_NAME`` is taken too.
    """
    columns: dict[str, pa.Array] = {HEALPIX: pa.array(healpix, pa.int64())}
    for name, modality in modalities.items():
        present = np.array([name in sample.views for sample in samples])
        owners = [sample for sample in samples if name in sample.views]
        views = [sample.views[name] for sample in owners]
        if modality.kind == "table":
            values = np.full((len(samples), len(modality.channels)), np.nan, dtype=np.float32)
            values[present] = np.reshape(views, (-1, len(modality.channels)))
            columns |= dict(zip(modality.channels, _numbers(values), strict=True))
            continue
        if modality.kind == "lightcurve":
            fields = _lightcurve(views, modality, present, [_start(sample) for sample in owners])
        else:
            stack = np.reshape(views, (-1, *modality.shape)).astype(np.float32)
            fields = (_image if modality.kind == "image" else _spectrum)(stack, modality, present)
        if modality.covariates:
            covariates = np.full((len(samples), len(modality.covariates)), np.nan, dtype=np.float32)
            first = (0,) if modality.kind == "lightcurve" else (slice(None), 0)
            numbers = [view[first][-len(modality.covariates) :] for view in views]
            covariates[present] = np.reshape(numbers, (-1, len(modality.covariates)))
            columns |= dict(zip(modality.covariates, _numbers(covariates), strict=True))
        columns[name] = pa.StructArray.from_arrays(list(fields.values()), list(fields), mask=pa.array(~present))
    columns |= _renamed(_labels(samples, labels), {*columns, *RESERVED})
    groups = [sample.group if sample.group != sample.object_id else None for sample in samples]
    if any(groups):
        columns[GROUP] = pa.array(groups, pa.string())
    columns |= {axis: pa.array([getattr(sample, axis) for sample in samples], pa.float64()) for axis in ("ra", "dec")}
    return pa.table({**columns, "object_id": pa.array([sample.object_id for sample in samples], pa.string())})


def _renamed(labels: Mapping[str, pa.Array], taken: set[str]) -> dict[str, pa.Array]:
    """Labels under names that no column has.

    Raises:
        InputError: If there is no such name.
    """
    names = {name: f"label_{name}" if name in taken else name for name in labels}
    for name, new in names.items():
        if new in taken or (new != name and new in labels):
            raise InputError(f"label {name!r} is called like a column, and so is {new!r}. Choose `labels` without it.")
    return {names[name]: values for name, values in labels.items()}


def _numbers(values: npt.NDArray[Any]) -> list[pa.Array]:
    return [pa.array(np.ascontiguousarray(column), from_pandas=True) for column in values.T]


def _start(sample: Sample) -> float:
    return next((float(sample.labels[name]) for name in TIME_ZERO if name in sample.labels), 0.0)


def _labels(samples: Sequence[Sample], chosen: Sequence[str] | None) -> dict[str, pa.Array]:
    names = chosen if chosen is not None else dict.fromkeys(name for sample in samples for name in sample.labels)
    columns = {}
    for name in names:
        values = [sample.labels.get(name) for sample in samples]
        texts = {isinstance(value, str) for value in values if value is not None}
        if len(texts) == 2:
            raise InputError(f"label {name!r} is text in some objects and a number in others. Make it one of them.")
        columns[name] = pa.array(values, pa.string() if texts == {True} else pa.float64() if texts else pa.null())
    return columns


def _lists(values: npt.NDArray[Any], present: npt.NDArray[np.bool_]) -> pa.ListArray:
    """Lists of lists, one for each object [N]; empty where the object is not present."""
    array = pa.array(values.ravel())
    for axis in range(values.ndim - 1, 1, -1):
        count = int(np.prod(values.shape[:axis]))
        array = pa.ListArray.from_arrays(np.arange(count + 1, dtype=np.int32) * values.shape[axis], array)
    return pa.ListArray.from_arrays(_offsets(present * values.shape[1]), array)


def _offsets(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def _image(views: npt.NDArray[np.float32], modality: Modality, present: npt.NDArray[np.bool_]) -> dict[str, pa.Array]:
    bands, channels = modality.image_bands, list(modality.channels)
    fields = {"band": np.broadcast_to(np.array(bands, dtype=object), (len(views), len(bands)))}
    fields["flux"] = views[:, [channels.index(band) for band in bands]]
    if all(f"ivar_{band}" in channels for band in bands):
        fields["ivar"] = views[:, [channels.index(f"ivar_{band}") for band in bands]]
        fields["mask"] = fields["ivar"] > 0
    fields["psf_fwhm"] = np.full(fields["band"].shape, np.nan, dtype=np.float32)
    fields["scale"] = np.full(fields["band"].shape, modality.pixel_scale_arcsec, dtype=np.float32)
    return {name: _lists(values, present) for name, values in fields.items()}


def _spectrum(
    views: npt.NDArray[np.float32], modality: Modality, present: npt.NDArray[np.bool_]
) -> dict[str, pa.Array]:
    flux, ivar = views[:, 0], views[:, 1]
    wavelength = np.broadcast_to(modality.wavelength_angstrom.astype(np.float32), flux.shape)
    fields = {"flux": flux, "ivar": ivar, "lsf_sigma": np.full_like(flux, np.nan), "lambda": wavelength}
    return {name: _lists(values, present) for name, values in {**fields, "mask": ivar <= 0}.items()}


def _lightcurve(
    views: Sequence[npt.NDArray[np.float32]],
    modality: Modality,
    present: npt.NDArray[np.bool_],
    starts: Sequence[float],
) -> dict[str, pa.Array]:
    """Sorted by band, then by time."""
    sizes = np.zeros(len(present), dtype=np.int64)
    sizes[present] = [len(view) for view in views]
    offsets, counts = _offsets(sizes), sizes[present]
    points = np.concatenate([*(view[:, :4] for view in views), np.zeros((0, 4))], dtype=np.float64)
    points[:, 0] += np.repeat(np.asarray(starts, dtype=np.float64), counts)
    points = points[np.lexsort((points[:, 0], points[:, 3], np.repeat(np.arange(len(views)), counts)))]
    bands = pa.array(modality.bands, pa.string()).take(pa.array(points[:, 3].astype(np.int64)))
    values = {"band": bands, "time": pa.array(points[:, 0])}
    values |= {name: pa.array(points[:, axis].astype(np.float32)) for name, axis in (("flux", 1), ("flux_err", 2))}
    return {name: pa.ListArray.from_arrays(offsets, one) for name, one in values.items()}


def lengths(column: pa.Array) -> npt.NDArray[np.int64]:
    """Lengths of lists [N]; 0 for a missing one."""
    return np.asarray(column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)


def flat(column: pa.Array) -> npt.NDArray[Any]:
    """The values of a plain column, or of one of lists, one after the other; NaN, False or "" where one is missing."""
    while pa.types.is_nested(column.type):
        column = column.flatten()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count and not pa.types.is_floating(column.type):
        column = column.cast(pa.float64()) if pa.types.is_integer(column.type) else column
        column = column if pa.types.is_floating(column.type) else column.fill_null(_nothing(column.type))
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _nothing(kind: pa.DataType) -> Any:
    return False if pa.types.is_boolean(kind) else b"" if pa.types.is_binary(kind) else ""


def stacked(column: pa.Array) -> npt.NDArray[Any] | None:
    """Lists, or lists of lists, of equal lengths as one array [N, ...]; None where the lengths differ."""
    shape = [len(column)]
    inner = column
    while pa.types.is_nested(inner.type):
        sizes = np.unique(lengths(inner))
        if len(sizes) > 1:
            return None
        shape.append(int(sizes[0]) if len(sizes) else 0)
        inner = inner.flatten()
    return flat(column).reshape(shape)


def padded(column: pa.Array, fill: Any) -> npt.NDArray[Any]:
    """Lists of different lengths as one array [N, longest]."""
    sizes = lengths(column)
    inside = np.arange(sizes.max(initial=0)) < sizes[:, None]
    values = flat(column)
    out = np.full(inside.shape, fill, dtype=values.dtype)
    out[inside] = values
    return out
