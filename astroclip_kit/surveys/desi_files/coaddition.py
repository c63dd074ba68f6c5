"""The arms of a spectrograph joined into one spectrum: inverse-variance weighted means where they overlap.

The arms of DESI are extracted onto one grid of 0.8 Angstrom, so the pixels of two arms coincide in their overlap and
nothing has to be interpolated (as `desispec.coaddition.coadd_cameras` does, Guy et al. 2023, arXiv:2209.14482).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["Arm", "coadd", "common_wavelengths"]

ALIGNED = 0.01  # pixels: pixels of two arms that are closer than this are the same
Floats = npt.NDArray[np.floating]


class Arm(NamedTuple):
    """The spectra of N objects in one arm.

    Args:
        wavelength: Ascending wavelengths [L] in Angstrom.
        flux: Flux densities [N, L].
        ivar: Inverse variances [N, L]; 0 where there is no measurement.
        mask: Bits [N, L]; a pixel with any of them is bad. None if there is no mask.
    """

    wavelength: npt.NDArray[np.float64]
    flux: Floats
    ivar: Floats
    mask: npt.NDArray[np.integer] | None = None


def common_wavelengths(
    wavelengths: Sequence[npt.NDArray[np.float64]],
) -> tuple[npt.NDArray[np.float64], list[slice]]:
    """One grid for several arms, and where on it the pixels of each arm lie.

    Args:
        wavelengths: Ascending wavelengths [L] of each arm, in Angstrom.

    Returns:
        Wavelengths [M], and a slice of them per arm.

    Raises:
        InputError: If the wavelengths do not ascend, or the pixels of two arms do not coincide where they overlap.

    Example:
        >>> common_wavelengths([np.arange(0.0, 4.0), np.arange(2.0, 6.0)])
        (array([0., 1., 2., 3., 4., 5.]), [slice(0, 4, None), slice(2, 6, None)])
    """
    if any(len(arm) < 2 or not (np.diff(arm) > 0).all() for arm in wavelengths):
        raise InputError("the wavelengths of an arm are not at least two that ascend. The file is damaged.")
    order = sorted(wavelengths, key=lambda arm: float(arm[0]))
    tolerance = ALIGNED * min(float(np.diff(arm).min()) for arm in order)
    common = order[0]
    for arm in order[1:]:
        common = np.concatenate([common, arm[arm > common[-1] + tolerance]])
    starts = np.searchsorted(common, [arm[0] - tolerance for arm in wavelengths]).tolist()
    places = [slice(start, start + len(arm)) for start, arm in zip(starts, wavelengths, strict=True)]
    for arm, place in zip(wavelengths, places, strict=True):
        if len(common[place]) < len(arm) or np.abs(common[place] - arm).max() > tolerance:
            raise InputError(
                "the pixels of its arms do not coincide where they overlap: co-add the arms first "
                "(desi_coadd_spectra --coadd-cameras --lin-step 0.8)."
            )
    return common, places


def coadd(arms: Sequence[Arm]) -> Arm:
    """The spectra of N objects joined over their arms.

    A pixel's flux is the mean of the arms that measure it, weighted with their inverse variances, and its inverse
    variance is the sum of theirs. A pixel that is masked, not finite or without inverse variance does not count.

    Args:
        arms: The arms of the same N objects.

    Returns:
        One arm without a mask, float32: flux and inverse variance are 0 where no arm has a good pixel.

    Raises:
        InputError: If the arms differ in their number of objects, or their pixels do not coincide (see
            `common_wavelengths`).

    Example:
        >>> blue = Arm(np.array([1.0, 2.0]), np.array([[1.0, 1.0]]), np.array([[1.0, 1.0]]))
        >>> red = Arm(np.array([2.0, 3.0]), np.array([[5.0, 5.0]]), np.array([[3.0, 3.0]]))
        >>> coadd([blue, red]).flux.tolist(), coadd([blue, red]).ivar.tolist()
        ([[1.0, 4.0, 5.0]], [[1.0, 4.0, 3.0]])
    """
    wavelength, places = common_wavelengths([arm.wavelength for arm in arms])
    shapes = [np.shape(values) for arm in arms for values in arm[1:] if values is not None]
    expected = [(shapes[0][0], len(arm.wavelength)) for arm in arms for values in arm[1:] if values is not None]
    if shapes != expected:
        raise InputError(f"the arrays of its arms have the shapes {shapes}, expected {expected}.")
    flux, precision = np.zeros((2, shapes[0][0], len(wavelength)), dtype=np.float32)
    for arm, place in zip(arms, places, strict=True):
        good = np.isfinite(arm.flux) & np.isfinite(arm.ivar) & (arm.ivar > 0)
        if arm.mask is not None:
            good &= arm.mask == 0
        ivar = np.where(good, arm.ivar, 0).astype(np.float32)
        precision[:, place] += ivar
        share = np.divide(ivar, precision[:, place], out=np.zeros_like(ivar), where=good)  # 1 where it is alone
        flux[:, place] += (np.where(good, arm.flux, 0) - flux[:, place]) * share
    return Arm(wavelength, flux, precision)
