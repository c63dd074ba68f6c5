"""Shapes of galaxies from their latents, without seeing and noise: a Sersic bulge and a disc with two spiral arms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from .instruments import PIXEL_SCALE_ARCSEC
from .population import Galaxies

__all__ = ["MARGIN", "Components", "compose", "render_components"]

Array = npt.NDArray[np.float32]
Components = tuple[Array, Array]
"""Bulge and disc [B, H, W], each of unit total flux, before the seeing."""

MARGIN = 4  # pixels that the seeing reaches over the edge
_CORE, _FINE = 14, 5  # the inner pixels, where profiles are steep, are sampled more finely


def _positions(size: int) -> tuple[Array, Array]:
    """Offsets (x, y) [P] in arcsec from the centre: every pixel, then the fine samples of the core."""
    pixels = np.arange(size) - (size - 1) / 2
    fine = (np.arange(_CORE * _FINE) + 0.5) / _FINE - _CORE / 2
    xs = [np.tile(axis, len(axis)) for axis in (pixels, fine)]
    ys = [np.repeat(axis, len(axis)) for axis in (pixels, fine)]
    x, y = np.concatenate(xs), np.concatenate(ys)
    return (x * PIXEL_SCALE_ARCSEC).astype(np.float32), (y * PIXEL_SCALE_ARCSEC).astype(np.float32)


def _to_pixels(samples: Array, size: int) -> Array:
    """Samples [B, P] of `_positions` averaged to images [B, size, size]."""
    image = samples[:, : size * size].reshape(-1, size, size).copy()
    core = samples[:, size * size :].reshape(-1, _CORE, _FINE, _CORE, _FINE).mean(axis=(2, 4))
    start = (size - _CORE) // 2
    image[:, start : start + _CORE, start : start + _CORE] = core
    return image


def _log_radius(galaxies: Galaxies, axis_ratio: str, size: int) -> tuple[Array, Array]:
    """Logarithm of the elliptical radius in arcsec, and the angle in the plane of the disc, both [B, P]."""
    x, y = _positions(size)
    angle = np.radians(galaxies["position_angle_deg"]).astype(np.float32)[:, None]
    major = np.cos(angle) * x + np.sin(angle) * y
    minor = (np.cos(angle) * y - np.sin(angle) * x) / galaxies[axis_ratio].astype(np.float32)[:, None]
    log_radius = np.asarray(0.5 * np.log(major**2 + minor**2 + 0.02**2), dtype=np.float32)
    return log_radius, np.arctan2(minor, major)


def _sersic(log_radius: Array, radius: npt.NDArray[np.float64], index: npt.NDArray[np.float64]) -> Array:
    """Surface brightness [B, P] of a Sersic profile, 1 at the centre."""
    b = 2 * index - 1 / 3 + 0.009876 / index  # Prugniel & Simien (1997)
    scaled = np.exp((log_radius - np.log(radius)[:, None].astype(np.float32)) / index[:, None].astype(np.float32))
    return np.exp(-b[:, None].astype(np.float32) * scaled)


def _normalise(image: Array, radius: npt.NDArray[np.float64], index: npt.NDArray[np.float64]) -> Array:
    """Scales images so that the whole profile, with what lies outside the image, has unit flux."""
    b = 2 * index - 1 / 3 + 0.009876 / index
    edge = image.shape[-1] * PIXEL_SCALE_ARCSEC / 2
    inside = gammainc(2 * index, b * (edge / radius) ** (1 / index))
    return np.asarray(image * (inside / image.sum(axis=(1, 2)))[:, None, None], dtype=np.float32)


def render_components(galaxies: Galaxies, size: int) -> Components:
    """Noise-free bulge and disc before the seeing.

    Args:
        galaxies: Latents of B galaxies.
        size: Pixels along the side of a cutout.

    Returns:
        Two float32 arrays [B, size + 8, size + 8] of unit flux; the cutout is their inner part.
    """
    full = size + 2 * MARGIN
    ones = np.ones(len(galaxies["z"]))
    log_radius, _ = _log_radius(galaxies, "bulge_axis_ratio", full)
    bulge = _to_pixels(_sersic(log_radius, galaxies["bulge_radius"], galaxies["sersic_index"]), full)
    log_radius, angle = _log_radius(galaxies, "axis_ratio", full)
    winding = (1 / np.tan(np.radians(galaxies["arm_pitch_deg"])))[:, None].astype(np.float32)
    phase, strength = (galaxies[name][:, None].astype(np.float32) for name in ("arm_phase", "arm_strength"))
    arms = 1 + strength * np.sin(2 * (angle - winding * log_radius) + phase)
    disc = _to_pixels(_sersic(log_radius, galaxies["disc_radius"], ones) * arms, full)
    return (
        _normalise(bulge, galaxies["bulge_radius"], galaxies["sersic_index"]),
        _normalise(disc, galaxies["disc_radius"], ones),
    )


def compose(components: Components, bulge_flux: Array, disc_flux: Array) -> Array:
    """Light [B, 3, H, W] in nanomaggies of bulges and discs with fluxes [B, 3]."""
    bulge, disc = components
    return bulge_flux[:, :, None, None] * bulge[:, None] + disc_flux[:, :, None, None] * disc[:, None]
