"""LAMOST low-resolution spectra: ``spec-LMJD-PLANID_spSP-FIBER.fits``, in each of the survey's layouts.

Most releases keep an image of five rows in HDU 0: flux, inverse variance, a row that differs (the spectrum without
continuum in pipeline v2.6, wavelengths in v2.9), and-mask, or-mask. Later ones keep a table of one row in HDU 1: FLUX,
IVAR, WAVELENGTH, ANDMASK, ORMASK, NORMALIZATION. The header of HDU 0 is the catalogue row. Flux is relative,
wavelengths are in vacuum and heliocentric (dr6.lamost.org/v1.1/doc/lr-data-production-description).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import FileError, UsageError
from ..transforms.resampling import Grid, plain_grid, resample, wavelength_grid
from ..types import Modality, Sample
from .files.coordinates import in_range
from .files.coverage import check_coverage, checked_share
from .files.file_lists import find_files
from .files.fits_files import Hdu, damaged_header, read_hdus

__all__ = ["LAMOSTSpectra"]

NEEDED = ("LMJD", "PLANID", "SPID", "FIBERID", "RA", "DEC")
LABELS = {
    "OBSID": "obsid",
    "PLANID": "planid",
    "LMJD": "lmjd",
    "MJD": "mjd",
    "SPID": "spid",
    "FIBERID": "fiber",
    "OBJTYPE": "objtype",
    "CLASS": "class",
    "SUBCLASS": "subclass",
    "Z": "z",
    "Z_ERR": "z_err",
    "MAGTYPE": "magtype",
}
LABELS |= {f"{key}{band.upper()}": f"snr_{band}" for key in ("SNR", "SN_") for band in "ugriz"}
MAGNITUDES = {  # of each MAGTYPE, the bands of MAG1, MAG2, ...; another one is left out
    "ugriz": ("u", "g", "r", "i", "z"),
    "ugrizjh": ("u", "g", "r", "i", "z", "j", "h"),
    "ugrizFuvUv": ("u", "g", "r", "i", "z"),
    "grizyjh": ("g", "r", "i", "z", "y", "j", "h"),
    "gri": ("g", "r", "i"),
}
MISSING = (-9999, -999, "-9999", "-", "NULL", "")
NO_MAGNITUDE = 99


class LAMOSTSpectra:
    """Reads LAMOST low-resolution spectra, one visit of a star, galaxy or quasar per file.

    The object's id is OBSID, or "LMJD-PLANID-SPID-FIBERID" in the early releases, which have none. Its group is the
    survey's designation ("LAMOST J..."). The input catalogues place some stars up to 1.5 arcsec apart, and then they
    have several designations: `Matching(group="position", radius_arcsec=3)` keeps their visits together as well.
    Visits of one star are observations of one object: `Matching(rows="spectrum")` keeps all of them, not one alone. A
    masked pixel has inverse variance 0 and a flux that is interpolated between good neighbours.
    Labels come from the header: obsid, planid, lmjd, mjd, spid, fiber, objtype, class, subclass, z, z_err, snr_u to
    snr_z, magtype and its magnitudes (mag_g, ...; bands of different magtypes are of different systems).

    Args:
        root: Folder of the files, or one file.
        pattern: Which files under it.
        grid: Wavelengths of the samples: see `wavelength_grid`. "lamost" keeps LAMOST pixels as they are.
        name: Name of the modality.
        mask: Which pixels are bad beside those without inverse variance: bad in all exposures ("and") or in any
            ("or").
        min_coverage: Share of the grid that a spectrum has to cover, from its first to its last good pixel; 1 leaves
            out those that are short of it.

    Raises:
        UsageError: If the grid cannot be read, the mask is neither of the two, or the share is none.

    Example:
        >>> LAMOSTSpectra("spectra").modality.shape
        (2, 3909)
    """

    def __init__(
        self,
        root: str | Path,
        pattern: str = "**/spec-*.fits*",
        grid: Grid = "lamost",
        name: str = "spectrum",
        mask: Literal["and", "or"] = "and",
        min_coverage: float = 0.0,
    ) -> None:
        if mask not in ("and", "or"):
            raise UsageError(f"mask is {mask!r}, expected 'and' or 'or'.")
        self.root = str(root)
        self.pattern = pattern
        self.grid = plain_grid(grid)
        self.name = name
        self.mask = mask
        self.min_coverage = checked_share("min_coverage", min_coverage)
        self._wavelength = wavelength_grid(grid)

    def __repr__(self) -> str:
        return f"LAMOSTSpectra({self.root!r}, {self.pattern!r}, {len(self._wavelength)} pixels)"

    @cached_property
    def modality(self) -> Modality:
        """A spectrum of relative flux and inverse variance."""
        return Modality.spectrum(self.name, self._wavelength)

    def files(self) -> Sequence[Path]:
        """The files that match, sorted.

        Raises:
            FileError: If the folder does not exist.
        """
        return find_files(self.root, self.pattern)

    def read(self, path: Path) -> list[Sample]:
        """The one sample of a file.

        Raises:
            FileError: If the file is no whole LAMOST spectrum, its wavelengths are not in vacuum, it holds no good
                pixel on the grid, covers too little of it, or its coordinates are out of range.
        """
        [hdu] = read_hdus(path, (0,))
        header = hdu.header
        missing = [key for key in NEEDED if key not in header]
        if missing:
            raise FileError(hdu.path, f"is no LAMOST spectrum: its header has no {', '.join(missing)}.")
        if header.get("VACUUM", True) is not True:
            raise FileError(hdu.path, "VACUUM is F: its wavelengths are in air, expected vacuum.")
        with damaged_header(hdu.path):
            ra, dec = float(header["RA"]), float(header["DEC"])
        if not in_range(ra, dec):
            raise FileError(hdu.path, f"coordinates out of range: ra {ra}, dec {dec} degrees.")
        rows = _image_rows(hdu) if header.get("NAXIS") else _table_rows(path)
        view = self._view(hdu.path, rows)
        check_coverage(path, view, self._wavelength, self.min_coverage)
        labels = _labels(header)
        object_id = str(header["OBSID"]) if "obsid" in labels else "-".join(str(header[key]) for key in NEEDED[:4])
        return [Sample(object_id, {self.name: view}, ra, dec, labels, str(header.get("DESIG", "")))]

    def _view(self, path: Path, rows: _Rows) -> npt.NDArray[np.float32]:
        bad = (rows.bad_in_all if self.mask == "and" else rows.bad_in_any) != 0
        ivar = np.where(bad, 0, rows.ivar)
        if not np.any((ivar > 0) & np.isfinite(ivar) & np.isfinite(rows.flux)):
            raise FileError(path, "no good pixel: flux is NaN, inverse variance 0 or the mask set everywhere.")
        wavelength = rows.wavelength
        if len(wavelength) < 2 or not (np.all(np.diff(wavelength) > 0) and 100 < wavelength[0] < wavelength[-1] < 1e5):
            raise FileError(path, "the wavelengths do not ascend, or are not in Angstrom. It is damaged.")
        view = np.stack(resample(rows.flux, ivar, wavelength, self._wavelength)).astype(np.float32)
        if not view[1].any():
            low, high = wavelength[[0, -1]]
            raise FileError(path, f"no good pixel on the grid: the file covers {low:.0f}-{high:.0f} Angstrom.")
        return view


class _Rows(NamedTuple):
    """The arrays [L] of a file, whatever its layout."""

    wavelength: npt.NDArray[np.float64]
    flux: npt.NDArray[Any]
    ivar: npt.NDArray[Any]
    bad_in_all: npt.NDArray[Any]
    bad_in_any: npt.NDArray[Any]


def _image_rows(hdu: Hdu) -> _Rows:
    """From the image of HDU 0, with the wavelengths of the header: the third row is not the same in all releases."""
    image = hdu.image()
    if image.ndim != 2 or len(image) < 5:
        raise FileError(hdu.path, f"HDU 0 has shape {image.shape}, expected the five rows of a LAMOST spectrum.")
    with damaged_header(hdu.path):
        start, step = float(hdu.header["COEFF0"]), float(hdu.header["COEFF1"])
    exponent = start + step * np.arange(image.shape[1], dtype=np.float64)
    if not 2 < exponent[0] <= exponent[-1] < 5:
        raise FileError(hdu.path, f"COEFF0 {start} and COEFF1 {step} are no log10 of Angstrom that ascends.")
    return _Rows(10**exponent, image[0], image[1], image[3], image[4])


def _table_rows(path: str | Path) -> _Rows:
    """From the table of HDU 1: one row of vectors."""
    [hdu] = read_hdus(path, (1,))
    names = ("WAVELENGTH", "FLUX", "IVAR", "ANDMASK", "ORMASK")
    columns = [values.ravel() for values in hdu.columns(names).values()]
    return _Rows(columns[0].astype(np.float64), *columns[1:])


def _labels(header: dict[str, Any]) -> dict[str, float | str]:
    given = {label: header[key] for key, label in LABELS.items() if header.get(key, "") not in MISSING}
    bands = MAGNITUDES.get(str(header.get("MAGTYPE", "")), ())
    magnitudes = {f"mag_{band}": header.get(f"MAG{number}", NO_MAGNITUDE) for number, band in enumerate(bands, start=1)}
    given |= {
        name: value for name, value in magnitudes.items() if isinstance(value, float) and 0 < value < NO_MAGNITUDE
    }
    plain = {label: value if isinstance(value, str) else float(value) for label, value in given.items()}
    return {label: value for label, value in plain.items() if value == value}
