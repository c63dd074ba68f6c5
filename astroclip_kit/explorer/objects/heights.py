"""From where to where the axis of a flux goes, so that lines are seen whole and noise does not rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["heights", "power_of_ten", "without_rays"]

FINE, COARSE = 5, 51  # pixels of a running median: of the flux around a pixel; of the noise around it
NOISY = 4.0  # times the usual error
PLAIN = (1e-2, 1e5)  # fluxes that are written as they are
Array = npt.NDArray[np.float64]


def without_rays(flux: Array) -> Array:
    """Fluxes [P] without what is in one pixel only, as a cosmic ray: the middle one of each three.

    Example:
        >>> without_rays(np.array([1.0, 9, 1, 2, 3, 3, 1]))
        array([1., 1., 2., 2., 3., 3., 1.])
    """
    around = np.pad(flux, 1, mode="edge")
    left, right = around[:-2], around[2:]
    return np.fmax(np.fmin(left, flux), np.fmin(np.fmax(left, flux), right))


def heights(flux: Array, error: Array, calm: Array | None = None) -> tuple[float, float]:
    """Least and greatest flux that is real: in more than one pixel, and not where the noise is large.

    Args:
        flux: Fluxes [P], NaN where nothing was observed.
        error: Their standard deviations [P]; where none is known, the scatter around each pixel counts.
        calm: Fluxes of which those without rays were known before they became means [P].

    Returns:
        Bottom and top; 0 and 1 of nothing.

    Example:
        >>> heights(np.array([1.0, 2, 2, 1, 9, 1]), np.full(6, np.nan))
        (1.0, 2.0)
    """
    from scipy.ndimage import maximum_filter, median_filter

    known = np.isfinite(flux)
    if not known.any():
        return 0.0, 1.0
    flux, error = flux[known], error[known]
    smooth = without_rays(flux) if calm is None else calm[known]
    if not np.isfinite(error).any():
        scatter = np.abs(flux - median_filter(flux, FINE, mode="nearest"))
        error = maximum_filter(median_filter(scatter, COARSE, mode="nearest"), COARSE, mode="nearest")
    quiet = ~(error > NOISY * np.nanmedian(error))
    shown = smooth[quiet] if quiet.any() else smooth
    return float(shown.min()), float(shown.max())


def power_of_ten(flux: Array) -> int:
    """The power of ten that fluxes are divided by, so that an axis has short numbers; 0 for those that are short."""
    size = float(np.nanmedian(np.abs(flux))) if np.isfinite(flux).any() else 1.0
    return 0 if size == 0 or PLAIN[0] <= size < PLAIN[1] else int(np.floor(np.log10(size)))
