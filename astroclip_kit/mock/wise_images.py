"""WISE cutouts of objects with neighbours, beam and noise, and what a survey measures of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .camera import Exposure, moffat_transfer
from .catalogue import Rows
from .mid_infrared import AB_OFFSETS, WISE

__all__ = ["MARGIN", "Shape", "measured", "transfers"]

Array = npt.NDArray[np.float32]
Shape = npt.NDArray[np.float64]
"""Of B objects [B, 3]: scale length in arcsec (0: a point), axis ratio and position angle in radians."""

MARGIN = 12  # pixels that the beam reaches over the edge
LIMIT = 2.0  # signal to noise below which a magnitude is an upper limit, as in the catalogue of AllWISE
CALIBRATION = 0.02  # mag, the floor of the errors
SKY_RADIUS_ARCSEC = 20.0


def transfers(shape: Shape, size: int, rng: np.random.Generator) -> npt.NDArray[np.complex64]:
    """Fourier transforms of unit light of objects near the middle of images.

    An exponential disc of scale length h has the transform (1 + k^2 h^2)^-1.5; a point has 1.

    Args:
        shape: Of B objects.
        size: Pixels along the side of the image.
        rng: Source of their places, half a pixel around the middle.

    Returns:
        For `numpy.fft.irfft2`: [B, 2, size, size // 2 + 1], of the objects and of points at their places.
    """
    ky, kx = (2 * np.pi * wave for wave in (np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)))
    place = (size - 1) / 2 + rng.uniform(-0.5, 0.5, (2, len(shape), 1, 1))
    point = np.exp(-1j * (ky * place[0] + kx * place[1]))
    length, ratio, angle = (column[:, None, None] for column in shape.T)
    major = np.cos(angle) * kx + np.sin(angle) * ky
    minor = (np.cos(angle) * ky - np.sin(angle) * kx) * ratio
    disc = (1 + (length / WISE.pixel_scale_arcsec) ** 2 * (major**2 + minor**2)) ** -1.5
    return np.stack([point * disc, point], axis=1).astype(np.complex64)


def measured(image: Array, ivar: Array, others: Array, point: npt.NDArray[np.complex64], exposure: Exposure) -> Rows:
    """Magnitudes of a profile fit as in the catalogue of AllWISE, from the cutouts themselves.

    A point source is fitted at the place of the object, after the light of the neighbours that the catalogue knows is
    taken away; fainter ones remain. Below a signal to noise of 2 a magnitude is that of the flux and two errors, an
    upper limit of the light, and its error is NaN.

    Args:
        image: Cutouts [B, 4, H, W] in nanomaggies (AB).
        ivar: Their inverse variances.
        others: Light of known neighbours [B, 4, H + 24, W + 24] before the beam.
        point: Of `transfers`.
        exposure: Of the cutouts.

    Returns:
        w1mpro to w4mpro (Vega), w1sigmpro to w4sigmpro, w1snr to w4snr; and w1_w2, w2_w3, their colours, with errors
        e_w1_w2 and e_w2_w3: NaN where one of the two is not detected.
    """
    size = others.shape[-1]
    beam = moffat_transfer(size, exposure["fwhm"], WISE.pixel_scale_arcsec)
    inner = (..., slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    profile = np.fft.irfft2(point[:, None] * beam, (size, size))[inner]
    clean = image - np.fft.irfft2(np.fft.rfft2(others) * beam, (size, size))[inner]
    offset = (np.arange(image.shape[-1]) - (image.shape[-1] - 1) / 2) * WISE.pixel_scale_arcsec
    outside = np.hypot(offset[:, None], offset) > SKY_RADIUS_ARCSEC
    sky = np.median(clean[:, :, outside], axis=2)[:, :, None, None]
    weight = profile * ivar
    norm = np.einsum("bcyx,bcyx->bc", weight, profile)
    flux = np.einsum("bcyx,bcyx->bc", weight, clean - sky) / norm
    error = np.hypot(norm**-0.5, CALIBRATION / 1.0857 * flux)
    snr = flux / error
    seen = snr >= LIMIT
    magnitude = 22.5 - 2.5 * np.log10(np.where(seen, flux, np.maximum(flux, 0) + 2 * error)) - AB_OFFSETS
    sigma = np.where(seen, 1.0857 / np.where(seen, snr, 1), np.nan)
    rows: Rows = {}
    for k, band in enumerate(WISE.bands):
        rows |= {f"{band}mpro": magnitude[:, k], f"{band}sigmpro": sigma[:, k], f"{band}snr": snr[:, k]}
    for k, name in enumerate(("w1_w2", "w2_w3")):
        both = seen[:, k] & seen[:, k + 1]
        rows |= {name: np.where(both, magnitude[:, k] - magnitude[:, k + 1], np.nan)}
        rows |= {f"e_{name}": np.where(both, np.hypot(sigma[:, k], sigma[:, k + 1]), np.nan)}
    return {name: values.astype(np.float32) for name, values in rows.items()}
