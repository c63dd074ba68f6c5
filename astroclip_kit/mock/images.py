"""Cutouts of galaxies from their latents: bulge, disc and spiral arms, seeing, neighbours, sky and photon noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from .instruments import (
    DEPTH,
    FIBRE_RADIUS_ARCSEC,
    PIXEL_SCALE_ARCSEC,
    SEEING_ARCSEC,
    SKY_BRIGHTNESS,
)
from .population import Galaxies

__all__ = ["Components", "fibre_shares", "observe_images", "render_components"]

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


def _seeing(size: int, fwhm_arcsec: npt.NDArray[np.float64]) -> Array:
    """Transfer functions [..., size, size // 2 + 1] of a point spread function: a core and 15 % in a wider Gaussian."""
    squared = np.fft.fftfreq(size)[:, None] ** 2 + np.fft.rfftfreq(size) ** 2
    width = (2 * (np.pi * fwhm_arcsec / 2.355 / PIXEL_SCALE_ARCSEC) ** 2)[..., None, None]
    return np.asarray(0.85 * np.exp(-width * squared) + 0.15 * np.exp(-4 * width * squared), dtype=np.float32)


def fibre_shares(components: Components) -> tuple[Array, Array]:
    """Shares [B] of the bulge's and the disc's light that enter a fibre at the centre, through mean seeing."""
    size = components[0].shape[-1]
    offset = (np.arange(size) - (size - 1) / 2) * PIXEL_SCALE_ARCSEC
    radius = np.hypot(offset[:, None], offset)
    aperture = np.clip((FIBRE_RADIUS_ARCSEC - radius) / PIXEL_SCALE_ARCSEC + 0.5, 0, 1)
    seen = np.fft.irfft2(np.fft.rfft2(aperture) * _seeing(size, np.array(SEEING_ARCSEC[1])), (size, size))
    bulge, disc = (np.tensordot(part, seen.astype(np.float32), axes=2) for part in components)
    return bulge, disc


def _neighbours(count: int, size: int, rng: np.random.Generator) -> Array:
    """Images [B, 3, size, size] of faint round neighbours before the seeing: two a cutout of 17 arcsec, r from 19."""
    number = 6
    magnitude = 19 + 5.5 * rng.random((count, number)) ** 0.35  # counts rise with magnitude
    colour = rng.normal((0.7, 0.0, -0.45), (0.45, 0.02, 0.3), (count, number, 3))
    flux = 10 ** (-0.4 * (magnitude[..., None] + colour - 22.5))
    flux *= rng.random((count, number, 1)) < 2 / number * (size * PIXEL_SCALE_ARCSEC / 17) ** 2
    position = rng.uniform(-0.5, size - 0.5, (count, number, 2)).astype(np.float32)
    spread = np.exp(rng.normal(0.2, 0.4, (count, number, 1))).astype(np.float32)  # pixels
    pixels = np.arange(size, dtype=np.float32)
    x, y = (
        np.exp(-0.5 * ((pixels - position[..., axis, None]) / spread) ** 2) / (spread * np.float32(2.5066))
        for axis in (0, 1)
    )
    return np.asarray(np.einsum("bnc,bny,bnx->bcyx", flux.astype(np.float32), y, x, optimize=True))


def observe_images(components: Components, bulge_flux: Array, disc_flux: Array, rng: np.random.Generator) -> Array:
    """What the camera makes of galaxies.

    Args:
        components: What `render_components` gave for B galaxies.
        bulge_flux: Fluxes [B, 3] of the bulges in g, r, z in nanomaggies.
        disc_flux: Fluxes [B, 3] of the discs.
        rng: Source of all randomness.

    Returns:
        Float32 cutouts [B, 3, size, size] in nanomaggies, at the depth and seeing of the Legacy Surveys.
    """
    bulge, disc = components
    count, size = len(bulge), bulge.shape[-1]
    fwhm = np.array(SEEING_ARCSEC) * np.exp(0.08 * rng.standard_normal((count, 3)))
    scene = bulge_flux[:, :, None, None] * bulge[:, None] + disc_flux[:, :, None, None] * disc[:, None]
    scene = scene + _neighbours(count, size, rng)
    blurred = np.fft.irfft2(np.fft.rfft2(scene) * _seeing(size, fwhm), (size, size)).astype(np.float32)
    inner = blurred[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]
    sky, sigma = (value[:, :, None, None] for value in _noise(fwhm, rng))
    variance = sigma**2 * (1 + np.maximum(inner, 0) / sky)
    return np.asarray(inner + np.sqrt(variance) * rng.standard_normal(inner.shape, dtype=np.float32), np.float32)


def _noise(fwhm_arcsec: npt.NDArray[np.float64], rng: np.random.Generator) -> tuple[Array, Array]:
    """Sky level and noise of a pixel [B, 3] in nanomaggies, from the depth for a point source in this seeing."""
    depth = np.array(DEPTH) + 0.1 * rng.standard_normal(fwhm_arcsec.shape)
    pixels = 4 * np.pi * (fwhm_arcsec / 2.355 / PIXEL_SCALE_ARCSEC) ** 2
    sigma = 10 ** (-0.4 * (depth - 22.5)) / 5 / np.sqrt(pixels)
    sky = 10 ** (-0.4 * (np.array(SKY_BRIGHTNESS) - 22.5)) * PIXEL_SCALE_ARCSEC**2
    return np.broadcast_to(sky, sigma.shape).astype(np.float32), sigma.astype(np.float32)
