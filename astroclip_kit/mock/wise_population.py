"""What a mock WISE survey looks at: galaxies, quasars and stars that an optical survey has spectra of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .catalogue import Rows
from .chunks import Plan
from .galaxies import visible_galaxies
from .instruments import band_fluxes
from .mid_infrared import galaxy_light, quasar_light, star_light
from .point_sources import point_spectra
from .quasar_population import draw_quasars
from .star_counts import draw_star_sample
from .star_population import SATURATION
from .star_spectra import blurred, on_observed_grid, star_fluxes

__all__ = ["CLASSES", "Objects", "draw_objects"]

Array = npt.NDArray[np.float64]
Light = npt.NDArray[np.float32]
CLASSES = ("galaxy", "qso", "star")
SHARE = (7298 / 21736, 7215 / 21736, 7223 / 21736)  # Zhao et al. (2023)
GALAXIES_R = 17.77  # of the faintest galaxies: most of those with spectra are of the main sample of SDSS, r < 17.77
DUSTY = 0.15  # share of the coolest stars that stand for evolved ones in their shells
EARLY = 0.45  # share of the early types that is kept: half of the main sample is red (Strateva et al. 2001)
LIMIT_W1 = {"galaxy": 14.5, "qso": 15.8, "star": 14.5}
"""Vega, of the faintest. AllWISE sees all to 17: it is optical spectroscopic samples of galaxies and stars that reach
about so far, and those of quasars deeper. They set the difficulty: with fainter ones more are misclassified."""


@dataclass(frozen=True)
class Objects:
    """Objects of a mock WISE survey.

    Args:
        known: Latents [B]: class, kind (what of its class it is), z, teff (K, NaN of what is no star), mag_r (AB).
        magnitudes: W1 to W4 [B, 4], Vega.
        shape: Scale length in arcsec, axis ratio and position angle [B, 3].
        light: Spectra in the fibre [B, L] in 1e-17 erg/s/cm2/A on `instruments.OBSERVED_WAVELENGTH`, without noise.
    """

    known: dict[str, npt.NDArray[Any]]
    magnitudes: Array
    shape: Array
    light: Light

    def __getitem__(self, rows: npt.NDArray[Any]) -> Objects:
        """Some of them."""
        known = {name: values[rows] for name, values in self.known.items()}
        return Objects(known, self.magnitudes[rows], self.shape[rows], self.light[rows])


def draw_objects(plan: Plan, count: int, rng: np.random.Generator) -> Objects:
    """Objects of the three classes in the proportions of Zhao et al. (2023), bright enough in r and in W1."""
    kind = rng.choice(len(CLASSES), count, p=SHARE)
    draws = (_galaxies, _quasars, _stars)
    numbers = np.bincount(kind, minlength=len(CLASSES))
    parts = [_enough(draw, plan, int(number), rng) for draw, number in zip(draws, numbers, strict=True)]
    return _joined(parts)[np.argsort(np.argsort(kind, kind="stable"), kind="stable")]


def _joined(parts: list[Objects]) -> Objects:
    known = {name: np.concatenate([part.known[name] for part in parts]) for name in parts[0].known}
    rest = (np.concatenate([getattr(part, name) for part in parts]) for name in ("magnitudes", "shape", "light"))
    return Objects(known, *rest)


def _enough(draw: Callable[..., Objects], plan: Plan, number: int, rng: np.random.Generator) -> Objects:
    """As many of a class as are wanted, of those that both surveys see."""
    parts: list[Objects] = []
    short = number
    while not parts or short:
        drawn = draw(plan, 2 * short + 8, rng)
        limit = LIMIT_W1[str(drawn.known["class"][0])]
        seen = (drawn.magnitudes[:, 0] < limit) & (drawn.known["mag_r"] < plan.observing.faint_limit)
        parts.append(drawn[np.flatnonzero(seen)[:short]])
        short -= len(parts[-1].shape)
    return _joined(parts)


def _known(name: str, kind: Any, z: Array, teff: Array, mag_r: Array) -> dict[str, npt.NDArray[Any]]:
    classes = np.full(len(z), name, dtype="U6")
    return {"class": classes, "kind": np.asarray(kind, dtype="U10"), "z": z, "teff": teff, "mag_r": mag_r}


def _galaxies(plan: Plan, count: int, rng: np.random.Generator) -> Objects:
    observing = replace(plan.observing, faint_limit=min(plan.observing.faint_limit, GALAXIES_R))
    galaxies, bulge, disc = visible_galaxies(replace(plan, observing=observing), rng, count)
    light = bulge + disc
    fluxes = band_fluxes(light)
    rate = galaxies["sfr"] - galaxies["logmstar"]
    types = np.where(galaxies["quiescent"] > 0, "early", np.where(rate > -9.5, "starburst", "late"))
    size = galaxies["bulge_to_total"] * galaxies["bulge_radius"]
    size += (1 - galaxies["bulge_to_total"]) * galaxies["disc_radius"]
    shape = np.stack([size / 1.678, galaxies["axis_ratio"], np.radians(galaxies["position_angle_deg"])], axis=1)
    mag_r = 22.5 - 2.5 * np.log10(fluxes[:, 1])
    fibre = 1 - np.exp(-1.0 / size)  # of the light, in a fibre of 2 arcsec
    known = _known("galaxy", types, galaxies["z"], np.full(count, np.nan), mag_r)
    objects = Objects(known, galaxy_light(galaxies, rng), shape, light * fibre.astype(np.float32)[:, None])
    return objects[np.flatnonzero((types != "early") | (rng.random(count) < EARLY))]


def _quasars(plan: Plan, count: int, rng: np.random.Generator) -> Objects:
    quasars, light, mag_r = _point_sources("qso", plan, count, rng)
    z = quasars["z"]
    host = rng.random(count) * np.exp(-z / 0.4)
    known = _known("qso", np.where(host > 0.3, "host", "nucleus"), z, np.full(count, np.nan), mag_r)
    return Objects(known, quasar_light(z, host, mag_r, rng), _points(count), light)


def _stars(plan: Plan, count: int, rng: np.random.Generator) -> Objects:
    stars, light, mag_r = _point_sources("star", plan, count, rng)
    teff = stars["teff"]
    dusty = (teff < 4000) & (rng.random(count) < DUSTY)
    dust = np.where(dusty, rng.uniform(0.1, 1, count), 0.0)
    kind = np.select([dusty, teff > 6000, teff > 4000], ["dusty", "hot", "cool"], "m_dwarf")
    known = _known("star", kind, np.zeros(count), teff, mag_r)
    return Objects(known, star_light(teff, dust, mag_r, rng), _points(count), light)


def _points(count: int) -> Array:
    return np.tile([0.0, 1.0, 0.0], (count, 1))


def _point_sources(name: str, plan: Plan, count: int, rng: np.random.Generator) -> tuple[Rows, Light, Array]:
    """Latents of quasars or stars, their spectra [B, L] as the spectrograph blurs them, and their magnitudes in r."""
    bright, faint = max(plan.observing.bright_limit, SATURATION), plan.observing.faint_limit
    quasars, quasar = draw_quasars(count, rng, bright, faint), name == "qso"
    objects = quasars | draw_star_sample(quasars["mag_i"] if quasar else rng.uniform(bright, faint, count), rng)
    objects["class"], none = np.full(count, name), np.zeros(count)
    objects |= {"kind": objects["class"], "rv": none, "vsini": none} if quasar else {"z": none}
    light = point_spectra(objects, rng)
    return objects, on_observed_grid(blurred(light, objects)), 22.5 - 2.5 * np.log10(star_fluxes(light)[:, 2])
