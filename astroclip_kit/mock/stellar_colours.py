"""Colours of stars from V to 22 micron, by temperature, of dwarfs and giants, oxygen- and carbon-rich.

Dwarfs as tabulated by Pecaut & Mamajek (2013), giants by Bessell & Brett (1988) and Worthey & Lee (2011); G follows
from BP - RP as in Gaia's documentation (Riello et al. 2021, table C.2). Dust around evolved stars and carbon shift the
infrared colours as in the diagrams of Nikutta et al. (2014) and Whitelock et al. (2006).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .mid_infrared import star_light

__all__ = ["BANDS", "EXTINCTION", "visual_colours"]

Array = npt.NDArray[np.float64]

BANDS = ("g", "bp", "rp", "j", "h", "k", "w1", "w2", "w3", "w4")
EXTINCTION = (0.80, 1.05, 0.62, 0.28, 0.18, 0.115, 0.065, 0.05, 0.06, 0.03)
"""Extinction in the bands over A_V (Wang & Chen 2019)."""

# temperature, then BP - RP, V - K, J - H, H - K of dwarfs
_DWARFS = np.array([
    (2800, 3.90, 7.00, 0.60, 0.33), (3100, 3.00, 5.50, 0.58, 0.27), (3400, 2.50, 4.60, 0.58, 0.23),
    (3850, 1.84, 3.70, 0.65, 0.17), (4440, 1.43, 2.85, 0.62, 0.11), (5040, 1.10, 2.10, 0.48, 0.09),
    (5480, 0.90, 1.75, 0.38, 0.07), (5770, 0.82, 1.56, 0.32, 0.06), (6170, 0.69, 1.30, 0.27, 0.05),
    (6550, 0.59, 1.10, 0.23, 0.04), (7220, 0.38, 0.73, 0.15, 0.03), (8080, 0.20, 0.40, 0.08, 0.02),
    (9700, 0.00, 0.03, 0.00, 0.00), (15700, -0.20, -0.40, -0.07, -0.04), (30000, -0.45, -0.90, -0.12, -0.06),
]).T  # fmt: skip
_GIANTS = np.array([
    (2500, 5.60, 11.0, 0.85, 0.45), (2800, 4.70, 9.00, 0.90, 0.36), (3000, 4.10, 7.80, 0.92, 0.31),
    (3300, 3.10, 6.00, 0.91, 0.26), (3600, 2.30, 4.70, 0.87, 0.21), (4000, 1.70, 3.50, 0.76, 0.15),
    (4500, 1.30, 2.60, 0.60, 0.11), (5000, 1.05, 2.05, 0.48, 0.09), (5770, 0.82, 1.56, 0.32, 0.06),
    (6550, 0.59, 1.10, 0.23, 0.04), (7220, 0.38, 0.73, 0.15, 0.03), (8080, 0.20, 0.40, 0.08, 0.02),
]).T  # fmt: skip
_RED = (
    (-0.45, 0, 0.5, 0.8, 1, 1.5, 2, 2.5, 3, 4, 5.6),
    (-0.22, 0, 0.30, 0.49, 0.59, 0.81, 1.02, 1.18, 1.32, 1.55, 1.85),
)
_CARBON = (0.7, 0.6, 0.35, 0.45)  # by how much carbon stars differ in BP - RP, V - K, J - H, H - K
_DUSTY = (0.5, 1.5, 0.7, 0.9)  # and stars in much dust


def visual_colours(
    teff: Array, logg: Array, carbon: npt.NDArray[np.bool_], dust: Array, rng: np.random.Generator
) -> Array:
    """Differences of the magnitudes of `BANDS` and V, of single stars without dust in front of them.

    Args:
        teff: Effective temperatures [B] in K.
        logg: Surface gravities [B].
        carbon: Whether the surface has more carbon than oxygen [B].
        dust: Around the star [B], from none (0) to a thick shell (1).
        rng: Source of the scatter of real stars.

    Returns:
        Magnitudes [B, bands] (Vega) of stars of V = 0.
    """
    giant = np.clip(4.0 - logg, 0, 1)[:, None]
    rows = [
        np.stack([np.interp(teff, table[0], column) for column in table[1:]], axis=1) for table in (_DWARFS, _GIANTS)
    ]
    colours = rows[0] * (1 - giant) + rows[1] * giant
    colours += rng.standard_normal(colours.shape) * (0.025, 0.05, 0.02, 0.015)
    colours += carbon[:, None] * np.array(_CARBON) * rng.uniform(0.5, 1.5, (len(teff), 1)) + dust[:, None] * _DUSTY
    blue_red, infrared, jh, hk = colours.T
    c = np.clip(blue_red, -0.5, 5)
    g = -0.02704 + 0.01424 * c - 0.2156 * c**2 + 0.01426 * c**3
    rp = g - np.interp(blue_red, *_RED)
    k = -infrared
    warm = star_light(teff, dust, np.zeros(len(teff)), rng)
    first = k - 0.05 - 0.12 * giant[:, 0] * np.clip((4500 - teff) / 1500, 0, 1) - 0.6 * dust
    wise = first[:, None] + warm - warm[:, :1]
    wise[:, 1:] -= (carbon * np.clip(dust * 0.5 - 0.05, -0.1, 0.4))[:, None]
    return np.column_stack([g, rp + blue_red, rp, k + hk + jh, k + hk, k, wise])
