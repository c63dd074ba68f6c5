"""Nebular emission lines: star-forming gas of any metallicity, active nuclei, and where both lie in the BPT diagram.

Ratios are before dust; `spectra` reddens each line, so that H alpha over H beta is 2.86 only without dust.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..transforms.spectral_lines import NEBULAR as LINES
from .instruments import LIGHT_KM_S, LOGLAM_STEP
from .population import Galaxies
from .stellar_populations import REST_LOGLAM, REST_WAVELENGTH, node_weights

__all__ = [
    "LINES",
    "SOLAR_LUMINOSITY",
    "line_class",
    "line_ratios",
    "line_spectra",
    "nuclear_lines",
    "star_forming_lines",
]

Array = npt.NDArray[np.float64]

SOLAR_LUMINOSITY = 3.828e33  # erg/s
_GAS_KM_S = np.array([85.0, 120.0, 170.0, 260.0])
_CASE_B = {"H_ALPHA": 1.0, "H_BETA": 1 / 2.86, "H_GAMMA": 0.468 / 2.86, "H_DELTA": 0.259 / 2.86}


def line_ratios(galaxies: Galaxies) -> tuple[Array, Array]:
    """log10 of [NII]6584/H alpha and of [OIII]5007/H beta of star-forming gas, both [B].

    [NII] follows the oxygen abundance (Marino et al. 2013, equation 4), [OIII] the star-forming sequence at z = 0
    (Kewley et al. 2013, equation 3) with the scatter of the ionisation.
    """
    nitrogen = np.clip((galaxies["oxygen"] - 8.743) / 0.462, -1.6, -0.3)
    oxygen = np.clip(0.61 / (nitrogen + 0.08) + 1.1, -1.0, 0.75) + galaxies["ionisation"]
    return nitrogen, oxygen


def star_forming_lines(galaxies: Galaxies) -> Array:
    """Luminosities [B, lines] in solar units of the gas that young stars light up.

    H alpha follows the star formation (Kennicutt & Evans 2012), the Balmer series case B.
    """
    nitrogen, oxygen = line_ratios(galaxies)
    abundance, ionisation = galaxies["oxygen"] - 8.4, galaxies["ionisation"]
    doublet = 10 ** (0.42 - 1.2 * np.maximum(abundance, 0) - 0.5 * ionisation) / 2.86  # [OII] over H alpha
    sulphur = 10 ** (-0.45 - 0.5 * ionisation - 0.4 * np.abs(abundance))
    ratios = _metals(10**nitrogen, 10**oxygen / 2.86, doublet, sulphur)
    ratios |= {"OI_6300": 10 ** (-1.55 - ionisation), "NEIII_3869": 0.08 * 10**oxygen / 2.86}
    ratios |= {"HEI_5876": 0.12 / 2.86, "SIII_9069": 0.05, "SIII_9531": 0.12}
    return 10 ** (galaxies["sfr"] + 41.27)[:, None] / SOLAR_LUMINOSITY * _stack(ratios, len(nitrogen))


def nuclear_lines(galaxies: Galaxies) -> Array:
    """Luminosities [B, lines] in solar units around active nuclei and the old stars of quiescent galaxies.

    Seyfert galaxies have strong [OIII]; everything else has the ratios of LINERs (Kewley et al. 2006).
    """
    seyfert = galaxies["seyfert"] > 0
    nitrogen = 10 ** (np.where(seyfert, -0.08, 0.08) + galaxies["oxygen"] - 8.5)
    oxygen = 10 ** (np.where(seyfert, 0.85, 0.35) + galaxies["ionisation"]) / 2.86
    ratios = _metals(nitrogen, oxygen, np.where(seyfert, 0.7, 1.2), np.where(seyfert, 0.45, 0.85))
    ratios |= {"OI_6300": np.where(seyfert, 0.12, 0.2), "NEIII_3869": 0.09 * oxygen}
    ratios |= {"HEI_5876": 0.04, "SIII_9069": 0.06, "SIII_9531": 0.15}
    return 10 ** galaxies["nuclear_halpha"][:, None] * _stack(ratios, len(seyfert))


def _metals(nitrogen: Array, oxygen: Array, doublet: Array, sulphur: Array) -> dict[str, Array | float]:
    """Lines over H alpha from four ratios, by the atomic ratios of the doublets at low density."""
    return {
        **_CASE_B,
        "NII_6584": nitrogen,
        "NII_6548": nitrogen / 3.05,
        "OIII_5007": oxygen,
        "OIII_4959": oxygen / 2.98,
        "OII_3727": doublet * 0.43,
        "OII_3729": doublet * 0.57,
        "SII_6717": sulphur * 0.58,
        "SII_6731": sulphur * 0.42,
    }


def _stack(ratios: dict[str, Array | float], count: int) -> Array:
    return np.stack([np.broadcast_to(ratios[name], count) for name in LINES], axis=1)


def line_class(nitrogen: Array, oxygen: Array) -> npt.NDArray[np.str_]:
    """What lights the gas [B], "starforming", "composite" or "agn", from log10 [NII]/H alpha and [OIII]/H beta [B].

    The borders are those of Kauffmann et al. (2003) and of Kewley et al. (2001).
    """
    kauffmann = (nitrogen < 0.05) & (oxygen < 0.61 / np.minimum(nitrogen - 0.05, -1e-6) + 1.3)
    kewley = (nitrogen < 0.47) & (oxygen < 0.61 / np.minimum(nitrogen - 0.47, -1e-6) + 1.19)
    return np.select([kauffmann, kewley], ["starforming", "composite"], "agn")


@lru_cache(maxsize=1)
def _profiles() -> npt.NDArray[np.float32]:
    """Unit-flux Gaussian profiles [width * lines, L] per Angstrom."""
    centre = (np.log10(list(LINES.values())) - REST_LOGLAM[0]) / LOGLAM_STEP
    sigma = (_GAS_KM_S / LIGHT_KM_S / np.log(10) / LOGLAM_STEP)[:, None, None]
    offset = np.arange(len(REST_LOGLAM)) - centre[:, None]
    profile = np.exp(-0.5 * (offset / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    width = REST_WAVELENGTH * np.log(10) * LOGLAM_STEP
    return np.asarray(profile / width, dtype=np.float32).reshape(-1, len(REST_LOGLAM))


def line_spectra(luminosity: Array, width_km_s: Array) -> npt.NDArray[np.float32]:
    """Spectra [B, L] in solar luminosities per Angstrom of lines of given luminosities [B, lines] and widths [B]."""
    weights = node_weights(width_km_s, _GAS_KM_S)[:, :, None] * luminosity[:, None]
    return np.asarray(weights.reshape(len(luminosity), -1).astype(np.float32) @ _profiles())
