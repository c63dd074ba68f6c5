"""Artifacts of WISE: what bright stars leave in images, within the frame and after it has moved on.

They are those that flags of the catalogue name (cc_flags: D, P, H and O; Cutri et al. 2012, IV.4.g): spikes and halo
of a bright star, its ghost and its latent image. Each is a function as in `artifacts`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .artifacts import Artifact, Defects
from .mid_infrared import AB_OFFSETS, SATURATED

__all__ = ["WISE_ARTIFACTS", "WISE_SHARES"]

Array = npt.NDArray[np.float32]


def _radii(size: int, distance: float, angle: float) -> tuple[Array, Array]:
    """Offsets (y, x) [size, size] in pixels from a point at a distance from the middle."""
    offset = np.arange(size, dtype=np.float32) - (size - 1) / 2
    y, x = np.meshgrid(offset, offset, indexing="ij")
    return y - np.float32(distance * np.sin(angle)), x - np.float32(distance * np.cos(angle))


def bright_star(size: int, fwhm: Array, sigma: Array, rng: np.random.Generator) -> Defects:
    """A star of W1 = 4 to 9 beside the object: wings, four spikes along the diagonals, and a saturated core."""
    magnitude = rng.uniform(4, 9)
    y, x = _radii(size, rng.uniform(0.3, 0.4 + 0.06 * (9 - magnitude)) * size, rng.uniform(0, 2 * np.pi))
    radius = np.hypot(x, y)
    flux = 10 ** (-0.4 * (magnitude + AB_OFFSETS - 22.5))
    width = (fwhm / 2.355)[:, None, None]
    core = np.exp(-0.5 * (radius / width) ** 2) / (2 * np.pi * width**2)
    wings = 0.02 / (25 + radius**2) ** 1.5
    arms = ((x + y, x - y), (x - y, x + y))
    spikes = sum(np.exp(-0.5 * (across / 2.0) ** 2) / (60 + along**2) for across, along in arms)
    light = flux[:, None, None] * (core + wings + 0.0015 * spikes)
    limit = (10 ** (-0.4 * (np.array(SATURATED) + AB_OFFSETS - 22.5)))[:, None, None] / (2 * np.pi * width**2)
    lost = light > limit
    return np.where(lost, limit, light), lost


def latent(size: int, fwhm: Array, sigma: Array, rng: np.random.Generator) -> Defects:
    """What a bright star leaves on the detector: a smudge wider than the beam, in one band."""
    y, x = _radii(size, rng.uniform(0, 0.4) * size, rng.uniform(0, 2 * np.pi))
    band = rng.integers(len(sigma))
    light = np.zeros((len(sigma), size, size))
    width = fwhm[band] / 2.355 * rng.uniform(1.3, 2.0)
    light[band] = sigma[band] * 10 ** rng.uniform(0.3, 1.2) * np.exp(-0.5 * (x**2 + y**2) / width**2)
    return light, np.zeros(light.shape, dtype=bool)


def ghost(size: int, fwhm: Array, sigma: Array, rng: np.random.Generator) -> Defects:
    """Light of a bright star reflected within the telescope: a part of a wide ring in one band."""
    distance = rng.uniform(0.2, 0.6) * size
    y, x = _radii(size, distance, rng.uniform(0, 2 * np.pi))
    band, ring = rng.integers(len(sigma)), rng.uniform(0.2, 0.4) * size
    light = np.zeros((len(sigma), size, size))
    light[band] = sigma[band] * 10 ** rng.uniform(0.2, 0.9) * np.exp(-0.5 * ((np.hypot(x, y) - ring) / fwhm[band]) ** 2)
    return light, np.zeros(light.shape, dtype=bool)


WISE_ARTIFACTS: dict[str, Artifact] = {"bright_star": bright_star, "latent": latent, "ghost": ghost}
WISE_SHARES = {"bright_star": 0.5, "latent": 0.25, "ghost": 0.25}
