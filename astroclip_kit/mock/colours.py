"""Colours of ordinary stars and galaxies, for what stands beside the objects of a survey."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["in_bands"]

Array = npt.NDArray[np.float64]


def in_bands(grz: Array, bands: int) -> Array:
    """Magnitudes against r in the bands of a camera.

    Args:
        grz: Of g, r and z [N, 3].
        bands: 3 for these bands, 5 for u, g, r, i, z on the stellar locus (Covey et al. 2007), which u - g of galaxies
            follows, too.
    """
    if bands == 3:
        return grz
    g, r, z = grz.T
    return np.stack([0.6 + 2.3 * (g - r) + r, g, r, r + 0.6 * (z - r), z], axis=1)
