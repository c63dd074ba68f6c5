"""Spectra of different lengths in one HDF5 file, with an index table that says where each one lies."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import FileError, UsageError
from ..transforms.resampling import Grid, plain_grid, resample, wavelength_grid
from ..types import Drop, Modality, Sample
from .files.coordinates import angles, lost
from .files.table_files import check_mapping, kept, modified_julian_date, numbers, read_columns, text

__all__ = ["RaggedSpectra"]

IN_INDEX = ("id", "offset", "n_pix")
IN_FILE = ("wavelength", "flux")
OPTIONAL = ("error", "scale", "unit", "ra", "dec")
PHASE = {"time", "table", "id", "reference"}
NOISE_FLOOR = 1e-3  # of the median absolute flux: what claims to be more precise is no error
REPEATS = 1e-3  # relative: an error this close to the flux is a copy of it
OUT_OF_RANGE = "coordinates out of range"
LARGEST = float(np.finfo(np.float32).max)


class RaggedSpectra:
    """Reads spectra of different lengths and puts them on one wavelength grid.

    Spectrum i lies at ``[offset[i] : offset[i] + n_pix[i]]`` of the file's arrays. An object with several spectra
    gives one sample per spectrum, "ID#0", "ID#1", ..., numbered in the index's order and of the group "ID".
    Where more than half of the errors are missing (NaN, not above 0.001 of the median flux, or a copy of the flux,
    as in much of the Open Supernova Catalog) the inverse variance comes from the spectrum's own pixel-to-pixel
    noise (DER_SNR: Stoehr et al. 2008, ASP Conf. 394, 505).

    Args:
        path: HDF5 file.
        index: Table with a row per spectrum, of any format that `TableReader` reads.
        columns: What is where: id, offset and n_pix in the index, wavelength (Angstrom) and flux in the HDF5 file;
            and where they exist error and scale in the HDF5 file (scale: one factor per row of the index, for flux
            and error; without it flux stays relative), unit, ra and dec in the index.
        grid: Wavelengths of the samples: see `wavelength_grid`.
        where: Index column to the value, or values, of the rows to keep.
        labels: Index columns that become labels of the row.
        covariates: Further constant channels, NaN where unknown: channel name to an index column, or to
            ``{"time": index column, "table": file, "id": its id column, "reference": its date column}``: days from
            the object's reference date in another table, such as its maximum light.
        name: Name of the modality.

    Raises:
        UsageError: If a column or a covariate is not described as above, or the grid cannot be read.

    Example:
        >>> columns = {"id": "name", "offset": "offset", "n_pix": "n_pix", "wavelength": "wave", "flux": "flux"}
        >>> RaggedSpectra("spectra.h5", "spectra.csv", columns, grid=(3800, 8000, 10)).modality.shape
        (2, 421)
    """

    def __init__(
        self,
        path: str | Path,
        index: str | Path,
        columns: Mapping[str, str],
        grid: Grid,
        where: Mapping[str, object] | None = None,
        labels: Sequence[str] = (),
        covariates: Mapping[str, str | Mapping[str, str]] | None = None,
        name: str = "spectrum",
    ) -> None:
        self.path = str(path)
        self.index = str(index)
        self.columns = check_mapping(columns, (*IN_INDEX, *IN_FILE), OPTIONAL)
        self.grid = plain_grid(grid)
        self.where = dict(where or {})
        self.labels = tuple(labels)
        self.covariates = dict(covariates or {})
        self.name = name
        self._wavelength = wavelength_grid(grid)
        for channel, spec in self.covariates.items():
            if not isinstance(spec, str) and set(spec) != PHASE:
                raise UsageError(f"covariate {channel!r}: expected a column or {sorted(PHASE)}, found {spec!r}.")

    def __repr__(self) -> str:
        return f"RaggedSpectra({self.path!r}, {self.index!r}, {len(self._wavelength)} pixels)"

    @cached_property
    def modality(self) -> Modality:
        """A spectrum of flux, inverse variance and the covariates.

        Raises:
            FileError: If the index is needed for the unit and cannot be read.
        """
        return Modality.spectrum(self.name, self._wavelength, self._unit(), tuple(self.covariates))

    def files(self) -> list[Path]:
        """The one HDF5 file."""
        return [Path(self.path)]

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per row of the index; rows that cannot be used are drops.

        Raises:
            FileError: If the file or the index cannot be read, lacks a column, or `where` keeps no row.
        """
        import h5py

        rows = self._rows()
        try:
            with h5py.File(path) as file:
                roles = [role for role in (*IN_FILE, "error", "scale") if role in self.columns]
                missing = [
                    name for name in map(self.columns.get, roles) if not isinstance(file.get(name), h5py.Dataset)
                ]
                if missing:
                    raise FileError(path, f"no array {missing[0]!r} (found {', '.join(file)}).")
                arrays = {role: file[self.columns[role]] for role in roles}
                for row in rows.itertuples():
                    yield self._sample(path, arrays, row)
        except OSError as error:
            raise FileError(path, f"cannot be read as HDF5 ({error}). Download it again.") from error

    def _sample(self, path: Path, arrays: Mapping[str, Any], row: Any) -> Sample | Drop:
        problem = row.problem
        pixels = [array for role, array in arrays.items() if role != "scale"]
        if not problem and not 0 <= row.offset <= row.offset + row.n_pix <= min(map(len, pixels)):
            problem = "lies beyond the end of the file's arrays"
        view = None if problem else self._spectrum(arrays, row)
        if view is None or isinstance(view, str):
            return Drop(f"{path}: {row.object_id}", problem or str(view))
        return Sample(row.object_id, {self.name: view}, row.ra, row.dec, row.labels, row.group)

    def _spectrum(self, arrays: Mapping[str, Any], row: Any) -> npt.NDArray[np.float32] | str:
        """The view of a row, or why there is none."""
        here = slice(row.offset, row.offset + row.n_pix)
        wavelength, first = np.unique(np.asarray(arrays["wavelength"][here], dtype=np.float64), return_index=True)
        flux = np.asarray(arrays["flux"][here], dtype=np.float64)[first]
        if len(wavelength) < 2 or not np.isfinite(wavelength).all():
            return "wavelengths are missing"
        error = np.asarray(arrays["error"][here], dtype=np.float64)[first] if "error" in arrays else flux * np.nan
        factor = float(arrays["scale"][row.Index]) if "scale" in arrays else 1.0
        ivar = _inverse_variance(flux, error) / factor**2
        if not (ivar > 0).any():
            return "no good pixel: flux is NaN or 0, or the inverse variance 0 everywhere"
        if ivar.max() > LARGEST:
            return "flux is too small for float32: leave out `scale`"
        flux, ivar = resample(flux * factor, ivar, wavelength, self._wavelength)
        if not ivar.any():
            return "covers none of the grid"
        constant = [np.full(len(flux), value) for value in row.covariates]
        return np.stack([flux, ivar, *constant]).astype(np.float32)

    def _rows(self) -> pd.DataFrame:
        """The index: id, group, place, labels and covariates of each spectrum, and its problem ("" if it has none)."""
        frame = self._frame()
        keep = kept(frame, self.where)
        if not keep.any():
            raise FileError(self.index, f"no row has {self.where}.")
        group = text(frame[self.columns["id"]])
        number = pd.Series(group).groupby(group, sort=False).cumcount().astype(str).to_numpy()
        repeated = len(set(group)) < len(group)
        covariates = [self._covariate(frame, spec) for spec in self.covariates.values()]
        rows = pd.DataFrame({"group": group, "object_id": group + "#" + number if repeated else group})
        for role in ("offset", "n_pix"):
            rows[role] = np.nan_to_num(numbers(frame[self.columns[role]]), nan=-1).astype(np.int64)
        for role in ("ra", "dec"):
            rows[role] = angles(self.index, frame, self.columns.get(role, ""), hours=role == "ra")
        rows["covariates"] = list(np.stack(covariates, axis=1)) if covariates else [()] * len(rows)
        rows["labels"] = _labels(frame, self.labels)
        asked = [self.columns[role] for role in ("ra", "dec") if role in self.columns]
        wrong = lost(frame[asked], rows["ra"], rows["dec"])
        cases = {"no id": group == "", f"left out by where: {', '.join(self.where)}": ~keep}
        rows["problem"] = np.select([*cases.values(), wrong], [*cases, OUT_OF_RANGE], "")
        return rows

    def _frame(self) -> pd.DataFrame:
        roles = (self.columns[role] for role in (*IN_INDEX, "unit", "ra", "dec") if role in self.columns)
        covariates = (spec if isinstance(spec, str) else spec["time"] for spec in self.covariates.values())
        return read_columns(self.index, [*roles, *self.where, *self.labels, *covariates], texts=[self.columns["id"]])

    def _covariate(self, frame: pd.DataFrame, spec: str | Mapping[str, str]) -> npt.NDArray[np.float64]:
        if isinstance(spec, str):
            return numbers(frame[spec])
        table = read_columns(spec["table"], [spec["id"], spec["reference"]], texts=[spec["id"]])
        reference = dict(zip(text(table[spec["id"]]), modified_julian_date(table[spec["reference"]]), strict=True))
        days = [reference.get(object_id, np.nan) for object_id in text(frame[self.columns["id"]])]
        return np.asarray(modified_julian_date(frame[spec["time"]]) - np.array(days), dtype=np.float64)

    def _unit(self) -> str:
        """The one unit of all rows; "" for relative flux and for several units."""
        if "unit" not in self.columns or "scale" not in self.columns:
            return ""
        from astropy.units import Unit

        frame = self._frame()
        units = set(text(frame.loc[kept(frame, self.where), self.columns["unit"]]))
        unit = units.pop() if len(units) == 1 else ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "erg/s/cm^2/Angstrom" is understood, but discouraged
            return str(Unit(unit, parse_strict="silent").to_string())


