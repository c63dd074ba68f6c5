"""SDSS, BOSS and eBOSS spectra: ``spec-PLATE-MJD-FIBER.fits``, lite and full, read and written.

HDU 1 holds the coadded spectrum (flux, loglam, ivar, and_mask, or_mask, wdisp, sky, model), HDU 2 one catalogue
row. Full files go on with one HDU per exposure, which are never read. Flux is in 1e-17 erg/s/cm2/Angstrom,
wavelengths are in vacuum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import FileError, InputError
from ..transforms.resampling import Grid, plain_grid, resample, wavelength_grid
from ..types import Modality, Sample
from .files.coordinates import in_range
from .files.coverage import check_coverage, checked_share
from .files.fits_files import Hdu, find_files, read_hdus
from .files.fits_headers import Card, header_block, padded, table_header, write_blocks
from .files.stated_units import rescaled, unit_factor

__all__ = ["SDSSSpectra", "spectrum_file_name", "write_sdss_spectrum"]

FLUX_UNIT = "1E-17 erg/cm^2/s/Ang"  # as the survey's headers write it
SPECTRUM_UNIT = "1e-17 erg / (Angstrom s cm2)"  # as astropy writes it
COADD = np.dtype(
    [(name, ">f4") for name in ("flux", "loglam", "ivar")]
    + [(name, ">i4") for name in ("and_mask", "or_mask")]
    + [(name, ">f4") for name in ("wdisp", "sky", "model")]
)
SPALL = np.dtype(
    [
        ("SURVEY", "S6"),
        ("PLATE", ">i4"),
        ("MJD", ">i4"),
        ("FIBERID", ">i4"),
        ("PLUG_RA", ">f8"),
        ("PLUG_DEC", ">f8"),
        ("CLASS", "S6"),
        ("SUBCLASS", "S21"),
        ("Z", ">f4"),
        ("Z_ERR", ">f4"),
        ("ZWARNING", ">i4"),
        ("SN_MEDIAN_ALL", ">f4"),
        ("RA", ">f8"),
        ("DEC", ">f8"),
    ]
)
SPZLINE = np.dtype(
    [("PLATE", ">i4"), ("MJD", ">i4"), ("FIBERID", ">i4"), ("LINENAME", "S13"), ("LINEWAVE", ">f8")]
    + [(f"LINE{name}{error}", ">f4") for name in ("Z", "SIGMA", "AREA", "EW", "CONTLEVEL") for error in ("", "_ERR")]
    + [("LINENPIXLEFT", ">i4"), ("LINENPIXRIGHT", ">i4"), ("LINEDOF", ">f4"), ("LINECHI2", ">f4")]
)
LABELS = {"PLATE": "plate", "MJD": "mjd", "FIBERID": "fiber", "Z": "z", "Z_ERR": "z_err", "ZWARNING": "zwarning"}
LABELS |= {"CLASS": "class", "SUBCLASS": "subclass", "SN_MEDIAN_ALL": "sn_median"}
BRIGHT_SKY = 1 << 23


class SDSSSpectra:
    """Reads SDSS, BOSS and eBOSS spectra, one object per file.

    The object's id is "plate-mjd-fiber" without leading zeros. Labels come from HDU 2: plate, mjd, fiber, z, z_err,
    zwarning, class, subclass, sn_median. The spectrum is in 1e-17 erg/s/cm2/Angstrom on one vacuum wavelength grid.

    Args:
        root: Folder of the files, or one file.
        pattern: Which files under it.
        grid: Wavelengths of the samples: see `wavelength_grid`. "boss" keeps BOSS pixels as they are.
        name: Name of the modality.
        mask_bits: Bits of and_mask that make a pixel bad beside a zero inverse variance; by default BRIGHTSKY.
        min_coverage: Share of the grid that a spectrum has to cover, from its first to its last good pixel; 1 leaves
            out those that are short of it.

    Raises:
        UsageError: If the grid cannot be read, or the share is none.

    Example:
        >>> SDSSSpectra("spectra", grid="sdss").modality.shape
        (2, 3921)
    """

    def __init__(
        self,
        root: str | Path,
        pattern: str = "**/spec-*.fits*",
        grid: Grid = "boss",
        name: str = "spectrum",
        mask_bits: int = BRIGHT_SKY,
        min_coverage: float = 0.0,
    ) -> None:
        self.root = str(root)
        self.pattern = pattern
        self.grid = plain_grid(grid)
        self.name = name
        self.mask_bits = mask_bits
        self.min_coverage = checked_share("min_coverage", min_coverage)
        self._wavelength = wavelength_grid(grid)

    def __repr__(self) -> str:
        return f"SDSSSpectra({self.root!r}, {self.pattern!r}, {len(self._wavelength)} pixels)"

    @cached_property
    def modality(self) -> Modality:
        """A spectrum of flux and inverse variance."""
        return Modality.spectrum(self.name, self._wavelength, SPECTRUM_UNIT)

    def files(self) -> Sequence[Path]:
        """The files that match, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        return find_files(self.root, self.pattern)

    def read(self, path: Path) -> list[Sample]:
        """The one sample of a file; only its first three HDUs are read.

        Raises:
            FileError: If the file is no whole SDSS spectrum, is in a unit of another kind, holds no good pixel on the
                grid, covers too little of it, or its coordinates are out of range.
        """
        primary, coadd, catalogue = read_hdus(path, (0, 1, 2))
        labels = _labels(catalogue)
        ra, dec = _position(catalogue)
        factor = unit_factor(path, "flux", str(primary.header.get("BUNIT", "")), SPECTRUM_UNIT)
        view = rescaled(self._spectrum(coadd), self.modality, factor)
        check_coverage(path, view, self._wavelength, self.min_coverage)
        object_id = "-".join(str(int(labels[name])) for name in ("plate", "mjd", "fiber"))
        return [Sample(object_id, {self.name: view}, ra, dec, labels)]

    def _spectrum(self, coadd: Hdu) -> npt.NDArray[np.float32]:
        columns = coadd.columns(("flux", "loglam", "ivar"), optional=("and_mask",))
        bad = columns["and_mask"] & self.mask_bits != 0 if "and_mask" in columns else False
        ivar = np.where(bad, 0, columns["ivar"])
        if not np.any((ivar > 0) & np.isfinite(ivar) & np.isfinite(columns["flux"])):
            raise FileError(coadd.path, "no good pixel: flux is NaN, inverse variance 0 or the mask set everywhere.")
        loglam = columns["loglam"].astype(np.float64)
        if len(loglam) < 2 or not (np.all(np.diff(loglam) > 0) and 0 < loglam[0] < loglam[-1] < 10):
            raise FileError(coadd.path, "loglam of HDU 1 does not ascend or is no log10 of Angstrom. It is damaged.")
        wavelength = 10**loglam
        view = np.stack(resample(columns["flux"], ivar, wavelength, self._wavelength)).astype(np.float32)
        if not view[1].any():
            low, high = wavelength[[0, -1]]
            raise FileError(coadd.path, f"no good pixel on the grid: the file covers {low:.0f}-{high:.0f} Angstrom.")
        return view


