"""What a camera makes of the sky: seeing with wings in every band, light that a fibre takes, photon and sky noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from .artifacts import ARTIFACTS, Artifact
from .components import MARGIN
from .instruments import FIBRE_RADIUS_ARCSEC, LEGACY_SURVEYS, MOFFAT_SCALE, PIXEL_SCALE_ARCSEC, SEEING_ARCSEC, Camera

__all__ = ["Exposure", "draw_exposures", "effective_pixels", "fibre_aperture", "moffat_transfer", "observe_images"]

Array = npt.NDArray[np.float32]
Exposure = dict[str, Array]
"""What differs from exposure to exposure, all [B, bands]: fwhm (arcsec), sigma and sky (nanomaggies per pixel)."""


def moffat_transfer(size: int, fwhm_arcsec: npt.ArrayLike, pixel_scale_arcsec: float = PIXEL_SCALE_ARCSEC) -> Array:
    """Transfer functions [..., size, size // 2 + 1] of Moffat profiles of beta = 2.5 and any widths [...].

    The Fourier transform of (1 + r^2 / a^2)^-2.5 is exp(-ka) (1 + ka), in closed form.
    """
    wave = 2 * np.pi * np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)).astype(np.float32)
    scale = np.asarray(fwhm_arcsec, dtype=np.float32) * np.float32(MOFFAT_SCALE / pixel_scale_arcsec)
    product = wave * scale[..., None, None]
    return np.asarray(np.exp(-product) * (1 + product))


def draw_exposures(count: int, rng: np.random.Generator, camera: Camera = LEGACY_SURVEYS) -> Exposure:
    """Seeing, noise and sky of the exposures of `count` cutouts.

    The noise of a pixel follows from the depth for a point source under a Gaussian of the same width.
    """
    shape, scale = (count, len(camera.bands)), camera.pixel_scale_arcsec
    fwhm = np.array(camera.seeing_arcsec) * np.exp(0.08 * rng.standard_normal(shape))
    depth = np.array(camera.depth) + 0.1 * rng.standard_normal(shape)
    pixels = 4 * np.pi * (fwhm / 2.355 / scale) ** 2
    sigma = 10 ** (-0.4 * (depth - 22.5)) / 5 / np.sqrt(pixels)
    sky = np.broadcast_to(10 ** (-0.4 * (np.array(camera.sky_brightness) - 22.5)) * scale**2, shape)
    return {name: values.astype(np.float32) for name, values in (("fwhm", fwhm), ("sigma", sigma), ("sky", sky))}


def fibre_aperture(size: int) -> Array:
    """What share of the light of each pixel [size, size], before the seeing, enters a fibre at the centre."""
    offset = (np.arange(size) - (size - 1) / 2) * PIXEL_SCALE_ARCSEC
    radius = np.hypot(offset[:, None], offset)
    aperture = np.clip((FIBRE_RADIUS_ARCSEC - radius) / PIXEL_SCALE_ARCSEC + 0.5, 0, 1)
    seen = np.fft.irfft2(np.fft.rfft2(aperture) * moffat_transfer(size, SEEING_ARCSEC[1]), (size, size))
    return seen.astype(np.float32)


def effective_pixels(scene: Array, exposure: Exposure) -> Array:
    """Pixels [B, 3] whose noise a matched filter for the galaxies of `scene` [B, 3, H, W] collects."""
    own = scene.sum(axis=(2, 3)) ** 2 / np.einsum("bcyx,bcyx->bc", scene, scene)
    return np.asarray(own + 4 * np.pi * (exposure["fwhm"] / 2.355 / PIXEL_SCALE_ARCSEC) ** 2)


def observe_images(
    scene: Array,
    exposure: Exposure,
    artifacts: npt.NDArray[np.str_],
    rng: np.random.Generator,
    pixel_scale_arcsec: float = PIXEL_SCALE_ARCSEC,
    kinds: Mapping[str, Artifact] = ARTIFACTS,
    margin: int = MARGIN,
) -> tuple[Array, Array]:
    """Cutouts of what is on the sky.

    Args:
        scene: Light before the seeing [B, bands, size + 2 margin, size + 2 margin] in nanomaggies per pixel.
        exposure: What `draw_exposures` gave.
        artifacts: Kind [B] of the artifact of each cutout, or "none".
        rng: Source of all randomness of the noise; artifacts have their own, seeded from it.
        pixel_scale_arcsec: Size of a pixel.
        kinds: What draws the artifacts of each kind.
        margin: Pixels of the scene on every side of the cutout.

    Returns:
        Float32 cutouts and their inverse variances [B, bands, size, size] in nanomaggies, 0 where a pixel is lost.
    """
    size = scene.shape[-1]
    blurred = np.fft.irfft2(
        np.fft.rfft2(scene) * moffat_transfer(size, exposure["fwhm"], pixel_scale_arcsec), (size, size)
    )
    image = np.ascontiguousarray(blurred[:, :, margin:-margin, margin:-margin], dtype=np.float32)
    defects = np.random.default_rng(rng.integers(1 << 62))
    spoiled = {}
    for row in np.flatnonzero(artifacts != "none"):
        draw = kinds[str(artifacts[row])]
        light, lost = draw(image.shape[-1], exposure["fwhm"][row] / pixel_scale_arcsec, exposure["sigma"][row], defects)
        image[row] += light
        spoiled[row] = lost, light[lost]
    sky, sigma = (exposure[name][:, :, None, None] for name in ("sky", "sigma"))
    variance = sigma**2 * (1 + np.maximum(image, 0) / sky)
    image += np.sqrt(variance) * rng.standard_normal(image.shape, dtype=np.float32)
    ivar = np.asarray(1 / variance, dtype=np.float32)
    for row, (lost, value) in spoiled.items():
        image[row][lost], ivar[row][lost] = value, 0
    return image, ivar
