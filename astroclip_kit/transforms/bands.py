"""What bands are called, and where the common photometric ones lie in wavelength."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

__all__ = ["LIMIT", "WAVELENGTH_ANGSTROM", "band_wavelengths"]

LIMIT = "_limit"  # ends the name of the band of upper limits: "g_limit"

# Effective wavelengths, rounded: bands of one name differ by hundreds of Angstrom between systems. Sources: Poole
# et al. 2008 (Swift/UVOT), Bessell 2005 (Johnson-Cousins), Fukugita et al. 1996 (ugriz), Cohen et al. 2003 (JHK),
# Tonry et al. 2018 (ATLAS). Unfiltered CCDs count as a wide R band, photographic plates as B.
_GROUPS = {
    2100.0: ("UVW2", "W2"),
    2250.0: ("UVM2", "M2"),
    2600.0: ("UVW1", "W1"),
    3600.0: ("U", "u", "u'"),
    4400.0: ("B", "b", "Bj", "pg", "blue"),
    4800.0: ("g", "g'"),
    5500.0: ("V", "v", "pv", "555W", "y"),
    5400.0: ("c", "cyan", "LSQGR", "gr", "g+r"),
    5900.0: ("G", "350LP"),
    6300.0: ("r", "r'", "w"),
    6500.0: ("R", "R_c", "Rc", "C", "CLEAR", "Clear", "clear", "CR", "red"),
    6800.0: ("o", "orange"),
    7600.0: ("i", "i'", "ii", "iP1"),
    8000.0: ("I", "I1", "I2", "I_c", "Ic", "814W"),
    9000.0: ("z", "z'", "Z"),
    10200.0: ("Y",),
    12400.0: ("J",),
    16500.0: ("H",),
    21600.0: ("K", "Ks", "KS"),
}
WAVELENGTH_ANGSTROM = {name: wavelength for wavelength, names in _GROUPS.items() for name in names}


def band_wavelengths(bands: Sequence[str], known: Mapping[str, float] | None = None) -> tuple[float, ...]:
    """Effective wavelengths of bands.

    Args:
        bands: Names; case matters (g is not G).
        known: Wavelengths of further bands, or other ones, in Angstrom.

    Returns:
        Per band, in Angstrom; NaN where the name is not known.

    Example:
        >>> band_wavelengths(["B", "i", "tess"], {"tess": 7900.0})
        (4400.0, 7600.0, 7900.0)
    """
    table = {**WAVELENGTH_ANGSTROM, **(known or {})}
    return tuple(table.get(band, math.nan) for band in bands)
