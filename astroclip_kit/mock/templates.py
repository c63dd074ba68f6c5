"""Spectral shapes of real galaxies, from published eigenspectra, in place of the mock's own.

A rest-frame spectrum of the mock is replaced by its least-squares fit with eigenspectra, so the coefficients, and
with them colours, breaks and lines, still follow the latents that shape the image.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import FileError
from ..surveys.files.fits_files import read_hdus
from .stellar_populations import REST_WAVELENGTH

__all__ = ["read_eigenspectra", "with_real_shapes"]

Array = npt.NDArray[np.float32]
FILES = ("gal_eigenspec_Yip2004.fits", "spEigenGal-*.fits")
_EDGE = 200  # pixels over which the mock's own spectrum is scaled to join on where the eigenspectra end


@lru_cache(maxsize=2)
def read_eigenspectra(folder: str) -> tuple[Array, slice]:
    """Eigenspectra of galaxies: those of Yip et al. (2004), else those of the SDSS pipeline (``spEigenGal-*.fits``).

    Args:
        folder: Where the files are, as they were published.

    Returns:
        Float32 [K, L] on `stellar_populations.REST_WAVELENGTH`, and the pixels that they cover.

    Raises:
        FileError: If there is no such folder or file, or it is damaged or of another layout.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileError(root, "no such folder of templates.")
    found = [path for pattern in FILES for path in sorted(root.glob(pattern))]
    if not found:
        raise FileError(root, f"holds no eigenspectra of galaxies, expected {' or '.join(FILES)}.")
    wavelength, spectra = _read_yip(found[0]) if found[0].name == FILES[0] else _read_pipeline(found[0])
    if not np.isfinite(spectra).all() or np.any(np.diff(wavelength) <= 0):
        raise FileError(found[0], "wavelengths that do not ascend, or values that are no numbers: a damaged file.")
    covered = slice(*np.searchsorted(REST_WAVELENGTH, wavelength[[0, -1]]))
    if covered.stop - covered.start < len(REST_WAVELENGTH) // 4:
        raise FileError(found[0], f"covers {wavelength[0]:.0f} to {wavelength[-1]:.0f} A, expected the optical range.")
    eigen = np.stack([np.interp(REST_WAVELENGTH, wavelength, one, 0, 0) for one in spectra])
    return eigen.astype(np.float32), covered


def _read_yip(path: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    columns = read_hdus(path, (1,))[0].columns(["WAVE", "PCA"])
    wavelength = columns["WAVE"].ravel().astype(float)
    if columns["PCA"].size % len(wavelength):
        raise FileError(path, f"{columns['PCA'].size} values do not divide into spectra of {len(wavelength)} pixels.")
    return wavelength, columns["PCA"].reshape(-1, len(wavelength)).astype(float)


def _read_pipeline(path: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    (hdu,) = read_hdus(path, (0,))
    spectra = hdu.image()
    if spectra.ndim != 2 or not {"COEFF0", "COEFF1"} <= set(hdu.header):
        raise FileError(path, "expected one image of spectra with COEFF0 and COEFF1 in its header.")
    loglam = hdu.header["COEFF0"] + hdu.header["COEFF1"] * np.arange(spectra.shape[1])
    return 10**loglam, spectra.astype(float)


@lru_cache(maxsize=2)
def _projector(folder: str) -> Array:
    """Matrix [covered L, K] from spectra to coefficients: least squares in units of the mean real spectrum."""
    eigen, covered = read_eigenspectra(folder)
    inside = eigen[:, covered].astype(np.float64)
    weight = 1 / np.abs(inside[0])
    return np.asarray((np.linalg.pinv((inside * weight).T) * weight).T, dtype=np.float32)


def with_real_shapes(spectra: Array, folder: str) -> Array:
    """The real spectra nearest to those of the mock.

    Args:
        spectra: Rest-frame spectra [B, L] on `stellar_populations.REST_WAVELENGTH`.
        folder: Of the eigenspectra, see `read_eigenspectra`.

    Returns:
        Float32 [B, L]; beyond the eigenspectra the mock's own, scaled to join on.
    """
    eigen, covered = read_eigenspectra(folder)
    fitted = spectra[:, covered] @ _projector(folder) @ eigen[:, covered]
    fitted = np.maximum(fitted, 0.05 * spectra[:, covered])
    real = spectra.copy()
    first, last = slice(covered.start, covered.start + _EDGE), slice(covered.stop - _EDGE, covered.stop)
    for outside, edge, inner in (
        (slice(0, covered.start), first, slice(0, _EDGE)),
        (slice(covered.stop, None), last, slice(-_EDGE, None)),
    ):
        real[:, outside] *= (fitted[:, inner].sum(axis=1) / spectra[:, edge].sum(axis=1))[:, None]
    real[:, covered] = fitted
    return real
