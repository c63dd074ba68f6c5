"""From the unit that a file states to the one of its reader."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import FileError
from ...types import Modality

__all__ = ["rescaled", "unit_factor"]

SPELLINGS = {  # as the surveys write what their readers give: these need no astropy
    "1E-17 erg/cm^2/s/Ang": "1e-17 erg / (Angstrom s cm2)",
    "10**-17 erg/(s cm2 Angstrom)": "1e-17 erg / (Angstrom s cm2)",
    "nanomaggy": "nmgy",
}
NANOMAGGY = re.compile(r"\bnanomagg(y|ies)\b", re.IGNORECASE)
ANGSTROM = re.compile(r"\b(Ang|Angstroms|angstroms)\b")


def unit_factor(path: str | Path, what: str, stated: str, wanted: str) -> float:
    """What values are multiplied by; 1 where one of the units is not stated.

    Args:
        path: The file, named in the error.
        what: The values, named in the error.
        stated: Their unit, as surveys write it: "1E-17 erg/cm^2/s/Ang", "nanomaggy".
        wanted: The unit of the result, as astropy writes it.

    Raises:
        FileError: If the stated unit is none, or not convertible.

    Example:
        >>> round(unit_factor("a.fits", "flux", "1E-16 erg/cm^2/s/Ang", "1e-17 erg / (Angstrom s cm2)"), 6)
        10.0
    """
    stated = stated.strip()
    if not (stated and wanted) or SPELLINGS.get(stated, stated) == wanted:
        return 1.0
    try:
        return _factor(stated, wanted)
    except (ValueError, TypeError) as error:
        raise FileError(path, f"{what} is in {stated!r}, which does not convert to {wanted!r}.") from error


@lru_cache(maxsize=64)
def _factor(stated: str, wanted: str) -> float:
    import warnings

    from astropy.units import Jy, Unit, zero_point_flux

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "erg/s/cm2/Angstrom" is understood, but discouraged
        source, target = (Unit(ANGSTROM.sub("Angstrom", NANOMAGGY.sub("nmgy", unit))) for unit in (stated, wanted))
        return float(source.to(target, equivalencies=zero_point_flux(3631 * Jy)))


def rescaled(view: npt.NDArray[np.float32], modality: Modality, factor: float) -> npt.NDArray[np.float32]:
    """A view in another unit: fluxes and errors times the factor, inverse variances by its square; times stay."""
    if factor == 1:
        return view
    powers = {"ivar": -2, "time": 0, "band": 0}
    scale = [factor ** powers.get(channel.partition("_")[0], 1) for channel in modality.channels]
    channels_first = modality.kind != "lightcurve"
    shape = (-1, *[1] * (view.ndim - 1)) if channels_first else (1, -1)
    return np.asarray(view * np.array(scale, dtype=np.float32).reshape(shape), dtype=np.float32)
