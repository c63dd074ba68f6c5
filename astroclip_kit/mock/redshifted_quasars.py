"""Spectra of quasars as we see them: redshifted, and where templates are given with the mean shape of the real ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .atmospheres import REST_WAVELENGTH as OBSERVED
from .point_templates import read_composite
from .quasar_population import draw_quasars
from .quasars import LOGLAM, WAVELENGTH, Quasars, rest_spectra
from .spectra import shifted

__all__ = ["quasar_spectra"]

Wide = npt.NDArray[np.float32]


@lru_cache(maxsize=2)
def _composite_ratio(templates: str) -> Wide:
    """What the mean of the mock is multiplied with [L] to be the published composite, from 1240 to 8000 A."""
    composite = read_composite(templates)
    if composite is None:
        return np.ones(len(WAVELENGTH), dtype=np.float32)
    own = np.median(rest_spectra(draw_quasars(400, np.random.default_rng(2001), 15.0, 19.0)), axis=0)
    inside = np.clip(np.log(WAVELENGTH), np.log(1240), np.log(8000))
    ratio = np.interp(np.exp(inside), *composite) / np.interp(np.exp(inside), WAVELENGTH, own)
    return np.asarray(ratio / np.median(ratio), dtype=np.float32)


def quasar_spectra(quasars: Quasars, templates: str = "") -> Wide:
    """Spectra as they are redshifted, in arbitrary units.

    Args:
        quasars: Latents of B quasars.
        templates: Folder of published spectra, see `read_composite`; none by default.

    Returns:
        Float32 [B, L] on `atmospheres.REST_WAVELENGTH`.
    """
    rest = rest_spectra(quasars)
    if templates:
        rest *= _composite_ratio(templates)
    return shifted(rest, quasars["z"], float(LOGLAM[0]), OBSERVED)
