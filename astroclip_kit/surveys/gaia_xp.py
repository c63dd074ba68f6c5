"""Gaia BP/RP ("XP") mean spectra as the archive's tables hold them: coefficients, or samples.

`XP_CONTINUOUS` (De Angeli et al. 2023, A&A 674, A2) gives 55 + 55 coefficients of the basis functions, their errors,
and the upper triangles of their correlations. `XP_SAMPLED` (Montegriffo et al. 2023, A&A 674, A3) gives the
calibrated flux at 336, 338, ... 1020 nm in W / (m2 nm), one source per row, or (the archive's "individual" form) one
sample per row of a file whose name holds the source_id. GaiaXPy's ``convert`` gives a third form, internally
calibrated samples in electrons per second over the pseudo-wavelength, which is no wavelength.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..errors import FileError, UsageError
from ..transforms.resampling import Grid, plain_grid, resample, wavelength_grid
from ..types import Drop, Modality, Sample
from .files.coordinates import angles, lost
from .files.fits_files import find_files
from .files.table_files import column_names, numbers, read_columns, text
from .sdss import SPECTRUM_UNIT

__all__ = ["GaiaXP"]

Floats = npt.NDArray[np.float64]
Kind = Literal["coefficients", "spectrum", "internal"]
XP = ("bp", "rp")
COEFFICIENTS = 55
CORRELATIONS = COEFFICIENTS * (COEFFICIENTS - 1) // 2
SAMPLED = tuple(range(3360, 10201, 20))  # Angstrom
PSEUDO = 481  # samples of GaiaXPy's reference conversion, 0 to 60
TO_SPECTRUM_UNIT = 1e19  # of W / (m2 nm)
QUALITY = ("n_measurements", "n_relevant_bases", "standard_deviation")
G_FLUX_ZERO_POINT = 25.6873668671  # Gaia DR3, Vega: Riello et al. 2021, A&A 649, A3


class GaiaXP:
    """Reads BP/RP spectra of Gaia, one source per row.

    The object's id is the source_id, digit by digit. Labels of the coefficients say how good they are:
    ``bp_n_measurements``, ``bp_n_relevant_bases``, ``bp_standard_deviation``, and the same of RP. A source without
    BP or RP has NaN in those channels.

    Args:
        root: Folder of the files, or one file: CSV (also .gz, and the ECSV of the bulk download), FITS, VOTable.
        pattern: Which files under it.
        kind: "coefficients", a table bp_0 .. bp_54, rp_0 .. rp_54; "spectrum", the calibrated samples with inverse
            variances (their correlations are not followed); "internal", a table of GaiaXPy's 481 + 481 samples.
        errors: Whether the errors are further channels of a table, ``bp_error_0`` and so on.
        correlations: Whether the correlations of the coefficients are, ``bp_correlation_0`` .. 1484 and so on.
        normalise: What a table's values and errors are divided by: "g" is the flux in G (electrons per second), for
            which the file needs phot_g_mean_flux or phot_g_mean_mag of gaia_source; "norm" the length of the vector
            of the source's values; "" nothing.
        grid: Wavelengths of the spectrum: see `wavelength_grid`. None: the archive's.
        name: Name of the modality.

    Raises:
        UsageError: If `kind` or `normalise` is unknown, or the grid cannot be read.

    Example:
        >>> GaiaXP("XP_CONTINUOUS_RAW.csv").modality.shape, GaiaXP("sampled", kind="spectrum").modality.shape
        ((110,), (2, 343))
    """

    def __init__(
        self,
        root: str | Path,
        pattern: str = "**/*.csv*",
        kind: Kind = "coefficients",
        errors: bool = False,
        correlations: bool = False,
        normalise: Literal["", "g", "norm"] = "",
        grid: Grid | None = None,
        name: str = "xp",
    ) -> None:
        if kind not in ("coefficients", "spectrum", "internal") or normalise not in ("", "g", "norm"):
            raise UsageError(
                f"kind {kind!r} with normalise {normalise!r}: expected a kind of coefficients, spectrum or internal, "
                "and '', 'g' or 'norm'."
            )
        self.root, self.pattern = str(root), pattern
        self.kind: Kind = kind
        self.errors, self.correlations = errors, correlations
        self.normalise: Literal["", "g", "norm"] = normalise
        self.grid = None if grid is None else plain_grid(grid)
        self.name = name
        self._wavelength = wavelength_grid(SAMPLED if grid is None else grid)

    def __repr__(self) -> str:
        return f"GaiaXP({self.root!r}, {self.pattern!r}, kind={self.kind!r})"

    @cached_property
    def modality(self) -> Modality:
        """A table, or a spectrum of flux and inverse variance."""
        if self.kind == "spectrum":
            return Modality.spectrum(self.name, self._wavelength, SPECTRUM_UNIT)
        values = [COEFFICIENTS if self.kind == "coefficients" else PSEUDO] * 2
        parts = [("", values), ("error_", values if self.errors else [0, 0])]
        parts.append(("correlation_", [CORRELATIONS] * 2 if self._correlated else [0, 0]))
        channels = tuple(
            f"{xp}_{part}{number}"
            for part, counts in parts
            for xp, count in zip(XP, counts, strict=True)
            for number in range(count)
        )
        return Modality(self.name, "table", channels, (len(channels),))

    @property
    def _correlated(self) -> bool:
        return self.correlations and self.kind == "coefficients"

    def files(self) -> Sequence[Path]:
        """The files that match, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        return find_files(self.root, self.pattern)

    def read(self, path: Path) -> Iterator[Sample | Drop]:
        """One sample per source; a row that cannot be used is a drop.

        Raises:
            FileError: If the file cannot be read, is of another kind, or none of its rows can be used.
        """
        views, frame = {"coefficients": self._coefficients, "spectrum": self._spectra, "internal": self._internal}[
            self.kind
        ](path)
        ids = text(frame["source_id"])
        ra, dec = (angles(path, frame, role if role in frame else "", role == "ra") for role in ("ra", "dec"))
        empty = ~(views[:, 1] > 0).any(axis=1) if self.kind == "spectrum" else np.isnan(views).all(axis=1)
        cases = {
            "no id": ids == "",
            "duplicated id": pd.Series(ids).duplicated().to_numpy(),
            "coordinates out of range": lost(frame[[role for role in ("ra", "dec") if role in frame]], ra, dec),
            "no value": empty,
        }
        reasons = np.select(list(cases.values()), list(cases), "")
        if all(reasons):
            raise FileError(path, f"none of its {len(frame)} rows can be used; the first: {reasons[0]}.")
        labels = frame[[f"{xp}_{name}" for xp in XP for name in QUALITY if f"{xp}_{name}" in frame]]
        given = [{str(key): float(value) for key, value in row.items()} for row in labels.to_dict("records")]
        for row, reason in enumerate(reasons):
            if reason:
                yield Drop(f"{path}: row {row + 1} {ids[row]}".rstrip(), str(reason))
                continue
            known = {key: value for key, value in given[row].items() if value == value} if given else {}
            yield Sample(ids[row], {self.name: views[row].copy()}, float(ra[row]), float(dec[row]), dict(known))

    def _coefficients(self, path: Path) -> tuple[npt.NDArray[np.float32], pd.DataFrame]:
        sizes = {f"{xp}_coefficients": COEFFICIENTS for xp in XP}
        sizes |= {f"{xp}_coefficient_errors": COEFFICIENTS for xp in XP if self.errors}
        sizes |= {f"{xp}_coefficient_correlations": CORRELATIONS for xp in XP if self._correlated}
        frame = _read(path, sizes, [f"{xp}_{name}" for xp in XP for name in QUALITY])
        blocks = [_block(frame, column, size) for column, size in sizes.items()]
        return self._table(path, frame, blocks), frame

    def _internal(self, path: Path) -> tuple[npt.NDArray[np.float32], pd.DataFrame]:
        names = column_names(path)
        error = "flux_error" if "flux_error" in names else "error"
        sizes = {"flux": PSEUDO} | ({error: PSEUDO} if self.errors else {})
        frame = _read(path, sizes, [], needed=["xp"])
        ids, bands = frame["source_id"], frame["xp"].astype("string").str.lower()
        sources = frame.drop_duplicates("source_id").reset_index(drop=True)
        blocks = []
        for column, size in sizes.items():
            values = pd.DataFrame(_block(frame, column, size))
            for xp in XP:
                one = values[(bands == xp).to_numpy()].set_axis(ids[bands == xp], axis=0)
                blocks.append(one[~one.index.duplicated()].reindex(sources["source_id"]).to_numpy())
        return self._table(path, sources, blocks), sources

    def _table(self, path: Path, frame: pd.DataFrame, blocks: list[Floats]) -> npt.NDArray[np.float32]:
        """Values and errors divided by what `normalise` says, and the correlations as they are [N, C]."""
        scale = np.ones(len(frame))
        if self.normalise == "norm":
            scale = np.sqrt(np.nansum(np.concatenate(blocks[:2], axis=1) ** 2, axis=1))
        elif self.normalise == "g":
            scale = _g_flux(path, frame)
        scaled = 4 if self.errors else 2
        divided = [block / np.where(scale > 0, scale, np.nan)[:, None] for block in blocks[:scaled]]
        return np.concatenate([*divided, *blocks[scaled:]], axis=1).astype(np.float32)

    def _spectra(self, path: Path) -> tuple[npt.NDArray[np.float32], pd.DataFrame]:
        if "xp" in column_names(path):
            raise FileError(
                path, "holds samples in pseudo-wavelength (GaiaXPy's convert), not in nm. Read it with kind='internal'."
            )
        if "wavelength" in column_names(path):
            frame, flux, error, wavelength = _one_source(path)
        else:
            frame = _read(path, {"flux": len(SAMPLED), "flux_error": len(SAMPLED)}, [])
            flux, error = (_block(frame, name, len(SAMPLED)) for name in ("flux", "flux_error"))
            wavelength = np.array(SAMPLED, dtype=np.float64)
        flux, error = flux * TO_SPECTRUM_UNIT, error * TO_SPECTRUM_UNIT
        with np.errstate(divide="ignore", invalid="ignore"):
            ivar = np.where((error > 0) & np.isfinite(flux), error**-2.0, 0)
        views = resample(flux, ivar, wavelength, self._wavelength)
        return np.stack(views, axis=1).astype(np.float32), frame


