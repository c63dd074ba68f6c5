"""What the values of an image's pixels mean: from what its header says, or its survey documents, to one unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from astropy import units
from astropy.units import Unit, zero_point_flux

from ...errors import FileError, UsageError

__all__ = ["checked_unit", "flux_factor", "known_unit", "stated_band", "stated_unit"]

# AB magnitude of a source of Vega magnitude 0: Jarrett et al. 2011, ApJ 735, 112 (W1 to W4).
WISE_AB_OFFSETS = {"w1": 2.699, "w2": 3.339, "w3": 5.174, "w4": 6.620}
AB = zero_point_flux(3631 * units.Jy)
NANOMAGGY_ZERO_POINT = 22.5
SPELLINGS = {"nanomaggies": "nmgy", "counts": "ct", "electrons": "electron", "photons": "photon", "pixels": "pixel"}


def known_unit(text: str) -> Unit:
    """The unit as astropy writes it; plurals and capitals of headers are understood.

    Raises:
        ValueError: If it is none.

    Example:
        >>> known_unit("COUNTS/S").to_string(), known_unit("nanomaggies").to_string()
        ('ct / s', 'nmgy')
    """
    words = text.strip()
    if words.isupper() and any(plural in words.lower() for plural in SPELLINGS):
        words = words.lower()  # "COUNTS/S" has no siemens in it
    for plural, unit in SPELLINGS.items():
        words = words.replace(plural, unit)
    for spelling in (words, words.lower()):
        try:
            return Unit(spelling)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no unit")


def checked_unit(text: str) -> str:
    """The unit of a reader as astropy writes it.

    Raises:
        UsageError: If astropy does not know it.
    """
    try:
        return str(known_unit(text).to_string()) if text else ""
    except ValueError as error:
        raise UsageError(f"unit {error} that astropy knows. Give one such as nmgy, Jy or ct, or none.") from error


def stated_band(header: Any) -> str:
    """The filter that a header names, in lower case; "" where it names none. WISE counts its bands."""
    if "FILTER" in header:
        return str(header["FILTER"]).strip().partition(" ")[0].lower()
    band = header.get("BAND", "")
    return f"w{band}" if isinstance(band, int) and not isinstance(band, bool) else str(band).strip().lower()


def stated_unit(path: Path, header: Any) -> Unit | None:
    """The unit of the pixels by BUNIT, or by what SDSS frames and images of WISE document; None where nothing says.

    SDSS frames have NMGY, and are in AB nanomaggies. Images of WISE have a zero point in Vega magnitudes, MAGZP: 22.5
    of unWISE, whose pixels are Vega nanomaggies, and 20.5 to 13 of AllWISE, whose BUNIT is DN; either is a number of AB
    nanomaggies that differs from band to band. Legacy Survey bricks of old releases have MAGZERO.

    Raises:
        FileError: If BUNIT is no unit.
    """
    text = str(header.get("BUNIT", "")).strip()
    offset = WISE_AB_OFFSETS.get(stated_band(header))
    zero = header.get("MAGZP", NANOMAGGY_ZERO_POINT if "UNW_VER" in header else None)
    if offset is not None and zero is not None and text in ("", "DN"):
        return Unit(10 ** (0.4 * (NANOMAGGY_ZERO_POINT - float(zero) - offset)) * Unit("nmgy"))
    if text:
        try:
            return known_unit(text)
        except ValueError as error:
            raise FileError(
                path, f"BUNIT {error} that astropy knows. Give the reader `unit=''` to take it as it is."
            ) from error
    if "NMGY" in header or header.get("MAGZERO") == NANOMAGGY_ZERO_POINT:
        return Unit("nmgy")
    return None


def flux_factor(path: Path, header: Any, unit: str, assumed: bool = False) -> float:
    """What the pixels are multiplied by to be in a unit; 1 where the reader has none.

    Args:
        path: The file.
        header: Of the image.
        unit: Of the reader.
        assumed: Whether an image that states no unit is taken to be in that of the reader.

    Raises:
        FileError: If the header's unit is not known, or another kind of quantity.
    """
    if not unit:
        return 1.0
    found = stated_unit(path, header)
    if found is None and assumed:
        return 1.0
    if found is None:
        raise FileError(
            path, f"the header states no unit (BUNIT), so not whether it is {unit}. Give `unit=''` for none."
        )
    try:
        return float(found.to(Unit(unit), equivalencies=AB))
    except units.UnitConversionError as error:
        raise FileError(path, f"pixels in {found.to_string()!r} cannot be converted to {unit!r}.") from error
