"""Spectra of cool giants, with bands of titanium oxide or of carbon, as nodes between which one interpolates.

Giants are as the cool dwarfs of `stellar_sequence` without the lines that pressure makes strong. Where there is more
carbon than oxygen, C2 and CN absorb in place of TiO (Barnbaum, Stone & Keenan 1996), and little blue light is left.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .atmospheres import REST_WAVELENGTH
from .stellar_lines import band_shape, cool_star_depth
from .stellar_populations import node_weights
from .stellar_sequence import continuum

__all__ = ["giant_library", "giant_weights"]

Array = npt.NDArray[np.float64]
Wide = npt.NDArray[np.float32]

TEFF = np.array([2500.0, 2700, 2900, 3100, 3300, 3500, 3700, 3900, 4200, 4600, 5000, 5400])
FEH = np.array([-1.0, 0.1])
CARBON = np.array([2500.0, 3200, 4300])
_LOGG = 2.5
# bands: heads (A), how far they fade to the red (A; negative: to the blue), depth
_CARBON_BANDS = ((4382, -120, 0.8), (4737, -160, 1.5), (5165, -210, 1.9), (5636, -190, 1.3), (6122, -90, 0.35),
                 (6191, -120, 0.5), (5730, 160, 0.35), (6925, 150, 0.45), (7088, 120, 0.35), (7283, 140, 0.5),
                 (7876, 200, 0.7), (8067, 150, 0.6), (8270, 140, 0.4), (9140, 120, 0.9))  # fmt: skip


def _carbon_depth(teff: float) -> Array:
    total = 0.5 * cool_star_depth(4600, 0.0, giant=True)  # atoms, and no titanium oxide
    for head, fading, strength in _CARBON_BANDS:
        total += strength * band_shape(head, fading, 5)
    return np.asarray(total + (3400 / teff) ** 2 * np.maximum(5200 - REST_WAVELENGTH, 0) / 700)


@lru_cache(maxsize=1)
def giant_library() -> Wide:
    """Logarithms of the flux [nodes, L] on `atmospheres.REST_WAVELENGTH` over that in V.

    The nodes are oxygen-rich ones (by temperature, then metallicity), then carbon-rich ones.
    """
    spectra = [continuum(teff, _LOGG) * np.exp(-cool_star_depth(teff, feh, giant=True)) for teff in TEFF for feh in FEH]
    spectra += [continuum(teff, _LOGG) * np.exp(-_carbon_depth(teff)) for teff in CARBON]
    return np.log(np.stack(spectra)).astype(np.float32)


def giant_weights(teff: Array, feh: Array, carbon: npt.NDArray[np.bool_]) -> Wide:
    """Weights [B, nodes] of the nodes of `giant_library`."""
    oxygen = node_weights(teff, TEFF)[:, :, None] * node_weights(feh, FEH)[:, None]
    both = [oxygen.reshape(len(teff), -1) * ~carbon[:, None], node_weights(teff, CARBON) * carbon[:, None]]
    return np.concatenate(both, axis=1).astype(np.float32)
