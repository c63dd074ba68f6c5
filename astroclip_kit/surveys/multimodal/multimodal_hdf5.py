"""The datasets of one HDF5 file of the Multimodal Universe, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import FileError
from .multimodal_columns import FIXED_BANDS, HDF5, SINGLE, clean_text, first_found
from .multimodal_rows import BLOCK_BYTES

__all__ = ["Columns", "columns_of", "image_fields", "lightcurve_fields", "spectrum_fields"]

PLASTICC = ("u", "g", "r", "i", "z", "Y")  # its files give their six bands no names


@dataclass(frozen=True)
class Columns:
    """The datasets of a file, or of a group of it, whose first axis is the object.

    Args:
        path: The file.
        datasets: Name to open h5py dataset.
        count: Number of objects.
        single: Whether it holds one object, without that axis.
    """

    path: Path
    datasets: Mapping[str, Any]
    count: int
    single: bool

    @property
    def names(self) -> list[str]:
        """Names of the datasets."""
        return list(self.datasets)

    def single_valued(self) -> list[str]:
        """Names of the datasets with one number or text per object."""
        import h5py

        shape = () if self.single else (self.count,)
        return [
            name
            for name, data in self.datasets.items()
            if data.shape == shape and (data.dtype.kind in "biuf" or h5py.check_string_dtype(data.dtype))
        ]

    def take(self, name: str, rows: slice) -> npt.NDArray[Any]:
        """Values [n, ...] of some rows, in native byte order.

        Raises:
            FileError: If the column has another number of rows than there are ids.
        """
        dataset = self.datasets[name]
        if self.single:
            return _native(np.asarray(dataset[()]))[None]
        if dataset.shape[:1] != (self.count,):
            raise FileError(self.path, f"{name!r} has shape {dataset.shape}, expected {self.count} rows as object_id.")
        return _native(dataset[rows])

    def numbers(self, name: str, rows: slice) -> npt.NDArray[Any]:
        """Values [n, ...] of a column of numbers.

        Raises:
            FileError: If it holds text, or has another number of rows than there are ids.
        """
        values = self.take(name, rows)
        if values.dtype.kind not in "biuf":
            raise FileError(self.path, f"{name!r} holds {values.dtype}, expected numbers.")
        return values

    def find(self, kind: str, role: str) -> str:
        """Name of the column that has a role; "" if there is none."""
        return first_found(HDF5[kind][role], self.names)

    def need(self, kind: str, role: str) -> str:
        """Name of the column that has a role.

        Raises:
            FileError: If there is none.
        """
        name = self.find(kind, role)
        if not name:
            found = ", ".join(self.names[:20])
            raise FileError(self.path, f"no dataset {HDF5[kind][role][0]!r} (found {found}). Is it no {kind} set?")
        return name

    def unit(self, name: str) -> str:
        """The unit that a column states; "" if it states none."""
        stated = self.datasets[name].attrs.get("unit", "")
        return stated.decode() if isinstance(stated, bytes) else str(stated)

    def blocks(self, kind: str) -> Iterator[slice]:
        """Rows that together take about `BLOCK_BYTES` in memory."""
        names = [self.find(kind, role) for role in HDF5.get(kind, {})]
        datasets = [self.datasets[name] for name in names if name]
        sizes = [dataset.dtype.itemsize * int(np.prod(dataset.shape[1:])) for dataset in datasets]
        step = self.count if self.single else max(1, BLOCK_BYTES // max(1, sum(sizes) + 100))
        for start in range(0, self.count, step):
            yield slice(start, min(start + step, self.count))


def _native(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


@contextmanager
def columns_of(path: Path) -> Iterator[Iterator[Columns]]:
    """Opens a file; gives its columns, or those of each of its groups (MaNGA has one per object).

    Raises:
        FileError: If the file is missing, no HDF5 file, damaged, or has no ids.
    """
    import h5py

    if not path.is_file():
        raise FileError(path, "no such file.")
    try:
        with h5py.File(path) as file:
            yield _columns(path, file)
    except FileError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        problem = str(error).splitlines()[0][:150]
        raise FileError(path, f"cannot be read as HDF5 ({problem}). If it is damaged, download it again.") from error


def _columns(path: Path, file: Any) -> Iterator[Columns]:
    import h5py

    groups = [item for item in file.values() if isinstance(item, h5py.Group)] if "object_id" not in file else [file]
    groups = [group for group in groups if isinstance(group.get("object_id"), h5py.Dataset)]
    if not groups:
        raise FileError(path, f"no dataset 'object_id' (found {', '.join(list(file)[:20])}).")
    for group in groups:
        datasets = {name: item for name, item in group.items() if isinstance(item, h5py.Dataset)}
        shape = datasets["object_id"].shape
        yield Columns(path, datasets, shape[0] if shape else 1, not shape)


def image_fields(
    table: Columns, rows: slice, bands: Sequence[str], ivar: bool
) -> tuple[dict[str, npt.NDArray[Any]], str]:
    """What images are made of (see `image_views`), and their unit.

    Args:
        table: The columns.
        rows: Which rows.
        bands: Names of the bands where the file gives none.
        ivar: Whether inverse variances and masks are needed.

    Raises:
        FileError: If a column is missing or of a wrong shape, or the bands have no names.
    """
    name = table.need("image", "flux")
    if table.datasets[name].dtype.names:
        return _compound_image(table, name), ""
    roles = ("flux", "band", "scale", *(("ivar", "mask") if ivar else ()))
    found = {role: table.find("image", role) for role in roles}
    fields = {role: table.numbers(column, rows) for role, column in found.items() if column and role != "band"}
    fields |= {"band": table.take(found["band"], rows)} if found["band"] else {}
    flux = fields["flux"]
    if flux.ndim != 4:
        raise FileError(table.path, f"{name!r} has {flux.ndim - 1} axes per object, expected bands, rows and columns.")
    if name in FIXED_BANDS:
        fields["flux"] = flux = np.moveaxis(flux, -1, 1)
    named = fields["band"] if "band" in fields and name not in FIXED_BANDS else FIXED_BANDS.get(name, bands)
    fields["band"] = _texts(named, flux)
    if fields["band"].shape != flux.shape[:2]:
        raise FileError(table.path, f"{flux.shape[1]} bands, named {fields['band'].shape[1:]}. Give their `bands`.")
    if ivar and "ivar" not in fields:
        raise FileError(table.path, "no dataset 'image_ivar'. Read it with ivar=False.")
    for role in {"ivar", "mask"} & set(fields):
        values = fields[role][:, None] if fields[role].ndim == 3 else fields[role]
        fields[role] = _broadcast(table.path, found[role], values, flux.shape)
    return fields, table.unit(name)


def _compound_image(table: Columns, name: str) -> dict[str, npt.NDArray[Any]]:
    """MaNGA: an array of structures, one per band."""
    values = table.datasets[name][()]
    names = {role: first_found(HDF5["image"][role], values.dtype.names) for role in ("flux", "band", "scale")}
    missing = [role for role, column in names.items() if not column]
    if missing:
        raise FileError(table.path, f"{name!r} has no field for {missing[0]} (found {', '.join(values.dtype.names)}).")
    fields = {role: _native(values[column])[None] for role, column in names.items()}
    return {**fields, "band": _texts(fields["band"], fields["flux"])}


def _texts(named: Any, flux: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """Band names as text [N, B]."""
    names = np.asarray(named)
    if names.ndim < 2:
        names = np.broadcast_to(names, (len(flux), len(named)))
    return np.array(clean_text(names.ravel()), dtype=object).reshape(names.shape)


def _broadcast(path: Path, name: str, values: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    try:
        return np.broadcast_to(values, shape)
    except ValueError as error:
        raise FileError(path, f"{name!r} has {values.shape[1:]} values per object, expected {shape[1:]}.") from error


def spectrum_fields(table: Columns, rows: slice) -> tuple[dict[str, npt.NDArray[Any]], str]:
    """What spectra are made of (see `spectrum_views`), and their unit.

    Raises:
        FileError: If a column is missing or of another shape than the flux.
    """
    found = {role: table.need("spectrum", role) for role in ("flux", "lambda")}
    noise = table.find("spectrum", "noise") and not table.find("spectrum", "ivar")
    found |= {"noise": table.find("spectrum", "noise")} if noise else {"ivar": table.need("spectrum", "ivar")}
    if table.find("spectrum", "mask"):
        found["mask"] = table.find("spectrum", "mask")
    fields = {role: table.numbers(column, rows) for role, column in found.items()}
    shape = fields["flux"].shape
    wrong = [role for role, values in fields.items() if values.shape != shape or len(shape) != 2]
    if wrong:
        found_shape, name = fields[wrong[0]].shape[1:], found[wrong[0]]
        raise FileError(table.path, f"{name!r} has {found_shape} values per object, the flux {shape[1:]}.")
    return fields, table.unit(found["flux"])


def lightcurve_fields(table: Columns, rows: slice, bands: Sequence[str]) -> tuple[dict[str, Any], str, str]:
    """What light curves are made of (see `lightcurve_views`), their unit, and what their times count.

    Args:
        table: The columns.
        rows: Which rows.
        bands: Names of the bands where the file gives none.

    Raises:
        FileError: If a column is missing or of a wrong shape, or the bands have no names.
    """
    grouped = table.find("lightcurve", "grouped")
    if grouped:
        values = table.numbers(grouped, rows)
        if values.ndim != 4 or values.shape[2] != 3:
            raise FileError(table.path, f"{grouped!r} has shape {values.shape}, expected (objects, bands, 3, times).")
        flux_name, (time, flux, error) = grouped, np.moveaxis(values, 2, 0)
        stated = table.datasets[grouped].attrs.get("bands", "")
    else:
        names = {role: table.need("lightcurve", role) for role in ("time", "flux")}
        flux_name, stated = names["flux"], ""
        time, flux = (table.numbers(name, rows) for name in names.values())
        error = _errors(table, rows, flux)
        if table.find("lightcurve", "bands"):
            stated = table.datasets[table.find("lightcurve", "bands")][()]
    if not time.shape == flux.shape == error.shape or flux.ndim not in (2, 3):
        raise FileError(table.path, f"times {time.shape}, fluxes {flux.shape} and errors {error.shape} differ.")
    one = flux.ndim == 2
    flux = flux[:, None] if one else flux
    six = grouped and flux.shape[1] == len(PLASTICC) and set(bands) <= set(PLASTICC)
    found = _band_names(stated) or (PLASTICC if six else tuple(bands) or (SINGLE,) * one)
    if len(found) != flux.shape[1]:
        raise FileError(table.path, f"{flux.shape[1]} bands, named {found or 'nowhere'}. Give their `bands`.")
    count, width, length = flux.shape
    fields = {"rows": count, "names": list(found), "owner": np.repeat(np.arange(count), width * length)}
    fields["code"] = np.tile(np.repeat(np.arange(width), length), count)
    fields |= {"time": time.ravel(), "flux": flux.ravel(), "flux_err": error.ravel()}
    unit = "mag" if flux_name == "mag" else table.unit(flux_name)
    return fields, unit, "" if one else "mjd"


def _errors(table: Columns, rows: slice, flux: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Errors like the flux; one per object counts for all its points, none at all is NaN."""
    name = table.find("lightcurve", "flux_err")
    error = table.numbers(name, rows) if name else np.array(np.nan)
    if error.ndim == 1:
        error = error.reshape(-1, *[1] * (flux.ndim - 1))
    return _broadcast(table.path, name, error, flux.shape)


def _band_names(stated: Any) -> tuple[str, ...]:
    """From names, or one text that joins them with commas."""
    names = clean_text(np.atleast_1d(np.asarray(stated)))
    return tuple(name.strip() for text in names for name in text.split(",") if name.strip())