def _labels(frame: pd.DataFrame, names: Sequence[str]) -> list[dict[str, float | str]]:
    columns = [
        numbers(frame[name]).tolist() if pd.api.types.is_numeric_dtype(frame[name]) else text(frame[name]).tolist()
        for name in names
    ]
    rows = zip(*columns, strict=True) if columns else [()] * len(frame)
    return [
        {name: value for name, value in zip(names, row, strict=True) if value != "" and value == value} for row in rows
    ]


def _inverse_variance(flux: npt.NDArray[np.float64], error: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From the published errors, or from the noise of the flux where half of them are missing; 0 for bad pixels."""
    known = np.isfinite(flux)
    floor = NOISE_FLOOR * float(np.median(np.abs(flux[known]))) if known.any() else 0.0
    given = error > floor
    if (given & ~np.isclose(error, flux, rtol=REPEATS, atol=0)).mean() < 0.5:
        given, error = known, np.full(len(flux), max(_noise(flux[known]), floor))
    return np.divide(1.0, error**2, out=np.zeros(len(flux)), where=given & known & (error > 0))


def _noise(flux: npt.NDArray[np.float64]) -> float:
    """Standard deviation of a pixel from third-order differences (DER_SNR)."""
    difference = np.abs(2 * flux[2:-2] - flux[:-4] - flux[4:])
    return float(1.482602 / np.sqrt(6) * np.median(difference)) if len(difference) else 0.0
