"""Published spectra of stars and quasars, for the shapes of the spectra of mock point sources.

Stars are the templates of PyHammer, means of SDSS spectra by type and metallicity (Kesseli et al. 2017); quasars get
the mean shape of the SDSS composite (Vanden Berk et al. 2001). Colours of stars stay those of the mock.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ..errors import FileError
from .atmospheres import REST_WAVELENGTH

__all__ = ["STAR_FILE", "StarTemplates", "read_composite", "read_star_templates", "with_template"]

Array = npt.NDArray[np.float64]

STAR_FILE, QUASAR_FILE = "pyhammer_sdss_stellar_templates.npz", "qso_vandenberk2001*.txt"
_ENDS = (3800.0, 9600.0)  # A, between which the templates of stars hold
_LETTERS = "OBAFGKM"


class StarTemplates(NamedTuple):
    """Spectra [N, L] on `atmospheres.REST_WAVELENGTH`, types [N] as numbers (O0 is 0, B0 10, M0 60) and [Fe/H] [N]."""

    flux: Array
    type: Array
    feh: Array

    def nearest(self, name: str, feh: float) -> Array:
        """The spectrum [L] of the type and metallicity nearest to those asked for."""
        distance = np.abs(self.type - _number(name)) + 1.5 * np.abs(self.feh - feh)
        return np.asarray(self.flux[distance.argmin()])


def _number(name: str) -> float:
    return 10.0 * _LETTERS.index(name[0]) + float(name[1:])


def _find(folder: str, pattern: str) -> Path | None:
    root = Path(folder)
    if not root.is_dir():
        raise FileError(root, "no such folder of templates.")
    found = [sorted(root.glob(name)) for name in (STAR_FILE, QUASAR_FILE)]
    if not any(found):
        raise FileError(root, f"holds no templates of point sources, expected {STAR_FILE} or {QUASAR_FILE}.")
    return next(iter(sorted(root.glob(pattern))), None)


@lru_cache(maxsize=2)
def read_star_templates(folder: str) -> StarTemplates | None:
    """Templates of stars of types O to M; None where the folder holds those of quasars alone.

    Args:
        folder: Where the files are.

    Raises:
        FileError: If there is no such folder, neither file, or the file lacks an array or a usable template.
    """
    path = _find(folder, STAR_FILE)
    if path is None:
        return None
    try:
        with np.load(path) as file:
            loglam, flux, types, feh = (file[name] for name in ("loglam", "flux", "spt", "feh"))
        usable = np.array([str(name)[:1] in _LETTERS for name in types])
        spectra = [np.interp(np.log10(REST_WAVELENGTH), loglam, one) for one in np.maximum(flux[usable], 1e-3)]
        numbers = np.array([_number(str(name)) for name in types[usable]])
        metals = np.array([float(value or 0) for value in feh[usable]])
    except (KeyError, IndexError, OSError, ValueError, EOFError, BadZipFile) as error:
        raise FileError(path, f"not readable as templates: {error}. Expected loglam, flux, spt and feh.") from error
    first, last = np.log10(_ENDS)
    if not spectra or loglam[0] > first or loglam[-1] < last:
        raise FileError(path, f"expected spectra of types O to M from {_ENDS[0]:.0f} to {_ENDS[1]:.0f} A.")
    return StarTemplates(np.stack(spectra), numbers, metals)


def with_template(flux: Array, template: Array) -> Array:
    """A spectrum [L] replaced by a template [L] between `_ENDS`, and scaled to join on beyond."""
    mixed = flux.copy()
    first, last = np.searchsorted(REST_WAVELENGTH, _ENDS)
    mixed[first:last] = template[first:last]
    for outside, edge in ((slice(0, first), slice(first, first + 120)), (slice(last, None), slice(last - 120, last))):
        mixed[outside] *= template[edge].sum() / flux[edge].sum()
    return mixed


@lru_cache(maxsize=2)
def read_composite(folder: str) -> tuple[Array, Array] | None:
    """Wavelengths (A) and flux of the mean quasar; None where the folder holds templates of stars alone.

    Args:
        folder: Where the file is, as it was published (its rows are wavelength, flux and error).

    Raises:
        FileError: If there is no such folder, neither file, or the file holds no such rows.
    """
    path = _find(folder, QUASAR_FILE)
    if path is None:
        return None
    rows = [line.split() for line in path.read_text(encoding="ascii", errors="replace").splitlines()]
    values = [row for row in rows if len(row) == 3 and all(_is_number(word) for word in row)]
    if len(values) < 1000:
        raise FileError(path, f"expected rows of wavelength, flux and error, found {len(values)}.")
    wavelength, flux, _ = np.array(values, dtype=float).T
    return wavelength, flux


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).isdigit()