def _labels(catalogue: Hdu) -> dict[str, float | str]:
    columns = catalogue.columns(("PLATE", "MJD", "FIBERID"), optional=tuple(LABELS)[3:])
    if any(len(values) == 0 for values in columns.values()):
        raise FileError(catalogue.path, "HDU 2 has no row, expected the catalogue row of the spectrum.")
    values = {LABELS[column]: values[0] for column, values in columns.items()}
    plain = {name: str(value) if isinstance(value, str) else float(value) for name, value in values.items()}
    return {name: value for name, value in plain.items() if value != "" and value == value}


def _position(catalogue: Hdu) -> tuple[float, float]:
    columns = catalogue.columns((), optional=("RA", "DEC", "PLUG_RA", "PLUG_DEC"))
    ra, dec = (columns.get(name, columns.get(f"PLUG_{name}")) for name in ("RA", "DEC"))
    if ra is None or dec is None:
        raise FileError(catalogue.path, "HDU 2 has neither RA and DEC nor PLUG_RA and PLUG_DEC.")
    if not in_range(ra[0], dec[0]):
        raise FileError(catalogue.path, f"coordinates out of range: ra {ra[0]}, dec {dec[0]} degrees.")
    return float(ra[0]), float(dec[0])


def spectrum_file_name(plate: int, mjd: int, fiber: int) -> str:
    """The survey's name for a spectrum: ``spec-0266-51602-0031.fits``."""
    return f"spec-{plate:04d}-{mjd:05d}-{fiber:04d}.fits"


@lru_cache(maxsize=8)
def _coadd_header(n_pix: int) -> bytes:
    return table_header(COADD, n_pix, "COADD")


@lru_cache(maxsize=1)
def _fixed_headers() -> tuple[bytes, bytes]:
    return table_header(SPALL, 1, "SPALL"), table_header(SPZLINE, 0, "SPZLINE")


