"""Mid-infrared light of galaxies, quasars and stars, and the camera of WISE.

Magnitudes W1 to W4 (3.4, 4.6, 12 and 22 micron) are in the Vega system. Depth and pixels are those of the Atlas Images
of AllWISE; the beam is that of single exposures, as in unWISE, and narrower: Atlas Images are convolved with the beam
once more (about 8.3, 9.1 and 9.5 arcsec in W1 to W3). The colours are empirical: where each kind of
object lies in Figure 12 of Wright et al. (2010, AJ 140, 1868), with the overlap that the sky has.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..surveys.images.image_units import WISE_AB_OFFSETS
from .instruments import Camera
from .population import Galaxies, luminosity_distance_mpc

__all__ = ["AB_OFFSETS", "SATURATED", "WISE", "galaxy_light", "quasar_light", "star_light"]

Array = npt.NDArray[np.float64]
AB_OFFSETS = np.array(list(WISE_AB_OFFSETS.values()))
SATURATED = (8.1, 6.7, 3.8, -0.4)  # Vega, of a point source (Cutri et al. 2012, All-Sky Explanatory Supplement VI.3)
_DEPTH = np.array([17.1, 15.7, 11.5, 7.7])  # Vega (Cutri et al. 2013, AllWISE Explanatory Supplement II)
_WINGS = 0.36  # mag by which the wings of the beam make a fit of it noisier than of a Gaussian, for which `Camera` is
WISE = Camera(
    tuple(WISE_AB_OFFSETS),
    (33526.0, 46028.0, 115608.0, 220883.0),  # Jarrett et al. (2011)
    (6626.0, 10423.0, 55069.0, 41013.0),
    1.375,
    tuple((_DEPTH + AB_OFFSETS + _WINGS).tolist()),
    (6.1, 6.4, 6.5, 12.0),  # of single exposures (Wright et al. 2010)
    (22.2, 21.0, 17.2, 16.5),  # zodiacal light of 0.2, 0.6, 20 and 40 MJy/sr (Kelsall et al. 1998)
)
_SUN_W1 = 3.24  # absolute magnitude of the Sun (Jarrett et al. 2013)
_STAR_NODES = np.array([2600, 3000, 3500, 4000, 4500, 5000, 5800, 7000, 10000, 25000.0])  # K
_STAR_COLOURS = np.array([  # r (AB) - W1, W1 - W2, W2 - W3, W3 - W4; Wright et al. (2010), Kirkpatrick et al. (2011)
    (7.4, 0.28, 0.40, 0.20), (5.8, 0.21, 0.28, 0.15), (4.2, 0.12, 0.15, 0.10), (3.3, -0.02, 0.06, 0.06),
    (2.6, -0.07, 0.03, 0.04), (2.0, -0.06, 0.03, 0.04), (1.4, -0.04, 0.03, 0.03), (0.85, -0.03, 0.02, 0.03),
    (0.15, 0.00, 0.00, 0.02), (-0.6, 0.03, 0.00, 0.02),
])  # fmt: skip
_QUASAR_NODES = np.arange(0, 4.6, 0.5)  # redshift
_QUASAR_COLOURS = np.array([  # as above; Assef et al. (2010), Stern et al. (2012)
    (3.3, 0.95, 2.75, 2.4), (3.2, 1.02, 2.75, 2.4), (3.3, 1.25, 2.85, 2.4), (3.5, 1.27, 3.05, 2.5),
    (3.4, 1.12, 3.25, 2.6), (3.2, 0.92, 3.50, 2.7), (3.0, 0.65, 3.70, 2.8), (3.0, 0.50, 3.80, 2.8),
    (3.1, 0.48, 3.80, 2.8), (3.3, 0.55, 3.80, 2.8),
])  # fmt: skip


def _at(nodes: Array, colours: Array, values: Array) -> Array:
    """Rows [B, 4] of a table, interpolated."""
    return np.stack([np.interp(values, nodes, column) for column in colours.T], axis=1)


def _magnitudes(r: Array, colours: Array) -> Array:
    """W1 to W4 [B, 4] from r and the differences of r, W1, W2, W3 and W4 [B, 4]."""
    return np.asarray(r[:, None] - np.cumsum(colours, axis=1))


def _together(first: Array, second: Array) -> Array:
    """Magnitudes of the light of both."""
    return np.asarray(-2.5 * np.log10(10 ** (-0.4 * first) + 10 ** (-0.4 * second)))


def star_light(teff: Array, dust: Array, r: Array, rng: np.random.Generator) -> Array:
    """W1 to W4 of stars.

    Args:
        teff: Effective temperatures [B] in K.
        dust: Warm dust around them [B], from none (0) to an evolved star in its shell (1).
        r: Apparent magnitudes [B] (AB).
        rng: Source of the scatter of real stars.

    Returns:
        Vega magnitudes [B, 4].
    """
    colours = _at(_STAR_NODES, _STAR_COLOURS, teff)
    colours += rng.standard_normal(colours.shape) * (0.15, 0.025, 0.06, 0.06)
    return _magnitudes(r, colours + dust[:, None] * (1.5, 1.1, 2.0, 1.2))


def quasar_light(z: Array, host: Array, r: Array, rng: np.random.Generator) -> Array:
    """W1 to W4 of quasars.

    Args:
        z: Redshifts [B].
        host: Share [B] of the light in W1 that is of the galaxy around it.
        r: Apparent magnitudes [B] (AB).
        rng: Source of the scatter.

    Returns:
        Vega magnitudes [B, 4].
    """
    colours = _at(_QUASAR_NODES, _QUASAR_COLOURS, z)
    colours += rng.standard_normal(colours.shape) * (0.45, 0.15, 0.35, 0.30)
    red = (rng.random(len(z)) < 0.08) * rng.exponential(0.8, len(z))  # dust takes light in r alone
    colours[:, 0] += red
    nucleus = _magnitudes(r, colours)
    galaxy = nucleus[:, :1] - [0.0, 0.2, 2.9, 4.9]
    share = np.stack([1 - host, np.maximum(host, 1e-6)])[:, :, None]
    return _together(nucleus - 2.5 * np.log10(share[0]), galaxy - 2.5 * np.log10(share[1]))


def galaxy_light(galaxies: Galaxies, rng: np.random.Generator) -> Array:
    """W1 to W4 of galaxies, from the latents that give their optical spectra.

    W1 follows the mass of the stars and W3 their formation (Cluver et al. 2014, Jarrett et al. 2013); redshift makes
    W1 - W2 redder (Yan et al. 2013), and so does an active nucleus.

    Args:
        galaxies: Latents of B galaxies.
        rng: Source of the scatter.

    Returns:
        Vega magnitudes [B, 4].
    """
    z, rate = galaxies["z"], galaxies["sfr"] - galaxies["logmstar"]
    forming, burst = 1 / (1 + np.exp(-(rate + 10.9) / 0.4)), np.maximum(rate + 9.7, 0)
    distance = 5 * np.log10(luminosity_distance_mpc(z) * 1e5)
    w1 = _SUN_W1 - 2.5 * (galaxies["logmstar"] + 0.3 + 0.15 * forming) + distance - 6.5 * np.log10(1 + z)
    colours = np.stack(
        [
            0.1 * rng.standard_normal(len(z)),
            -0.03 + 0.6 * z + 0.14 * forming + 0.25 * burst + 0.06 * rng.standard_normal(len(z)),
            0.6 + 3.0 * forming + 0.4 * burst + (0.3 + 0.1 * forming) * rng.standard_normal(len(z)),
            1.6 + 0.5 * forming + 0.5 * burst + 0.3 * rng.standard_normal(len(z)),
        ],
        axis=1,
    )
    nucleus = _SUN_W1 - 2.5 * (galaxies["nuclear_halpha"] + 3.0) + distance - 2.5 * np.log10(1 + z)
    nucleus += np.where(galaxies["seyfert"] > 0, 0, 99)
    return _together(_magnitudes(w1, colours), nucleus[:, None] - [0.0, 1.0, 3.75, 6.15])
