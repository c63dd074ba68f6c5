"""What a survey makes of point sources: ugriz images with neighbours, seeing and noise, and spectra through a fibre."""

from __future__ import annotations

import numpy as np

from ..errors import UsageError
from ..settings import Observing
from .artifacts import draw_artifacts
from .background import draw_background
from .camera import draw_exposures, observe_images
from .catalogue import Rows
from .chunks import Plan
from .components import MARGIN
from .files import Observation
from .instruments import LEGACY_COUNTS, SDSS
from .spectra import Array
from .spectrograph import observe_spectra, resample
from .star_population import SATURATION
from .star_spectra import on_observed_grid, star_fluxes

__all__ = ["STREAMS", "check_limit", "observe_points"]

STREAMS = ("stars", "places", "sky", "artifacts", "images", "spectra", "calibration")
ZERO_POINT = (0.02, 0.01, 0.01, 0.01, 0.015)  # mag, scatter of u, g, r, i, z from field to field
SPECTROPHOTOMETRY = 0.04  # scatter of the flux calibration of a spectrum over its length


def check_limit(observing: Observing, kind: str) -> None:
    """Refuses limits between which the camera is saturated by all points.

    Args:
        observing: Magnitude limits.
        kind: What is observed, in the plural.

    Raises:
        UsageError: If the faint limit is less than half a magnitude fainter than `SATURATION`.
    """
    if observing.faint_limit < SATURATION + 0.5:
        raise UsageError(f"faint_limit of {kind} must be {SATURATION + 0.5:g} or more, found "
                         f"{observing.faint_limit:g}: brighter ones than {SATURATION:g} mag saturate.")  # fmt: skip


def observe_points(
    plan: Plan,
    draw: dict[str, np.random.Generator],
    light: Array,
    dispersed: Array,
    counts: float = LEGACY_COUNTS,
) -> tuple[Observation, Rows]:
    """Cutouts and spectra of point sources.

    Args:
        plan: Gives the size and the artifacts of the cutouts and the grid of the spectra.
        draw: Sources of randomness: sky, artifacts, images, spectra, calibration.
        light: Spectra [B, L] on `atmospheres.REST_WAVELENGTH` in 1e-17 erg/s/cm2/A, as they reach the Earth.
        dispersed: The same as the spectrograph blurs them.
        counts: Of the spectrograph's exposure, see `spectrum_sigma`.

    Returns:
        The observations, and as columns seeing_* (full width at half maximum, arcsec), artifact and sn_median.
    """
    count, size = len(light), plan.observing.size + 2 * MARGIN
    exposure = draw_exposures(count, draw["sky"], SDSS)
    zero_point = 10 ** (0.4 * np.array(ZERO_POINT) * draw["calibration"].standard_normal((count, len(SDSS.bands))))
    scene = _points(star_fluxes(light), size, draw["images"]) + draw_background(count, size, draw["sky"], SDSS)
    scene *= zero_point.astype(np.float32)[:, :, None, None]
    artifacts = draw_artifacts(count, plan.observing.artifacts, draw["artifacts"])
    image, image_ivar = observe_images(scene, exposure, artifacts, draw["images"], SDSS.pixel_scale_arcsec)

    model = resample(on_observed_grid(dispersed), plan.grid)
    seen = model * _calibration(model.shape, draw["calibration"])
    spectrum, spectrum_ivar, mask = observe_spectra(seen, plan.grid, draw["spectra"], counts)
    columns = {f"seeing_{band}": exposure["fwhm"][:, k] for k, band in enumerate(SDSS.bands)}
    observation = Observation(image, image_ivar, spectrum, spectrum_ivar, mask, model)
    return observation, columns | {"artifact": artifacts, "sn_median": observation.sn_median}


def _points(flux: Array, size: int, rng: np.random.Generator) -> Array:
    """Light [B, bands, size, size] of points at the centre, give or take half a pixel, spread over the nearest four."""
    scene = np.zeros((*flux.shape, size, size), dtype=np.float32)
    down, right = rng.random((2, len(flux), 1)).astype(np.float32)
    first = size // 2 - 1
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        scene[:, :, first + i, first + j] = flux * np.abs(1 - i - down) * np.abs(1 - j - right)
    return scene


def _calibration(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Errors of the flux calibration [B, L]: waves along the spectrum, the shorter the lower."""
    order = np.arange(1, 25, dtype=np.float32)[:, None]
    waves = SPECTROPHOTOMETRY * order**-0.75 * np.cos(np.pi * order * np.linspace(0, 1, shape[1], dtype=np.float32))
    return np.asarray(np.exp(rng.standard_normal((shape[0], len(order)), dtype=np.float32) @ waves))