def _one_source(path: Path) -> tuple[pd.DataFrame, Floats, Floats, Floats]:
    """The source_id, flux [1, L], its error, and the wavelengths in Angstrom of a file that holds one source."""
    name = re.search(r"\d{6,}", path.name)
    if name is None:
        raise FileError(path, "its name holds no source_id, which a file of one source needs.")
    table = read_columns(path, ["wavelength", "flux", "flux_error"])
    nm, flux, error = (numbers(table[column]) for column in ("wavelength", "flux", "flux_error"))
    if not (np.diff(nm) > 0).all():
        raise FileError(path, "its wavelengths do not ascend, expected nm from 336 to 1020.")
    return pd.DataFrame({"source_id": [name[0]]}), flux[None], error[None], nm * 10


def _read(path: Path, sizes: dict[str, int], optional: Sequence[str], needed: Sequence[str] = ()) -> pd.DataFrame:
    extra = {*optional, "ra", "dec", "phot_g_mean_flux", "phot_g_mean_mag"}
    there = [name for name in column_names(path) if name in extra]
    return read_columns(path, ["source_id", *needed, *sizes, *there], ["source_id"], sizes)


def _block(frame: pd.DataFrame, column: str, size: int) -> Floats:
    values = frame[[f"{column}_{number}" for number in range(size)]].to_numpy(dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _g_flux(path: Path, frame: pd.DataFrame) -> Floats:
    """Flux in G in electrons per second."""
    if "phot_g_mean_flux" in frame:
        return numbers(frame["phot_g_mean_flux"])
    if "phot_g_mean_mag" in frame:
        return np.asarray(10 ** (0.4 * (G_FLUX_ZERO_POINT - numbers(frame["phot_g_mean_mag"]))), dtype=np.float64)
    raise FileError(path, "no column 'phot_g_mean_flux' or 'phot_g_mean_mag': join gaia_source, or normalise='norm'.")