def _primary_header(row: npt.NDArray[np.void], loglam: npt.NDArray[np.float64]) -> bytes:
    step = float(loglam[-1] - loglam[0]) / (len(loglam) - 1)
    cards: list[Card] = [
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 0, "number of array dimensions"),
        ("EXTEND", True, ""),
        ("PLUG_RA", float(row["PLUG_RA"][0]), "RA of object [deg]"),
        ("PLUG_DEC", float(row["PLUG_DEC"][0]), "dec of object [deg]"),
        ("PLATEID", int(row["PLATE"][0]), "Plate Id"),
        ("MJD", int(row["MJD"][0]), "MJD of observation"),
        ("FIBERID", int(row["FIBERID"][0]), "Fiber number"),
        ("BUNIT", FLUX_UNIT, ""),
        ("VACUUM", True, "Wavelengths are in vacuum"),
    ]
    if np.allclose(np.diff(loglam), step, rtol=0, atol=1e-3 * step):
        cards += [
            ("COEFF0", round(float(loglam[0]), 9), "Central wavelength (log10) of first pixel"),
            ("COEFF1", round(step, 9), "Log10 dispersion per pixel"),
            ("DC-FLAG", 1, "Log-linear flag"),
        ]
    return header_block(cards)


def _catalogue_row(catalogue: Mapping[str, float | str]) -> npt.NDArray[np.void]:
    missing = [name for name in ("plate", "mjd", "fiber", "ra", "dec") if name not in catalogue]
    if missing:
        raise InputError(f"catalogue row of a spectrum: {', '.join(missing)} missing (found {sorted(catalogue)}).")
    row = np.zeros(1, dtype=SPALL)
    row["SURVEY"] = str(catalogue.get("survey", "boss"))
    row["PLATE"], row["MJD"], row["FIBERID"] = (int(catalogue[name]) for name in ("plate", "mjd", "fiber"))
    row["RA"] = row["PLUG_RA"] = catalogue["ra"]
    row["DEC"] = row["PLUG_DEC"] = catalogue["dec"]
    row["CLASS"], row["SUBCLASS"] = str(catalogue.get("class", "")), str(catalogue.get("subclass", ""))
    row["Z"], row["Z_ERR"] = catalogue.get("z", np.nan), catalogue.get("z_err", np.nan)
    row["ZWARNING"], row["SN_MEDIAN_ALL"] = catalogue.get("zwarning", 0), catalogue.get("sn_median", np.nan)
    return row


def write_sdss_spectrum(
    path: str | Path,
    wavelength: npt.ArrayLike,
    flux: npt.ArrayLike,
    ivar: npt.ArrayLike,
    catalogue: Mapping[str, float | str],
    *,
    mask: npt.ArrayLike | None = None,
    model: npt.ArrayLike | None = None,
    sky: npt.ArrayLike | None = None,
) -> None:
    """Writes one lite spectrum with the survey's HDUs and columns; the same input gives the same bytes.

    Args:
        path: The file; `spectrum_file_name` gives the survey's name for it. Replaced if it exists.
        wavelength: Vacuum wavelengths [L] in Angstrom, ascending (stored as log10, float32).
        flux: Flux [L] in 1e-17 erg/s/cm2/Angstrom.
        ivar: Inverse variance [L] of the flux; 0 where there is no measurement.
        catalogue: The row of HDU 2: plate, mjd, fiber, ra, dec (deg) are needed; z, z_err, zwarning, class,
            subclass, sn_median and survey are optional. The names are the labels that the reader gives.
        mask: Bits [L] of and_mask and or_mask; 0 by default.
        model: Best-fitting model [L], same unit as the flux; 0 by default.
        sky: Subtracted sky [L], same unit as the flux; 0 by default.

    Raises:
        InputError: If the arrays differ in length or the catalogue row lacks a name.
        OutputError: If the disk is full or the folder may not be written.
    """
    loglam = np.log10(np.asarray(wavelength, dtype=np.float64))
    columns = {"flux": flux, "loglam": loglam, "ivar": ivar, "and_mask": mask, "or_mask": mask}
    columns |= {"wdisp": np.ones(1), "sky": sky, "model": model}
    coadd = np.zeros(len(loglam), dtype=COADD)
    for name, values in columns.items():
        if values is None:
            continue
        if np.shape(values) not in (loglam.shape, (1,)):
            raise InputError(f"{path}: {name} has shape {np.shape(values)}, the wavelengths have {loglam.shape}.")
        coadd[name] = values
    row = _catalogue_row(catalogue)
    spall, spzline = _fixed_headers()
    blocks = [_primary_header(row, loglam), _coadd_header(len(loglam)), padded(coadd.tobytes())]
    write_blocks(path, [*blocks, spall, padded(row.tobytes()), spzline])
