"""Writes LAMOST low-resolution spectra in the layout of pipeline v2.9: the image of five rows in HDU 0."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .files.fits_headers import Card, header_block, padded, write_blocks
from .lamost import LABELS, MAGNITUDES, NO_MAGNITUDE

__all__ = ["lamost_file_name", "write_lamost_spectrum"]

NEEDED = ("lmjd", "planid", "spid", "fiber", "ra", "dec")
UNKNOWN = -9999.0
INTEGERS = ("obsid", "lmjd", "mjd", "spid", "fiber")
TEXTS = ("planid", "desig", "objtype", "magtype", "class", "subclass")
KEYWORDS = {label: key for key, label in LABELS.items() if not key.startswith("SN_")}
KEYWORDS |= {name: name.upper() for name in ("desig", "ra", "dec")}


def lamost_file_name(lmjd: int, planid: str, spid: int, fiber: int) -> str:
    """The survey's name for a spectrum, without ``.gz``: ``spec-55859-F5902_sp03-232.fits``."""
    return f"spec-{lmjd:05d}-{planid}_sp{spid:02d}-{fiber:03d}.fits"


def write_lamost_spectrum(
    path: str | Path,
    flux: npt.ArrayLike,
    ivar: npt.ArrayLike,
    coeff0: float,
    coeff1: float,
    catalogue: Mapping[str, float | str],
    *,
    and_mask: npt.ArrayLike | None = None,
    or_mask: npt.ArrayLike | None = None,
) -> None:
    """Writes one visit; the same input gives the same bytes, and nobody finds half a file.

    Args:
        path: The file; `lamost_file_name` gives the survey's name for it. Packed where it ends with ``.gz``, as the
            survey distributes them. Replaced if it exists.
        flux: Relative flux [L].
        ivar: Inverse variance [L] of the flux; 0 where there is no measurement.
        coeff0: log10 of the first wavelength (vacuum, heliocentric, Angstrom); LAMOST's is 3.5682.
        coeff1: Step of log10 of the wavelength; LAMOST's is 0.0001.
        catalogue: What the header says, named as the labels that the reader gives: lmjd, planid, spid, fiber, ra,
            dec (deg) are needed; obsid, mjd, desig, objtype, class, subclass, z, z_err, snr_u to snr_z, magtype and
            its magnitudes (mag_g, ...) are optional. NaN is as good as none.
        and_mask: Pixels [L] that are bad in all exposures; none by default.
        or_mask: Pixels [L] that are bad in any exposure; those of `and_mask` by default.

    Raises:
        InputError: If the arrays differ in length, the wavelengths are none, or the catalogue lacks a name.
        OutputError: If the disk is full or the folder may not be written.
    """
    values = np.asarray(flux)
    if values.ndim != 1 or not 2 < coeff0 <= coeff0 + coeff1 * len(values) < 5 or coeff1 <= 0:
        raise InputError(
            f"{path}: flux of shape {values.shape} at coeff0 {coeff0} and coeff1 {coeff1}, expected one row of pixels "
            f"whose log10 of Angstrom ascends between 2 and 5."
        )
    rows = np.zeros((5, len(values)), dtype=">f4")
    rows[2] = _wavelength(len(values), coeff0, coeff1)
    bad = and_mask if or_mask is None else or_mask
    for number, (name, row) in enumerate((("flux", flux), ("ivar", ivar), ("", None), ("and_mask", and_mask))):
        if row is not None:
            rows[number] = _checked(path, name, row, len(values))
    if bad is not None:
        rows[4] = _checked(path, "or_mask", bad, len(values))
    cards = _cards(Path(path), catalogue, len(values), coeff0, coeff1)
    write_blocks(path, [header_block(cards), padded(rows.tobytes())])


@lru_cache(maxsize=8)
def _wavelength(count: int, coeff0: float, coeff1: float) -> npt.NDArray[np.float64]:
    return np.asarray(10 ** (coeff0 + coeff1 * np.arange(count)))


def _checked(path: str | Path, name: str, row: npt.ArrayLike, count: int) -> npt.ArrayLike:
    if np.shape(row) != (count,):
        raise InputError(f"{path}: {name} has shape {np.shape(row)}, the flux has {count} pixels.")
    return row


def _cards(path: Path, catalogue: Mapping[str, float | str], count: int, coeff0: float, coeff1: float) -> list[Card]:
    given = {name: value for name, value in catalogue.items() if value == value}
    missing = [name for name in NEEDED if name not in given]
    bands = MAGNITUDES.get(str(given.get("magtype", "")), ())
    unknown = sorted(set(given) - set(KEYWORDS) - {f"mag_{band}" for band in bands})
    if missing or unknown:
        what = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} unknown"
        raise InputError(f"{path}: header of a LAMOST spectrum: {what} (found {', '.join(sorted(given))}).")
    described = {key: _value(name, given.get(name)) for name, key in KEYWORDS.items()}
    magnitudes = [float(given.get(f"mag_{band}", NO_MAGNITUDE)) for band in bands]
    magnitudes += [float(NO_MAGNITUDE)] * (7 - len(bands))
    return [
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", -32, ""),
        ("NAXIS", 2, "Number of array dimensions"),
        ("NAXIS1", count, ""),
        ("NAXIS2", 5, ""),
        ("EXTEND", True, ""),
        ("FILENAME", path.name.removesuffix(".gz"), ""),
        ("EXTEN0", "Flux, Inverse, Wavelength, Andmask, Ormask", ""),
        ("N_EXTEN", 1, "The extension number"),
        ("EXTNAME", "Flux", "The extension name"),
        ("TELESCOP", "LAMOST", "GuoShouJing Telescope"),
        *((key, value, "") for key, value in described.items()),
        *((f"MAG{number}", value, "[mag]") for number, value in enumerate(magnitudes, start=1)),
        ("HELIO", True, "Heliocentric correction"),
        ("VACUUM", True, "Wavelengths are in vacuum"),
        ("NWORDER", 2, "Number of linear-log10 coefficients"),
        ("WFITTYPE", "LOG-LINEAR", "Linear-log10 dispersion"),
        ("COEFF0", coeff0, "Central wavelength (log10) of first pixel"),
        ("COEFF1", coeff1, "Log10 dispersion per pixel"),
        ("CRVAL1", coeff0, "Central wavelength (log10) of first pixel"),
        ("CD1_1", coeff1, "Log10 dispersion per pixel"),
        ("CRPIX1", 1, "Starting pixel (1-indexed)"),
        ("CTYPE1", "LINEAR", ""),
        ("DC-FLAG", 1, "Log-linear flag"),
        ("VERSPIPE", "v2.9.8", "Version of Pipeline"),
    ]


def _value(name: str, value: float | str | None) -> float | str:
    if name in TEXTS:
        return str(value or "")
    if name in INTEGERS:
        return int(UNKNOWN if value is None else value)
    return float(UNKNOWN if value is None else value)
