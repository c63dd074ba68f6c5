"""Rows of Gaia, 2MASS and WISE of mock variable stars, as measured.

Errors are those of Gaia EDR3 (Lindegren et al. 2021; Riello et al. 2021), where variability makes those of the mean
magnitudes larger, of 2MASS (Skrutskie et al. 2006), which saw each star once, at any phase, and of AllWISE (Cutri et
al. 2013). How much larger follows from the scatter of the noise-free light curve in V, as if G, BP and RP varied as V
does: these errors know more of the variation than the noisy light curve. Pairs wobble, and giants are larger than
their parallaxes: both show in ruwe (Belokurov et al. 2020; Chiavassa et al. 2018).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..transforms.astrom3_columns import METADATA, PHOTOMETRY
from .catalogue import Rows
from .stellar_colours import BANDS, EXTINCTION, visual_colours
from .variable_population import ECLIPSING, LONG_PERIOD

__all__ = ["measured_columns", "true_magnitudes"]

Array = npt.NDArray[np.float64]

_DISPERSION = {"thin": 28.0, "thick": 50.0, "halo": 130.0}  # km/s
_WISE_DEPTH = (17.0, 15.6, 11.6, 8.0)
_TRANSITS = (260, 32, 32)  # of G, BP and RP


def true_magnitudes(stars: Rows, rng: np.random.Generator) -> Array:
    """Mean magnitudes [B, bands] of `stellar_colours.BANDS`, behind the dust, of both stars of a pair.

    Args:
        stars: Latents of `draw_variables` and `draw_places` [B].
        rng: Source of the scatter of colours.
    """
    carbon, nothing = stars["subclass"] == "carbon", np.zeros(len(stars["teff"]))
    first = visual_colours(stars["teff"], stars["logg"], carbon, stars["dust"], rng)
    second = visual_colours(stars["teff_2"], stars["logg"], nothing > 0, nothing, rng)
    share = np.where(np.isin(stars["class"], ECLIPSING), stars["share_2"], 0.0)[:, None]
    both = -2.5 * np.log10((1 - share) * 10 ** (-0.4 * first) + share * 10 ** (-0.4 * second))
    dust = np.array(EXTINCTION) - 1  # beyond that of V, which v_mag has
    return np.asarray(stars["v_mag"][:, None] + both + stars["extinction"][:, None] * dust)


def measured_columns(stars: Rows, magnitudes: Array, features: Rows, rng: np.random.Generator) -> Rows:
    """The columns `METADATA` and `PHOTOMETRY` [B] of AstroM3, NaN where a survey has nothing.

    Args:
        stars: Latents of `draw_variables` and `draw_places` [B].
        magnitudes: See `true_magnitudes` [B, bands].
        features: Of the light curves [B]: mean_vmag and `PHOTOMETRY`, and their standard deviation without noise.
        rng: Source of all randomness.
    """
    mag = dict(zip(BANDS, magnitudes.T, strict=True))
    rows = dict(features) | _gaia_photometry(mag, features["deviation"], rng)
    rows |= _astrometry(stars, mag["g"], rng) | _infrared(stars, mag, features["amplitude"], rng)
    rows |= {"l": stars["l"], "b": stars["b"]}
    for name, share in (("parallax", 0.004), ("j_mag", 0.004), ("w1_mag", 0.008)):  # not matched
        rows = _without(rows, name, rng.random(len(mag["g"])) < share)
    return {name: np.round(rows[name], 5) for name in (*METADATA, *PHOTOMETRY)}


_TOGETHER = {
    "parallax": ("parallax", "parallax_error", "parallax_over_error", "pmra", "pmra_error", "pmdec", "pmdec_error",
                 "pm", "ruwe"),
    "j_mag": ("j_mag", "e_j_mag", "h_mag", "e_h_mag", "k_mag", "e_k_mag", "j_k"),
    "w1_mag": ("w1_mag", "e_w1_mag", "w2_mag", "e_w2_mag", "w3_mag", "w4_mag", "w1_w2", "w3_w4"),
}  # fmt: skip


def _without(rows: Rows, name: str, lost: npt.NDArray[np.bool_]) -> Rows:
    return rows | {column: np.where(lost, np.nan, rows[column]) for column in _TOGETHER[name]}


def _gaia_photometry(mag: Rows, deviation: Array, rng: np.random.Generator) -> Rows:
    rows: Rows = {}
    for band, transits, floor in zip(("g", "bp", "rp"), _TRANSITS, (3e-4, 1.2e-3, 1e-3), strict=True):
        photons = floor * (1 + 10 ** (0.3 * (mag[band] - 16)))
        error = np.hypot(photons, deviation / np.sqrt(transits)) * np.exp(0.2 * rng.standard_normal(len(deviation)))
        rows[f"phot_{band}_mean_mag"] = mag[band] + error * rng.standard_normal(len(deviation))
        rows[f"e_phot_{band}_mean_mag"] = error
    return rows | {"bp_rp": rows["phot_bp_mean_mag"] - rows["phot_rp_mean_mag"]}


def _astrometry(stars: Rows, g: Array, rng: np.random.Generator) -> Rows:
    count, distance = len(g), stars["distance"]
    pair = np.isin(stars["class"], ECLIPSING) | (stars["subclass"] == "giant")
    large = np.isin(stars["class"], LONG_PERIOD)
    normal = rng.standard_normal((7, count))
    wobble = np.where(pair, 0.06, 0.02) * np.abs(normal[0]) + np.where(large, 0.12, 0.0) * np.abs(normal[1])
    companion = rng.random(count) < np.where(pair, 0.14, 0.06)  # a third or a second star, unseen
    ruwe = 0.98 + 0.03 * normal[2] + wobble + companion * rng.exponential(0.9, count)
    error = (0.014 + 0.0055 * 10 ** (0.26 * (np.clip(g, 13, 20) - 14))) * ruwe * np.exp(0.15 * normal[3])
    error += np.where(large, 0.02 * rng.exponential(1, count), 0)
    parallax = 1000 / distance - 0.02 + error * normal[4]
    spread = np.array([_DISPERSION[name] for name in stars["population"]])
    drift = np.where(stars["population"] == "halo", 200, np.where(stars["population"] == "thick", 45, 12))
    motion = np.stack([spread * normal[5] - 0.5 * drift, spread * normal[6] - 0.8 * drift]) / 4.74 / distance * 1000
    motion += error * rng.standard_normal(motion.shape)
    return {
        "parallax": parallax, "parallax_error": error, "parallax_over_error": parallax / error, "ruwe": ruwe,
        "pmra": motion[0], "pmra_error": 1.02 * error, "pmdec": motion[1], "pmdec_error": 0.9 * error,
        "pm": np.hypot(*motion),
    }  # fmt: skip


def _infrared(stars: Rows, mag: Rows, amplitude: Array, rng: np.random.Generator) -> Rows:
    rows: Rows = {}
    count, phase = len(amplitude), rng.standard_normal(len(amplitude))
    swing = 0.3 * np.where(np.isin(stars["class"], LONG_PERIOD), 0.3, 0.5) * amplitude * phase
    for band in "jhk":
        error = np.hypot(0.021, 0.05 * 10 ** (0.4 * (mag[band] - 14.5))) * np.exp(0.15 * rng.standard_normal(count))
        error = np.where(mag[band] < 4.5, 0.2, error)  # saturated
        rows |= {f"{band}_mag": mag[band] + swing + error * rng.standard_normal(count), f"e_{band}_mag": error}
    for k, depth in enumerate(_WISE_DEPTH):
        true = mag[f"w{k + 1}"] + 0.6 * swing
        error = np.hypot(0.022, 0.2 * 10 ** (0.4 * (true - depth))) + 0.1 * (true < (8.1, 6.7, 3.8, -0.4)[k])
        noise, deepest = rng.standard_normal((2, count))
        flux = 10 ** (-0.4 * (true - depth)) * (1 + np.minimum(error, 5) * noise / 1.0857)
        limit = 10 ** (-0.4 * (0.7 + 0.25 * deepest))  # where nothing is detected
        rows[f"w{k + 1}_mag"] = depth - 2.5 * np.log10(np.maximum(flux, limit))
        rows[f"e_w{k + 1}_mag"] = np.minimum(error, 0.5)
    return rows | {
        "j_k": rows["j_mag"] - rows["k_mag"],
        "w1_w2": rows["w1_mag"] - rows["w2_mag"],
        "w3_w4": rows["w3_mag"] - rows["w4_mag"],
    }
